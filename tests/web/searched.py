"""What a search does beside finding, done by the fake engine: filters, folding, pages, facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from indexer.errors import CursorExpired, QueryError
from indexer.field_bits import all_of, mask_of
from indexer.fields import FieldTable, FieldType, ListingFields, infer_types
from indexer.listing import Listing
from search.facets import Facet, Part, facets, worth_a_facet
from search.filter_select import select
from search.filters import Condition
from search.query import Query

EXPIRED = "expired"
"""A cursor of before the index was made by another recipe."""


class Searched:
    """Has listings to narrow, and remembers the cursors that it gave."""

    def __init__(self, listings: Mapping[str, tuple[Listing, tuple[bytes, ...]]]) -> None:
        self._ids = list(listings)
        self._said = [ListingFields.of(listing) for listing, _ in listings.values()]
        self._cursors: dict[str, tuple[Query, int]] = {}
        self._given: dict[tuple[Query, int], str] = {}
        self.copies: dict[str, str] = {}
        """Listings that show the same picture as another one."""

    @cached_property
    def types(self) -> dict[str, FieldType]:
        return infer_types(self._said)

    @cached_property
    def _table(self) -> FieldTable:
        table = FieldTable.empty(self.types)
        for said in self._said:
            table.add(said)
        return table.until(len(self._said))

    def narrowed(self, condition: Condition) -> set[str]:
        """Return the ids of the listings that meet a condition."""
        if not condition:
            return set(self._ids)
        bits = select(self._table, condition.check(self.types))
        return {self._ids[n] for n in np.flatnonzero(mask_of(bits, len(self._ids)))}

    def facets(self, condition: Condition, fields: Sequence[str] | None = None) -> list[Facet]:
        """Count values as `search.live.View` does."""
        condition = condition.check(self.types)
        parts = [Part(self._table, all_of(len(self._ids)))]
        asked = worth_a_facet(parts, self.types) if fields is None else fields
        return facets(parts, condition, self.types, asked)

    def continued(self, query: Query) -> tuple[Query, int]:
        """Return what a query asks, and how many hits were shown of it."""
        if query.cursor is None:
            return query, 0
        if query.cursor == EXPIRED:
            raise CursorExpired("The index has been made by another recipe.", hint="Search again.")
        if query.cursor not in self._cursors:
            raise QueryError("The cursor is none of this index.", hint="Search again.")
        return self._cursors[query.cursor]

    def cursor(self, query: Query, shown: int) -> str:
        """Return what goes on after so many hits."""
        text = self._given.setdefault((query, shown), f"cursor-{len(self._given)}")
        self._cursors[text] = (query, shown)
        return text

    def folded(self, ids: Sequence[str], fold: bool) -> dict[str, tuple[str, ...]]:
        """Return ids, each with those that are folded under it."""
        found: dict[str, list[str]] = {}
        leaders: dict[str, str] = {}
        for id_ in ids:
            picture = self.copies.get(id_, id_) if fold else id_
            found.setdefault(leaders.setdefault(picture, id_), []).append(id_)
        return {first: tuple(rest) for first, (_, *rest) in found.items()}
