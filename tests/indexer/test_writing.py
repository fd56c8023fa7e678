"""Writing listing by listing: what is acknowledged is there, what fails changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.errors import ListingNotFound, PictureError, UsageError
from indexer.features import feature_file
from indexer.listing import Listing, Picture
from indexer.operations import Patch, Put, Remove
from indexer.swapping import swap
from indexer.writing import Writer


@pytest.fixture
def writer(indexed, fake_network):
    return Writer(indexed, lambda: fake_network)


@pytest.fixture
def listing(draw, tmp_path):
    data = draw(tmp_path / "new.png", 99).read_bytes()
    return Listing("new", (Picture("", data),), "New", "hats", 9.5, "EUR", "", {"brand": "acme"})


def state(folder: Path):
    """Return all that an index says, but for the change number."""
    with Catalog(folder) as catalog:
        return [
            [tuple(row) for row in catalog.db.execute(f"SELECT * FROM {table} ORDER BY 1")]
            for table in ("listings", "pictures", "embeddings", "removed")
        ]


def unwritten(folder: Path):
    """Return the same without when listings were last written to, which readers do not see."""
    listings, *others = state(folder)
    return [[row[:-1] for row in listings], *others]


def written(folder: Path, listing: str) -> int:
    with Catalog(folder) as catalog:
        (row,) = catalog.db.execute("SELECT written FROM listings WHERE id = ?", (listing,))
    return int(row[0])


def test_put_a_new_listing(writer, listing, indexed, fake_network):
    assert writer.put(listing).outcome == "created"
    with Catalog(indexed) as catalog:
        found, keys = catalog.listing("new")
        assert (found.title, found.price, found.attributes) == ("New", 9.5, {"brand": "acme"})
        assert keys[0]
        assert found.pictures[0].uri == f"stored:{keys[0]}"
        assert feature_file(indexed, catalog).open(13)[12].any()
        assert catalog.meta("rows") == "13"
    kept = indexed / "pictures" / keys[0][:2] / keys[0]
    assert kept.read_bytes() == listing.pictures[0].data


def test_put_twice_is_put_once(writer, listing, indexed, fake_network):
    writer.put(listing)
    once, calls = unwritten(indexed), fake_network.calls
    with Catalog(indexed) as catalog:
        change = catalog.change()
    assert writer.put(listing).outcome == "unchanged"
    assert (unwritten(indexed), fake_network.calls) == (once, calls)
    assert written(indexed, "new") > change  # what was read before is older than that


def test_a_patch_that_changes_nothing_confirms_what_it_names(writer, indexed):
    assert writer.patch(Patch("bags:00.png", {})).outcome == "unchanged"
    assert written(indexed, "bags:00.png") == 0
    before = unwritten(indexed)
    assert writer.patch(Patch("bags:00.png", {"title": "00"})).outcome == "unchanged"
    assert unwritten(indexed) == before
    assert written(indexed, "bags:00.png") > 1


def test_put_replaces_pictures_and_fields(writer, listing, indexed, draw, tmp_path):
    writer.put(listing)
    other = draw(tmp_path / "other.png", 98).read_bytes()
    again = Listing("new", (listing.pictures[0], Picture("", other)), "Newer")
    assert writer.put(again).outcome == "replaced"
    with Catalog(indexed) as catalog:
        found, _ = catalog.listing("new")
        numbers = catalog.pictures_of(catalog.number_of("new"))
    assert (found.title, found.category, found.attributes, len(found.pictures)) == (
        "Newer",
        "",
        {},
        2,
    )
    assert writer.put(Listing("new", again.pictures[1:], "Newer")).outcome == "replaced"
    with Catalog(indexed) as catalog:
        gone = {row[0] for row in catalog.db.execute("SELECT picture FROM removed")}
    assert gone == set(numbers)  # the second one stands in the first place now


def test_a_known_picture_is_not_embedded_again(writer, indexed, pictures_folder, fake_network):
    calls = fake_network.calls
    data = (pictures_folder / "bags" / "00.png").read_bytes()
    writer.put(Listing("twin", (Picture("", data),)))
    writer.put(Listing("path", (Picture(str(pictures_folder / "bags" / "00.png")),)))
    assert fake_network.calls == calls


def test_a_failed_put_changes_nothing(writer, listing, indexed):
    before = state(indexed)
    bad = Listing("bad", (*listing.pictures, Picture("", b"no picture")))
    with pytest.raises(PictureError):
        writer.put(bad)
    with pytest.raises(UsageError, match="no picture"):
        writer.put(Listing("bare", ()))
    with pytest.raises(UsageError, match="slash"):
        writer.put(Listing("a/b", listing.pictures))
    assert state(indexed) == before


def test_patch_changes_fields_alone(writer, indexed, fake_network):
    calls = fake_network.calls
    patch = Patch("bags:00.png", {"price": 5.0, "title": "Bag"}, {"colour": "red", "size": 3})
    assert writer.patch(patch).outcome == "patched"
    assert writer.patch(patch).outcome == "unchanged"
    writer.patch(Patch("bags:00.png", {}, {"size": None}))
    with Catalog(indexed) as catalog:
        found, _ = catalog.listing("bags:00.png")
    assert (found.price, found.title, found.category) == (5.0, "Bag", "bags")
    assert found.attributes == {"colour": "red"}
    assert fake_network.calls == calls
    with pytest.raises(ListingNotFound):
        writer.patch(Patch("nobody", {}))
    with pytest.raises(UsageError, match="'colour'"):
        Patch("x", {"colour": "red"})


def test_remove(writer, indexed):
    assert writer.remove("bags:00.png").outcome == "removed"
    with pytest.raises(ListingNotFound):
        writer.remove("bags:00.png")
    with Catalog(indexed) as catalog:
        assert catalog.count("listings") == 11
        removed = catalog.db.execute("SELECT * FROM removed").fetchall()
        assert [tuple(row)[2] for row in removed] == [catalog.change() - 1]


def test_a_batch_answers_for_each(writer, listing, indexed):
    outcomes = writer.write(
        [
            Put(listing),
            Remove("nobody"),
            Patch("new", {"title": "Patched"}),
            Put(Listing("bad", (Picture("", b""),))),
            Remove("bags:03.jpg"),
        ]
    )
    said = [getattr(one, "outcome", None) or one.code for one in outcomes]
    assert said[:3] == ["created", "listing_not_found", "patched"]
    assert said[3] in ("bad_picture", "unsupported_type")
    assert said[4] == "removed"
    with Catalog(indexed) as catalog:
        assert catalog.listing("new")[0].title == "Patched"


def test_features_that_were_tidied_away_meanwhile(writer, indexed, pictures_folder, monkeypatch):
    """A write that counted on known features embeds them itself where they are gone."""
    data = (pictures_folder / "bags" / "00.png").read_bytes()
    ready = Writer._ready

    def then_tidied(self, operation, catalog, thumbnails, network):
        found = ready(self, operation, catalog, thumbnails, network)
        if catalog.count("listings", "id = 'bags:00.png'"):
            catalog.db.execute("DELETE FROM listings WHERE id = 'bags:00.png'")
            catalog.db.execute(
                "DELETE FROM embeddings WHERE number NOT IN"
                " (SELECT embedding FROM pictures WHERE embedding IS NOT NULL)"
            )
        return found

    monkeypatch.setattr(Writer, "_ready", then_tidied)
    assert writer.put(Listing("twin", (Picture("", data),))).outcome == "created"
    with Catalog(indexed) as catalog:
        assert catalog.listing("twin")[1][0]


def test_an_index_that_was_replaced_by_one_who_died_before_saying_so(
    writer, listing, indexed, monkeypatch
):
    """The writer waits for the old one meanwhile, and must not write to that."""
    other = indexed.with_name("other")
    shutil.copytree(indexed, other)
    real, swapped = Catalog.writing, []

    def writing(catalog):
        if not swapped:
            swapped.append(swap(indexed, other))
        return real(catalog)

    monkeypatch.setattr(Catalog, "writing", writing)
    writer.put(listing)
    with Catalog(indexed) as serves, Catalog(other) as gone:
        assert serves.number_of("new")
        assert not gone.number_of("new")


@pytest.mark.parametrize(
    ("fields", "attributes"),
    [
        ({"price": "cheap"}, {}),
        ({"price": float("inf")}, {}),
        ({"price": -1}, {}),
        ({"title": None}, {}),
        ({}, {"x": object()}),
        ({}, {"x": [1, {"b": 2}]}),
        ({}, {"x": float("nan")}),
        ({}, {"": "x"}),
    ],
)
def test_values_that_cannot_be_kept(writer, listing, indexed, fields, attributes):
    before = state(indexed)
    with pytest.raises(UsageError):
        Patch("bags:00.png", fields, attributes)
    with pytest.raises(UsageError):
        writer.put(replace(listing, **fields, **({"attributes": attributes} if attributes else {})))
    assert state(indexed) == before
