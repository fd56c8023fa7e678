"""Whether a condition fits the catalogue: its fields are known, its values of their types."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from indexer.errors import QueryError
from indexer.field_values import (
    ATTRIBUTES,
    CORE_TYPES,
    HASHED,
    FieldType,
    boolean_of,
    normal,
    number_of,
    number_text,
)
from search.filter_terms import Exact, Prefix, Range, Term, Value

NAMED = 12
"""Fields that a message lists."""


def checked(term: Term, types: Mapping[str, FieldType]) -> Term:
    """Return a term as the catalogue has it; see `search.filters.Condition.check`."""
    known: dict[str, FieldType] = {**types, **CORE_TYPES}
    field = resolved(term.field, known)
    return Term(field, tuple(_value(field, known[field], v) for v in term.values), term.negated)


def resolved(name: str, types: Mapping[str, FieldType]) -> str:
    """Return a field's name as the catalogue has it: case and ``attributes.`` may differ.

    Raises
    ------
    QueryError
        If there is no such field.
    """
    for wanted in dict.fromkeys((name, name.removeprefix(ATTRIBUTES))):
        if wanted in types and (wanted == name or wanted not in CORE_TYPES):
            return wanted
        alike = [one for one in types if normal(one) == normal(wanted)]
        if len(alike) == 1 and (wanted == name or alike[0] not in CORE_TYPES):
            return alike[0]
    by_key = {normal(one): one for one in types}
    near = difflib.get_close_matches(normal(name), by_key, 3, 0.6)
    names = [*CORE_TYPES, *sorted(set(types) - set(CORE_TYPES))]
    listed = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    guess = f"Did you mean {' or '.join(by_key[one] for one in near)}? " if near else ""
    raise QueryError(f"There is no field {name!r}.", hint=f"{guess}Fields are: {listed}.")


def _value(field: str, kind: FieldType, value: Value) -> Value:
    match kind, value:
        case "number", Exact(text):
            number = number_of(text)
            if number is None:
                raise QueryError(
                    f"{field} is a number, and {text!r} is none.",
                    hint=f"Write {field}:50, {field}:10..50, {field}:10.. or {field}:*",
                )
            return Exact(number_text(number))
        case "number", Prefix(text):
            raise QueryError(
                f"{field} is a number, and cannot be searched by how it begins ({text}*).",
                hint=f"Write a range: {field}:10..50",
            )
        case "boolean", Exact(text):
            said = boolean_of(text)
            if said is None:
                raise QueryError(
                    f"{field} is true or false, and {text!r} is neither.",
                    hint=f"Write {field}:true or {field}:false",
                )
            return Exact("true" if said else "false")
        case "boolean", (Prefix() | Range()):
            raise QueryError(
                f"{field} is true or false; {str(value)!r} is neither.",
                hint=f"Write {field}:true or {field}:false",
            )
        case "text", Range():
            raise QueryError(
                f"{field} is a text, and has no ranges.",
                hint=f'If the text itself has dots, quote it: {field}:"{value}"',
            )
        case "text", Prefix(text) if field in HASHED:
            raise QueryError(
                f"{field} cannot be searched by how it begins ({text}*).",
                hint="Give the whole text, without the star.",
            )
    return value
