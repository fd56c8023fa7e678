"""Conditions on listings as expressions that Milvus evaluates.

No word of a condition stands in an expression as it was written: texts stand there as hexadecimal
letters, fields by the hash of their names (`indexer.milvus.rows`). Milvus 2.3 has no empty values;
what stands for them is left out of every comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from indexer.errors import QueryError
from indexer.field_column import key_of
from indexer.field_values import CORE_TYPES, FieldType, encoded, normal, number_of
from indexer.milvus.meta import Fields
from indexer.milvus.rows import LONG, NO_PRICE, hashed, letters, slot
from search.filters import Condition, Exact, Prefix, Present, Range, Term, Value

NOTHING = "picture in []"
"""Is met by nothing."""

COMPARISONS = 500
"""Of an expression, at most: Milvus takes half a second to read so many, and four times as long for
twice as many. A list of values is one."""

_HASHED = {"title": "title", "id": "name", "url": "url"}
"""Fields of which the hashes of their texts are kept, and what they are called in Milvus."""


def expression(condition: Condition, fields: Fields) -> str:
    """Return what Milvus must be asked so that pictures of the listings that meet it are found.

    Parameters
    ----------
    condition : Condition
        Checked (`Condition.check`).
    fields : Fields
        Attributes and how many values they have.

    Raises
    ------
    QueryError
        If it asks for what Milvus cannot tell.
    """
    text = " and ".join(f"({_term(term, fields)})" for term in condition.terms)
    # Nothing of it is a client's, so these words are its own.
    if text.count(" or ") + text.count(" and ") >= COMPARISONS:
        raise QueryError(
            f"In Milvus, a filter makes at most {COMPARISONS} comparisons.",
            hint="Give fewer beginnings or ranges of fields that have many values.",
        )
    return text


def both(one: str, other: str) -> str:
    """Return what is met where both are; either may be empty, which all meet."""
    return f"({one}) and ({other})" if one and other else one or other


def _term(term: Term, fields: Fields) -> str:
    kinds: Mapping[str, FieldType] = {**fields.types, **CORE_TYPES}
    found = _any(term.field, kinds[term.field], term.values, fields)
    return f"not ({found})" if term.negated else found


def _any(name: str, kind: FieldType, values: Sequence[Value], fields: Fields) -> str:
    if name in _HASHED:
        return _of_hash(_HASHED[name], values)
    if name == "price":
        # Beside a price that is there, nothing but one that is not is so low.
        return f"price > {NO_PRICE!r} and ({_numbers('price', values)})"
    if name in CORE_TYPES:
        return _texts(name, kind, values)
    places = (f'said["{slot(name, place)}"]' for place in range(fields.slots.get(name, 1)))
    return " or ".join(f"({_of_slot(place, kind, values)})" for place in places)


def _of_slot(place: str, kind: FieldType, values: Sequence[Value]) -> str:
    if kind == "number":
        return _numbers(place, values)
    return _texts(place, kind, values)


def _numbers(place: str, values: Sequence[Value]) -> str:
    found = (number_of(value.text) for value in values if isinstance(value, Exact))
    exact = ", ".join(repr(number) for number in found if number is not None)
    # A list is read in no time, as many comparisons are not.
    parts = [f"{place} in [{exact}]"] if exact else []
    parts += [f"({_between(place, one)})" for one in values if not isinstance(one, Exact)]
    return " or ".join(parts) or NOTHING


def _between(place: str, value: Value) -> str:
    match value:
        case Range(low, high, low_open, high_open):
            ends = []
            if not math.isinf(low):
                ends.append(f"{place} >{'' if low_open else '='} {float(low)!r}")
            if not math.isinf(high):
                ends.append(f"{place} <{'' if high_open else '='} {float(high)!r}")
            return " and ".join(ends) or f"{place} > {NO_PRICE!r}"
        case Present():
            return f"{place} > {NO_PRICE!r}"
        case _:
            raise QueryError(
                f"A number cannot be searched by how it begins ({value}).",
                hint="Give a range: 10..50",
            )


def _texts(place: str, kind: FieldType, values: Sequence[Value]) -> str:
    parts = []
    keys = [key_of(value.text, kind) for value in values if isinstance(value, Exact)]
    exact = ", ".join(f'"{letters(key)}"' for key in keys if key)
    if exact:
        parts.append(f"{place} in [{exact}]")
    for value in values:
        match value:
            case Prefix(text):
                parts.append(f'{place} like "{_beginning(text)}%"')
            case Present():
                parts.append(f'{place} > ""')
            case Range():
                raise QueryError("A text has no ranges.", hint="Give whole values.")
            case Exact():
                pass
    return " or ".join(parts) or NOTHING


def _beginning(text: str) -> str:
    data = encoded(normal(text))
    if len(data) > LONG:
        raise QueryError(
            f"In Milvus, a beginning to search by has at most {LONG} bytes.",
            hint="Shorten it, or give the whole value without the star.",
        )
    return data.hex()


def _of_hash(name: str, values: Sequence[Value]) -> str:
    nothing = hashed("")
    if any(isinstance(value, Present) for value in values):
        return f"{name} != {nothing}"
    keys = [normal(value.text) for value in values if isinstance(value, Exact)]
    numbers = ", ".join(str(hashed(key)) for key in keys if key)
    return f"{name} in [{numbers}]" if numbers else NOTHING
