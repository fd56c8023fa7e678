"""Choosing a recipe by what it does for this very catalogue, on stored features.

Held-out queries are the catalogue's own pictures, with their categories and their listings' other
pictures as the right answers, or photos that a person names right answers for. A recipe is chosen
on one half of them and has to prove itself on the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from indexer.categories import NEIGHBOURS
from indexer.category_training import train_categories
from indexer.labels import Labels
from indexer.model import KEEP
from indexer.prior_weight import keys
from indexer.projection import Projection
from indexer.questions import FEWEST, Questions
from indexer.recipe import DEFAULT, REGIONS, WIDE, Recipe
from indexer.recipe_candidates import WIDEST, rounds

REFERENCE = 20_000
"""Pictures of the catalogue that are searched, at most."""

WORTH = 1e-5
"""What a dimension must bring: each costs memory and time in every search."""

LEAST_GAIN = 0.005
"""What a recipe must be better by, at least, beside one standard error."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a recipe did for each query; not a number where that is not known.

    Attributes
    ----------
    recipe : Recipe
        What was tried.
    found : ndarray of float64, shape (Q,)
        Reciprocal rank of the right listing by similarity alone.
    alike : ndarray of float64, shape (Q,)
        Share of the first ten that are of the right category, similarity alone.
    guided : ndarray of float64, shape (Q,)
        The same with the category prior.
    """

    recipe: Recipe
    found: NDArray[np.float64]
    alike: NDArray[np.float64]
    guided: NDArray[np.float64]

    def mean(self, values: NDArray[np.float64]) -> float | None:
        """Return the mean of one of its figures over the queries that have it."""
        known = values[np.isfinite(values)]
        return float(known.mean()) if len(known) else None

    @property
    def quality(self) -> NDArray[np.float64]:
        """What recipes are chosen by: the right listing where it is known, else the category.

        A category can be had by a classifier and a dice, so the very listing decides wherever
        enough queries name one.
        """
        if np.isfinite(self.found).sum() >= FEWEST:
            return self.found
        return (self.alike + self.guided) / 2


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome of a calibration.

    Attributes
    ----------
    recipe : Recipe
        What was chosen.
    why : str
        In a sentence.
    tried : tuple of Tried
        All that was tried, the default first; empty where there was too little to choose by.
    """

    recipe: Recipe
    why: str
    tried: tuple[Tried, ...]

    @property
    def best(self) -> Tried | None:
        """What was tried of the chosen recipe."""
        named = (
            one
            for one in self.tried
            if replace(one.recipe, name="") == replace(self.recipe, name="")
        )
        return next(named, None)


def calibrate(
    features: NDArray[np.floating],
    rows: NDArray[np.int64],
    labels: Labels,
    questions: Questions,
    photos: NDArray[np.floating] | None,
    kept: int,
    step: Callable[[Recipe], None],
    current: Recipe = DEFAULT,
) -> Choice:
    """Choose a recipe.

    Parameters
    ----------
    features : ndarray of float, shape (R, F)
        The feature file, mapped: only a sample of it is read.
    rows : ndarray of int64, shape (N,)
        Which of its rows are the catalogue's pictures.
    labels : Labels
        Of the same N.
    questions : Questions
        To choose by.
    photos : ndarray of float, shape (P, F), or None
        Unlabelled customers' photos, which every recipe is fitted on too.
    kept : int
        How many of `indexer.model.FEATURES` the index keeps.
    step : callable
        Is told of each recipe before it is tried.
    current : Recipe, optional
        What is in use, and stays where there is too little to choose by.
    """
    telling = (questions.codes >= 0) | (questions.listings >= 0)
    if telling.sum() < FEWEST:
        return _too_little(int(telling.sum()), photos, kept, current)
    with threadpool_limits(1):  # as in `indexer.category_training`
        return _choose(_Trial(features, rows, labels, questions, photos), kept, step, current)


def _choose(trial: _Trial, kept: int, step: Callable[[Recipe], None], current: Recipe) -> Choice:
    questions = trial.questions
    rng = np.random.default_rng(0)
    choosing = rng.permutation(len(questions.rows)) % 2 == 0
    tried = [trial.run(DEFAULT)]
    judged = int(np.isfinite(tried[0].quality).sum())
    if judged < FEWEST:  # right answers that no picture of the catalogue shows
        return _too_little(judged, trial.photos, kept, current)
    best = tried[0]
    for candidates in rounds(kept):
        for recipe in candidates(best.recipe):
            if all(recipe != one.recipe for one in tried):
                step(recipe)
                tried.append(trial.run(recipe))
        best = max(
            tried,
            key=lambda one: _mean(one.quality[choosing]) - WORTH * (one.recipe.dims or WIDEST),
        )
    gains = (best.quality - tried[0].quality)[~choosing]
    gains = gains[np.isfinite(gains)]
    if not len(gains):
        return _too_little(judged, trial.photos, kept, current)
    gain, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
    what = "finding the right listing" if best.quality is best.found else "the right category"
    if best is tried[0] or not gain >= max(LEAST_GAIN, error):
        why = f"Nothing that was tried is surely better than the default for {what}."
        return Choice(DEFAULT, why, tuple(tried))
    why = f"Better than the default for {what} by {gain:.3f} (+- {error:.3f}) on other queries."
    return Choice(replace(best.recipe, name="calibrated"), why, tuple(tried))


