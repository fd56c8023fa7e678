"""Thumbnails: kept by content, dropped with it."""

import pytest

from indexer.catalog import DATABASE, Catalog
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
