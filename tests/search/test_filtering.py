"""Filters on a view: the snapshot's columns, and what listings say since."""

from __future__ import annotations

import csv

import pytest

import indexer.sync
from indexer.apply import apply_staged
from indexer.errors import QueryError
from indexer.listing import Listing, Picture
from indexer.operations import Patch
from indexer.rebuild import rebuild
from indexer.writing import Writer
from search.engine import Engine
from search.filters import parse


@pytest.fixture
def shop(tmp_path, draw, sync, index_folder):
    """Thirty listings: prices 0 to 29, three brands, every fifth with two pictures."""
    with (tmp_path / "catalog.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "image", "title", "category", "price", "brand", "sale"))
        for n in range(30):
            names = [f"p/{n}.png"] + ([f"p/{n}b.png"] if n % 5 == 0 else [])
            for turn, name in enumerate(names):
                draw(tmp_path / name, n + 1000 * turn)
            brand = ("Acme", "Bolt & Co", "")[n % 3]
            category = ("bags", "hats")[n % 2]
            writer.writerow(
                (f"l{n}", "|".join(names), f"Product {n}", category, n, brand, n % 4 == 0)
            )
    sync(tmp_path / "catalog.csv")
    engine = Engine.open(index_folder)
    yield engine
    engine.close()


@pytest.fixture
def writer(shop, fake_network):
    return Writer(shop.path, lambda: fake_network)


@pytest.fixture
def ids(shop, tmp_path):
    photo = tmp_path / "p" / "3.png"

    def search(text, k=100, **asked):
        return sorted(
            (hit.listing.id for hit in shop.search(photo=photo, k=k, filter=text, **asked).hits),
            key=lambda name: int(name[1:]),
        )

    return search


def test_each_kind_of_term(ids):
    assert ids("price:10..12") == ["l10", "l11", "l12"]
    assert ids("category:bags price:..5") == ["l0", "l2", "l4"]
    assert ids("brand:acme,'bolt & co' price:..4".replace("'", '"')) == ["l0", "l1", "l3", "l4"]
    assert ids("brand!=acme price:..3") == ["l1", "l2"]
    assert ids("-brand:* price:..6") == ["l2", "l5"]
    assert ids("sale:true price:..9") == ["l0", "l4", "l8"]
    assert len(ids("")) == 30


def test_a_page_is_full_while_listings_match(shop, tmp_path, ids):
    page = shop.search(photo=tmp_path / "p" / "3.png", k=7, filter="category:bags")
    assert len(page.hits) == 7
    assert {hit.listing.category for hit in page.hits} == {"bags"}
    assert shop.search(photo=tmp_path / "p" / "3.png", filter="price:1000..").hits == []


def test_what_cannot_be_asked(ids):
    with pytest.raises(QueryError, match=r"brnd.*brand"):
        ids("brnd:acme")
    with pytest.raises(QueryError, match="number"):
        ids("price:cheap")


def test_a_patch_is_filtered_by_at_once(shop, writer, ids):
    assert ids("price:10..12") == ["l10", "l11", "l12"]
    writer.patch(Patch("l11", {"price": 500.0}, {"brand": "New"}))
    writer.patch(Patch("l0", {"price": 11.5}))  # has two pictures
    assert ids("price:10..12") == ["l0", "l10", "l12"]
    assert ids("price:100..") == ["l11"]
    assert ids("brand:new") == ["l11"]
    writer.patch(Patch("l11", {"price": 10.5}))
    assert ids("price:10..12") == ["l0", "l10", "l11", "l12"]
    assert shop.view().changed == 0


def test_a_new_category_is_filtered_by_at_once(writer, ids):
    writer.patch(Patch("l3", {"category": "shoes"}))
    assert ids("category:shoes") == ["l3"]
    assert "l3" not in ids("category:hats")


def test_new_and_removed_listings(writer, draw, tmp_path, ids, shop):
    data = draw(tmp_path / "new.png", 77).read_bytes()
    writer.put(Listing("l77", (Picture("", data),), "New", "bags", 11.0, "", "", {"size": 5}))
    assert ids("price:10..12") == ["l10", "l11", "l12", "l77"]
    assert ids("size:5") == ["l77"]
    writer.patch(Patch("l77", {"price": 99.0}))
    writer.remove("l10")
    assert ids("price:10..12") == ["l11", "l12"]
    assert ids("price:90..") == ["l77"]
    rebuild(shop.path, None, None, None)
    assert shop.refresh()
    assert ids("price:10..12") == ["l11", "l12"]
    assert ids("size:5") == ["l77"]


@pytest.fixture
def another(shop):
    """A way to open the index once more, as another process does."""
    opened = []

    def one():
        opened.append(Engine.open(shop.path))
        return opened[-1]

    yield one
    for engine in opened:
        engine.close()


def types(engine):
    return engine.view().told.filters.types


def test_all_who_serve_find_one_type(shop, writer, another, ids):
    """Each by itself would take what it sees first: the first write, the lowest number, or none."""
    late = another()
    writer.patch(Patch("l20", {}, {"size": "wide"}))
    assert types(shop)["size"] == "text"
    writer.patch(Patch("l3", {}, {"size": 42}))
    writer.patch(Patch("l7", {}, {"weight": 5, "new": True}))
    assert types(shop)["weight"] == "number"
    writer.remove("l7")
    latest = another()
    expected = {"brand": "text", "new": "boolean", "sale": "boolean"}
    expected |= {"size": "text", "weight": "number"}
    assert types(shop) == types(late) == types(latest) == expected
    for engine in (shop, late, latest):
        (hit,) = engine.search(listing_id="l1", filter="size:4*").hits
        assert hit.listing.id == "l3"
        assert engine.search(listing_id="l1", filter="weight:1..").hits == []
    rebuild(shop.path, None, None, None)
    for engine in (shop, late, latest):
        assert engine.refresh()
        assert types(engine) == expected
    assert ids("size:4*") == ["l3"]


def test_the_operations_of_a_batch_come_one_after_the_other(shop, writer):
    writer.write(
        [
            Patch("l9", {}, {"size": 42, "code": ""}),
            Patch("l1", {}, {"size": "wide", "code": "7"}),
            Patch("nobody", {}, {"never": 1}),
        ]
    )
    assert types(shop)["size"] == "number"
    assert types(shop)["code"] == "text"
    assert "never" not in types(shop)


def test_a_text_of_the_api_stays_one_when_a_snapshot_is_built(shop, writer, ids):
    writer.patch(Patch("l3", {}, {"code": "42"}))
    assert ids("code:4*") == ["l3"]
    rebuild(shop.path, None, None, None)
    shop.refresh()
    assert types(shop)["code"] == "text"
    assert ids("code:4*") == ["l3"]


def test_a_sync_records_types_from_all_its_values(
    shop, writer, another, sync, tmp_path, monkeypatch
):
    writer.patch(Patch("l5", {}, {"code": "42"}))
    rows = (tmp_path / "catalog.csv").read_text().splitlines()
    more = ["depth,size,code", *(f"{n}.5,{n if n < 29 else 'XL'},{n}" for n in range(30))]
    (tmp_path / "catalog.csv").write_text(
        "".join(f"{row},{said}\n" for row, said in zip(rows, more, strict=True))
    )
    early, seen = another(), []

    def then_look(*arguments):
        apply_staged(*arguments)
        seen.append(types(early))  # before a snapshot is built

    monkeypatch.setattr(indexer.sync, "apply_staged", then_look)
    sync(tmp_path / "catalog.csv")
    assert seen
    expected = {"depth": "number", "size": "text", "code": "text"}
    for said in (*seen, types(early), types(shop), types(another())):
        assert {name: said[name] for name in expected} == expected
    # The first value over the API comes after that, and changes nothing.
    writer.patch(Patch("l5", {}, {"depth": "deep"}))
    assert types(shop)["depth"] == "number"


def counts(shop, text=""):
    return {
        facet.field: {value.value: value.count for value in facet.values} or (facet.low, facet.high)
        for facet in shop.view().facets(parse(text))
    }


def test_facets_count_listings(shop, writer):
    found = counts(shop)
    assert found["category"] == {"bags": 15, "hats": 15}
    assert found["brand"] == {"Acme": 10, "Bolt & Co": 10}
    assert found["price"] == (0, 29)
    assert counts(shop, "category:bags")["brand"] == {"Acme": 5, "Bolt & Co": 5}
    assert counts(shop, "category:bags")["category"] == {"bags": 15, "hats": 15}
    writer.patch(Patch("l0", {"category": "hats", "price": 70.0}))  # two pictures, one listing
    writer.remove("l2")
    found = counts(shop)
    assert found["category"] == {"bags": 13, "hats": 16}
    assert found["price"] == (1, 70)


def test_a_snapshot_without_columns_says_what_to_do(shop, ids):
    shop.view().told.filters.table = None
    with pytest.raises(QueryError, match="lookalike compact"):
        ids("price:1")
