"""Cosines of stored vectors to a query, the same to the last bit however they were found.

A listing that moves from memory into a snapshot, or is found through a filter and without one,
keeps its similarity: the pages of an answer rely on it. So what FAISS estimates is only used to
choose candidates, and a matrix product, whose last bits depend on its shape, is not used at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Places and their similarities, most similar first."""

NOTHING: Found = (np.zeros(0, np.int64), np.zeros(0, np.float32))

BLOCK = 4096

WIDE = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""What each float16 is as a float32: looking it up takes half the time of NumPy's conversion."""


def widened(rows: NDArray[np.float16] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float16 rows as float32, in the same shape; rows of float32 as they are."""
    if rows.dtype == np.float32:
        return rows.astype(np.float32, copy=False)
    return WIDE.take(np.ascontiguousarray(rows).view(np.uint16))


def cosines(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inner product of each row, shape (M, dims), with a vector, shape (dims,)."""
    found: NDArray[np.float32] = np.vecdot(rows, vector)
    return found


def best(places: NDArray[np.integer], similarities: NDArray[np.float32], count: int) -> Found:
    """Return the `count` most similar places; equal ones in ascending order."""
    if len(places) > 2 * count:
        least = np.partition(similarities, len(similarities) - count)[-count]
        some = similarities >= least  # with all that are as similar as the last one
        places, similarities = places[some], similarities[some]
    order = np.lexsort((places, -similarities))[:count]
    return places[order].astype(np.int64, copy=False), similarities[order]


def compare(
    stored: NDArray[np.float16] | NDArray[np.float32],
    places: NDArray[np.integer],
    vector: NDArray[np.float32],
    count: int,
) -> Found:
    """Compare a vector with the stored ones at some places.

    Parameters
    ----------
    stored : ndarray of float16, or of the same as float32, shape (N, dims)
        All of them; may be mapped.
    places : ndarray of int, shape (M,)
        Of distinct rows of `stored`.
    vector : ndarray of float32, shape (dims,)
        Unit length.
    count : int
        How many of the most similar to return, at least 1.
    """
    found = NOTHING
    for start in range(0, len(places), BLOCK):
        part = places[start : start + BLOCK]
        similarities = cosines(widened(stored.take(part, axis=0)), vector)
        if len(places) <= BLOCK:
            return best(part, similarities, count)
        both = np.concatenate([found[0], part]), np.concatenate([found[1], similarities])
        found = best(*both, count)
    return found


def merged(parts: list[Found]) -> Found:
    """Merge what was found for several vectors, each place once with its best similarity."""
    if len(parts) == 1:
        return parts[0]
    places = np.concatenate([part[0] for part in parts])
    similarities = np.concatenate([part[1] for part in parts])
    order = np.lexsort((places, -similarities))
    places, similarities = places[order], similarities[order]
    _, first = np.unique(places, return_index=True)
    first.sort()
    return places[first], similarities[first]
