"""Queries whose right answers are known, to choose a recipe by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.labels import Labels

QUERIES = 1000
"""Queries, at most."""

FEWEST = 60
"""Queries with a right answer below which nothing can be chosen."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Queries with their right answers.

    Attributes
    ----------
    features : ndarray of float, shape (Q, F)
        Of photos or pictures.
    codes : ndarray of int64, shape (Q,)
        The category of a right answer, as a code of the catalogue's labels; -1 unknown.
    listings : ndarray of int64, shape (Q,)
        The number of the right listing; -1 unknown.
    rows : ndarray of int64, shape (Q,)
        Which picture of the catalogue each one is itself, to be left out; -1 none.
    photos : bool
        Whether they are customers' photos rather than catalogue pictures.
    """

    features: NDArray[np.floating]
    codes: NDArray[np.int64]
    listings: NDArray[np.int64]
    rows: NDArray[np.int64]
    photos: bool


def own_questions(
    features: NDArray[np.floating], rows: NDArray[np.int64], labels: Labels
) -> Questions:
    """Return the catalogue's own pictures as queries: a sample, those with siblings first.

    Parameters
    ----------
    features : ndarray of float, shape (R, F)
        The feature file, mapped.
    rows : ndarray of int64, shape (N,)
        Which of its rows are the catalogue's pictures.
    labels : Labels
        Of the same N.
    """
    rng = np.random.default_rng(0)
    _, where, counts = np.unique(labels.listings, return_inverse=True, return_counts=True)
    several = counts[where] > 1
    telling = np.flatnonzero(several | (labels.codes >= 0))
    order = rng.permutation(telling)
    if several.sum() >= FEWEST:
        order = order[np.argsort(~several[order], kind="stable")]
    chosen = np.sort(order[:QUERIES])
    listings = np.where(several[chosen], labels.listings[chosen], -1)
    asked = features[rows[chosen]]
    return Questions(asked, labels.codes[chosen], listings, chosen, photos=False)
