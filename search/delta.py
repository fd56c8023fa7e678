"""What came since a snapshot: vectors in memory, appended to and searched beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.snapshot import Snapshot
from search.fresh import FreshIndex

ROOM = 256
"""Vectors that there is room for at first; it doubles whenever it is full."""


@dataclass(slots=True)
class Store:
    """Arrays with room at their end. What was appended once is not changed any more."""

    listings: NDArray[np.int64]
    pictures: NDArray[np.int64]
    codes: NDArray[np.int64]
    index: FreshIndex
    count: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """The first `count` vectors of a store that goes on growing.

    Attributes
    ----------
    store : Store
        Shared by all deltas of one snapshot; only the newest of them is extended.
    count : int
        How many vectors of it this one has.
    """

    store: Store
    count: int = 0

    @classmethod
    def empty(cls, snapshot: Snapshot) -> Delta:
        """Return nothing, with room for vectors like those of a snapshot."""
        listings, pictures, codes = (np.zeros(ROOM, np.int64) for _ in range(3))
        return cls(Store(listings, pictures, codes, FreshIndex(snapshot)))

    @property
    def listings(self) -> NDArray[np.int64]:
        """Each vector's listing, by number, shape (count,)."""
        return self.store.listings[: self.count]

    @property
    def pictures(self) -> NDArray[np.int64]:
        """Each vector's picture, by number, shape (count,)."""
        return self.store.pictures[: self.count]

    @property
    def codes(self) -> NDArray[np.int64]:
        """Each vector's category, a place in the snapshot's names, shape (count,)."""
        return self.store.codes[: self.count]

    def vectors(self, places: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors at some places, shape (M, dims)."""
        return self.store.index.vectors(places)

    def extended(
        self,
        vectors: NDArray[np.float32],
        listings: NDArray[np.int64],
        pictures: NDArray[np.int64],
        codes: NDArray[np.int64],
    ) -> Delta:
        """Return this and more. Only for the newest delta of a store, and for one thread.

        Parameters
        ----------
        vectors : ndarray of float32, shape (M, dims)
            Unit length.
        listings, pictures, codes : ndarray of int64, shape (M,)
            What they are of.
        """
        if not len(listings):
            return self
        end = self.count + len(listings)
        store = self.store
        if end > len(store.listings):
            # Deltas that are in use keep the arrays that they had.
            room = max(end, 2 * len(store.listings))
            for name in ("listings", "pictures", "codes"):
                grown = np.zeros(room, np.int64)
                grown[: self.count] = getattr(store, name)[: self.count]
                setattr(store, name, grown)
        store.listings[self.count : end] = listings
        store.pictures[self.count : end] = pictures
        store.codes[self.count : end] = codes
        store.index.add(vectors)
        store.count = end
        return Delta(store, end)

    def nearest(
        self, vectors: NDArray[np.float32], count: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest to any of `vectors` (Q, dims) among those that `mask` (count,) names.

        Returns
        -------
        places : ndarray of int64, shape (M,)
            Most similar first, none twice.
        similarities : ndarray of float32, shape (M,)
            Cosines.
        """
        return self.store.index.nearest(vectors, count, self.count, mask)
