"""Columns of fields, on disk and in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer import field_waiting
from indexer.catalog import Catalog
from indexer.errors import IndexDamaged, QueryError
from indexer.field_bits import all_of, bits_at, complement, count_of, mask_of
from indexer.field_values import (
    CORE_TYPES,
    MAX_FIELDS,
    boolean_of,
    normal,
    number_of,
    number_text,
)
from indexer.fields import (
    FieldTable,
    FieldType,
    Inference,
    ListingFields,
    Row,
    catalogue_rows,
    first_documents,
    infer_types,
    write_fields,
)

TYPES: dict[str, FieldType] = {
    "brand": "text",
    "size": "number",
    "sale": "boolean",
    "tags": "text",
    "attributes.price": "text",
}

LISTINGS = [
    ListingFields("a", "One", "Shoes", 10, "EUR", "u:1", {"brand": "Acme & Co", "size": 42}),
    ListingFields("b", "Two", "shoes ", 20.5, "EUR", "", {"brand": "ACME & CO", "size": "43"}),
    ListingFields("c", "Three", "Boots", None, "", "", {"size": "XL", "sale": True, "tags": ["r"]}),
    ListingFields("d", "Four", "", -3, "USD", "", {"sale": "no", "tags": ["g", "R", "g"], "x": 1}),
    ListingFields("e", "Ｆｉｖｅ", "Straße", 20.5, "", "", {"price": "low", "size": [41, 42]}),
]

Make = Callable[..., FieldTable]


def on_disk(folder: Path, listings: list[ListingFields] = LISTINGS) -> FieldTable:
    rows = [Row(number, fields) for number, fields in enumerate(listings, 1)]
    write_fields(folder / "fields.bin", rows, np.arange(1, len(listings) + 1), TYPES)
    return FieldTable.open(folder / "fields.bin", len(listings))


def in_memory(_: Path, listings: list[ListingFields] = LISTINGS) -> FieldTable:
    table = FieldTable.empty(TYPES)
    for fields in listings:
        table.add(fields)
    return table


@pytest.fixture(params=[on_disk, in_memory])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def found(bits: np.ndarray, total: int = len(LISTINGS)) -> list[int]:
    return np.flatnonzero(mask_of(bits, total)).tolist()


def test_texts_compare_without_case_and_forms(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.equal("category", ["SHOES"])) == [0, 1]
    assert found(table.equal("category", ["strasse", "boots"])) == [2, 4]
    assert found(table.equal("title", ["five"])) == [4]
    assert found(table.equal("brand", ["acme & co"])) == [0, 1]
    assert found(table.equal("id", ["a", "z"])) == [0]


def test_lists_match_by_any_of_theirs(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.equal("tags", ["r"])) == [2, 3]
    assert found(table.equal("size", ["42"])) == [0, 4]
    assert found(table.between("size", 41, 41.5)) == [4]


def test_numbers(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.equal("price", ["20.50", "10"])) == [0, 1, 4]
    assert found(table.between("price", -math.inf, 10)) == [0, 3]
    assert found(table.between("price", 10, 20.5, (True, False))) == [1, 4]
    assert found(table.between("price", 10, 20.5, (False, True))) == [0]
    assert found(table.equal("size", ["43"])) == [1], "a text that reads as a number is one"
    assert table.mismatched == {"size": 1}
    with pytest.raises(QueryError, match="no beginning"):
        table.starting("price", "1")


def test_booleans(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.equal("sale", ["true"])) == [2]
    assert found(table.equal("sale", ["false"])) == [3]


def test_presence_and_what_a_table_does_not_know(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.present("category")) == [0, 1, 2, 4]
    assert found(table.present("size")) == [0, 1, 4], "what cannot be found is not there"
    assert table.documents("size") == 3
    assert found(table.present("attributes.price")) == [4]
    for bits in (
        table.present("x"),
        table.equal("x", ["1"]),
        table.starting("x", "1"),
        table.between("x", 0, 2),
        table.between("category", 0, 2),
    ):
        assert found(bits) == [], "x had no type"


def test_beginnings(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path)
    assert found(table.starting("category", "S")) == [0, 1, 4]
    assert found(table.starting("category", "shoes")) == [0, 1]
    assert found(table.starting("category", "t")) == []


def test_values_are_shown_as_first_written(make: Make, tmp_path: Path) -> None:
    column = make(tmp_path).column("brand")
    assert column is not None
    tally = column.tally(np.ones(len(LISTINGS), np.bool_))
    assert tally is not None
    assert tally.top(5) == ["acme & co"]
    assert (tally.count("acme & co"), tally.shown("acme & co")) == (2, "Acme & Co")
    assert (tally.count("z"), tally.shown("z")) == (0, None)


def test_common_and_rare_values_agree_with_a_plain_count(make: Make, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    listings = [
        ListingFields(
            str(number),
            category=f"c{int(random.exponential(8))}",
            attributes={"tags": [f"t{part}" for part in random.integers(0, 90, 2)]},
        )
        for number in range(3000)
    ]
    table = make(tmp_path, listings)
    mask = random.random(3000) < 0.4
    for field, of in (
        ("category", lambda fields: {fields.category}),
        ("tags", lambda fields: set(fields.attributes["tags"])),
    ):
        column = table.column(field)
        assert column is not None
        tally = column.tally(mask)
        assert tally is not None
        for value in {one for fields in listings for one in of(fields)}:
            having = [value in of(fields) for fields in listings]
            assert mask_of(table.equal(field, [value]), 3000).tolist() == having
            assert tally.count(value) == np.count_nonzero(np.array(having) & mask)
        begun = [any(one.startswith(("c1", "t1")) for one in of(fields)) for fields in listings]
        assert mask_of(table.starting(field, field[0] + "1"), 3000).tolist() == begun
    ranked = [tally.count(key) for key in tally.top(30)]
    assert ranked == sorted(ranked, reverse=True)


def test_many_values_become_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_waiting, "MAX_VALUES", 100)
    monkeypatch.setattr(field_waiting, "WAITING", 64)
    listings = [
        ListingFields(
            str(at), attributes={"tags": [f"T{at}", f"t{at // 2}"], "brand": f"b{at % 7}"}
        )
        for at in range(3000)
    ]
    table = on_disk(tmp_path, listings)
    column = table.column("tags")
    assert column is not None
    assert (column.kind, column.distinct) == ("hashes", 3000)
    for at in (0, 1, 49, 99, 100, 101, 1499, 2999):
        having = [n for n in range(3000) if at in (n, n // 2)]
        assert found(table.equal("tags", [f"t{at}"]), 3000) == having
    assert column.tally(np.ones(3000, np.bool_)) is None
    with pytest.raises(QueryError, match="so many different values"):
        table.starting("tags", "t1")
    brands = table.column("brand")
    assert brands is not None
    assert brands.kind == "values"


def test_prose_becomes_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_waiting, "MAX_TEXT", 50)
    table = on_disk(
        tmp_path, [ListingFields(str(at), attributes={"brand": f"{at}" * 30}) for at in range(5)]
    )
    assert found(table.equal("brand", ["3" * 30])) == [3]
    column = table.column("brand")
    assert column is not None
    assert column.kind == "hashes"


def test_a_document_per_picture_in_any_order(tmp_path: Path) -> None:
    rows = [Row(number, ListingFields(f"l{number}", category=f"c{number}")) for number in (2, 5, 9)]
    listings = np.array([9, 5, 2, 9, 7, 9])
    write_fields(tmp_path / "f", rows, listings, {})
    table = FieldTable.open(tmp_path / "f", 6)
    assert found(table.equal("category", ["c9"]), 6) == [0, 3, 5]
    assert found(table.equal("id", ["l5", "l2"]), 6) == [1, 2]
    assert found(table.present("id"), 6) == [0, 1, 2, 3, 5], "listing 7 is no longer there"
    assert found(first_documents(listings), 6) == [0, 1, 2, 4]
    living = complement(bits_at([np.array([0, 4], np.uint32)], 6), 6)
    assert found(first_documents(listings, living), 6) == [1, 2, 3]


def test_nothing_at_all(make: Make, tmp_path: Path) -> None:
    table = make(tmp_path, [])
    assert len(table.present("category")) == 0
    assert len(table.equal("category", ["x"])) == 0
    assert len(table.between("price", 0, 1)) == 0


def test_odd_texts_do_no_harm(make: Make, tmp_path: Path) -> None:
    odd = ["\ud800", "a\0b", "ﷺ", "x" * 5000, "İ", " "]
    table = make(tmp_path, [ListingFields(str(at), category=text) for at, text in enumerate(odd)])
    for at, text in enumerate(odd[:-1]):
        assert found(table.equal("category", [text]), len(odd)) == [at]
    assert count_of(table.present("category")) == len(odd) - 1


def test_a_table_grows_while_it_is_read(tmp_path: Path) -> None:
    table = FieldTable.empty({"brand": "text"})
    for fields in LISTINGS:
        table.add(fields)
    before = table.until(3)
    for _ in range(500):
        table.add(LISTINGS[0])
    assert found(before.equal("category", ["shoes"]), 3) == [0, 1]
    assert count_of(table.equal("category", ["shoes"])) == 502
    assert found(before.between("price", 0, 99), 3) == [0, 1]
    table.learn({"tags": "text"})
    table.add(LISTINGS[3])
    assert found(table.equal("tags", ["g"]), table.total) == [505]
    assert before.total == 3


@pytest.mark.parametrize("change", ["cut", "other", "count", "missing"])
def test_a_damaged_file_is_told(tmp_path: Path, change: str) -> None:
    on_disk(tmp_path)
    path = tmp_path / "fields.bin"
    raw = path.read_bytes()
    total = len(LISTINGS)
    match change:
        case "cut":
            path.write_bytes(raw[:-20])
        case "other":
            path.write_bytes(raw.replace(b'"parts"', b'"stray"'))
        case "count":
            total += 1
        case _:
            path.unlink()
    with pytest.raises(IndexDamaged, match="cannot be read"):
        FieldTable.open(path, total).present("id")


def test_a_catalogue_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.field_values.PAGE", 2)
    with Catalog(tmp_path, create=True) as catalog, catalog.writing():
        for number, fields in enumerate(LISTINGS):
            catalog.db.execute(
                "INSERT INTO listings (id, title, category, price, currency, url, attributes,"
                " origin, digest, change) VALUES (?, ?, ?, ?, ?, ?, ?, '', x'', ?)",
                (
                    fields.id,
                    fields.title,
                    fields.category,
                    fields.price,
                    fields.currency,
                    fields.url,
                    json.dumps(fields.attributes),
                    number + 1,
                ),
            )
        assert [row.fields for row in catalogue_rows(catalog)] == LISTINGS
        assert [row.number for row in catalogue_rows(catalog, since=3)] == [4, 5]


def test_types_are_inferred() -> None:
    def types(*values: object, texts: bool = True) -> str | None:
        inference = Inference(texts=texts)
        for value in values:
            inference.add(ListingFields("x", attributes={"f": value}))  # type: ignore[dict-item]
        return inference.types().get("f")

    assert types(1, 2.5) == "number"
    assert types("1", "2.5", "", "-1e3") == "number"
    assert types("1", "2.5", texts=False) == "text"
    assert types(1, "x", 2) == "text"
    assert types(True, False) == "boolean"
    assert types("True", "false") == "boolean"
    assert types("true", False, texts=False) == "text"
    assert types(True, 1) == "text"
    assert types(["1", "2"], "3") == "number"
    assert types(["a"], "b") == "text"
    assert types("007", "123") == "text", "codes are no numbers"
    assert types("0.5", "0", "10") == "number"
    assert types("4006381333931") == "number"
    assert types("40063813339310000") == "text"
    assert types("", []) is None
    assert types("nan", "inf") == "text"


def test_types_stay_and_are_not_endless() -> None:
    listings = [ListingFields("x", attributes={"f": "text", "price": "low", "g": 1})]
    assert infer_types(listings, {"f": "number"}) == {"attributes.price": "text", "g": "number"}
    many = ListingFields("x", attributes={f"a{number}": number for number in range(1500)})
    types = infer_types([many, many])
    assert MAX_FIELDS - len(CORE_TYPES) <= len(types) <= MAX_FIELDS


def test_values() -> None:
    assert normal(" ＡＣＭＥ ß ") == "acme ss"
    for text in ("İ", "ﷺ", "ᾳ", "ͅ", "…", "´a"):
        assert normal(normal(text)) == normal(text)
    assert number_of(" 1.5 ") == 1.5
    for none in ("", "1,5", "1_0", "nan", "0x1", True, None, float("inf"), "1e999", "١"):
        assert number_of(none) is None
    assert (boolean_of("Yes"), boolean_of(0), boolean_of("2")) == (True, False, None)
    for number in (0.0, -0.0, 1e300, 0.1, 1e15, -2.0, 123456789.0):
        assert number_of(number_text(number)) == number
    assert number_text(10.0) == "10"


def test_bits() -> None:
    few = np.array([3, 3, 11], np.uint32)
    assert found(bits_at([few], 12), 12) == [3, 11]
    many = np.arange(9000, dtype=np.uint32)[::-1]
    assert count_of(bits_at([many, few], 9003)) == 9000
    assert count_of(all_of(9003)) == 9003
    assert found(complement(bits_at([few], 12), 12), 12) == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
