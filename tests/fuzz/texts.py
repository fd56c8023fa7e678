"""Texts that are nearly what a parser reads."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

ODD = ["", " ", "\0", "\ud800", "\u2028", "ß", "İ", "ﬁ", "e\u0301", "日本", "\U0001f45f", "\ufeff"]
NUMBERS = [
    "0",
    "-1",
    "1e309",
    "1e-400",
    "nan",
    "inf",
    "-inf",
    "1_000",
    "٣",
    "0x10",
    "1..2",
    "9" * 400,
]

ANY = st.text(max_size=60)

_PIECES = st.one_of(
    st.sampled_from([*ODD, *NUMBERS]),
    st.sampled_from(list('":,*-!=<>.\\ \t\n')),
    st.sampled_from(
        ["category", "price", "brand", ":", ":", "..", "!=", ">=", "<=", '"a b"', "\\"]
    ),
    ANY,
)
FILTERS = st.one_of(ANY, st.lists(_PIECES, max_size=14).map("".join))
"""Filters, and what is nearly one."""

REGIONS = st.one_of(
    ANY,
    st.lists(st.one_of(st.sampled_from(["0.1", ".5", "1", *NUMBERS, *ODD]), ANY), max_size=6).map(
        ",".join
    ),
)

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([*ODD, *NUMBERS]),
        ANY,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Anything that JSON, as Python writes it, can say."""


def objects(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw objects with some of some fields, most of them with values of their own kind."""
    mixed = {name: st.one_of(values, values, JSON) for name, values in fields.items()}
    return st.fixed_dictionaries({}, optional=mixed)


def written(value: Any) -> str:
    """Write JSON as Python does, lone surrogates escaped."""
    return json.dumps(value)
