"""Exports: every listing with its vectors, readable elsewhere."""

import errno
import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import indexer.exporting
import indexer.files
from indexer.catalog import Catalog
from indexer.commands.export import export as command
from indexer.errors import IndexBusy, IndexNotReady, MissingExtra, StorageError, UsageError
from indexer.export_schema import KEY, network_path
from indexer.exporting import export
from indexer.features import feature_file
from indexer.lease import writer_lease
from indexer.snapshot import open_current
from indexer.tidying import tidy
from indexer.weights import sha256_of


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "catalogue.parquet"


@pytest.fixture
def shop(sync, index_folder, tmp_path, draw):
    """An index of listings with one, two and no good pictures."""
    for n in range(4):
        draw(tmp_path / "shop" / f"{n}.png", n)
    (tmp_path / "shop" / "bad.png").write_bytes(b"no picture")
    path = tmp_path / "shop" / "c.csv"
    path.write_text(
        "id,image,title,category,price,size\na,0.png|1.png,Größe,hats,12.5,XL\nb,2.png,,,,\n"
        "c,bad.png,,,,\nd,bad.png|3.png,,,,\n",
        "utf-8",
    )
    sync(path)
    return index_folder


def rows_of(path):
    return {row["id"]: row for row in pq.read_table(path).to_pylist()}


def test_every_listing(shop, target):
    done = export(shop, target)
    assert (done.listings, done.pictures) == (4, 6)
    rows = rows_of(target)
    assert list(rows) == ["a", "b", "c", "d"]
    first = rows["a"]
    assert (first["title"], first["category"], first["price"]) == ("Größe", "hats", 12.5)
    assert json.loads(first["attributes"]) == {"size": "XL"}
    assert first["written"] is False
    assert rows["b"]["price"] is None
    assert [p["state"] for p in rows["d"]["pictures"]] == ["rejected", "done"]
    assert rows["c"]["pictures"][0]["reason"]
    assert rows["c"]["pictures"][0]["vector"] is None
    assert first["pictures"][0]["thumbnail"].startswith(b"\xff\xd8")
    snapshot = open_current(shop)
    found = [p["vector"] for row in rows.values() for p in row["pictures"] if p["vector"]]
    assert np.array_equal(np.array(found, np.float16), snapshot.vectors)
    with Catalog(shop) as catalog:
        kept = feature_file(shop, catalog).read(np.arange(4))
    features = [p["features"] for row in rows.values() for p in row["pictures"] if p["features"]]
    assert np.array_equal(np.array(features, np.float16), kept)
    assert [path.name for path in target.parent.iterdir()] and not list(
        target.parent.glob("*.part")
    )


def test_what_the_file_says_of_itself(shop, target, network):
    export(shop, target)
    said = json.loads(pq.read_schema(target).metadata[KEY])
    assert said["network"]["sha256"] == network.sha256
    assert said["recipe"]["name"] == "default"
    assert said["space"] == open_current(shop).space
    assert said["features"] is True
    assert network_path(target).name == "catalogue.network.tflite"
    assert sha256_of(network_path(target)) == said["network"]["model_sha256"]


def test_vectors_alone(shop, target):
    export(shop, target, features=False, thumbnails=False)
    (picture, _) = rows_of(target)["a"]["pictures"]
    assert "features" not in picture
    assert "thumbnail" not in picture
    assert len(picture["vector"]) == open_current(shop).projection.dims


@pytest.mark.parametrize("at_once", [1, 3])
def test_in_groups(indexed, target, monkeypatch, at_once):
    monkeypatch.setattr(indexer.exporting, "LISTINGS_AT_ONCE", at_once)
    assert export(indexed, target).listings == 12
    assert pq.ParquetFile(target).num_row_groups == 12 // at_once
    assert len(rows_of(target)) == 12


