"""Which positions of a snapshot, and of what came since, a search may find."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FEW = 8


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
        bits = np.zeros((total + 7) // 8, np.uint8)
        np.bitwise_or.at(bits, positions >> 3, np.uint8(1) << (positions & 7).astype(np.uint8))
        return cls(bits)

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


@dataclass(frozen=True, slots=True)
class Within:
    """Which positions of a view a search may find.

    Attributes
    ----------
    old : Selection
        Those of its snapshot, as it was made: the same object for the same condition, which is
        prepared for once.
    living : Selection or None
        Which of these are true still; None for all.
    extra : ndarray of int64, shape (E,)
        Further positions of the snapshot, ascending, whose listings meet the condition only since.
    new : ndarray of bool, shape (M,)
        Those of what came since.
    """

    old: Selection
    living: Selection | None
    extra: NDArray[np.int64]
    new: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many there are."""
        old = self.old if self.living is None else self.old & self.living
        return old.count + len(self.extra) + int(np.count_nonzero(self.new))

    @property
    def together(self) -> Selection:
        """Those of the snapshot in one: another object every time."""
        old = self.old if self.living is None else self.old & self.living
        if not len(self.extra):
            return old
        return Selection(old.bits | Selection.at(self.extra, 8 * len(old.bits)).bits)

    def holds(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of positions of the snapshot whether they are among them."""
        held = self.old.holds(positions)
        if self.living is not None:
            held &= self.living.holds(positions)
        return held | among(positions, self.extra)


def all_of(total: int) -> Selection:
    """Return all of so many positions."""
    bits = np.full((total + 7) // 8, 0xFF, np.uint8)
    if total % 8:
        bits[-1] = (1 << total % 8) - 1
    return Selection(bits)


def among(values: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of each value whether it is one of those wanted: `np.isin`, quick for a few."""
    if len(wanted) > FEW:
        return np.isin(values, wanted)
    found = np.zeros(len(values), np.bool_)
    for one in wanted.tolist():
        found |= values == one
    return found
