"""The catalogue database by itself."""

import sqlite3
from contextlib import closing

import pytest

from indexer.catalog import DATABASE, Catalog, parse_region, region_text
from indexer.errors import IndexDamaged, IndexNotReady, IndexVersionError, ListingNotFound
from indexer.field_values import MAX_FIELDS
from indexer.listing import Picture


def test_made_only_when_told(tmp_path):
    with pytest.raises(IndexNotReady):
        Catalog(tmp_path)
    assert not (tmp_path / DATABASE).exists()
    Catalog(tmp_path, create=True).close()
    with Catalog(tmp_path) as catalog:
        assert catalog.count("listings") == 0
        assert catalog.meta("change") == "0"
        assert catalog.meta("none") is None


def test_a_newer_database_is_refused_kindly(tmp_path):
    Catalog(tmp_path, create=True).close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(IndexVersionError, match="newer") as caught:
        Catalog(tmp_path)
    assert "--upgrade" in caught.value.hint


def test_no_database_at_all(tmp_path):
    (tmp_path / DATABASE).write_bytes(b"this is something else entirely" * 100)
    with pytest.raises(IndexDamaged):
        Catalog(tmp_path)


def test_writing_is_all_or_nothing(tmp_path):
    with Catalog(tmp_path, create=True) as catalog:
        with catalog.writing():
            assert catalog.next_change() == 1
            assert catalog.next_change() == 2
        with pytest.raises(KeyError), catalog.writing():
            catalog.set_meta("x", "1")
            catalog.next_change()
            raise KeyError
        assert catalog.meta("x") is None
        assert catalog.meta("change") == "2"


@pytest.mark.parametrize("region", [None, (0.0, 0.0, 1.0, 1.0), (0.125, 0.25, 0.5, 0.333)])
def test_regions_roundtrip(region):
    assert parse_region(region_text(Picture("x", region=region))) == region


def test_types_are_learned_once(tmp_path):
    with Catalog(tmp_path, create=True) as catalog:
        catalog.learn_types({"size": "42", "price": 5, "empty": "", "tags": ["a"], "none": []})
        assert catalog.field_types() == {
            "size": "text",
            "attributes.price": "number",
            "tags": "text",
        }
        catalog.learn_types({"size": 42, "empty": True})
        assert catalog.field_types()["size"] == "text"
        assert catalog.field_types()["empty"] == "boolean"
        catalog.learn_types({f"a{n}": n for n in range(2 * MAX_FIELDS)})
        assert len(catalog.field_types()) <= MAX_FIELDS


def test_listings(indexed):
    with Catalog(indexed) as catalog:
        listing, keys = catalog.listing("hats:01.jpg")
        assert (listing.category, listing.title) == ("hats", "01")
        assert len(listing.pictures) == len(keys) == 1
        assert len(keys[0]) == 64
        number = catalog.number_of("hats:01.jpg")
        assert catalog.listings([number, 10**6]) == {number: (listing, keys)}
        assert catalog.number_of("HATS:01.JPG") == 0
        with pytest.raises(ListingNotFound, match="case-sensitive"):
            catalog.listing("HATS:01.JPG")
        assert list(catalog.failures()) == []


def test_attributes_and_prices_are_kept(sync, tmp_path, index_folder, draw):
    draw(tmp_path / "a.png", 1)
    path = tmp_path / "c.csv"
    path.write_text(
        "id,image,title,price,currency,size\na,a.png,Größe 日本,1299.50,EUR,XL\n", "utf-8"
    )
    sync(path)
    with Catalog(index_folder) as catalog:
        listing, _ = catalog.listing("a")
    assert (listing.title, listing.price, listing.currency) == ("Größe 日本", 1299.5, "EUR")
    assert listing.attributes == {"size": "XL"}
    assert listing.origin


def test_readers_do_not_wait_for_a_writer(indexed):
    with Catalog(indexed) as writer, Catalog(indexed) as reader, writer.writing():
        writer.db.execute("DELETE FROM listings")
        assert reader.count("listings") == 12
