"""Random samples that are the same every time, in ascending order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample(rows: NDArray[np.int64] | int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most `most` of `rows`, or of the first so many numbers; all where there are fewer.

    Parameters
    ----------
    rows : ndarray of int64, shape (N,), or int
        What to choose from, ascending; an int N stands for 0 to N - 1.
    most : int
        How many to choose.
    rng : numpy.random.Generator
        Seeded by the caller.
    """
    rows = np.arange(rows) if isinstance(rows, int) else rows
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
