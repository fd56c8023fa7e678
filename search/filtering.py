"""What of a view meets a condition: a snapshot's columns, and what listings say since."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.errors import QueryError
from indexer.field_bits import mask_of
from indexer.fields import FieldTable, FieldType, ListingFields, first_documents
from indexer.snapshot import Snapshot
from search.filter_select import select, selected
from search.filters import Condition
from search.selection import Selection, Within, all_of

FIELDS_FILE = "fields.bin"

KEPT = 32
"""Conditions whose answer on the snapshot is remembered: a bit a vector each."""


class Filters:
    """The fields of a snapshot's listings, and of those that changed since, as they come.

    Parameters
    ----------
    snapshot : Snapshot
        Opened.
    types : mapping of str to FieldType
        Of the attributes, as they are recorded in the catalogue.
    """

    def __init__(self, snapshot: Snapshot, types: Mapping[str, FieldType]) -> None:
        path = snapshot.file(FIELDS_FILE)
        self.table = None if path is None else FieldTable.open(path, snapshot.count)
        self.types = dict(types)
        self.growing = FieldTable.empty(types)
        self.total = snapshot.count
        self._listings = snapshot.listings
        self._known: OrderedDict[Condition, Selection] = OrderedDict()
        self._firsts: Selection | None = None
        self._lock = threading.Lock()

    def add(self, fields: ListingFields) -> int:
        """Take up what a listing says now, and return the number of that document.

        Attributes whose types were never learned are not kept.
        """
        return self.growing.add(fields)

    def learn(self, types: Mapping[str, FieldType]) -> None:
        """Take up types that were recorded since, before what has them is added."""
        self.types = {**types, **self.types}
        self.growing.learn(types)

    def old(self, condition: Condition) -> Selection:
        """Return the positions of the snapshot whose listing met a condition when it was made.

        Raises
        ------
        QueryError
            If the snapshot was made before there were fields to filter by.
        """
        table = self.require_table()
        with self._lock:
            known = self._known.get(condition)
            if known is not None:
                self._known.move_to_end(condition)
                return known
        found = selected(table, condition, table.total)
        with self._lock:
            self._known[condition] = found
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def require_table(self) -> FieldTable:
        """Return the snapshot's columns.

        Raises
        ------
        QueryError
            If it was made before there were any.
        """
        if self.table is None:
            raise QueryError(
                "This index was made by a version that knew no filters.",
                hint="`lookalike compact` makes a snapshot that can be filtered.",
            )
        return self.table

    def firsts(self) -> Selection:
        """Return one position of each of the snapshot's listings."""
        if self._firsts is None:
            self._firsts = Selection(first_documents(np.asarray(self._listings)))
        return self._firsts


@dataclass(frozen=True, slots=True)
class Told:
    """What listings say that changed since the snapshot, as of one view.

    Attributes
    ----------
    filters : Filters
        Shared by the views of one snapshot.
    count : int
        How many documents of its growing table there are for this view.
    fresh : ndarray of int64, shape (M,)
        The document of each vector that came since.
    patched : ndarray of int64, shape (2, P)
        Positions of the snapshot whose listing says something else now, and its document.
    """

    filters: Filters
    count: int
    fresh: NDArray[np.int64]
    patched: NDArray[np.int64]

    @classmethod
    def nothing(cls, filters: Filters) -> Told:
        """Return that no listing changed."""
        return cls(filters, 0, np.zeros(0, np.int64), np.zeros((2, 0), np.int64))

    @property
    def table(self) -> FieldTable:
        """The documents, as columns."""
        return self.filters.growing.until(self.count)

    def select(self, condition: Condition, everything: Within, living: NDArray[np.bool_]) -> Within:
        """Return what meets a condition.

        Parameters
        ----------
        condition : Condition
            What listings must meet.
        everything : Within
            What is true.
        living : ndarray of bool, shape (M,)
            Which of the fresh vectors are true.

        Raises
        ------
        QueryError
            If it names a field that there is not, or compares what cannot be compared.
        """
        condition = condition.check(self.filters.types)
        old, true = self.filters.old(condition), everything.living
        nothing = np.zeros(0, np.int64)
        if not self.count:
            return Within(old, true, nothing, living)
        meets = mask_of(select(self.table, condition), self.count)
        positions, documents = self.patched
        if not len(positions):
            return Within(old, true, nothing, living & meets[self.fresh])
        told = Selection.at(positions, 8 * len(old.bits))
        true = all_of(self.filters.total).without(told) if true is None else true.without(told)
        extra = np.sort(positions[meets[documents]])
        return Within(old, true, extra, living & meets[self.fresh])

    def counted(self, living: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the documents that are of a listing which can be found, shape (count,)."""
        counted = np.zeros(self.count, np.bool_)
        counted[self.fresh[living]] = True
        counted[self.patched[1]] = True
        return counted
