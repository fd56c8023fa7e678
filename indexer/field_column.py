"""What every column of fields can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import QueryError
from indexer.field_bits import Bits, Mask, none_of
from indexer.field_values import FieldType, boolean_of, normal


class Tally(Protocol):
    """How often the values of a text or boolean field occur among some documents."""

    def top(self, count: int) -> list[str]:
        """Return the commonest values' keys, commonest first; none that does not occur."""

    def count(self, key: str) -> int:
        """Return how many of the documents have a value."""

    def shown(self, key: str) -> str | None:
        """Return a value as it was first written; None for one that is not known."""


class Column(ABC):
    """One field of a table. `total` is always the table's number of documents."""

    kind = "values"
    """``values`` (few different ones), ``numbers`` or ``hashes`` (many different texts)."""

    @property
    @abstractmethod
    def distinct(self) -> int:
        """How many different values there are."""

    @abstractmethod
    def present(self, total: int) -> Bits:
        """Return the documents that have a value."""

    @abstractmethod
    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """Return the documents that have one of some values."""

    @abstractmethod
    def starting(self, prefix: str, total: int) -> Bits:
        """Return the documents that have a value starting with `prefix`.

        Raises
        ------
        QueryError
            If the field cannot be searched so.
        """

    def between(self, low: float, high: float, opened: tuple[bool, bool], total: int) -> Bits:
        """Return the documents that have a number in a range, without its ends where `opened`."""
        return none_of(total)

    def tally(self, mask: Mask) -> Tally | None:
        """Count values among some documents; None where there are too many different ones."""
        return None

    def numbers(self, mask: Mask) -> NDArray[np.float64] | None:
        """Return the numbers of some documents, ascending; None where they are texts."""
        return None


def key_of(text: str, kind: FieldType) -> str | None:
    """Return what a text or boolean field knows a value by; None for no boolean."""
    if kind == "text":
        return normal(text)
    said = boolean_of(text)
    return None if said is None else ("true" if said else "false")


def no_prefix(many: bool) -> QueryError:
    """Return the error of a search by the beginning of a value where there is none."""
    if many:
        return QueryError(
            "A field with so many different values cannot be searched by how they begin.",
            hint="Give whole values, without the star.",
        )
    return QueryError("A number has no beginning to search by.", hint="Give a range: 10..50")
