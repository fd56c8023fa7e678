"""Fields of listings as columns over documents: a snapshot's on disk, and growing ones in memory.

A document is one picture of a listing; it has the listing's fields. Columns answer with packed
bits over documents (`indexer.field_bits`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.field_bits import Bits, count_of, none_of
from indexer.field_column import Column
from indexer.field_columns import Hashes, Numbers, Values
from indexer.field_growing import GrowingNumbers, GrowingTexts
from indexer.field_values import (
    CORE_TYPES,
    FieldType,
    Inference,
    ListingFields,
    Row,
    catalogue_rows,
    field_name,
    infer_types,
)
from indexer.field_writer import MAGIC, write_fields

__all__ = [
    "CORE_TYPES",
    "FieldTable",
    "FieldType",
    "GrowingTable",
    "Inference",
    "ListingFields",
    "Row",
    "catalogue_rows",
    "field_name",
    "first_documents",
    "infer_types",
    "write_fields",
]

AGAIN = "Run `lookalike verify` to see what is wrong; `lookalike compact` makes a new snapshot."


class FieldTable:
    """Columns over documents 0 to `total` - 1; safe to read from several threads.

    Parameters
    ----------
    total : int
        How many documents there are.
    load : callable
        Gives the columns by name, how many values each has that are not of its type, and how many
        documents have a value; called when first asked.
    """

    def __init__(
        self,
        total: int,
        load: Callable[[], tuple[Mapping[str, Column], Mapping[str, int], Mapping[str, int]]],
    ) -> None:
        self.total = total
        self._load = load

    @classmethod
    def open(cls, path: Path, total: int) -> FieldTable:
        """Open what `write_fields` wrote; nothing is read before the first question.

        Raises
        ------
        IndexDamaged
            At the first question, if the file cannot be read or is not of `total` documents.
        """
        return cls(total, lambda: _mapped(path, total))

    @staticmethod
    def empty(types: Mapping[str, FieldType]) -> GrowingTable:
        """Return a table in memory to which documents can be added."""
        return GrowingTable(types)

    @cached_property
    def _loaded(self) -> tuple[Mapping[str, Column], Mapping[str, int], Mapping[str, int]]:
        return self._load()

    @property
    def mismatched(self) -> dict[str, int]:
        """Per field, how many values are not of its type, and so not found; only where any are."""
        return {name: count for name, count in self._loaded[1].items() if count}

    def names(self) -> Iterator[str]:
        """Yield the fields."""
        yield from self._loaded[0]

    def column(self, field: str) -> Column | None:
        """Return a column; None where no document has such a field."""
        return self._loaded[0].get(field)

    def documents(self, field: str) -> int:
        """Return how many documents have a value of a field."""
        counts = self._loaded[2]
        return counts[field] if field in counts else count_of(self.present(field))

    def present(self, field: str) -> Bits:
        """Return the documents that have a value of a field."""
        column = self.column(field)
        return none_of(self.total) if column is None else column.present(self.total)

    def equal(self, field: str, texts: Sequence[str]) -> Bits:
        """Return the documents that have one of some values, given as text, whatever the type."""
        column = self.column(field)
        return none_of(self.total) if column is None else column.equal(texts, self.total)

    def starting(self, field: str, prefix: str) -> Bits:
        """Return the documents that have a text starting with `prefix`.

        Raises
        ------
        QueryError
            If the field is a number, or has too many different values to keep their texts.
        """
        column = self.column(field)
        return none_of(self.total) if column is None else column.starting(prefix, self.total)

    def between(
        self, field: str, low: float, high: float, opened: tuple[bool, bool] = (False, False)
    ) -> Bits:
        """Return the documents that have a number from `low` to `high`, without `opened` ends."""
        column = self.column(field)
        if column is None:
            return none_of(self.total)
        return column.between(low, high, opened, self.total)


class GrowingTable(FieldTable):
    """Columns in memory. One thread adds while others read `until` the documents they know of.

    Parameters
    ----------
    types : mapping of str to FieldType
        Of attributes; others are not kept.
    """

    def __init__(self, types: Mapping[str, FieldType]) -> None:
        self._columns: dict[str, GrowingTexts | GrowingNumbers] = {
            name: GrowingNumbers() if kind == "number" else GrowingTexts(kind)
            for name, kind in {**types, **CORE_TYPES}.items()
        }
        super().__init__(0, self._now)

    def _now(self) -> tuple[Mapping[str, Column], Mapping[str, int], Mapping[str, int]]:
        return self._columns, {}, {}

    @property
    def mismatched(self) -> dict[str, int]:
        """See `FieldTable`."""
        return {
            name: column.mismatched for name, column in self._columns.items() if column.mismatched
        }

    def add(self, fields: ListingFields) -> int:
        """Add a document and return its number."""
        document = self.total
        for name, value in fields.values():
            if (column := self._columns.get(name)) is not None:
                column.add(document, value)
        self.total = document + 1
        return document

    def learn(self, types: Mapping[str, FieldType]) -> None:
        """Keep further attributes from now on."""
        for name, kind in types.items():
            if name not in self._columns:
                # A new mapping: who goes through the old one is not disturbed.
                column = GrowingNumbers() if kind == "number" else GrowingTexts(kind)
                self._columns = {**self._columns, name: column}
        self.__dict__.pop("_loaded", None)

    def until(self, total: int) -> FieldTable:
        """Return the first `total` documents, which do not change when more are added."""
        return FieldTable(total, self._now)


def first_documents(listings: NDArray[np.int64], living: Bits | None = None) -> Bits:
    """Return the first document of each listing, of those that are `living`, as packed bits.

    Parameters
    ----------
    listings : ndarray of int64, shape (N,)
        Each document's listing.
    living : ndarray of uint8, optional
        Packed bits; without it, all.
    """
    total = len(listings)
    if living is None:
        kept = np.arange(total)
    else:
        kept = np.flatnonzero(np.unpackbits(living, count=total, bitorder="little"))
    mask = np.zeros(total, np.bool_)
    mask[kept[np.unique(listings[kept], return_index=True)[1]]] = True
    return np.packbits(mask, bitorder="little")


def _mapped(
    path: Path, total: int
) -> tuple[Mapping[str, Column], Mapping[str, int], Mapping[str, int]]:
    try:
        data = np.asarray(np.memmap(path, np.uint8, "r"))
        said = _directory(data, total)
        columns = {name: _column(data, entry) for name, entry in said["fields"].items()}
        mismatched = {name: int(entry["mismatched"]) for name, entry in said["fields"].items()}
        counts = {name: int(entry["documents"]) for name, entry in said["fields"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"{path} cannot be read ({error}).", hint=AGAIN) from error
    return columns, mismatched, counts


def _directory(data: NDArray[np.uint8], total: int) -> dict[str, Any]:
    tail = data[-16:].tobytes()
    if tail[8:] != MAGIC:
        raise ValueError("it does not end as such a file does")
    said: dict[str, Any] = json.loads(data[int.from_bytes(tail[:8], "little") : -16].tobytes())
    if said["total"] != total:
        raise ValueError(f"it is of {said['total']:,} documents instead of {total:,}")
    return said


def _column(data: NDArray[np.uint8], entry: Mapping[str, Any]) -> Column:
    parts = {}
    for name, (dtype, shape, offset) in entry["parts"].items():
        kind = np.dtype(dtype)
        size = kind.itemsize * int(np.prod(shape))
        parts[name] = data[offset : offset + size].view(kind).reshape(shape)
    match entry["kind"]:
        case "values":
            return Values(entry["type"], **parts)
        case "numbers":
            return Numbers(**parts)
        case "hashes":
            return Hashes(**parts)
        case other:
            raise ValueError(f"a column of kind {other!r}")
