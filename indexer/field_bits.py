"""Sets of documents as packed bits, the lowest first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FEW = 4000
"""Documents up to which setting bits one by one is faster than by way of a mask."""


def size_of(total: int) -> int:
    """Return how many bytes the bits of `total` documents take."""
    return (total + 7) // 8


def none_of(total: int) -> Bits:
    """Return the bits of no document."""
    return np.zeros(size_of(total), np.uint8)


def all_of(total: int) -> Bits:
    """Return the bits of all documents; those past the last are 0."""
    return complement(none_of(total), total)


def complement(bits: Bits, total: int) -> Bits:
    """Return the bits of all other documents."""
    other = ~bits
    if total % 8:
        other[-1] &= (1 << total % 8) - 1
    return other


def bits_at(documents: Iterable[NDArray[np.uint32]], total: int) -> Bits:
    """Return the bits of some documents, given as arrays in any order."""
    parts = [part for part in documents if len(part)]
    if sum(map(len, parts)) <= FEW:
        bits = none_of(total)
        for part in parts:
            np.bitwise_or.at(bits, part >> 3, np.uint8(1) << (part & 7).astype(np.uint8))
        return bits
    mask = np.zeros(total, np.bool_)
    for part in parts:
        mask[part] = True
    return np.packbits(mask, bitorder="little")


def mask_of(bits: Bits, total: int) -> Mask:
    """Return the bits of `total` documents as booleans."""
    return np.unpackbits(bits, count=total, bitorder="little").view(np.bool_)


def count_of(bits: Bits) -> int:
    """Return how many documents there are in a set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))
