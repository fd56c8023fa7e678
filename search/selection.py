"""Which positions of a snapshot a search may find."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class Selection:
    """A set of positions, as the bits that FAISS takes and, once asked for, as sorted numbers.

    Parameters
    ----------
    bits : ndarray of uint8, shape (ceil(N / 8),)
        One bit a position, the lowest first; those past N are 0. Not changed afterwards.
    """

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self.bits = bits

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Selection:
        """Return the positions at which a mask, shape (N,), is true."""
        return cls(np.packbits(mask, bitorder="little"))

    @classmethod
    def at(cls, positions: NDArray[np.integer], total: int) -> Selection:
        """Return a selection of some of `total` positions."""
        mask = np.zeros(total, np.bool_)
        mask[positions] = True
        return cls.of(mask)

    @cached_property
    def count(self) -> int:
        """How many positions are selected."""
        return int(np.bitwise_count(self.bits).sum(dtype=np.int64))

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The selected positions, ascending, shape (count,)."""
        # Most bytes of a small selection are 0: only the others are unpacked.
        filled = np.flatnonzero(self.bits)
        bits = np.unpackbits(self.bits[filled, None], axis=1, bitorder="little")
        rows, places = np.nonzero(bits)
        return filled[rows].astype(np.int64) * 8 + places

    def __and__(self, other: Selection) -> Selection:
        return Selection(self.bits & other.bits)

    def without(self, other: Selection) -> Selection:
        """Return what is selected here and not there."""
        return Selection(self.bits & ~other.bits)

    def holds(self, positions: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell of each position whether it is selected."""
        bytes_, places = self.bits[positions >> 3], (positions & 7).astype(np.uint8)
        held: NDArray[np.bool_] = (bytes_ >> places) & 1 == 1
        return held
