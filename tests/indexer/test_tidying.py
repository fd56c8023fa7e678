"""Tidying up: what a deletion leaves behind goes, and nothing else does."""

import os
import shutil
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest

import indexer.feature_compaction
import indexer.tidying
from indexer.catalog import DATABASE, Catalog
from indexer.features import FeatureFile, feature_file
from indexer.lease import writer_lease
from indexer.rebuild import rebuild
from indexer.snapshot import open_current
from indexer.thumbnails import THUMBNAILS, Thumbnails
from indexer.tidying import GRACE_SECONDS, tidy, tidy_emptied
from indexer.verify import problems


def tidied(folder):
    with writer_lease(folder), Catalog(folder) as catalog:
        return tidy(folder, catalog)


def remove(folder, *ids):
    with Catalog(folder) as catalog, catalog.writing():
        catalog.next_change()
        for listing in ids:
            assert catalog.db.execute("DELETE FROM listings WHERE id = ?", (listing,)).rowcount


def features_by_listing(folder):
    """Return each listing's features, which no tidying up may change."""
    with Catalog(folder) as catalog:
        found = catalog.db.execute(
            "SELECT l.id, p.embedding FROM pictures p JOIN listings l ON l.number = p.listing"
        ).fetchall()
        rows = feature_file(folder, catalog).read(np.array([row[1] for row in found], np.int64))
        assert rows.any(axis=1).all()
        return {row[0]: features.tobytes() for row, features in zip(found, rows, strict=True)}


def meta(folder, key):
    with Catalog(folder) as catalog:
        return int(catalog.meta(key))


FIRST = ("hats:01.jpg", "bags:00.png", "shoes:05.jpg")


def test_nothing_to_tidy(indexed):
    before = {path: path.read_bytes() for path in indexed.glob("features.*")}
    said = tidied(indexed)
    assert (said.features, said.moved, said.thumbnails, said.snapshots) == (0, 0, 0, 0)
    assert {path: path.read_bytes() for path in indexed.glob("features.*")} == before
    assert meta(indexed, "moves") == 0
    assert not list(problems(indexed))


def test_features_of_removed_listings_go(indexed):
    before = features_by_listing(indexed)
    data = (indexed / "features.f16").read_bytes()
    remove(indexed, *FIRST)
    said = tidied(indexed)
    assert said.features == 3
    assert said.thumbnails == 3
    assert 0 < said.moved <= 3
    after = features_by_listing(indexed)
    assert after == {name: row for name, row in before.items() if name not in FIRST}
    assert meta(indexed, "rows") == 9
    assert meta(indexed, "moves") == 1
    now = (indexed / "features.f16").read_bytes()
    assert len(now) == len(data) * 9 // 12
    for name in FIRST:
        assert before[name] not in now
    assert (indexed / "features.crc").stat().st_size == 9 * 4
    assert list(problems(indexed)) == []
    assert tidied(indexed).moved == 0


def test_all_go(indexed):
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.next_change()
        catalog.db.execute("DELETE FROM listings")
    assert tidied(indexed).features == 12
    assert meta(indexed, "rows") == 0
    assert (indexed / "features.f16").stat().st_size == 0


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_in_steps_of_any_size(indexed, monkeypatch, at_once):
    monkeypatch.setattr(indexer.feature_compaction, "AT_ONCE", at_once)
    monkeypatch.setattr(indexer.feature_compaction, "LOOKED_AT", 5)
    before = features_by_listing(indexed)
    gone = sorted(before)[::2]
    remove(indexed, *gone)
    tidied(indexed)
    assert features_by_listing(indexed) == {
        name: row for name, row in before.items() if name not in gone
    }
    assert meta(indexed, "rows") == 6
    assert not list(problems(indexed))


def test_the_rows_of_a_shared_picture_stay(indexed):
    with Catalog(indexed) as catalog, catalog.writing():
        one, other = (catalog.number_of(name) for name in FIRST[:2])
        catalog.db.execute(
            "UPDATE pictures SET embedding = (SELECT embedding FROM pictures WHERE listing = ?)"
            " WHERE listing = ?",
            (one, other),
        )
    remove(indexed, FIRST[0])
    before = features_by_listing(indexed)
    assert tidied(indexed).features == 1  # what the other one showed before
    assert features_by_listing(indexed) == before


class Stop(Exception):
    """A crash."""


