"""Compaction: what changed goes into a new snapshot, what is gone goes for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import indexer.changes
import indexer.compaction
from indexer.catalog import Catalog
from indexer.changes import Changes, changes_since, current_manifest
from indexer.commands.compact import compact as command
from indexer.compaction import compact
from indexer.errors import IndexBusy, IndexNotReady, StorageError
from indexer.lease import writer_lease
from indexer.listing import Listing, Picture
from indexer.operations import Patch
from indexer.recipe import RECIPES
from indexer.snapshot import open_current
from indexer.writing import Writer


@pytest.fixture
def writer(indexed, fake_network):
    return Writer(indexed, lambda: fake_network)


def put(writer, draw, folder, name, seed):
    data = draw(folder / f"{seed}.png", seed).read_bytes()
    writer.put(Listing(name, (Picture("", data),)))


def changes(folder):
    with Catalog(folder) as catalog:
        return changes_since(catalog, current_manifest(folder))


def test_what_changed_goes_into_a_new_snapshot(indexed, writer, draw, tmp_path):
    assert changes(indexed).changed == 0
    put(writer, draw, tmp_path, "new", 99)
    writer.patch(Patch("hats:01.jpg", {"title": "Hat"}))
    writer.remove("bags:00.png")
    said = changes(indexed)
    assert (said.changed, said.tombstones, said.vectors) == (3, 1, 12)
    done = compact(indexed)
    assert (done.snapshot, done.built, done.changed) == ("000002", True, 3)
    assert done.tidied.features == 1
    assert done.tidied.thumbnails == 1
    snapshot = open_current(indexed)
    assert snapshot.count == 12
    assert snapshot.manifest["change"] == said.change
    assert changes(indexed).changed == 0


def test_another_recipe(indexed):
    done = compact(indexed, recipe=RECIPES["seed"].sized(4, None))
    assert done.built
    assert open_current(indexed).projection.dims == 4


@pytest.mark.parametrize(
    ("changed", "vectors", "age", "due"),
    [
        (1_001, 10_000, 0, True),
        (1_000, 10_000, 0, False),
        (5_001, 100_000, 0, True),
        (4_000, 100_000, 0, False),
        (101, 1_000, 601, True),
        (100, 1_000, 601, False),
        (101, 1_000, 599, False),
        (101, 1_000_000, 601, False),
        (101, 1_000_000, 6_001, True),
        (0, 0, 10**9, False),
    ],
)
def test_when_it_is_time(changed, vectors, age, due):
    assert Changes(0, changed, 0, vectors, age).due is due


def test_only_when_it_is_time(indexed, writer, monkeypatch):
    writer.remove("bags:00.png")
    done = compact(indexed, only_if_due=True)
    assert (done.snapshot, done.built, done.changed, done.tidied) == ("000001", False, 1, None)
    monkeypatch.setattr(indexer.changes, "MANY", 0)
    assert compact(indexed, only_if_due=True).built


def test_an_index_whose_last_listing_went(indexed, writer):
    with Catalog(indexed) as catalog:
        ids = [row[0] for row in catalog.db.execute("SELECT id FROM listings")]
    for name in ids:
        writer.remove(name)
    done = compact(indexed)
    assert (done.snapshot, done.built) == ("000001", False)
    assert done.tidied.features == 12
    assert open_current(indexed).count == 12


def test_nothing_to_compact(tmp_path, indexed):
    with pytest.raises(IndexNotReady, match="no index"):
        compact(tmp_path / "none")
    (indexed / "CURRENT").unlink()
    assert compact(indexed, only_if_due=True).snapshot is None
    assert compact(indexed).built  # as after a damage


def test_one_at_a_time(indexed):
    with writer_lease(indexed), pytest.raises(IndexBusy, match="Another process"):
        compact(indexed)


def test_writes_go_on_beside_it(indexed, writer, draw, tmp_path, monkeypatch):
    """What is written while it builds is not in the snapshot, and not lost."""
    real = indexer.compaction.build_snapshot

    def build(*given):
        put(writer, draw, tmp_path, "meanwhile", 98)
        name = real(*given)
        put(writer, draw, tmp_path, "later", 97)
        return name

    monkeypatch.setattr(indexer.compaction, "build_snapshot", build)
    done = compact(indexed)
    assert open_current(indexed).count == 13
    said = changes(indexed)
    assert said.changed == 1
    assert done.built


def test_a_full_disk_leaves_the_old_one(indexed, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexer.build.write_faiss", full)
    with pytest.raises(StorageError):
        compact(indexed)
    assert open_current(indexed).name == "000001"
    with writer_lease(indexed):  # it has let go of it
        pass


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from lookalike import main; main()", "compact", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_the_command_says_what_it_did(indexed, writer):
    writer.remove("bags:00.png")
    told = run("--index", str(indexed))
    assert told.returncode == 0
    assert "Snapshot 000002 serves" in told.stderr
    assert "1 features" in told.stderr
    said = json.loads(run("--index", str(indexed), "--json").stdout)
    assert (said["snapshot"], said["built"], said["tidied"]["features"]) == ("000003", True, 0)
    quiet = run("--index", str(indexed), "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_in_the_background(indexed):
    said = json.loads(run("--index", str(indexed), "--background", "--json").stdout)
    assert (said["built"], said["snapshot"]) == (False, "000001")
    with writer_lease(indexed):
        busy = run("--index", str(indexed), "--background", "--json")
        assert (busy.returncode, json.loads(busy.stdout)) == (0, {"busy": True})
        plain = run("--index", str(indexed))
        assert plain.returncode == 1
        assert "writing to the index" in plain.stderr
    assert "--background" in command.get_help(command.make_context("compact", []))


def test_searches_go_on_beside_it(opened, writer, draw, tmp_path):
    """Every write is seen at once while snapshots come and go, and none is lost."""
    wrong = []
    ended = threading.Event()

    def search():
        while not ended.is_set():
            try:
                if not opened.search(listing_id="hats:01.jpg", k=5).hits:
                    wrong.append("nothing")
            except Exception as error:  # noqa: BLE001 - a thread's error is the test's
                wrong.append(error)
        opened.close()

    thread = threading.Thread(target=search)
    thread.start()
    for n in range(4):
        put(writer, draw, tmp_path, f"n{n}", 200 + n)
        compact(opened.path)
        opened.refresh()
        vector = opened.view().vectors(np.array([0]))
        assert len(opened.view().nearest(vector, 100)[0]) == 13 + n
    ended.set()
    thread.join()
    assert wrong == []
    assert [path.name for path in (opened.path / "snapshots").iterdir()][-1:] != []


def test_memory_is_kept_and_chosen_by(indexed):
    compact(indexed, memory=2 * 10**9)
    assert open_current(indexed).manifest["memory"] == 2 * 10**9
    with Catalog(indexed) as catalog:
        assert catalog.memory() == 2 * 10**9
    compact(indexed)
    assert open_current(indexed).manifest["memory"] == 2 * 10**9
