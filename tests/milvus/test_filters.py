"""Conditions as expressions: whatever a value is made of, it is found and finds nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import QueryError
from indexer.field_values import normal
from indexer.listing import Listing, Picture
from indexer.milvus.address import is_milvus
from indexer.milvus.meta import Fields
from indexer.operations import Put
from search.engine import Engine
from search.filters import Condition, Exact, Prefix, Present, Range, Term
from search.milvus_filters import expression
from tests.conftest import draw_picture

FIELDS = Fields({"brand": "text", "size": "number", 'x"] or 1': "text"}, {"brand": 2})

ALLOWED = re.compile(
    r"(?:[()\s\[\],]|and|or|not|in|like|said|picture|title|name|url|category|currency|price"
    r'|==|!=|>=?|<=?|-?[\d.]+(?:e[+-]?\d+)?|"[0-9a-f]*(?::[0-9a-f]{16})?%?"|"[0-9a-f]{16}_\d+")*'
)
"""All that an expression may consist of: nothing of it is a client's."""

HOSTILE = [
    '"',
    '\\"',
    '" or 1 == 1 or "',
    "'; drop collection",
    "%",
    "_",
    "a%",
    "a_b",
    "a\x00b",
    "]",
    "été",
    "日本語",
    "\U0001f45f",
    "\\u0022",
    "a" * 300,
    "a" * 299 + "b",
    "{{x}}",
    "\n",
    "a",
    "ab",
    "not",
    "true",
    "1e5",
]

numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(
    st.text().map(Exact),
    st.text(max_size=20).map(Prefix),
    st.just(Present()),
)
texts = st.tuples(
    st.sampled_from(["brand", 'x"] or 1', "category", "currency"]), st.lists(values, min_size=1)
)
ranges = st.tuples(
    st.sampled_from(["size", "price"]),
    st.lists(st.builds(Range, numbers, numbers, st.booleans(), st.booleans()), min_size=1),
)


@given(st.one_of(texts, ranges), st.booleans())
def test_no_word_of_a_client_stands_in_an_expression(said, negated):
    field, wanted = said
    condition = Condition.of([Term(field, tuple(wanted), negated)])
    assert ALLOWED.fullmatch(expression(condition, FIELDS))


def test_what_it_cannot_tell_is_said():
    many = Fields({"tags": "text"}, {"tags": 64})
    prefixes = tuple(Prefix(f"{n}") for n in range(20))
    with pytest.raises(QueryError, match="at most 500 comparisons"):
        expression(Condition.of([Term("tags", prefixes)]), many)
    assert expression(Condition.of([Term("tags", (Exact("a"), Exact("b")))]), many)
    prices = tuple(Exact(str(n)) for n in range(200))
    assert len(expression(Condition.of([Term("price", prices)]), FIELDS)) < 2000
    with pytest.raises(QueryError, match="at most 256"):
        expression(Condition.of([Term("brand", (Prefix("a" * 257),))]), FIELDS)


def test_hostile_values_find_only_themselves(living, tmp_path):
    path = draw_picture(tmp_path / "hostile.png", 999)
    picture = Picture("", path.read_bytes())
    kept = [text for text in HOSTILE if normal(text)]
    outcomes = living.writer.write(
        Put(Listing(f"h{n}", (picture,), text, text, attributes={"odd": text, "many": ["x", text]}))
        for n, text in enumerate(kept)
    )
    assert {one.outcome for one in outcomes} == {"created"}
    engine = living.engine
    if is_milvus(living.index):
        # Once one search has waited for the newest, the others need not.
        engine.search(photo=path, filter="odd:*")
        engine = Engine.open(f"{living.index}?consistency=eventually")
    for n, text in enumerate(kept):
        for field in ("odd", "many", "category", "title"):
            condition = Condition.of([Term(field, (Exact(text),))])
            page = engine.search(photo=path, k=100, filter=condition, prior=False)
            assert [hit.listing.id for hit in page.hits] == [f"h{n}"], (field, text)
        condition = Condition.of([Term("odd", (Prefix(text[:100]),))])
        page = engine.search(photo=path, k=100, filter=condition, prior=False)
        wanted = {f"h{m}" for m, o in enumerate(kept) if normal(o).startswith(normal(text[:100]))}
        assert {hit.listing.id for hit in page.hits} == wanted, text
