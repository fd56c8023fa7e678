"""Thumbnails: kept by content, dropped with it."""

import sqlite3
from contextlib import closing

import pytest

import indexer.thumbnails
from indexer.catalog import DATABASE, Catalog
from indexer.errors import StorageError
from indexer.storing import storing
from indexer.thumbnails import Thumbnails


@pytest.fixture
def thumbnails(tmp_path):
    opened = Thumbnails(tmp_path)
    yield opened
    opened.close()


def test_add_and_get(thumbnails):
    thumbnails.add([("a", b"1"), ("b", b"2")])
    thumbnails.add([("a", b"3")])
    assert thumbnails.get("a") == b"3"
    assert thumbnails.get("b") == b"2"
    assert thumbnails.get("c") is None


def test_they_are_durable_when_they_are_kept(thumbnails):
    (full,) = thumbnails.db.execute("PRAGMA synchronous").fetchone()
    assert full == 2


def test_all_or_nothing(thumbnails):
    def pairs():
        yield "a", b"1"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        thumbnails.add(pairs())
    assert thumbnails.get("a") is None


def test_keep_only(indexed):
    with Catalog(indexed) as catalog:
        _, (key,) = catalog.listing("hats:01.jpg")
    opened = Thumbnails(indexed)
    try:
        opened.add([("left over", b"1")])
        assert opened.keep_only(indexed / DATABASE) == 1
        assert opened.get("left over") is None
        assert opened.get(key)
    finally:
        opened.close()


def test_they_are_small_jpegs(sync, index_folder, tmp_path, draw):
    from indexer.pictures import THUMBNAIL_SIDE, open_picture

    draw(tmp_path / "p" / "a.png", 1, (900, 500))
    sync(tmp_path / "p")
    with Catalog(index_folder) as catalog:
        _, (key,) = catalog.listing("a.png")
    opened = Thumbnails(index_folder)
    try:
        picture = open_picture(opened.get(key))
    finally:
        opened.close()
    assert max(picture.size) == THUMBNAIL_SIDE


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_keep_only_in_steps(indexed, monkeypatch, at_once):
    monkeypatch.setattr(indexer.thumbnails, "LOOKED_AT", at_once)
    monkeypatch.setattr(indexer.thumbnails, "REMOVED_AT_ONCE", max(1, at_once // 2))
    opened = Thumbnails(indexed)
    try:
        opened.add((f"{n:064x}", b"1") for n in range(20))
        assert opened.keep_only(indexed / DATABASE) == 20
        assert opened.keep_only(indexed / DATABASE) == 0
        assert opened.db.execute("SELECT count(*) FROM thumbnails").fetchone() == (12,)
    finally:
        opened.close()


def test_keep_only_beside_a_writer(indexed, monkeypatch):
    """What a picture gets between looking and deleting is not deleted."""
    opened = Thumbnails(indexed)
    real = Thumbnails._unused

    def then_a_write(self):
        for unused in real(self):
            with Catalog(indexed) as catalog, catalog.writing():
                catalog.db.execute("UPDATE embeddings SET content = 'new' WHERE number = 3")
            yield unused

    monkeypatch.setattr(Thumbnails, "_unused", then_a_write)
    try:
        opened.add([("new", b"1"), ("old", b"1")])
        assert opened.keep_only(indexed / DATABASE) == 1
        assert opened.has("new")
        assert not opened.has("old")
    finally:
        opened.close()


def test_a_full_disk(thumbnails):
    thumbnails.add([("a", b"1")])
    (pages,) = thumbnails.db.execute("PRAGMA page_count").fetchone()
    thumbnails.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="full"):
        thumbnails.add([("b", b"x" * 100_000)])
    assert thumbnails.get("a") == b"1"
    assert thumbnails.get("b") is None
    thumbnails.add([("b", b"2")])
    assert thumbnails.get("b") == b"2"


def test_other_errors_of_the_database(tmp_path):
    with (
        closing(sqlite3.connect(":memory:")) as db,
        pytest.raises(sqlite3.OperationalError),
        storing(tmp_path),
    ):
        db.execute("SELECT * FROM nothing")
