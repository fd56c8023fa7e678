"""From nearest vectors to ranked listings: one hit per listing, and what it scores."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.index import VectorIndex

NEAR_DUPLICATE = 0.95
"""Cosine above which two pictures seem to be copies: re-saved and turned ones lie above it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listing's best vector."""

    listing: int
    position: int
    similarity: float


def score(similarity: float) -> float:
    """Return what an answer is ordered by: the cosine, with all that is not alike at 0."""
    return min(1.0, max(0.0, similarity))


def rank(
    index: VectorIndex,
    listings: NDArray[np.int64],
    vectors: NDArray[np.float32],
    k: int,
    leave_out: Collection[int] = (),
) -> list[Candidate]:
    """Find the `k` listings that are nearest to any of `vectors`.

    Parameters
    ----------
    index : VectorIndex
        Where to look.
    listings : ndarray of int64, shape (count,)
        The listing of each vector of the index.
    vectors : ndarray of float32, shape (Q, dims)
        The query, unit length.
    k : int
        How many listings; fewer come back only when there are no more.
    leave_out : collection of int
        Listings that may not be in the answer.
    """
    # A listing may fill several places with its pictures, so a few more are asked for, and more
    # again where that was not enough.
    ask = k + len(leave_out) + 8
    while True:
        positions, similarities = index.nearest(vectors, ask)
        best: dict[int, Candidate] = {}
        for position, similarity in zip(positions.tolist(), similarities.tolist(), strict=True):
            listing = int(listings[position])
            if listing not in best and listing not in leave_out:
                best[listing] = Candidate(listing, position, similarity)
        if len(best) >= k or ask >= len(listings):
            return list(best.values())[:k]
        ask *= 4
