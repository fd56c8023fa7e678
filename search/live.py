"""A snapshot with what changed since: what is searched, as of one change of the catalogue.

Listings that came or changed since the snapshot are searched beside it, those that went are left
out of it. A view is never altered: following the catalogue makes another, so that a search that
is under way sees one state from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from indexer.fields import FieldType
from indexer.snapshot import Snapshot
from search.delta import Delta
from search.facets import Facet, Part, facets, worth_a_facet
from search.filtering import Filters, Told
from search.filters import Condition
from search.index import VectorIndex
from search.selection import Selection, Within, all_of, among

NO_TYPES: Mapping[str, FieldType] = MappingProxyType({})

Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Positions and their similarities."""

FEW_DEAD = 64
"""Positions left out up to which it is faster to find that many more than to look at bits."""


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot and what changed since, as of one change.

    A position below ``snapshot.count`` is one of the snapshot; the others are those of `fresh`.

    Attributes
    ----------
    snapshot : Snapshot
        What was published.
    index : VectorIndex
        Of the same.
    change : int
        The change of the catalogue up to which it tells.
    fresh : Delta
        Vectors that came since.
    dead : Selection
        Positions of the snapshot that are no longer true: their picture is gone, or is told anew
        among the fresh ones.
    living : ndarray of bool, shape (M,)
        Which of the fresh ones are true still.
    told : Told
        What listings say that changed since.
    """

    snapshot: Snapshot
    index: VectorIndex
    change: int
    fresh: Delta
    dead: Selection
    living: NDArray[np.bool_]
    told: Told

    @classmethod
    def of(
        cls, snapshot: Snapshot, index: VectorIndex, types: Mapping[str, FieldType] = NO_TYPES
    ) -> View:
        """Return what a snapshot says, before anything changed.

        Parameters
        ----------
        snapshot, index
            Opened.
        types : mapping of str to FieldType, optional
            Of the attributes of its listings, to filter by.
        """
        nothing = Selection(np.zeros((snapshot.count + 7) // 8, np.uint8))
        fresh = Delta.empty(snapshot)
        change = int(snapshot.manifest["change"])
        told = Told.nothing(Filters(snapshot, types))
        return cls(snapshot, index, change, fresh, nothing, np.zeros(0, np.bool_), told)

    @property
    def total(self) -> int:
        """Positions, also of what is no longer true."""
        return self.snapshot.count + len(self.living)

    @property
    def count(self) -> int:
        """Vectors that a search can find."""
        return self.snapshot.count - self.dead.count + int(np.count_nonzero(self.living))

    @property
    def changed(self) -> int:
        """How much a new snapshot would take over: fresh vectors and dead ones."""
        return self.dead.count + len(self.living)

    # What is at a position

    def listings(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's listing, by number, in the shape of `positions`."""
        return self._at(self.snapshot.listings, self.fresh.listings, positions)

    def pictures(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's picture, by number."""
        return self._at(self.snapshot.pictures, self.fresh.pictures, positions)

    def codes(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's category, a place in the snapshot's names; -1 without one."""
        return self._at(self.snapshot.codes, self.fresh.codes, positions)

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors at `positions` (M,), shape (M, dims)."""
        found = np.empty((len(positions), self.snapshot.vectors.shape[1]), np.float32)
        old = positions < self.snapshot.count
        found[old] = self.snapshot.vectors[positions[old]]
        found[~old] = self.fresh.vectors(positions[~old] - self.snapshot.count)
        return found

    def _at(
        self, old: NDArray[np.integer], new: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        if not len(self.living):
            return old[positions].astype(np.int64)
        told = positions < self.snapshot.count
        found = np.empty(positions.shape, np.int64)
        found[told] = old[positions[told]]
        found[~told] = new[positions[~told] - self.snapshot.count]
        return found

    def places(self, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where each picture, by number, can be found; -1 for one that cannot."""
        found = np.full(len(pictures), -1, np.int64)
        if self.snapshot.count and len(pictures):
            numbers = self.snapshot.pictures  # ascending
            at = np.minimum(np.searchsorted(numbers, pictures), self.snapshot.count - 1)
            hit = (numbers[at] == pictures) & ~self.dead.holds(at)
            found[hit] = at[hit]
        new = np.flatnonzero(self.living & among(self.fresh.pictures, pictures))
        if len(new):
            new = new[np.argsort(self.fresh.pictures[new])]
            numbers = self.fresh.pictures[new]
            at = np.minimum(np.searchsorted(numbers, pictures), len(new) - 1)
            hit = numbers[at] == pictures
            found[hit] = self.snapshot.count + new[at[hit]]
        return found

    def positions(self, pictures: Iterable[int]) -> NDArray[np.int64]:
        """Return where pictures, by number, can be found; those that cannot are left out."""
        found = self.places(np.fromiter(pictures, np.int64))
        return found[found >= 0]

    # Searching

    def everything(self) -> Within:
        """Return all that can be found."""
        total = self.snapshot.count
        living = all_of(total).without(self.dead) if self.dead.count else None
        return Within(all_of(total), living, np.zeros(0, np.int64), self.living)

    def within(self, condition: Condition) -> Within:
        """Return what meets a condition.

        Raises
        ------
        QueryError
            If it names a field that there is not, or compares what cannot be compared.
        """
        return self.told.select(condition, self.everything(), self.living)

    def facets(self, condition: Condition, fields: Sequence[str] | None = None) -> list[Facet]:
        """Count the values of fields among the listings that meet a condition.

        Parameters
        ----------
        condition : Condition
            What is asked for; of a field's own part in it, its counts take no account.
        fields : sequence of str, optional
            Those that divide the catalogue, where not given.
        """
        filters = self.told.filters
        condition = condition.check(filters.types)
        counted = filters.firsts().without(self.dead)
        counted = counted.without(Selection.at(self.told.patched[0], 8 * len(counted.bits)))
        parts = [Part(filters.require_table(), counted.bits)]
        if self.told.count:
            new = Selection.of(self.told.counted(self.living))
            parts.append(Part(self.told.table, new.bits))
        asked = worth_a_facet(parts, filters.types) if fields is None else fields
        return facets(parts, condition, filters.types, asked)

    def nearest(
        self, vectors: NDArray[np.float32], count: int, within: Within | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest vectors to any of `vectors`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Unit length.
        count : int
            How many to find per row of `vectors`.
        within : Within, optional
            What may be found, which must be true still; all that is true where not given.

        Returns
        -------
        positions : ndarray of int64, shape (M,)
            Most similar first, none twice.
        similarities : ndarray of float32, shape (M,)
            The largest cosine to any of `vectors`.
        """
        if within is not None:
            old = self.index.nearest(vectors, count, within.old, living=within.living)
            if len(within.extra):
                similarities = (self.vectors(within.extra) @ vectors.T).max(axis=1)
                old = _merged(old, (within.extra, similarities))
            return self._with_fresh(old, vectors, count, within.new)
        return self._with_fresh(self._living(vectors, count), vectors, count, self.living)

    def nearest_of_category(
        self,
        vectors: NDArray[np.float32],
        code: int,
        count: int,
        within: Within | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest vectors of one category, as `nearest`.

        Parameters
        ----------
        code : int
            The category's place in the snapshot's names; `indexer.categories.UNKNOWN` for
            vectors without one.
        """
        if within is None and self.dead.count:
            within = self.everything()
        old = self.index.nearest_of_category(
            vectors, code, count, None if within is None else within.together
        )
        new = self.living if within is None else within.new
        return self._with_fresh(old, vectors, count, new & (self.fresh.codes == code))

    def _living(
        self, vectors: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        dead = self.dead.count
        if not dead:
            return self.index.nearest(vectors, count)
        if dead <= FEW_DEAD:
            positions, similarities = self.index.nearest(vectors, count + dead)
            stays = ~self.dead.holds(positions)
            return positions[stays], similarities[stays]
        return self.index.nearest(vectors, count, living=self.everything().living)

    def _with_fresh(
        self,
        old: tuple[NDArray[np.int64], NDArray[np.float32]],
        vectors: NDArray[np.float32],
        count: int,
        mask: NDArray[np.bool_],
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if not mask.any():
            return old
        places, similarities = self.fresh.nearest(vectors, count, mask)
        return _merged(old, (places + self.snapshot.count, similarities))


def _merged(one: Found, other: Found) -> Found:
    """Put what was found in two places in order, equal ones as they lie in the catalogue."""
    positions = np.concatenate([one[0], other[0]])
    similarities = np.concatenate([one[1], other[1]])
    order = np.lexsort((positions, -similarities))
    return positions[order], similarities[order]
