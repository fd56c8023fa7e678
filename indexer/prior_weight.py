"""How much a predicted category may move a ranking: chosen on held-out pictures of the index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.categories import CategoryModel
from indexer.labels import Labels
from indexer.sampling import sample

if TYPE_CHECKING:
    from indexer.category_training import HeldOut

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
"""In units of similarity. More raises precision by category a little further, and costs the very
listing its place among the first five more often than once in a hundred (docs/quality.md)."""

LEAST_GAIN = 0.01
"""Of P@10, below which similarity is better left alone."""

ERRORS = 3
"""Standard errors that the gain must exceed too: with few labels, one of the weights looks good."""

ENOUGH = 0.005
"""Of P@10: a smaller weight that comes this near to the best is taken."""

MOST_LOST = 0.01
"""Of hit@5 of the very listing, where listings with several pictures can tell."""

QUERIES = 1000
REFERENCE = 20_000
FEWEST_PAIRS = 50
"""Pictures with a sibling that it takes to judge by the very listing."""


def keys(
    similarities: NDArray[np.float32],
    prior: NDArray[np.float32],
    codes: NDArray[np.int64],
    *,
    with_nearest: bool = True,
) -> NDArray[np.float32]:
    """Return what hits are ranked by: similarity plus the prior of their category.

    The nearest listing by similarity alone is never held back: it gets the largest prior. A
    photo of the very listing that is asked for keeps its place though its category is misjudged.

    Parameters
    ----------
    similarities : ndarray of float32, shape (Q, M)
        Cosines to M vectors.
    prior : ndarray of float32, shape (Q, C + 1)
        From `CategoryModel.prior`.
    codes : ndarray of int64, shape (M,) or (Q, M)
        The vectors' categories.
    with_nearest : bool, optional
        Whether the nearest of all is among them; not on a later page of the same answer.

    Returns
    -------
    ndarray of float32, shape (Q, M)
    """
    rows = np.arange(len(similarities))
    added = prior[rows[:, None], np.broadcast_to(codes, similarities.shape)]
    if with_nearest:
        added[rows, similarities.argmax(axis=1)] = prior.max(axis=1)
    summed: NDArray[np.float32] = similarities + added
    return summed


def choose_weight(
    model: CategoryModel,
    held_out: HeldOut,
    vectors: NDArray[np.floating],
    labels: Labels,
) -> CategoryModel:
    """Return `model` with the weight that serves held-out pictures of the index best.

    Parameters
    ----------
    model : CategoryModel
        Of weight 1.
    held_out : HeldOut
        Posteriors by models that had not seen the pictures.
    vectors : ndarray of float, shape (N, dims)
        All of the index.
    labels : Labels
        Of the same N.
    """
    rng = np.random.default_rng(0)
    some = sample(len(held_out.rows), QUERIES, rng)
    rows, prior = held_out.rows[some], model.prior(held_out.posterior[some])
    among = np.union1d(sample(len(vectors), REFERENCE, rng), rows)
    similarities = vectors[rows].astype(np.float32) @ vectors[among].astype(np.float32).T
    similarities[rows[:, None] == among] = -np.inf
    siblings = labels.listings[rows][:, None] == labels.listings[among]
    siblings &= rows[:, None] != among
    paired = siblings.any(axis=1)
    relevant = labels.codes[rows][:, None] == labels.codes[among]
    kept, gained = [], []
    for weight in WEIGHTS:
        # For categories a listing's own other pictures would be too easy, so they are left out.
        others = np.where(siblings, -np.inf, similarities).astype(np.float32)
        gained.append(_shares(_keyed(others, prior * weight, labels, among), relevant, 10))
        found = _keyed(similarities, prior * weight, labels, among)[paired]
        kept.append(_hit(found, siblings[paired], 5) if paired.sum() >= FEWEST_PAIRS else 1.0)
    fit = [n for n in range(len(WEIGHTS)) if kept[n] >= kept[0] - MOST_LOST]
    best = max((gained[n] for n in fit), key=lambda shares: float(shares.mean()))
    gain = best - gained[0]
    if gain.mean() < max(LEAST_GAIN, ERRORS * gain.std() / np.sqrt(len(gain))):
        return replace(model, weight_=0.0)
    enough = best.mean() - ENOUGH
    return replace(model, weight_=next(WEIGHTS[n] for n in fit if gained[n].mean() >= enough))


def _keyed(
    similarities: NDArray[np.float32],
    prior: NDArray[np.float32],
    labels: Labels,
    among: NDArray[np.int64],
) -> NDArray[np.float32]:
    return keys(similarities, prior.astype(np.float32), labels.codes[among])


def _shares(keyed: NDArray[np.float32], relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    top = np.argpartition(-keyed, min(k, keyed.shape[1] - 1), axis=1)[:, :k]
    shares: NDArray[np.float64] = np.take_along_axis(relevant, top, axis=1).mean(axis=1)
    return shares


def _hit(keyed: NDArray[np.float32], relevant: NDArray[np.bool_], k: int) -> float:
    top = np.argpartition(-keyed, min(k, keyed.shape[1] - 1), axis=1)[:, :k]
    return float(np.take_along_axis(relevant, top, axis=1).any(axis=1).mean())
