"""Filters, cursors and regions: read, or refused in words."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from indexer.errors import LookalikeError, QueryError
from search.cursor import Cursor
from search.filter_form import from_form
from search.filters import MAX_LENGTH, parse
from tests.fuzz.mutations import broken
from tests.fuzz.running import fuzzed
from tests.fuzz.texts import FILTERS, NUMBERS, ODD, REGIONS
from web.api.models_search import SearchFields

CURSOR = Cursor(
    "space",
    np.linspace(-1, 1, 16, dtype=np.float16).reshape(2, 8),
    np.arange(3, 50),
    20,
    0.5,
    10,
    "price:10..50",
    None,
    prior=True,
    fold=False,
)
SIGNED = CURSOR.signed("secret")


@fuzzed(1500)
@given(FILTERS)
@example("a" * (MAX_LENGTH + 1))
@example("a:" + ",".join("bcdefgh") * 400)
@example("ﷺ:" + "ﷺ" * 900)
def test_a_filter_is_read_or_refused(text: str) -> None:
    try:
        condition = parse(text)
    except QueryError as error:
        assert error.message
        json.dumps(str(error)).encode()
        return
    assert parse(str(condition)) == condition
    assert len(str(condition)) <= MAX_LENGTH
    assert condition & condition == condition
    for term in condition.terms:
        assert parse(str(condition.without_term(term))) == condition.without_term(term)


@fuzzed(300)
@given(
    st.lists(FILTERS, max_size=4),
    st.dictionaries(
        st.one_of(st.sampled_from(["price", *ODD]), st.text(max_size=8)),
        st.tuples(st.sampled_from(NUMBERS), st.one_of(st.sampled_from(NUMBERS), st.text())),
        max_size=3,
    ),
)
def test_a_form_is_read_or_refused(filters: list[str], ranges: dict[str, tuple[str, str]]) -> None:
    try:
        condition = from_form(filters, ranges)
    except QueryError:
        return
    assert parse(str(condition)) == condition


@fuzzed(500)
@given(st.one_of(st.text(), st.builds(lambda n: broken(SIGNED.encode(), n), st.integers(0, 2**40))))
def test_a_cursor_is_ours_or_refused(text: str | bytes) -> None:
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    try:
        cursor = Cursor.read(text, "secret", "space")
    except QueryError:
        return
    assert cursor.signed("secret").split(".")[0] == SIGNED.split(".")[0]


def test_a_changed_cursor_is_refused() -> None:
    for n in range(200):
        at = random.Random(n).randrange(len(SIGNED) - 1)
        changed = SIGNED[:at] + ("A" if SIGNED[at] != "A" else "B") + SIGNED[at + 1 :]
        with pytest.raises(LookalikeError):
            Cursor.read(changed, "secret", "space")


@fuzzed(500)
@given(REGIONS)
def test_a_region_is_read_or_refused(text: str) -> None:
    try:
        region = SearchFields.model_validate({"region": text}).region
    except ValidationError:
        return
    if region is not None:
        assert len(region) == 4
        assert all(math.isfinite(share) and 0 <= share <= 1 for share in region)


FUZZ = (
    test_a_filter_is_read_or_refused,
    test_a_form_is_read_or_refused,
    test_a_cursor_is_ours_or_refused,
    test_a_region_is_read_or_refused,
)
