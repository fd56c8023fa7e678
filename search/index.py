"""Nearest vectors in a snapshot, by FAISS."""

from __future__ import annotations

import math
import threading
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.snapshot import AGAIN, Snapshot

EXACT_UP_TO = 20_000
"""Vectors of a category up to which comparing with all of them is faster than walking the lists of
the whole catalogue for them."""


class VectorIndex:
    """The FAISS index of a snapshot, mapped from disk; safe to search from several threads.

    Parameters
    ----------
    snapshot : Snapshot
        Opened.

    Raises
    ------
    IndexDamaged
        If FAISS cannot read the file, or it is not this snapshot's.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        path = snapshot.folder / "index.faiss"
        said = snapshot.manifest["index"]
        # FAISS maps inverted lists under one flag and everything else under another, and
        # ignores the wrong one silently.
        inverted = said["nprobe"] is not None
        flag = faiss.IO_FLAG_MMAP if inverted else faiss.IO_FLAG_MMAP_IFC
        try:
            opened: Any = faiss.read_index(str(path), flag)
        except RuntimeError as error:
            raise IndexDamaged(f"FAISS cannot read {path}.", hint=AGAIN) from error
        self._faiss = opened
        if (self._faiss.ntotal, self._faiss.d) != snapshot.vectors.shape:
            raise IndexDamaged(
                f"{path} holds {self._faiss.ntotal:,} vectors of {self._faiss.d} dimensions, the"
                f" snapshot {snapshot.count:,} of {snapshot.projection.dims}.",
                hint=AGAIN,
            )
        if inverted:
            self._faiss.nprobe = said["nprobe"]
        self._inverted = inverted
        self._count = snapshot.count
        self._vectors = snapshot.vectors
        self._codes = np.asarray(snapshot.codes)
        self._by_code: NDArray[np.int64] | None = None
        self._sorting = threading.Lock()

    @property
    def lists(self) -> int | None:
        """Inverted lists of an approximate index; None of an exact one."""
        return int(self._faiss.nlist) if self._inverted else None

    def nearest(
        self, vectors: NDArray[np.float32], count: int, *, nprobe: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest of all vectors to any of `vectors`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Unit length.
        count : int
            How many to find per row of `vectors`.
        nprobe : int, optional
            Inverted lists to look into, to see what the choice costs and finds; as measured when
            the index was built.

        Returns
        -------
        positions : ndarray of int64, shape (M,)
            In the snapshot, most similar first, none twice.
        similarities : ndarray of float32, shape (M,)
            The largest cosine to any of `vectors`.
        """
        parameters = self._parameters(count)
        if nprobe is not None and parameters is not None:
            parameters.nprobe = nprobe
        return self._search(vectors, min(count, self._count), parameters)

    def nearest_of_category(
        self, vectors: NDArray[np.float32], code: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the nearest vectors of one category, as `nearest`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Unit length.
        code : int
            The category's place in the snapshot's names; `indexer.categories.UNKNOWN` for
            vectors without one.
        count : int
            How many to find per row of `vectors`.
        """
        members = self._members(code)
        size = len(members)
        if not size:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        if size <= EXACT_UP_TO:
            similarities, places = faiss.knn(
                np.ascontiguousarray(vectors, np.float32),
                self._vectors[members].astype(np.float32),
                min(count, size),
                metric=faiss.METRIC_INNER_PRODUCT,
            )
            return _ordered(similarities, np.where(places < 0, -1, members[places]))
        # The selector points into the array, which must live as long as it does.
        bits = np.packbits(self._codes == code, bitorder="little")
        bitmap: Any = faiss.IDSelectorBitmap
        selector = bitmap(bits)
        return self._search(
            vectors, min(count, size), self._parameters(count, selector, size / self._count)
        )

    def _members(self, code: int) -> NDArray[np.int64]:
        """Return the positions of a category's vectors, in ascending order."""
        with self._sorting:
            if self._by_code is None:  # at the first question, not at start-up
                self._by_code = np.argsort(self._codes, kind="stable")
        # Sought in the codes' own type, or NumPy would convert all of them each time.
        ends = np.array([code, code + 1], self._codes.dtype)
        start, stop = np.searchsorted(self._codes, ends, sorter=self._by_code)
        return self._by_code[start:stop]

    def _search(
        self, vectors: NDArray[np.float32], count: int, parameters: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        similarities, positions = self._faiss.search(
            np.ascontiguousarray(vectors, np.float32), count, params=parameters
        )
        return _ordered(similarities, positions)

    def _parameters(self, count: int, selector: Any = None, share: float = 1.0) -> Any:
        """Search more lists where many hits are asked for, or few vectors may be hits."""
        if not self._inverted:
            plain: Any = faiss.SearchParameters
            return None if selector is None else plain(sel=selector)
        lists, usual = self._faiss.nlist, self._faiss.nprobe
        # The vectors sought should fill at most an eighth of the lists that are searched.
        enough = math.ceil(8 * count * lists / (self._count * share))
        parameters: Any = faiss.SearchParametersIVF
        nprobe = min(lists, max(usual, enough))
        return (
            parameters(nprobe=nprobe)
            if selector is None
            else parameters(nprobe=nprobe, sel=selector)
        )


def _ordered(
    similarities: NDArray[np.float32], positions: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Merge what was found for several vectors, each position once with its best similarity."""
    flat, values = positions.ravel(), similarities.ravel()
    real = flat >= 0  # FAISS pads with -1 where its lists ran out
    flat, values = flat[real], values[real]
    # Equal similarities in the order of the catalogue, so that an answer is the same twice.
    order = np.lexsort((flat, -values))
    flat, values = flat[order], values[order]
    _, first = np.unique(flat, return_index=True)
    first.sort()
    return flat[first], values[first]
