"""Nearest vectors in a snapshot: FAISS proposes candidates, the vectors themselves decide.

Which way a question takes depends on how many vectors may be found:

- few are compared one by one;
- up to `SCANNED_UP_TO`, the codes of just those are scanned (`search.packed`);
- of more, inverted lists are walked through, more lists the fewer of their vectors count.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.manifest import AGAIN
from indexer.snapshot import Snapshot
from search.cosines import NOTHING, Found, compare, merged, widened
from search.packed import Codes
from search.selection import Selection

EXACT_UP_TO = 1000
"""Vectors up to which comparing with each is faster than anything else."""

EXACT_WITHOUT_CODES = 20_000
"""The same where there are no codes to scan: in snapshots of before they were kept."""

SCANNED_UP_TO = 250_000
"""Vectors up to which their codes are scanned."""

SINGLE = 11
"""FAISS's way of scanning packed lists that is the fastest for one question at a time."""

WIDENED_UP_TO = 16 << 20
"""Bytes of vectors as float32 up to which they are kept so in memory: turning them is what most of
a question to a small index would take, a search within each likely category."""

USUAL_SHARE = 0.5
"""Share of the vectors that may be found below which more lists are walked through."""


class VectorIndex:
    """The FAISS index of a snapshot; safe to search from several threads.

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
        self._count, dims = snapshot.vectors.shape
        said = snapshot.manifest["index"]
        self._inverted = said["nprobe"] is not None
        self._faiss = _read(snapshot, self._inverted)
        if self._inverted:
            self._faiss.nprobe = said["nprobe"]
        if isinstance(self._faiss, faiss.IndexIVFFastScan):
            self._faiss.implem = SINGLE
        # Snapshots of before candidates were compared again do not say how many.
        self._candidates = said.get("candidates") or 0
        self._scanned = said.get("scanned") or 0
        small = 4 * self._count * dims <= WIDENED_UP_TO
        self._vectors = widened(snapshot.vectors) if small else snapshot.vectors
        self._packed = Codes.open(snapshot.folder, self._count, dims)
        self._codes = np.asarray(snapshot.codes)
        self._categories: dict[int, Selection] = {}
        self._lock = threading.Lock()

    @property
    def lists(self) -> int | None:
        """Inverted lists of an approximate index; None of an exact one."""
        return int(self._faiss.nlist) if self._inverted else None

    def category(self, code: int) -> Selection:
        """Return the vectors of one category, the same object every time.

        Parameters
        ----------
        code : int
            The category's place in the snapshot's names; `indexer.categories.UNKNOWN` for
            vectors without one.
        """
        with self._lock:
            if code not in self._categories:
                self._categories[code] = Selection.of(self._codes == code)
            return self._categories[code]

    def nearest(
        self,
        vectors: NDArray[np.float32],
        count: int,
        within: Selection | None = None,
        *,
        living: Selection | None = None,
        nprobe: int | None = None,
    ) -> Found:
        """Find the nearest vectors to any of `vectors`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Unit length.
        count : int
            How many to find per row of `vectors`.
        within : Selection, optional
            What may be found. It is prepared at the first question, and fast for all others with
            the same object.
        living : Selection, optional
            What may be found, too; this one may be another object every time.
        nprobe : int, optional
            Inverted lists to look into, to see what the choice costs and finds; as measured when
            the index was built.

        Returns
        -------
        positions : ndarray of int64, shape (M,)
            In the snapshot, most similar first, none twice. Not short while there are more.
        similarities : ndarray of float32, shape (M,)
            The largest cosine to any of `vectors`, of those that it was found for.
        """
        vectors = np.ascontiguousarray(vectors, np.float32)
        if within is None or within.count == self._count:
            return self._of_all(vectors, count, living, nprobe)
        size = within.count
        count = min(count, size)
        if not count:
            return NOTHING
        if size <= self._exact_up_to():
            return self._exact(vectors, count, within, living)
        if self._packed is not None and size <= SCANNED_UP_TO:
            return self._by_codes(vectors, count, within, living)
        both = within if living is None else within & living
        return self._by_lists(vectors, count, both, nprobe)

    def nearest_of_category(
        self, vectors: NDArray[np.float32], code: int, count: int, within: Selection | None = None
    ) -> Found:
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
        within : Selection, optional
            What may be found.
        """
        return self.nearest(vectors, count, self.category(code), living=within)

    def _of_all(
        self,
        vectors: NDArray[np.float32],
        count: int,
        living: Selection | None,
        nprobe: int | None,
    ) -> Found:
        # Nothing is prepared for what is another object every time.
        if living is not None and living.count <= self._exact_up_to():
            return self._exact(vectors, min(count, living.count), living, None)
        return self._by_lists(vectors, count, living, nprobe)

    def _exact_up_to(self) -> int:
        if self._packed is None and self._inverted:
            return EXACT_WITHOUT_CODES if EXACT_UP_TO else 0
        return EXACT_UP_TO

    def _exact(
        self,
        vectors: NDArray[np.float32],
        count: int,
        within: Selection | None,
        living: Selection | None,
    ) -> Found:
        """Compare with each vector."""
        positions = np.arange(self._count) if within is None else within.positions
        if living is not None:
            positions = positions[living.holds(positions)]
        return merged([compare(self._vectors, positions, vector, count) for vector in vectors])

    def _by_codes(
        self,
        vectors: NDArray[np.float32],
        count: int,
        within: Selection,
        living: Selection | None,
    ) -> Found:
        """Scan the codes of what is selected."""
        assert self._packed is not None  # noqa: S101 - asked by `nearest`
        packed = self._packed.pack(within)
        size, ask = within.count, _candidates(self._scanned, count)
        while ask < size:
            proposed = packed.candidates(vectors, ask)
            if living is not None:
                proposed = [row[living.holds(row)] for row in proposed]
            if min(map(len, proposed)) >= count:
                found = zip(proposed, vectors, strict=True)
                return merged([compare(self._vectors, row, one, count) for row, one in found])
            ask *= 8  # most of the nearest are no longer true
        return self._exact(vectors, count, within, living)

    def _by_lists(
        self,
        vectors: NDArray[np.float32],
        count: int,
        within: Selection | None,
        nprobe: int | None,
    ) -> Found:
        """Ask FAISS, whose index is exact or made of inverted lists."""
        size = self._count if within is None else within.count
        count = min(count, size)
        if not count:
            return NOTHING
        # The selector points into the array, which must live as long as it does.
        bitmap: Any = faiss.IDSelectorBitmap
        selector = None if within is None else bitmap(within.bits)
        ask = min(size, _candidates(self._candidates, count))
        _, positions = self._faiss.search(
            vectors, ask, params=self._parameters(count, size, selector, nprobe)
        )
        proposed = [row[row >= 0] for row in positions]  # -1 where FAISS's lists ran out
        if nprobe is None and min(map(len, proposed)) < count:
            return self._exact(vectors, count, within, None)
        found = zip(proposed, vectors, strict=True)
        return merged([compare(self._vectors, row, one, count) for row, one in found])

    def _parameters(self, count: int, size: int, selector: Any, nprobe: int | None) -> Any:
        """Walk through more lists where many hits are asked for, or few vectors may be hits."""
        if not self._inverted:
            plain: Any = faiss.SearchParameters
            return None if selector is None else plain(sel=selector)
        lists, usual, share = self._faiss.nlist, self._faiss.nprobe, size / self._count
        raised = usual * max(1.0, USUAL_SHARE / share) ** 1.5 * max(1.0, count / 100)
        # The vectors sought should fill at most an eighth of the lists that are searched.
        enough = 8 * count * lists / size
        chosen = nprobe or min(lists, math.ceil(max(raised, enough)))
        inverted: Any = faiss.SearchParametersIVF
        if selector is None:
            return inverted(nprobe=chosen)
        return inverted(nprobe=chosen, sel=selector)


def _candidates(usual: int, count: int) -> int:
    """Return how many candidates to compare for `count` hits, of those usual for ten."""
    return max(count, usual + 3 * (count - 10)) if usual else count


def _read(snapshot: Snapshot, inverted: bool) -> Any:
    path = snapshot.folder / "index.faiss"
    # FAISS maps inverted lists under one flag and everything else under another, and ignores the
    # wrong one silently. Packed lists are read into memory under either.
    flag = faiss.IO_FLAG_MMAP if inverted else faiss.IO_FLAG_MMAP_IFC
    try:
        opened: Any = faiss.read_index(str(path), flag)
    except RuntimeError as error:
        raise IndexDamaged(f"FAISS cannot read {path}.", hint=AGAIN) from error
    if (opened.ntotal, opened.d) != snapshot.vectors.shape:
        raise IndexDamaged(
            f"{path} holds {opened.ntotal:,} vectors of {opened.d} dimensions, the"
            f" snapshot {snapshot.count:,} of {snapshot.projection.dims}.",
            hint=AGAIN,
        )
    return opened
