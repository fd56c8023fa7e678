"""Codes of the vectors that a filter keeps, packed so that FAISS scans all of them quickly.

Inverted lists are good at finding the nearest of most vectors. Of few, they must nearly all be
walked through, and more of them the less the filter has to do with the question. A scan of the
codes of exactly those vectors finds them whatever was asked: 10,000 codes take 30 microseconds.
Packing takes longer, so what was packed is kept for the next question with the same selection.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.faiss_index import CODES, FRESH
from indexer.manifest import AGAIN
from search.selection import Selection

KEPT = 64_000_000
"""Bytes of packed codes that are kept."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The codes of a selection.

    Attributes
    ----------
    positions : ndarray of int32, shape (M,)
        What is selected, ascending.
    """

    positions: NDArray[np.int32]
    index: Any

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return len(self.positions) * (4 + int(self.index.code_size))

    def candidates(self, vectors: NDArray[np.float32], count: int) -> list[NDArray[np.int32]]:
        """Return the positions of the likeliest `count` for each row of `vectors` (Q, dims)."""
        _, places = self.index.search(vectors, min(count, len(self.positions)))
        return [self.positions[row[row >= 0]] for row in places]


class Codes:
    """Each vector's code, mapped; safe to use from several threads.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N, bytes)
        By position.
    coder : faiss.IndexPQ
        What they were made by.
    """

    def __init__(self, codes: NDArray[np.uint8], coder: Any) -> None:
        self._codes = codes
        self._coder = coder
        self._kept: OrderedDict[int, tuple[Selection, Packed]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, count: int, dims: int) -> Codes | None:
        """Open those of a snapshot's folder; None where it has none.

        Raises
        ------
        IndexDamaged
            If a file cannot be read, or is not of so many vectors.
        """
        path = folder / CODES
        if not path.is_file():
            return None
        coder = read_coder(folder)
        if coder.d != dims or path.stat().st_size != count * coder.code_size:
            raise IndexDamaged(f"{path} does not hold {count:,} codes.", hint=AGAIN)
        return cls(np.memmap(path, np.uint8, "r", shape=(count, coder.code_size)), coder)

    def pack(self, selection: Selection) -> Packed:
        """Return the codes of a selection; kept for as long as there is room."""
        with self._lock:
            kept = self._kept.get(id(selection))
            if kept is not None:
                self._kept.move_to_end(id(selection))
                return kept[1]
        # Not `selection.positions`, which is made for small ones, and would be kept.
        filled = np.unpackbits(selection.bits, count=len(self._codes), bitorder="little")
        positions = np.flatnonzero(filled.view(np.bool_))
        loose: Any = faiss.clone_index(self._coder)
        loose.add_sa_codes(self._codes.take(positions, axis=0))
        packed = Packed(positions.astype(np.int32), faiss.IndexPQFastScan(loose))
        with self._lock:
            # The selection is kept too: its id may not become another's.
            if id(selection) not in self._kept:
                self._kept[id(selection)] = selection, packed
                self._bytes += packed.bytes
            while self._bytes > KEPT and len(self._kept) > 1:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._bytes -= oldest.bytes
        return packed


def read_coder(folder: Path) -> Any:
    """Return the empty `faiss.IndexPQ` of a snapshot's folder.

    Raises
    ------
    IndexDamaged
        If FAISS cannot read it.
    """
    path = folder / FRESH
    try:
        coder = faiss.read_index(str(path))
    except RuntimeError as error:
        raise IndexDamaged(f"FAISS cannot read {path}.", hint=AGAIN) from error
    if not isinstance(coder, faiss.IndexPQ) or coder.pq.nbits != 4:
        raise IndexDamaged(f"{path} makes no codes of 4 bits.", hint=AGAIN)
    return coder
