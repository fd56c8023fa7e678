"""One fitted recipe on trial: it answers exactly, by comparing with every vector.

Ranks as `search.ranking` does: similarity plus the prior of the category, the best picture of
each listing, equal ones in the catalogue's order. It needs no snapshot, so that recipes can be
compared before one is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.background import fit_scores
from indexer.categories import NEIGHBOURS, UNKNOWN, CategoryModel
from indexer.category_training import train_categories
from indexer.labels import Labels
from indexer.prior_weight import keys
from indexer.projection import SAMPLE, Projection
from indexer.recipe import Recipe
from indexer.scores import ScoreModel
from indexer.snapshot import Snapshot

BLOCK = 8192
AT_ONCE = 1 << 21
"""Similarities that are held at once."""

NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whole rankings for one photo, with and without the category prior.

    Attributes
    ----------
    ranked : ndarray of int64, shape (L,)
        The position of each listing's best vector, best first, by similarity and prior.
    plain : ndarray of int64, shape (L,)
        Likewise by similarity alone.
    key : float
        What the first of `ranked` is ranked by; -inf where nothing is left.
    posterior : ndarray of float32, shape (C,), or None
        How likely each of the category model's names is.
    """

    ranked: NDArray[np.int64]
    plain: NDArray[np.int64]
    key: float
    posterior: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A fitted recipe and the catalogue's vectors by it.

    Attributes
    ----------
    name : str
        What it is called beside others.
    projection : Projection
        Fitted.
    vectors : ndarray of float16, shape (N, dims)
        Of unit length.
    pictures, listings : ndarray of int64, shape (N,)
        Numbers in the catalogue.
    codes : ndarray of int64, shape (N,)
        Categories, as places in ``categories.names``; -1 without one.
    categories : CategoryModel or None
        None where there are no two that can be told apart.
    scores : ScoreModel
        Of what `Answer.key` is.
    """

    name: str
    projection: Projection
    vectors: NDArray[np.float16]
    pictures: NDArray[np.int64]
    listings: NDArray[np.int64]
    codes: NDArray[np.int64]
    categories: CategoryModel | None
    scores: ScoreModel

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, name: str = "current") -> Trial:
        """Return what a snapshot would answer if its index were exact."""
        model = snapshot.categories
        weighs = model is not None and bool(model.weight_)
        return cls(
            name,
            snapshot.projection,
            snapshot.vectors,
            np.asarray(snapshot.pictures),
            np.asarray(snapshot.listings),
            snapshot.codes.astype(np.int64),
            model,
            snapshot.keyed_scores if weighs else snapshot.scores,
        )

    @classmethod
    def fit(
        cls,
        recipe: Recipe,
        features: NDArray[np.floating],
        rows: NDArray[np.int64],
        pictures: NDArray[np.int64],
        labels: Labels,
        photos: NDArray[np.floating] | None = None,
    ) -> Trial:
        """Fit a recipe in memory, as `indexer.build` would for a snapshot.

        Parameters
        ----------
        recipe : Recipe
            What to fit.
        features : ndarray of float, shape (R, F)
            Of the catalogue's distinct pictures, as in the feature file.
        rows, pictures : ndarray of int64, shape (N,)
            Each picture's row in `features`, and its number in the catalogue.
        labels : Labels
            Of the N pictures.
        photos : ndarray of float, shape (P, F), optional
            Features of customers' photos.

        Raises
        ------
        UsageError
            If the index does not keep the features that the recipe is made of.
        """
        recipe.require_kept(features.shape[1])
        distinct = np.unique(rows)
        if len(distinct) > SAMPLE:
            chosen = np.random.default_rng(0).choice(len(distinct), SAMPLE, replace=False)
            distinct = distinct[np.sort(chosen)]
        projection = Projection.fit(recipe, features[distinct], photos)
        vectors = np.empty((len(rows), projection.dims), np.float16)
        for start in range(0, len(rows), BLOCK):
            block = slice(start, start + BLOCK)
            vectors[block] = projection.transform(features[rows[block]])
        model, held_out = train_categories(vectors, labels) or (None, None)
        asked = None if photos is None else projection.transform(photos, photos=True)
        _, keyed = fit_scores(vectors, labels, model, held_out, asked)
        codes = labels.codes if model is not None else np.full_like(labels.codes, UNKNOWN)
        return cls(recipe.name, projection, vectors, pictures, labels.listings, codes, model, keyed)

    def answers(
        self,
        features: NDArray[np.floating],
        left_out: Sequence[NDArray[np.int64]],
    ) -> Iterator[Answer]:
        """Answer photos one after the other, by comparing with every vector.

        Parameters
        ----------
        features : ndarray of float, shape (Q, F)
            From `Embedder.embed`.
        left_out : sequence of ndarray of int64
            For each photo, positions that may not be in its answer.

        Yields
        ------
        Answer
        """
        asked = self.projection.transform(features, photos=True)
        distinct, which = np.unique(self.listings, return_inverse=True)
        several = which if len(distinct) < len(which) else None
        step = max(1, AT_ONCE // len(self.vectors))
        for start in range(0, len(asked), step):
            block = slice(start, start + step)
            yield from self._answered(asked[block], left_out[block], several)

    def _answered(
        self,
        asked: NDArray[np.float32],
        left_out: Sequence[NDArray[np.int64]],
        several: NDArray[np.int64] | None,
    ) -> Iterator[Answer]:
        similarities = self.similarities(asked)
        for row, left in zip(similarities, left_out, strict=True):
            row[left] = -np.inf
        order = np.argsort(-similarities, axis=1, kind="stable")
        posterior, keyed, by_key = None, similarities, order
        if self.categories is not None:
            near = order[:, :NEIGHBOURS]
            votes = np.take_along_axis(similarities, near, axis=1)
            # In a tiny catalogue, what was left out stands among the nearest.
            codes = np.where(np.isfinite(votes), self.codes[near], UNKNOWN)
            votes = np.where(np.isfinite(votes), votes, np.float32(-1))
            posterior = self.categories.posterior(asked, codes, votes)
            if self.categories.weight_:
                keyed = keys(similarities, self.categories.prior(posterior), self.codes)
                by_key = np.argsort(-keyed, axis=1, kind="stable")
        for n, left in enumerate(left_out):
            stays = len(self.vectors) - len(left)
            plain = _per_listing(order[n, :stays], several)
            ranked = plain if by_key is order else _per_listing(by_key[n, :stays], several)
            key = float(keyed[n, ranked[0]]) if len(ranked) else -np.inf
            yield Answer(ranked, plain, key, None if posterior is None else posterior[n])

    def similarities(self, asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosines (Q, N) of vectors (Q, dims) to all, without a float32 copy of all."""
        found = np.empty((len(asked), len(self.vectors)), np.float32)
        for start in range(0, len(self.vectors), BLOCK):
            part = self.vectors[start : start + BLOCK].astype(np.float32)
            found[:, start : start + BLOCK] = asked @ part.T
        return found


def _per_listing(order: NDArray[np.int64], listings: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the first of each listing in an order of positions, in that order.

    Parameters
    ----------
    order : ndarray of int64, shape (M,)
        Positions, best first.
    listings : ndarray of int64, shape (N,), or None
        The listing of each position, counted from 0; None where each has one picture.
    """
    if listings is None:
        return order
    first = np.full(listings.max() + 1, -1)
    # Of several assignments to one place the last holds, so they are made from the end.
    first[listings[order[::-1]]] = np.arange(len(order))[::-1]
    chosen = np.zeros(len(order), bool)
    chosen[first[first >= 0]] = True
    return order[chosen]
