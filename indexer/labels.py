"""Which category and listing each vector belongs to, as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Labels:
    """The categories and listings of N vectors.

    Attributes
    ----------
    names : tuple of str
        The categories, sorted.
    codes : ndarray of int64, shape (N,)
        Each vector's category as a place in `names`; -1 without one.
    listings : ndarray of int64, shape (N,)
        Each vector's listing, by its number.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    listings: NDArray[np.int64]

    @classmethod
    def of(cls, categories: Sequence[str], listings: NDArray[np.int64]) -> Labels:
        """Return the labels of vectors whose categories are named; '' is none."""
        # No array of strings: NumPy would make every one as long as the longest.
        names = sorted({*categories} - {""})
        places = {"": -1} | {name: place for place, name in enumerate(names)}
        codes = np.fromiter((places[name] for name in categories), np.int64, len(categories))
        return cls(tuple(names), codes, listings)