@pytest.mark.parametrize("where", ["move", "set_meta", "shorten"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_crash_anywhere_loses_nothing(indexed, monkeypatch, where, after):
    monkeypatch.setattr(indexer.feature_compaction, "AT_ONCE", 1)
    before = features_by_listing(indexed)
    remove(indexed, *FIRST)
    home = Catalog if where == "set_meta" else FeatureFile
    real, calls = getattr(home, where), 0

    def crashing(self, *arguments):
        nonlocal calls
        calls += 1
        if calls > after:
            if where == "move":  # half of a row is written
                data = bytearray(self.path.read_bytes())
                start = int(arguments[1][0]) * self.width * 2
                data[start : start + self.width] = b"\x11" * self.width
                self.path.write_bytes(data)
            raise Stop
        return real(self, *arguments)

    monkeypatch.setattr(home, where, crashing)
    try:
        tidied(indexed)
    except Stop:
        pass
    else:
        assert calls <= after
    monkeypatch.undo()
    left = {name: row for name, row in before.items() if name not in FIRST}
    assert features_by_listing(indexed) == left
    assert not list(problems(indexed))
    tidied(indexed)
    assert features_by_listing(indexed) == left
    assert meta(indexed, "rows") == 9
    assert not list(problems(indexed))


def append(folder, value):
    """Write a listing as the API does, in a connection of its own."""
    with Catalog(folder) as catalog, catalog.writing():
        change = catalog.next_change()
        file, rows = feature_file(folder, catalog), int(catalog.meta("rows"))
        catalog.set_meta("rows", str(file.append(np.full((1, file.width), value), rows)))
        catalog.db.execute(
            "INSERT INTO embeddings VALUES (?, ?, '', 1, 1)", (rows, f"{value:064d}")
        )
        listing = catalog.db.execute(
            "INSERT INTO listings (id, title, category, currency, url, attributes, origin, digest,"
            " change) VALUES (?, '', '', '', '', '{}', '', x'', ?)",
            (f"new {value}", change),
        ).lastrowid
        catalog.db.execute(
            "INSERT INTO pictures (listing, position, uri, region, version, state, embedding,"
            " change) VALUES (?, 0, 'x', '', '', 1, ?, ?)",
            (listing, rows, change),
        )


def test_writes_go_on_between_the_steps(indexed, monkeypatch):
    monkeypatch.setattr(indexer.feature_compaction, "AT_ONCE", 1)
    before = features_by_listing(indexed)
    remove(indexed, *FIRST)
    written = []

    def between(real):
        def call(*arguments):
            written.append(len(written) + 1)
            append(indexed, written[-1])
            result = real(*arguments)
            written.append(len(written) + 1)
            append(indexed, written[-1])
            return result

        return call

    for name in ("_delete", "_holes", "_fill", "_cut"):
        real = getattr(indexer.feature_compaction, name)
        monkeypatch.setattr(indexer.feature_compaction, name, between(real))
    tidied(indexed)
    after = features_by_listing(indexed)
    width = len(next(iter(before.values()))) // 2
    for value in written:
        assert after.pop(f"new {value}") == np.full(width, value, np.float16).tobytes()
    assert after == {name: row for name, row in before.items() if name not in FIRST}
    assert not [line for line in problems(indexed) if "features" in line]


def test_thumbnails_are_overwritten(indexed):
    with Catalog(indexed) as catalog:
        _, (key,) = catalog.listing(FIRST[0])
    with closing(Thumbnails(indexed)) as thumbnails:
        jpeg = thumbnails.get(key)
    remove(indexed, FIRST[0])
    assert tidied(indexed).thumbnails == 1
    piece = jpeg[-80:-20]  # past the tables that JPEGs share
    for path in indexed.glob(f"{THUMBNAILS}*"):
        assert piece not in path.read_bytes()


def test_without_thumbnails(indexed):
    (indexed / THUMBNAILS).unlink()
    assert tidied(indexed).thumbnails == 0
    assert not (indexed / THUMBNAILS).exists()


def kept_picture(folder, name, age):
    path = folder / "pictures" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode())
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def test_the_last_pictures_go_without_another_compaction(indexed):
    assert tidy_emptied(indexed) == 0
    kept = indexed / "pictures" / "ab" / "abc"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"given over the API")
    os.utime(kept, (0, 0))
    assert tidy_emptied(indexed) == 0  # a compaction's work, while there are pictures
    with Catalog(indexed) as catalog:
        remove(indexed, *(row[0] for row in catalog.db.execute("SELECT id FROM listings")))
    kept.touch()
    assert tidy_emptied(indexed) == 0  # its listing may be about to be written
    os.utime(kept, (0, 0))
    assert tidy_emptied(indexed) == 1
    assert not kept.exists()


def test_kept_pictures_that_no_listing_has_go(indexed, monkeypatch):
    monkeypatch.setattr(indexer.tidying, "AT_ONCE", 1)
    old = 2 * GRACE_SECONDS
    named, unnamed, fresh, late = (
        kept_picture(indexed, letter * 64, age)
        for letter, age in (("a", old), ("b", old), ("c", 1), ("d", old))
    )
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.db.execute(
            "UPDATE pictures SET uri = ? WHERE number = 1", (f"stored:{named.name}",)
        )
    real = indexer.tidying._name

    def then_a_write(catalog):
        real(catalog)
        with Catalog(indexed) as other, other.writing():
            other.db.execute(
                "UPDATE pictures SET uri = ?, change = ? WHERE number = 2",
                (f"stored:{late.name}", other.next_change()),
            )

    monkeypatch.setattr(indexer.tidying, "_name", then_a_write)
    assert tidied(indexed).pictures == 1
    assert [path.exists() for path in (named, unnamed, fresh, late)] == [True, False, True, True]


def test_tombstones_go_with_the_snapshots_that_need_them(indexed):
    remove(indexed, *FIRST)
    assert tidied(indexed).tombstones == 0
    reader = open_current(indexed)
    rebuild(indexed, None, None, None)
    assert tidied(indexed).tombstones == 0  # the reader may still ask
    assert meta(indexed, "pruned") == reader.manifest["change"]
    reader.close()
    said = tidied(indexed)
    assert (said.tombstones, said.snapshots) == (3, 1)
    assert meta(indexed, "pruned") == open_current(indexed).manifest["change"]
    remove(indexed, "hats:04.png")
    assert tidied(indexed).tombstones == 0


def test_before_the_first_snapshot(indexed):
    shutil.rmtree(indexed / "snapshots")
    (indexed / "CURRENT").unlink()
    remove(indexed, *FIRST)
    said = tidied(indexed)
    assert (said.features, said.tombstones, said.snapshots) == (3, 0, 0)


def test_a_long_reader_is_not_waited_for(indexed, monkeypatch):
    remove(indexed, *FIRST)
    with closing(sqlite3.connect(indexed / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM listings").fetchone()
        assert tidied(indexed).features == 3
        reader.execute("COMMIT")
