"""Compaction: what changed goes into a new snapshot, what is gone goes for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from click.testing import CliRunner

import indexer.changes
import indexer.compaction
from indexer.backup import back_up
from indexer.catalog import Catalog
from indexer.changes import Changes, changes_since, current_manifest
from indexer.commands.compact import compact as command
from indexer.compaction import compact
from indexer.errors import IndexBusy, IndexNotReady, StorageError
from indexer.lease import writer_lease
from indexer.listing import Listing, Picture
from indexer.operations import Patch
from indexer.recipe import RECIPES
from indexer.restoring import restore
from indexer.snapshot import open_current
from indexer.verify import problems
from indexer.writing import Writer
from search.evaluate import evaluate
from search.filters import Condition


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
        (1, 0, 61, True),
        (1, 0, 59, False),
        (51, 50, 61, True),
        (50, 50, 61, False),
    ],
)
def test_when_it_is_time(changed, vectors, age, due):
    assert Changes(0, changed, 0, vectors, age).due is due
    assert Changes(0, changed, 0, vectors, age, emptied=True).due


def test_only_when_it_is_time(indexed, writer, monkeypatch):
    writer.remove("bags:00.png")
    done = compact(indexed, only_if_due=True)
    assert (done.snapshot, done.built, done.changed, done.tidied) == ("000001", False, 1, None)
    monkeypatch.setattr(indexer.changes, "MANY", 0)
    assert compact(indexed, only_if_due=True).built


@pytest.fixture
def emptied(indexed, writer):
    """The folder of an index from which every listing was removed."""
    with Catalog(indexed) as catalog:
        ids = [row[0] for row in catalog.db.execute("SELECT id FROM listings")]
    for name in ids:
        writer.remove(name)
    return indexed


def test_an_index_whose_last_listing_went(emptied):
    before = open_current(emptied)
    before.close()
    assert changes(emptied).emptied
    done = compact(emptied, only_if_due=True)
    assert (done.snapshot, done.built, done.vectors) == ("000002", True, 0)
    assert (done.tidied.features, done.tidied.thumbnails, done.tidied.tombstones) == (12, 12, 12)
    assert [path.name for path in (emptied / "snapshots").iterdir()] == ["000002"]
    assert (emptied / "features.f16").stat().st_size == 0
    after = open_current(emptied)
    assert (after.count, after.categories) == (0, None)
    assert after.space == before.space
    assert after.scores.body_ == before.scores.body_
    assert after.manifest["fitted_on"]["contents"] == []
    assert list(problems(emptied)) == []
    said = changes(emptied)
    assert (said.changed, said.emptied, said.due) == (0, False, False)
    again = compact(emptied, recipe=RECIPES["seed"])
    assert (again.snapshot, again.vectors) == ("000003", 0)
    assert open_current(emptied).projection.recipe == before.projection.recipe


def test_the_command_says_that_nothing_is_left(emptied):
    told = CliRunner().invoke(command, ["--index", str(emptied)])
    assert (told.exit_code, told.exception) == (0, None)
    assert "no listing left to find" in told.stderr.replace("\n", " ")


def test_searches_of_an_emptied_index_find_nothing(emptied, opened, draw, tmp_path):
    photo = draw(tmp_path / "photo.png", 3)
    for _ in range(2):  # with its old snapshot, and with the empty one
        page = opened.search(photo=photo)
        assert (page.hits, page.next_cursor, page.close_match) == ([], None, False)
        assert opened.search(photo=photo, filter="title:x", fold=True).hits == []
        assert opened.classify(photo) == [] or opened.snapshot.count
        assert opened.sample(5) == []
        compact(emptied)
        opened.refresh()
    said = opened.status()
    assert (said["listings"], said["vectors"], said["changed"]) == (0, 0, 0)
    assert opened.view().facets(Condition()) == []
    with pytest.raises(IndexNotReady, match="no picture"):
        evaluate(opened, [])


def test_the_next_listings_are_found_as_those_before(emptied, opened, writer, draw, tmp_path):
    compact(emptied)
    opened.refresh()
    space = opened.snapshot.space
    for turn in range(2):
        for n in range(2):
            put(writer, draw, tmp_path, f"new{turn}{n}", 60 + 2 * turn + n)
        hits = opened.search(photo=tmp_path / "61.png").hits
        assert len(hits) == 2 + 2 * turn
        assert hits[0].listing.id == "new01"
        assert hits[0].similarity == pytest.approx(1, abs=1e-3)
        done = compact(emptied)
        opened.refresh()
        # So few would fit no projection, and make no background of scores.
        assert (done.vectors, opened.snapshot.space) == (2 + 2 * turn, space)
        assert opened.search(photo=tmp_path / "61.png").hits == hits


def test_a_whole_new_catalogue_after_the_last(emptied, sync, draw, tmp_path, opened):
    compact(emptied)
    before = open_current(emptied)
    for n in range(15):
        draw(tmp_path / "others" / f"k{n % 3}" / f"{n}.png", 300 + n)
    report = sync(tmp_path / "others")
    assert report.plan.added == 15
    after = open_current(emptied)
    assert (after.name, after.count) == ("000003", 15)
    assert (after.space != before.space, after.projection.fitted_on_) == (True, 15)
    opened.refresh()
    hits = opened.search(photo=tmp_path / "others" / "k0" / "3.png").hits
    assert hits[0].listing.id == "k0:3.png"


def test_a_sync_of_which_no_picture_can_be_used(indexed, sync, write_csv, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    catalogue = write_csv(tmp_path / "none.csv", [("a", "broken.jpg")])
    report = sync(catalogue, allow_removals=True)
    assert (report.plan.removed, report.failures, report.snapshot) == (12, 1, "000002")
    assert open_current(indexed).count == 0
    assert sync(catalogue).snapshot == "000002"


def test_a_backup_of_an_emptied_index(emptied, tmp_path):
    compact(emptied)
    back_up(emptied, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    assert open_current(tmp_path / "restored").count == 0
    assert list(problems(tmp_path / "restored")) == []


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
