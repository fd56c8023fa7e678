"""Conditions: what they say, what is wrong with them, and what meets them."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import numpy as np
import pytest

from indexer import field_waiting
from indexer.errors import QueryError
from indexer.fields import FieldTable, FieldType, ListingFields, Row, write_fields
from search.filter_select import selected
from search.filters import Condition, Exact, Prefix, Present, Range, Term, parse

TYPES: dict[str, FieldType] = {
    "brand": "text",
    "size": "number",
    "sale": "boolean",
    "attributes.price": "text",
    "Härte": "text",
}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  ", []),
        ("category:Shoes,boots", [("category", ("boots", "shoes"), False)]),
        ("category=shoes", [("category", ("shoes",), False)]),
        ("brand!=x,y", [("brand", ("x", "y"), True)]),
        ("-brand:x", [("brand", ("x",), True)]),
        ('brand:"Acme & Co"', [("brand", ("acme & co",), False)]),
        (r'brand:"say \"hi\" \\"', [("brand", ('say "hi" \\',), False)]),
        ('brand:"a:b,c..d",e', [("brand", ("a:b,c..d", "e"), False)]),
        (
            "id:a:b.jpg url:https://x/?a=b",
            [("id", ("a:b.jpg",), False), ("url", ("https://x/?a=b",), False)],
        ),
        ('"shoe size":42', [("shoe size", ("42",), False)]),
        ("brand:x brand:x", [("brand", ("x",), False)]),
        ("a.b:x-y", [("a.b", ("x-y",), False)]),
    ],
)
def test_values(text: str, terms: list[tuple[str, tuple[str, ...], bool]]) -> None:
    wanted = [
        Term(name, tuple(Exact(value) for value in values), negated)
        for name, values, negated in terms
    ]
    assert list(parse(text).terms) == wanted
    assert bool(parse(text)) == bool(terms)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("price:10..50", Range(10, 50)),
        ("price:10..", Range(10)),
        ("price:..50", Range(high=50)),
        ("price:-5..-1.5", Range(-5, -1.5)),
        ("price:.5..1e3", Range(0.5, 1000)),
        ("price>=10", Range(10)),
        ("price<=10", Range(high=10)),
        ("price>10", Range(10, math.inf, low_open=True)),
        ("price<10", Range(high=10, high_open=True)),
        ("brand:*", Present()),
        ("brand:shoes*", Prefix("shoes")),
        ('brand:"Red S"*', Prefix("red s")),
        ('brand:"a*b"', Exact("a*b")),
        ('brand:"a*"*', Prefix("a*")),
        ('brand:"*"', Exact("*")),
        ("brand:…", Exact("...")),
    ],
)
def test_other_values(text: str, value: object) -> None:
    assert parse(text).terms[0].values == (value,)
    assert parse(f"-{text}").terms[0].negated


def test_a_condition_is_its_text() -> None:
    one = parse('price:10.0..50 category:B,"A" -brand:"X y",z')
    other = parse("-brand:Z,'x  category:a,b  price:1e1..50".replace("'x", '"x Y"'))
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == '-brand:"x y",z category:a,b price:10..50'


def test_every_condition_reads_back() -> None:
    draw = random.Random(5)
    letters = 'ab:,.*"\\ -=<>!ﷺİ…´\t'
    for _ in range(2000):
        word = "".join(draw.choices(letters, k=draw.randint(1, 6)))
        quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
        name = draw.choice(["brand", '"a b"', '"-x"', '"a:b*"', '"q\\""'])
        kinds = (quoted, f"{quoted}*", word, "*", "1..2", "3..", "..4")
        values = ",".join(draw.choices(kinds, k=draw.randint(1, 3)))
        text = f"{draw.choice(['', '-'])}{name}:{values} price{draw.choice('<>')}{draw.random()}"
        try:
            condition = parse(text)
        except QueryError:
            continue
        assert parse(str(condition)) == condition, text


@pytest.mark.parametrize(
    ("text", "place", "about"),
    [
        ("shoes", 1, "without a value"),
        ("brand:red shoes", 11, "'shoes' stands without a value"),
        ("price: 10", 7, "no value here"),
        ("price:", 7, "no value here"),
        ("brand:a,", 9, "no value here"),
        ("price:50..10", 7, "ends before it begins"),
        ("price:cheap..", 7, "no range of numbers"),
        ("price:..", 7, "no range of numbers"),
        ("price:1..2..3", 7, "no range of numbers"),
        ("brand:x price>cheap", 15, "one number"),
        ("price>5,6", 7, "one number"),
        ('a:b brand:"x', 11, "not closed"),
        ('brand:"a"b', 10, "behind a quoted value"),
        ('brand:""', 7, "empty"),
        ("brand:a*b", 7, "star"),
        ("x:y brand:*a*", 11, "star"),
        ("brand:a**", 7, "star"),
        (":x", 1, "name is missing"),
        ("- brand:x", 1, "name is missing"),
        ("-brand!=x", 7, "negated twice"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, place: int, about: str) -> None:
    with pytest.raises(QueryError, match=about) as error:
        parse(text)
    assert f"at character {place} " in error.value.message
    assert error.value.hint


@pytest.mark.parametrize(
    "text",
    ["brand:" + "x" * 2000, "a:b " * 51, "a:" + ",".join("x" * 201), "brand:" + "ﷺ" * 200],
    ids=["letters", "terms", "values", "letters that grow"],
)
def test_a_condition_has_limits(text: str) -> None:
    with pytest.raises(QueryError, match="possible"):
        parse(text)


def test_what_is_said_of_a_field_can_be_left_out() -> None:
    condition = parse("category:a -category:b brand:x")
    assert condition.fields() == {"category", "brand"}
    assert condition.without("category") == parse("brand:x")
    assert condition.without_term(condition.terms[0]) == parse("category:a brand:x")
    assert parse("brand:x") & parse("category:a") == parse("category:a brand:x")
    assert not Condition()


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("size:42.0,1e1", "size:10,42"),
        ("sale:YES", "sale:true"),
        ("BRAND:x Category:y", "brand:x category:y"),
        ("attributes.brand:x attributes.price:low", "attributes.price:low brand:x"),
        ("härte:*", "Härte:*"),
        ("sale:* size:* -price:*", "-price:* sale:* size:*"),
        ("brand:42,true", "brand:42,true"),
    ],
)
def test_fields_and_values_are_those_of_the_catalogue(text: str, checked: str) -> None:
    assert parse(text).check(TYPES) == parse(checked)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("bramd:x", "no field 'bramd'", "Did you mean brand\\?"),
        ("Catgory:x", "no field 'Catgory'", "Did you mean category\\?"),
        ("zzz:x", "no field 'zzz'", "Fields are: category, price"),
        ("attributes.title:x", "no field", "Fields are"),
        ("price:cheap", "price is a number, and 'cheap' is none", "price:10..50"),
        ("price:5*", "price is a number", "range"),
        ("brand:1..5", "brand is a text", 'brand:"1..5"'),
        ("brand>5", "brand is a text", "quote"),
        ("sale:maybe", "sale is true or false", "sale:true"),
        ("sale:t*", "sale is true or false", "sale:true"),
        ("sale:0..1", "sale is true or false", "sale:true"),
        ("title:red*", "title cannot be searched by how it begins", "whole text"),
    ],
)
def test_what_does_not_fit_the_catalogue_is_told(text: str, message: str, hint: str) -> None:
    with pytest.raises(QueryError, match=message) as error:
        parse(text).check(TYPES)
    assert re.search(hint, error.value.hint)


LISTINGS = [
    ListingFields("a", category="Shoes", price=10, attributes={"brand": "Acme", "size": 42}),
    ListingFields("b", category="Boots", price=20, attributes={"brand": "Other", "sale": True}),
    ListingFields("c", category="Shoes", attributes={"brand": ["Acme", "Other"], "sale": False}),
    ListingFields("d", price=30),
]


def kept(table: FieldTable, text: str) -> str:
    positions = selected(table, parse(text).check(TYPES), table.total).positions
    return "".join("abcd"[position] for position in positions)


@pytest.fixture(params=["disk", "memory"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> FieldTable:
    if request.param == "disk":
        rows = [Row(number, fields) for number, fields in enumerate(LISTINGS)]
        write_fields(tmp_path / "fields.bin", rows, np.arange(len(LISTINGS)), TYPES)
        return FieldTable.open(tmp_path / "fields.bin", len(LISTINGS))
    growing = FieldTable.empty(TYPES)
    for fields in LISTINGS:
        growing.add(fields)
    return growing


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "abcd"),
        ("category:shoes,boots", "abc"),
        ("category:shoes brand:acme", "ac"),
        ("brand!=acme", "bd"),
        ("-brand:*", "d"),
        ("brand:*", "abc"),
        ("brand:acme brand:other", "c"),
        ("price:10..20", "ab"),
        ("price:..20", "ab"),
        ("price:15..,10", "abd"),
        ("price>10 price<30", "b"),
        ("-price:10..20", "cd"),
        ("sale:true", "b"),
        ("-sale:true", "acd"),
        ("category:sh*,boots", "abc"),
        ("category:nothing", ""),
        ("id:a,d", "ad"),
    ],
)
def test_what_meets_a_condition(table: FieldTable, text: str, ids: str) -> None:
    assert kept(table, text) == ids


def test_a_selection_is_as_long_as_asked(table: FieldTable) -> None:
    longer = selected(table, parse("-category:shoes").check(TYPES), 100)
    assert len(longer.bits) == 13
    assert longer.positions.tolist() == [1, 3]


def test_beginnings_of_too_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_waiting, "MAX_VALUES", 2)
    rows = [Row(at, ListingFields(str(at), attributes={"brand": f"b{at}"})) for at in range(9)]
    write_fields(tmp_path / "fields.bin", rows, np.arange(9), TYPES)
    table = FieldTable.open(tmp_path / "fields.bin", 9)
    with pytest.raises(QueryError, match=r"brand:b\*: A field with so many"):
        selected(table, parse("brand:b*").check(TYPES), 9)
