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
from search.live import View
from search.selection import Within

LIKELY = 5
"""Categories within which is searched too, at most."""

Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Positions and their similarities."""

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
        Of the vector in the view.
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
    view: View,
    vectors: NDArray[np.float32],
    k: int,
    leave_out: Collection[int] = (),
    *,
    prior: bool = True,
    within: Within | None = None,
    shown: Collection[int] = (),
) -> Ranking:
    """Find the `k` listings that are nearest to any of `vectors`.

    Parameters
    ----------
    view : View
        What is searched.
    vectors : ndarray of float32, shape (Q, dims)
        The query, unit length.
    k : int
        How many listings; fewer come back only when there are no more.
    leave_out : collection of int
        Listings that may not be in the answer.
    prior : bool, optional
        Whether the category prior takes part.
    within : Within, optional
        What may be in the answer.
    shown : collection of int, optional
        Further listings that may not be in the answer, as they were in an earlier one: they still
        have their say in what kind of product it is, so that the order is one over all pages.
    """
    asked_with = np.fromiter(leave_out, np.int64, len(leave_out))
    left_out = np.concatenate([asked_with, np.fromiter(shown, np.int64, len(shown))])
    model = view.snapshot.categories
    # What kind of product it is does not depend on what may be found.
    posterior = None
    if within is not None or len(shown):
        ask = NEIGHBOURS + len(leave_out) + 8
        posterior = _posterior(
            view, vectors, _others(view, asked_with, *view.nearest(vectors, ask))
        )
    # A listing may fill several places with its pictures, so a few more are asked for, and more
    # again where that was not enough.
    ask = max(2 * k, NEIGHBOURS) + len(left_out) + 8
    while True:
        nearest = _others(view, left_out, *view.nearest(vectors, ask, within))
        if within is None and not len(shown):
            posterior = _posterior(view, vectors, nearest)
        if prior and model is not None and posterior is not None and model.weight_:
            nearest = _with_likely(view, vectors, ask, posterior, left_out, nearest, within)
            best = _per_listing(view, nearest, k, model.prior(posterior[None]), not len(shown))
        else:
            best = _per_listing(view, nearest, k)
        if len(best) >= k or ask >= (view.count if within is None else within.count):
            return Ranking(best, _named(view.snapshot, posterior))
        ask *= 4


def posterior_of(view: View, vectors: NDArray[np.float32]) -> list[tuple[str, float]]:
    """Return the likeliest categories of a query (Q, dims), likeliest first."""
    return _named(view.snapshot, _posterior(view, vectors, None))


def _others(
    view: View,
    left_out: NDArray[np.int64],
    positions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> Found:
    if not len(left_out):
        return positions, similarities
    stays = ~np.isin(view.listings(positions), left_out)
    return positions[stays], similarities[stays]


def _posterior(
    view: View, vectors: NDArray[np.float32], nearest: Found | None
) -> NDArray[np.float32] | None:
    """Return how likely each category is, shape (C,), by the mean over a query's vectors."""
    model = view.snapshot.categories
    if model is None:
        return None
    positions, similarities = nearest or view.nearest(vectors, NEIGHBOURS)
    near = positions[:NEIGHBOURS]
    codes = np.broadcast_to(view.codes(near), (len(vectors), len(near)))
    votes = np.broadcast_to(similarities[:NEIGHBOURS], codes.shape)
    mean: NDArray[np.float32] = model.posterior(vectors, codes, votes).mean(axis=0)
    return mean


def _with_likely(
    view: View,
    vectors: NDArray[np.float32],
    count: int,
    posterior: NDArray[np.float32],
    left_out: NDArray[np.int64],
    nearest: Found,
    within: Within | None,
) -> Found:
    """Add the nearest within the likeliest categories, and without one, to the nearest of all."""
    parts = [nearest]
    likely = [int(code) for code in np.argsort(-posterior)[:LIKELY] if posterior[code] >= UNLIKELY]
    for code in (*likely, UNKNOWN):
        found = view.nearest_of_category(vectors, code, count, within)
        parts.append(_others(view, left_out, *found))
    together = np.concatenate([part[0] for part in parts])
    distinct, first = np.unique(together, return_index=True)
    return distinct, np.concatenate([part[1] for part in parts])[first]


def _per_listing(
    view: View,
    nearest: Found,
    k: int,
    prior: NDArray[np.float32] | None = None,
    with_nearest: bool = True,
) -> list[Candidate]:
    """Return the best of each listing, best first; equal ones in the catalogue's order."""
    positions, similarities = nearest
    if not len(positions):
        return []
    ranked_by, scores = similarities, view.snapshot.scores
    if prior is not None:
        codes = view.codes(positions)
        ranked_by = keys(similarities[None], prior, codes, with_nearest=with_nearest)[0]
        scores = view.snapshot.keyed_scores
    order = np.lexsort((positions, -ranked_by))
    listings = view.listings(positions[order])
    _, first = np.unique(listings, return_index=True)
    first = np.sort(first)[:k]
    chosen = order[first]
    return [
        Candidate(
            int(listings[place]),
            int(positions[at]),
            float(similarities[at]),
            float(ranked_by[at]),
            float(score),
        )
        for place, at, score in zip(first, chosen, scores.score(ranked_by[chosen]), strict=True)
    ]


def _named(snapshot: Snapshot, posterior: NDArray[np.float32] | None) -> list[tuple[str, float]]:
    if posterior is None or snapshot.categories is None:
        return []
    return [
        (snapshot.categories.names[code], float(posterior[code]))
        for code in np.argsort(-posterior)[:LIKELY]
        if posterior[code] >= UNLIKELY
    ]
