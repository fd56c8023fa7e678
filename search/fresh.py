"""Vectors that arrived since the snapshot, searched beside it."""

from __future__ import annotations

import threading
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.faiss_index import FRESH
from indexer.snapshot import Snapshot
from search.cosines import NOTHING, Found, best, cosines, merged
from search.packed import read_coder

ROOM = 256
"""Vectors that there is room for at first; it doubles whenever it is full."""

EXACT_UP_TO = 2048
"""Vectors up to which comparing with all of them is faster than scanning their codes."""

CANDIDATES = 100
"""How many are compared exactly after a scan, where nothing was measured."""


class FreshIndex:
    """Vectors appended one after the other; safe to search while some are added.

    Where the snapshot has what makes codes of vectors, and there are many, their codes are
    scanned; else all are compared.

    Parameters
    ----------
    snapshot : Snapshot
        What they came after.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        # As float32: this is searched more often than it grows. Rounded as the next snapshot
        # will round them, so that similarities do not change with it.
        self._vectors = np.zeros((ROOM, snapshot.vectors.shape[1]), np.float32)
        self._count = 0
        self._scan: Any = None
        if (snapshot.folder / FRESH).is_file():
            self._scan = faiss.IndexPQFastScan(read_coder(snapshot.folder))
        # What was measured allows for selections of which all lie close together; these do not.
        scanned = snapshot.manifest["index"].get("scanned")
        self._scanned = scanned // 2 if scanned else CANDIDATES
        self._lock = threading.Lock()

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append vectors, shape (M, dims), of unit length."""
        with self._lock:
            end = self._count + len(vectors)
            if end > len(self._vectors):
                # Searches that are under way keep the array that they had.
                grown = np.zeros((max(end, 2 * len(self._vectors)), vectors.shape[1]), np.float32)
                grown[: self._count] = self._vectors[: self._count]
                self._vectors = grown
            self._vectors[self._count : end] = vectors.astype(np.float16)
            self._count = end

    def vectors(self, places: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors at some places, shape (M, dims)."""
        found: NDArray[np.float32] = self._vectors[places]
        return found

    def nearest(
        self, vectors: NDArray[np.float32], count: int, upto: int, mask: NDArray[np.bool_] | None
    ) -> Found:
        """Find the nearest of the first `upto` vectors to any of `vectors`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Unit length.
        count : int
            How many to find per row of `vectors`.
        upto : int
            How many of the vectors there are for this search.
        mask : ndarray of bool, shape (upto,), or None
            Which of them may be found.

        Returns
        -------
        places : ndarray of int64, shape (M,)
            Most similar first, none twice.
        similarities : ndarray of float32, shape (M,)
            The largest cosine to any of `vectors`, of those that it was found for.
        """
        size = upto if mask is None else int(np.count_nonzero(mask))
        count = min(count, size)
        if not count:
            return NOTHING
        vectors = np.ascontiguousarray(vectors, np.float32)
        stored = self._vectors
        if self._scan is not None and size > EXACT_UP_TO:
            proposed = self._proposed(vectors, count, upto, mask, size)
        else:
            proposed = [_alike(stored[:upto], mask, one, count) for one in vectors]
        return merged(
            [
                best(places, cosines(stored.take(places, axis=0), one), count)
                for places, one in zip(proposed, vectors, strict=True)
            ]
        )

    def _proposed(
        self,
        vectors: NDArray[np.float32],
        count: int,
        upto: int,
        mask: NDArray[np.bool_] | None,
        size: int,
    ) -> list[NDArray[np.int64]]:
        """Return candidates for each row of `vectors`, by scanning codes."""
        wanted = max(count, self._scanned + 3 * (count - 10))
        with self._lock:
            total = int(self._scan.ntotal)
            if total < upto:
                self._scan.add(self._vectors[total : self._count])
                total = self._count
            # Those that may not be found take places too.
            ask = wanted * upto // size + total - upto
            while True:
                _, found = self._scan.search(vectors, min(ask, total))
                proposed = [row[(row >= 0) & (row < upto)] for row in found]
                if mask is not None:
                    proposed = [row[mask[row]] for row in proposed]
                if ask >= total or min(map(len, proposed)) >= min(wanted, size) // 2:
                    return proposed
                ask *= 4


def _alike(
    stored: NDArray[np.float32],
    mask: NDArray[np.bool_] | None,
    vector: NDArray[np.float32],
    count: int,
) -> NDArray[np.int64]:
    """Return where the nearest are, and a few more whose order a matrix product does not tell."""
    places = None if mask is None or mask.all() else np.flatnonzero(mask)
    similarities = (stored if places is None else stored[places]) @ vector
    ask = count + 8
    if len(similarities) > ask:
        near = np.argpartition(-similarities, ask - 1)[:ask]
    else:
        near = np.arange(len(similarities))
    return near if places is None else places[near]
