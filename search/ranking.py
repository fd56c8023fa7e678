"""From nearest vectors to ranked listings: one hit per listing, by similarity and category.

The ranking key is the similarity plus the prior of the listing's category (`indexer.prior_weight`).
The best of a sum are not the best of one part, so candidates are the nearest of all and the
nearest within the few likeliest categories.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.categories import NEIGHBOURS, UNKNOWN
from indexer.prior_weight import keys
from indexer.snapshot import Snapshot
from search.index import VectorIndex

LIKELY = 5
"""Categories within which is searched too, at most."""

UNLIKELY = 0.02
"""Posterior below which a category cannot lift its listings far enough to be worth a search."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listing's best vector.

    Attributes
    ----------
    listing : int
        Its number in the catalogue.
    position : int
        Of the vector in the snapshot.
    similarity : float
        Its cosine to the query.
    key : float
        What it is ranked by.
    score : float
        The same, calibrated to 0 to 1.
    """

    listing: int
    position: int
    similarity: float
    key: float
    score: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a search found.

    Attributes
    ----------
    candidates : list of Candidate
        Best first, one per listing.
    category : list of (str, float)
        Likeliest categories with their confidences, likeliest first.
    """

    candidates: list[Candidate]
    category: list[tuple[str, float]] = field(default_factory=list)


def rank(
    snapshot: Snapshot,
    index: VectorIndex,
    vectors: NDArray[np.float32],
    k: int,
    leave_out: Collection[int] = (),
    *,
    prior: bool = True,
) -> Ranking:
    """Find the `k` listings that are nearest to any of `vectors`.

    Parameters
    ----------
    snapshot : Snapshot
        What is searched.
    index : VectorIndex
        Its FAISS index.
    vectors : ndarray of float32, shape (Q, dims)
        The query, unit length.
    k : int
        How many listings; fewer come back only when there are no more.
    leave_out : collection of int
        Listings that may not be in the answer.
    prior : bool, optional
        Whether the category prior takes part.
    """
    left_out = np.fromiter(leave_out, np.int64, len(leave_out))
    # A listing may fill several places with its pictures, so a few more are asked for, and more
    # again where that was not enough.
    ask = max(2 * k, NEIGHBOURS) + len(leave_out) + 8
    while True:
        positions, similarities = _others(snapshot, left_out, *index.nearest(vectors, ask))
        posterior = _posterior(snapshot, vectors, positions, similarities)
        model = snapshot.categories
        if (
            prior
            and model is not None
            and posterior is not None
            and model.weight_
            and len(positions)
        ):
            positions, similarities = _with_likely(
                snapshot, index, vectors, ask, posterior, left_out, positions, similarities
            )
            codes = snapshot.codes[positions].astype(np.int64)
            keyed = keys(similarities[None], model.prior(posterior[None]), codes)[0]
            found = _per_listing(snapshot, positions, similarities, keyed, k, keyed=True)
        else:
            found = _per_listing(snapshot, positions, similarities, similarities, k)
        if len(found) >= k or ask >= snapshot.count:
            return Ranking(found, _named(snapshot, posterior))
        ask *= 4


def posterior_of(
    snapshot: Snapshot, index: VectorIndex, vectors: NDArray[np.float32]
) -> list[tuple[str, float]]:
    """Return the likeliest categories of a query (Q, dims), likeliest first."""
    found = index.nearest(vectors, NEIGHBOURS)
    return _named(snapshot, _posterior(snapshot, vectors, *found))


def _others(
    snapshot: Snapshot,
    left_out: NDArray[np.int64],
    positions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    if not len(left_out):
        return positions, similarities
    stays = ~np.isin(snapshot.listings[positions], left_out)
    return positions[stays], similarities[stays]


def _posterior(
    snapshot: Snapshot,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> NDArray[np.float32] | None:
    """Return how likely each category is, shape (C,), by the mean over a query's vectors."""
    if snapshot.categories is None:
        return None
    near = positions[:NEIGHBOURS]
    codes = np.broadcast_to(snapshot.codes[near].astype(np.int64), (len(vectors), len(near)))
    votes = np.broadcast_to(similarities[:NEIGHBOURS], codes.shape)
    mean: NDArray[np.float32] = snapshot.categories.posterior(vectors, codes, votes).mean(axis=0)
    return mean


def _with_likely(
    snapshot: Snapshot,
    index: VectorIndex,
    vectors: NDArray[np.float32],
    count: int,
    posterior: NDArray[np.float32],
    left_out: NDArray[np.int64],
    positions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Add the nearest within the likeliest categories, and without one, to the nearest of all."""
    parts = [(positions, similarities)]
    likely = [int(code) for code in np.argsort(-posterior)[:LIKELY] if posterior[code] >= UNLIKELY]
    for code in (*likely, UNKNOWN):
        found = index.nearest_of_category(vectors, code, count)
        parts.append(_others(snapshot, left_out, *found))
    together = np.concatenate([part[0] for part in parts])
    distinct, first = np.unique(together, return_index=True)
    return distinct, np.concatenate([part[1] for part in parts])[first]


def _per_listing(
    snapshot: Snapshot,
    positions: NDArray[np.int64],
    similarities: NDArray[np.float32],
    ranked_by: NDArray[np.float32],
    k: int,
    *,
    keyed: bool = False,
) -> list[Candidate]:
    """Return the best of each listing, best first; equal ones in the catalogue's order."""
    order = np.lexsort((positions, -ranked_by))
    listings = np.asarray(snapshot.listings[positions[order]])
    _, first = np.unique(listings, return_index=True)
    chosen = order[np.sort(first)[:k]]
    scores = (snapshot.keyed_scores if keyed else snapshot.scores).score(ranked_by[chosen])
    return [
        Candidate(
            int(snapshot.listings[positions[place]]),
            int(positions[place]),
            float(similarities[place]),
            float(ranked_by[place]),
            float(score),
        )
        for place, score in zip(chosen, scores, strict=True)
    ]


def _named(snapshot: Snapshot, posterior: NDArray[np.float32] | None) -> list[tuple[str, float]]:
    if posterior is None or snapshot.categories is None:
        return []
    return [
        (snapshot.categories.names[code], float(posterior[code]))
        for code in np.argsort(-posterior)[:LIKELY]
        if posterior[code] >= UNLIKELY
    ]