def test_what_came_since_the_snapshot(indexed, target):
    before = open_current(indexed)
    with Catalog(indexed) as catalog, catalog.writing():
        # Two listings exchange their pictures' features, as a changed picture does.
        change = catalog.next_change()
        catalog.db.execute(
            "UPDATE pictures SET embedding = 3 - embedding, change = ? WHERE embedding IN (1, 2)",
            (change,),
        )
    export(indexed, target)
    vectors = np.array(
        [p["vector"] for row in rows_of(target).values() for p in row["pictures"]], np.float16
    )
    expected = before.vectors[[0, 2, 1, *range(3, 12)]].astype(np.float32)
    assert np.allclose(vectors.astype(np.float32), expected, atol=2e-3)
    assert not np.allclose(vectors[1], before.vectors[1], atol=0.01)


def test_while_a_compaction_moves_rows(indexed, target, monkeypatch):
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.next_change()
        catalog.db.execute("DELETE FROM listings WHERE id IN ('bags:00.png', 'hats:01.jpg')")
    export(indexed, target)
    expected = rows_of(target)
    real, turns = indexer.exporting.feature_file, []

    def then_move(folder, catalog):
        file = real(folder, catalog)

        class Moved:
            @staticmethod
            def read(rows):
                turns.append(rows)
                if len(turns) == 1:
                    with writer_lease(folder), Catalog(folder) as other:
                        assert tidy(folder, other).moved
                return file.read(rows)

        return Moved()

    monkeypatch.setattr(indexer.exporting, "feature_file", then_move)
    export(indexed, target, overwrite=True)
    assert len(turns) == 2
    assert rows_of(target) == expected


def test_a_compaction_without_end(indexed, target, monkeypatch):
    monkeypatch.setattr(indexer.exporting, "TRIES", 0)
    with pytest.raises(IndexBusy):
        export(indexed, target)
    assert not target.exists()


def test_no_index(tmp_path, target):
    with pytest.raises(IndexNotReady):
        export(tmp_path / "none", target)


def test_into_a_folder(indexed, tmp_path):
    with pytest.raises(UsageError, match="folder"):
        export(indexed, tmp_path)


def test_what_is_there_is_not_overwritten_by_mistake(indexed, target):
    export(indexed, target, thumbnails=False)
    before = target.read_bytes()
    with pytest.raises(UsageError, match="there already") as caught:
        export(indexed, target)
    assert "--overwrite" in caught.value.hint
    assert target.read_bytes() == before
    export(indexed, target, overwrite=True)
    assert target.read_bytes() != before
    assert sorted(path.name for path in target.parent.iterdir()) == [
        "catalogue.network.tflite",
        "catalogue.parquet",
    ]


def test_a_network_of_another_export_is_not_overwritten(indexed, target):
    export(indexed, target)
    target.unlink()
    export(indexed, target)  # the same network lies there
    target.unlink()
    network_path(target).write_bytes(b"of another index")
    with pytest.raises(UsageError, match="network"):
        export(indexed, target)
    assert network_path(target).read_bytes() == b"of another index"
    assert not target.exists()


def test_an_export_that_fails_leaves_the_old_one_and_its_network(indexed, target, monkeypatch):
    export(indexed, target)
    network_path(target).write_bytes(b"of the export before")
    monkeypatch.setattr(indexer.exporting, "TRIES", 0)
    with pytest.raises(IndexBusy):
        export(indexed, target, overwrite=True)
    assert network_path(target).read_bytes() == b"of the export before"
    assert len(list(target.parent.iterdir())) == 2


def test_a_full_disk_leaves_the_old_export(indexed, target, monkeypatch):
    export(indexed, target)
    before = target.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(indexer.files.os, "fsync", full)
    with pytest.raises(StorageError, match="No space"):
        export(indexed, target, overwrite=True)
    assert target.read_bytes() == before
    assert not list(target.parent.glob("*.part"))


def test_without_pyarrow(indexed, target, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match="parquet"):
        export(indexed, target)


def test_the_command(indexed, target):
    done = CliRunner().invoke(command, [str(target), "--index", str(indexed), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["listings"] == 12
    again = [str(target), "--index", str(indexed), "--no-features"]
    assert isinstance(CliRunner().invoke(command, again).exception, UsageError)
    done = CliRunner().invoke(command, [*again, "--overwrite"])
    assert "12 listings" in done.stderr.replace("\n", " ")