def _too_little(
    telling: int, photos: NDArray[np.floating] | None, kept: int, current: Recipe
) -> Choice:
    """Choose without right answers: what was better wherever it could be measured, or nothing."""
    little = (
        f"Only {telling} of the pictures or photos have a category or a listing that would tell"
        f" recipes apart, and {FEWEST} are needed."
    )
    if photos is not None and kept >= KEEP["all"]:
        best = REGIONS if kept >= KEEP["regions"] else WIDE
        said = f"For customers' photos, {best.name} was better wherever it could be measured."
        return Choice(best, f"{little} {said}", ())
    return Choice(current, f"{little} The recipe in use stays.", ())


class _Trial:
    """Answers the same queries by one recipe after another."""

    def __init__(
        self,
        features: NDArray[np.floating],
        rows: NDArray[np.int64],
        labels: Labels,
        questions: Questions,
        photos: NDArray[np.floating] | None,
    ) -> None:
        rng = np.random.default_rng(1)
        among = np.arange(len(rows))
        if len(among) > REFERENCE:
            among = np.union1d(
                rng.choice(among, REFERENCE, replace=False), questions.rows[questions.rows >= 0]
            )
            asked = questions.listings[questions.listings >= 0]
            among = np.union1d(among, np.flatnonzero(np.isin(labels.listings, asked)))
        self.features = np.asarray(features[rows[among]], np.float32)
        self.labels = Labels(labels.names, labels.codes[among], labels.listings[among])
        self.questions = questions
        self.photos = photos
        self.own = questions.rows[:, None] == among
        self.right = questions.listings[:, None] == self.labels.listings
        self.right &= (questions.listings >= 0)[:, None] & ~self.own
        self._fitted: dict[tuple[object, ...], Projection] = {}

    def run(self, recipe: Recipe) -> Tried:
        projection = self._projection(recipe)
        vectors = projection.transform(self.features)
        asked = projection.transform(self.questions.features, photos=self.questions.photos)
        similarities = asked @ vectors.T
        similarities[self.own] = -np.inf
        found = _reciprocal_rank(similarities, self.right)
        # For categories, a listing's other pictures would be too easy an answer.
        others = np.where(self.right, -np.inf, similarities).astype(np.float32)
        alike = self._of_category(others)
        return Tried(recipe, found, alike, self._guided(vectors, asked, others, alike))

    def _projection(self, recipe: Recipe) -> Projection:
        # Fewer dimensions and other whitening are parts of the same decomposition.
        shared = recipe.features, recipe.power, recipe.unit_features
        if shared not in self._fitted:
            widest = replace(recipe, dims=WIDEST, variance=None)
            self._fitted[shared] = Projection.fit(widest, self.features, self.photos)
        return self._fitted[shared].resized(recipe)

    def _guided(
        self,
        vectors: NDArray[np.float32],
        asked: NDArray[np.float32],
        similarities: NDArray[np.float32],
        alike: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        trained = train_categories(vectors, self.labels, quick=True)
        if trained is None or not trained[0].weight_:
            return alike
        model, held_out = trained
        near = np.argsort(-similarities, axis=1)[:, :NEIGHBOURS]
        posterior = model.posterior(
            asked, self.labels.codes[near], np.take_along_axis(similarities, near, axis=1)
        )
        # Where a query was itself trained on, what was said before counts.
        rows = np.searchsorted(held_out.rows, self.own.argmax(axis=1))
        rows = np.minimum(rows, len(held_out.rows) - 1)
        known = self.own.any(axis=1) & (held_out.rows[rows] == self.own.argmax(axis=1))
        posterior[known] = held_out.posterior[rows[known]]
        return self._of_category(keys(similarities, model.prior(posterior), self.labels.codes))

    def _of_category(self, ranked_by: NDArray[np.float32]) -> NDArray[np.float64]:
        k = min(10, ranked_by.shape[1])
        top = np.argpartition(-ranked_by, k - 1, axis=1)[:, :k]
        same = self.labels.codes[top] == self.questions.codes[:, None]
        shares: NDArray[np.float64] = same.mean(axis=1)
        shares[self.questions.codes < 0] = np.nan
        return shares


def _reciprocal_rank(
    similarities: NDArray[np.float32], right: NDArray[np.bool_]
) -> NDArray[np.float64]:
    best = np.where(right, similarities, -np.inf).max(axis=1, keepdims=True)
    ranks = 1 + ((similarities > best) & ~right).sum(axis=1)
    return np.where(right.any(axis=1), 1 / ranks, np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else 0.0
