"""Facets: listings counted, value by value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.field_bits import all_of
from indexer.fields import (
    FieldTable,
    FieldType,
    ListingFields,
    Row,
    first_documents,
    write_fields,
)
from search.facets import Facet, FacetValue, Part, facets, listings_of, worth_a_facet
from search.filters import parse

TYPES: dict[str, FieldType] = {"brand": "text", "sale": "boolean", "size": "number"}

SNAPSHOT = [
    ListingFields("a", "A", "Shoes", 10, "EUR", "", {"brand": "Acme", "sale": True, "size": 40}),
    ListingFields("b", "B", "Shoes", 20, "EUR", "", {"brand": "acme", "size": 41}),
    ListingFields("c", "C", "Boots", 30, "EUR", "", {"brand": "Other"}),
    ListingFields("d", "D", "Boots", None, "EUR", "", {"brand": ["Acme", "Third"]}),
]
DELTA = [
    ListingFields("e", "E", "Hats", 5, "USD", "", {"brand": "THIRD", "sale": "no"}),
    ListingFields("f", "F", "shoes", 40, "EUR", "", {"brand": "Fourth", "size": 39}),
]
PICTURES = np.array([1, 1, 1, 2, 3, 4])
"""Listing a has three pictures."""


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    rows = [Row(number, fields) for number, fields in enumerate(SNAPSHOT, 1)]
    write_fields(tmp_path / "fields.bin", rows, PICTURES, TYPES)
    table = FieldTable.open(tmp_path / "fields.bin", len(PICTURES))
    growing = FieldTable.empty(TYPES)
    for fields in DELTA:
        growing.add(fields)
    return [
        Part(table, first_documents(PICTURES)),
        Part(growing.until(len(DELTA)), all_of(len(DELTA))),
    ]


def counts(parts: list[Part], text: str, field: str, top: int = 20) -> dict[str, int]:
    (facet,) = facets(parts, parse(text).check(TYPES), TYPES, [field], top=top)
    return {value.value: value.count for value in facet.values}


def test_listings_are_counted_over_all_parts(parts: list[Part]) -> None:
    assert counts(parts, "", "category") == {"Shoes": 3, "Boots": 2, "Hats": 1}
    assert counts(parts, "", "brand") == {"Acme": 3, "Third": 2, "Fourth": 1, "Other": 1}
    assert counts(parts, "", "sale") == {"true": 1, "false": 1}
    assert listings_of(parts, parse("")) == 6
    assert listings_of(parts, parse("category:shoes")) == 3


def test_a_field_does_not_narrow_itself(parts: list[Part]) -> None:
    text = "category:shoes price:..20"
    assert counts(parts, text, "category") == {"Shoes": 2, "Hats": 1}
    assert counts(parts, text, "brand") == {"Acme": 2}
    (price,) = facets(parts, parse(text).check(TYPES), TYPES, ["price"])
    assert (price.low, price.high) == (10, 40)


def test_what_is_asked_for_is_always_listed(parts: list[Part]) -> None:
    condition = parse("brand:fourth,nobody category:boots").check(TYPES)
    (facet,) = facets(parts, condition, TYPES, ["brand"], top=1)
    assert facet.values == (
        FacetValue("Acme", 1),
        FacetValue("Fourth", 0, selected=True),
        FacetValue("nobody", 0, selected=True),
    )
    assert not any(
        value.selected
        for facet in facets(parts, parse("-brand:fourth"), TYPES, ["brand"])
        for value in facet.values
    )


def test_numbers(parts: list[Part]) -> None:
    price, size = facets(parts, parse(""), TYPES, ["price", "size"])
    assert price == Facet("price", "number", (), 5, 40, (10, 20, 30))
    assert (size.low, size.high) == (39, 41)
    (none,) = facets(parts, parse("category:hats"), TYPES, ["size"])
    assert none == Facet("size", "number")


def test_many_different_texts_have_no_facet(parts: list[Part]) -> None:
    assert facets(parts, parse(""), TYPES, ["title", "id"]) == []


def test_fields_worth_a_facet(parts: list[Part]) -> None:
    assert worth_a_facet(parts, TYPES) == ["category", "price", "brand", "size"]
    assert worth_a_facet(parts, TYPES, limit=1) == ["category"]
    assert worth_a_facet([], TYPES) == []
