"""Conditions as forms, and forms as conditions."""

from __future__ import annotations

import pytest

from indexer.errors import QueryError
from search.facets import Facet, FacetValue
from search.filter_form import form_of, from_form
from search.filters import parse

FACETS = [
    Facet("category", "text", (FacetValue("Boots", 7, selected=True), FacetValue("Hats", 2))),
    Facet("price", "number", (), 4.5, 90, (5, 6, 7)),
    Facet("sale", "boolean", (FacetValue("true", 3),)),
    Facet("attributes.price", "text", (FacetValue("Low, very", 3),)),
]


def url(text: str) -> str:
    return f"?filter={text}"


def test_ticked_boxes_are_choices_and_other_filters_hold_too() -> None:
    filters = ["category:a", "brand:x", "category:b,c", "-category:d", "tags:a tags:b", ""]
    condition = from_form(filters, {"price": ("10", " "), "size": ("", "")})
    assert condition == parse("category:a,b,c brand:x -category:d tags:a tags:b price:10..")


def test_ranges() -> None:
    assert from_form([], {"a b": ("1", "2")}) == parse('"a b":1..2')
    assert from_form([], {"price": ("", "2")}) == parse("price:..2")
    with pytest.raises(QueryError, match="'cheap' is none"):
        from_form([], {"price": ("cheap", "")})
    with pytest.raises(QueryError, match="above the greatest"):
        from_form([], {"price": ("2", "1")})
    with pytest.raises(QueryError, match="at most 50 terms"):
        from_form([], {f"f{number}": ("1", "") for number in range(51)})


def test_a_condition_is_shown_as_a_form_and_read_from_it() -> None:
    condition = parse("category:boots price:10..50 -sale:true size:3")
    form = form_of(FACETS, condition, url, label=str.title)
    assert form.kept == "-sale:true size:3"
    category, price, sale, other = form.facets
    assert [value["selected"] for value in category["values"]] == [True, False]
    assert (price["min"], price["max"]) == ("4.5", "90")
    assert (price["chosen_min"], price["chosen_max"]) == ("10", "50")
    assert sale["values"][0]["value"] == "Yes"
    assert other["label"] == "Price"
    assert other["values"][0]["term"] == 'attributes.price:"low, very"'
    ticked = [value["term"] for value in category["values"] if value["selected"]]
    chosen = {"price": (price["chosen_min"], price["chosen_max"])}
    assert from_form([form.kept, *ticked], chosen) == condition


def test_addresses_toggle_one_value() -> None:
    form = form_of(FACETS, parse("category:boots price:10..50"), url)
    assert [value["url"] for value in form.facets[0]["values"]] == [
        "?filter=price:10..50",
        "?filter=category:boots,hats price:10..50",
    ]
    assert form.facets[2]["values"][0]["url"] == "?filter=category:boots price:10..50 sale:true"


def test_chips_take_one_value_away() -> None:
    text = "-brand:x,y category:boots price:10..50 price>20 size:..3 url:* -id:* tags:re*"
    form = form_of(FACETS, parse(text), url)
    chips = {chip["text"]: chip["url"] for chip in form.chips}
    assert set(chips) == {
        "brand: not x",
        "brand: not y",
        "category: Boots",
        "price: 10 to 50",
        "price: above 20",
        "size: up to 3",
        "With url",
        "Without id",
        "tags: re…",
    }
    assert parse(chips["brand: not x"][8:]) == parse(text.replace("x,y", "y"))
    assert parse(chips["category: Boots"][8:]) == parse(text).without("category")


def test_what_inputs_cannot_say_is_kept() -> None:
    for text in ("category:a category:b", "category:a*", "price:3", "price>3", "price:1..2,5..6"):
        assert form_of(FACETS, parse(text), url).kept == text
