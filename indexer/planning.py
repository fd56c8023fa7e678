"""Which kind of FAISS index serves how many vectors in how much memory, and what it costs.

The figures were measured by `benchmarks/scale.py`; docs/scale.md has the tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FLAT_UP_TO = 20_000
"""Vectors up to which comparing with all of them is fast enough, and exact."""

PROGRAM = 200_000_000
"""Bytes of memory that a serving process takes beside its index."""

MOST_LISTS = 1 << 16
"""Inverted lists at most: training them takes time that grows with their square."""

GRAPH_FROM = 1 << 14
"""Inverted lists from which the nearest of them are sought through a graph."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of FAISS index.

    Attributes
    ----------
    factory : str
        As `faiss.index_factory` takes it.
    lists : int
        Inverted lists; 0 of an exact index.
    resident : int
        Bytes in the memory of a serving process.
    mapped : int
        Bytes of its own files, of which the system keeps in memory what is used often.
    codes : int
        Subquantisers of the codes that are scanned for filters and fresh vectors; 0 without any.
    """

    factory: str
    lists: int
    resident: int
    mapped: int
    codes: int

    @property
    def exact(self) -> bool:
        """Whether a query is compared with every vector."""
        return not self.lists

    @property
    def in_memory(self) -> bool:
        """Whether the inverted lists lie in memory, not in a mapped file."""
        return "PQ" in self.factory


def choose(
    count: int, dims: int, memory: int | None = None, flat_up_to: int = FLAT_UP_TO
) -> Choice:
    """Choose the kind of FAISS index.

    Candidates are found by codes of 4 bits for 2 dimensions (for 4 where the memory is short),
    which lie in memory, and compared exactly by the vectors, which are mapped. Where the codes do
    not fit either, inverted lists of one byte a dimension are mapped.

    Parameters
    ----------
    count, dims : int
        How many vectors of how many dimensions.
    memory : int, optional
        Bytes that a serving process may take beside what it maps; no limit where not given.
    flat_up_to : int, optional
        Vectors up to which an exact index is chosen.
    """
    if count <= flat_up_to:
        return Choice("Flat", 0, 0, 4 * count * dims, 0)
    lists = min(MOST_LISTS, 2 ** round(math.log2(4 * math.sqrt(count))))
    coarse = f"IVF{lists}_HNSW32" if lists >= GRAPH_FROM else f"IVF{lists}"
    centres = lists * (4 * dims + (280 if lists >= GRAPH_FROM else 0))
    fine = _subquantisers(dims, 2)
    codes = count * ((fine + 1) // 2)
    for step in (2, 4):
        parts = _subquantisers(dims, step)
        # A list is filled up to a multiple of 32 vectors; an id takes 8 bytes.
        resident = centres + (count + 16 * lists) * ((parts + 1) // 2) + 8 * count
        if memory is None or PROGRAM + resident <= memory:
            return Choice(f"{coarse},PQ{parts}x4fs", lists, resident, codes, fine)
    return Choice(f"{coarse},SQ8", lists, centres, codes + count * (dims + 8), fine)


def _subquantisers(dims: int, step: int) -> int:
    """Return how many parts of `step` dimensions, or of fewer where they do not divide by it."""
    return next(dims // part for part in (step, 2, 1) if dims % part == 0)
