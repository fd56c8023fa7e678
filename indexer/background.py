"""What an index answers by chance: random pairs of it, for `indexer.scores` to fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.categories import NEIGHBOURS, CategoryModel
from indexer.category_training import HeldOut
from indexer.labels import Labels
from indexer.sampling import sample
from indexer.scores import ScoreModel

QUERIES = 1000
AMONG = 4000
"""Random pairs: each of some queries with each of some vectors of the index."""

SMALL = 300
"""Listings below which a catalogue's own pairs are too few."""

STEADY = 30
"""How many listings the usual background counts for then."""

SPREAD = 0.13
"""Standard deviation of the cosine between unrelated pictures, as on 3,068 photos of clothes: as of
random directions in 59 dimensions. In fewer, where a few pictures span no more, it is wider."""

ONE = 0.98
"""Cosine from which two pictures are taken for copies. A photo that several shops list is not found
by chance in the others' listings, and would be no close match to itself."""


def fit_scores(
    vectors: NDArray[np.floating],
    labels: Labels,
    model: CategoryModel | None,
    held_out: HeldOut | None,
    photos: NDArray[np.float32] | None,
) -> tuple[ScoreModel, ScoreModel]:
    """Fit the scores of plain similarity and of similarity with the category prior.

    Parameters
    ----------
    vectors : ndarray of float, shape (N, dims)
        All of the index.
    labels : Labels
        Of the same N.
    model : CategoryModel or None
        The index's.
    held_out : HeldOut or None
        What models that had not seen them said of some of the vectors: a model is too sure of
        those that it was trained on.
    photos : ndarray of float32, shape (P, dims), or None
        Customers' photos as vectors: better queries than the catalogue's own pictures.

    Returns
    -------
    (ScoreModel, ScoreModel)
        Without and with the prior; the same twice where there is none.
    """
    rng = np.random.default_rng(0)
    among = sample(len(vectors), AMONG, rng)
    reference = vectors[among].astype(np.float32)
    listings = len(np.unique(labels.listings))
    if photos is not None:
        asked = photos[sample(len(photos), QUERIES, rng)]
        own = np.full(len(asked), -1)
        posterior = None
    elif model is not None and held_out is not None:
        some = sample(len(held_out.rows), QUERIES, rng)
        rows, posterior = held_out.rows[some], held_out.posterior[some]
        asked, own = vectors[rows].astype(np.float32), labels.listings[rows]
    else:
        rows = sample(len(vectors), QUERIES, rng)
        asked, own, posterior = vectors[rows].astype(np.float32), labels.listings[rows], None
    similarities = asked @ reference.T
    other = own[:, None] != labels.listings[among]
    if (other & (similarities < ONE)).any():
        other &= similarities < ONE
    elif not other.any():  # one listing: nothing is there by chance
        other = np.ones_like(other)
    steadied = _steadied(similarities[other], listings, vectors.shape[1])
    plain = ScoreModel.fit(steadied, 1.0, listings)
    if model is None or not model.weight_:
        return plain, plain
    codes = labels.codes[among]
    if posterior is None:
        posterior = _posterior(model, asked, similarities, codes, other)
    added = model.prior(posterior)[:, codes]
    keyed = ScoreModel.fit((similarities + added)[other], 1.0 + model.weight_, listings)
    return plain, keyed


def _steadied(background: NDArray[np.float32], listings: int, dims: int) -> NDArray[np.float32]:
    """Add what is usual between unrelated pictures to the few pairs of a small catalogue.

    Ten pictures make pairs that say little, and centred by their own mean all of them seem to be
    opposites.
    """
    if listings >= SMALL:
        return background
    from scipy.stats import beta  # noqa: PLC0415 - slow to import

    count = 1 + len(background) * STEADY // listings
    # (1 + cosine) / 2 of random directions in n dimensions is Beta((n - 1) / 2, (n - 1) / 2).
    half = (min(max(dims, 2), SPREAD**-2) - 1) / 2
    usual = 2 * beta.ppf((np.arange(count) + 0.5) / count, half, half) - 1
    return np.concatenate([background, usual.astype(np.float32)])


def _posterior(
    model: CategoryModel,
    asked: NDArray[np.float32],
    similarities: NDArray[np.float32],
    codes: NDArray[np.int64],
    other: NDArray[np.bool_],
) -> NDArray[np.float32]:
    near = np.where(other, similarities, -1).astype(np.float32)
    top = np.argsort(-near, axis=1)[:, :NEIGHBOURS]
    return model.posterior(asked, codes[top], np.take_along_axis(near, top, axis=1))
