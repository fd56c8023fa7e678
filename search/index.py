"""Nearest vectors in a snapshot, by FAISS."""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.snapshot import AGAIN, Snapshot


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
        self._codes = snapshot.codes
        self._bitmaps: dict[int, tuple[Any, int]] = {}

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
        if code not in self._bitmaps:
            members = np.asarray(self._codes) == code
            # The selector points into the array, which must live as long as it does.
            self._bitmaps[code] = np.packbits(members, bitorder="little"), int(members.sum())
        bits, size = self._bitmaps[code]
        if not size:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        bitmap: Any = faiss.IDSelectorBitmap
        selector = bitmap(bits)
        return self._search(
            vectors, min(count, size), self._parameters(count, selector, size / self._count)
        )

    def _search(
        self, vectors: NDArray[np.float32], count: int, parameters: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        similarities, positions = self._faiss.search(
            np.ascontiguousarray(vectors, np.float32), count, params=parameters
        )
        flat, values = positions.ravel(), similarities.ravel()
        real = flat >= 0  # FAISS pads with -1 where its lists ran out
        flat, values = flat[real], values[real]
        # Equal similarities in the order of the catalogue, so that an answer is the same twice.
        order = np.lexsort((flat, -values))
        flat, values = flat[order], values[order]
        _, first = np.unique(flat, return_index=True)
        first.sort()
        return flat[first], values[first]

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
