"""Conditions on listings: `category:shoes,boots price:10..50 -brand:acme`.

The grammar is in docs/filters.md. A condition is canonical: its text parses to an equal one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from indexer.field_values import FieldType
from search.filter_check import checked
from search.filter_parse import check_length, terms_of
from search.filter_terms import (
    MAX_LENGTH,
    MAX_TERMS,
    MAX_VALUES,
    Exact,
    Prefix,
    Present,
    Range,
    Term,
    Value,
)

__all__ = [
    "MAX_LENGTH",
    "MAX_TERMS",
    "MAX_VALUES",
    "Condition",
    "Exact",
    "Prefix",
    "Present",
    "Range",
    "Term",
    "Value",
    "parse",
]


@dataclass(frozen=True)
class Condition:
    """All of some terms; without any, every listing meets it and it is false as a boolean.

    Attributes
    ----------
    terms : tuple of Term
        Sorted by their text, each once.
    """

    terms: tuple[Term, ...] = ()

    @classmethod
    def of(cls, terms: list[Term] | tuple[Term, ...]) -> Condition:
        """Return the condition that all of some terms are met, in canonical order."""
        ordered = (
            Term(term.field, tuple(sorted(set(term.values), key=_order)), term.negated)
            for term in terms
        )
        return cls(tuple(sorted(set(ordered), key=str)))

    @cached_property
    def text(self) -> str:
        """The canonical text, which parses to an equal condition."""
        return " ".join(map(str, self.terms))

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __and__(self, other: Condition) -> Condition:
        return Condition.of(self.terms + other.terms)

    def fields(self) -> frozenset[str]:
        """Return the fields that it speaks of."""
        return frozenset(term.field for term in self.terms)

    def without(self, field: str) -> Condition:
        """Return it without what it says of one field."""
        return Condition(tuple(term for term in self.terms if term.field != field))

    def without_term(self, term: Term) -> Condition:
        """Return it without one of its terms."""
        return Condition(tuple(other for other in self.terms if other != term))

    def check(self, types: Mapping[str, FieldType]) -> Condition:
        """Return it with fields and values as the catalogue has them.

        Parameters
        ----------
        types : mapping of str to FieldType
            Of the attributes (see `indexer.field_values`).

        Raises
        ------
        QueryError
            If a field is unknown, or a value is none of its field's type.
        """
        return Condition.of([checked(term, types) for term in self.terms])


def parse(text: str) -> Condition:
    """Read a condition.

    Raises
    ------
    QueryError
        If the text is none; it says where. Or if it is too long.
    """
    condition = Condition.of(terms_of(text))
    check_length(condition.text)  # some letters become several in their normal form
    return condition


def _order(value: Value) -> tuple[str, str]:
    return type(value).__name__, str(value)
