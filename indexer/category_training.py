"""Training the category model: every choice in it is made on pictures held out of the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from indexer.categories import (
    NEIGHBOURS,
    CategoryModel,
    Layer,
    frequencies,
    logits,
    mixed,
    neighbour_votes,
    softmax,
)
from indexer.labels import Labels
from indexer.prior_weight import choose_weight
from indexer.sampling import sample

FEWEST = 5
"""Listings that a category needs before a classifier is asked to know it."""

FOLDS = 3
HELD_OUT = 5000
"""Pictures on which the choices are made."""

TRAINED = 50_000
"""Pictures that the final classifier is trained on, at most."""

REFERENCE = 50_000
"""Vectors among which the held-out pictures' neighbours are sought, at most."""

MANY = 200
"""Categories above which only centroids are tried: the others take too long."""

SHARES = (0.0, 0.2, 0.35, 0.5)

Fit = Callable[[NDArray[np.float32], NDArray[np.int64]], tuple[Layer, ...]]
"""Vectors (N, dims) and classes 0..K-1 (N,), each present, to a classifier's layers."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a model that had not seen them said of some pictures.

    Attributes
    ----------
    rows : ndarray of int64, shape (S,)
        Which vectors.
    posterior : ndarray of float32, shape (S, C)
        Their categories, by models trained without their listings.
    """

    rows: NDArray[np.int64]
    posterior: NDArray[np.float32]


def train_categories(
    vectors: NDArray[np.floating], labels: Labels, *, quick: bool = False
) -> tuple[CategoryModel, HeldOut] | None:
    """Choose and train a category model by cross-validation, no listing in two folds.

    Parameters
    ----------
    vectors : ndarray of float, shape (N, dims)
        Of unit length.
    labels : Labels
        Of the same N.
    quick : bool, optional
        Try logistic regression alone: enough to compare recipes by.

    Returns
    -------
    (CategoryModel, HeldOut) or None
        None where fewer than two categories have enough listings to tell apart.
    """
    # Matrices are small here: threads that wait for one another cost up to twenty times the work.
    with threadpool_limits(1):
        return _train(vectors, labels, quick)


def _train(
    vectors: NDArray[np.floating], labels: Labels, quick: bool
) -> tuple[CategoryModel, HeldOut] | None:
    rng = np.random.default_rng(0)
    known = _well_known(labels)
    usable = np.flatnonzero(np.isin(labels.codes, known))
    if len(known) < 2:
        return None
    rows = sample(usable, HELD_OUT, rng)
    folds = _folds(labels.listings[rows], rng)
    classes = np.searchsorted(known, labels.codes[rows])
    # So few pictures show little of each of many categories. Centroids are quick: they are tried
    # with as many as the final ones see, or what is held out would be judged by worse models.
    shown = _to_train_on(usable, labels.codes, rng) if len(known) > MANY else rows
    tried = []
    for kind, fit in _candidates(len(known), quick):
        said = _cross_validate(fit, vectors, labels, known, rows, folds, shown)
        temperature = _temperature(said, classes)
        said = (said / np.float32(temperature)).astype(np.float32)
        tried.append((_loss(softmax(said), classes), kind, _cooled(fit, temperature), said))
    _, kind, fit, said = min(tried, key=lambda one: one[0])
    votes = _votes(vectors, labels, rows, rng)
    classified = np.zeros((len(rows), len(labels.names)), np.float32)
    classified[:, known] = softmax(said)
    share = min(SHARES, key=lambda s: _loss(mixed(classified, votes, s), labels.codes[rows]))
    held_out = HeldOut(rows, mixed(classified, votes, share))
    chosen = _to_train_on(usable, labels.codes, rng)
    layers = fit(vectors[chosen].astype(np.float32), np.searchsorted(known, labels.codes[chosen]))
    model = CategoryModel(
        names=labels.names,
        kind=kind,
        classes_=known,
        layers_=layers,
        frequency_=frequencies(labels),
        share_=share,
        weight_=1.0,
        accuracy_=float((held_out.posterior.argmax(axis=1) == labels.codes[rows]).mean()),
    )
    return choose_weight(model, held_out, vectors, labels), held_out


def _well_known(labels: Labels) -> NDArray[np.int64]:
    """Return the codes that have enough listings, in ascending order."""
    pairs = np.unique(np.stack([labels.codes, labels.listings]), axis=1)
    codes = pairs[0][pairs[0] >= 0]
    counts = np.bincount(codes, minlength=len(labels.names))
    return np.flatnonzero(counts >= FEWEST)


def _to_train_on(
    rows: NDArray[np.int64], codes: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    chosen = sample(rows, TRAINED, rng)
    # Every category must be in the sample, or the classifier would have fewer outputs.
    _, first = np.unique(codes[rows], return_index=True)
    return np.unique(np.concatenate([chosen, rows[first]]))


def _folds(listings: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal listings, not pictures, into folds: a listing's pictures are too alike to be a test."""
    distinct, where = np.unique(listings, return_inverse=True)
    dealt: NDArray[np.int64] = rng.permutation(len(distinct))[where] % FOLDS
    return dealt


def _cross_validate(
    fit: Fit,
    vectors: NDArray[np.floating],
    labels: Labels,
    known: NDArray[np.int64],
    rows: NDArray[np.int64],
    folds: NDArray[np.int64],
    shown: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the logits (S, K) of `rows`, each by the model that was not shown its listing.

    Each fold's model is shown those of the rows `shown` whose listing is not in the fold.
    """
    # A class that a fold's training lacks cannot win there.
    said = np.full((len(rows), len(known)), -20, np.float32)
    for fold in range(FOLDS):
        test = folds == fold
        train = shown[~np.isin(labels.listings[shown], labels.listings[rows[test]])]
        present, classes = np.unique(labels.codes[train], return_inverse=True)
        if len(present) < 2 or not test.any():
            continue
        layers = fit(vectors[train].astype(np.float32), classes)
        columns = np.searchsorted(known, present)
        said[np.ix_(test, columns)] = logits(layers, vectors[rows[test]].astype(np.float32))
    return said


def _temperature(said: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Return what the logits must be divided by to be calibrated (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - slow to import

    found = minimize_scalar(
        lambda log_t: _loss(softmax(said / np.exp(log_t)), classes),
        bounds=(-4, 4),
        method="bounded",
    )
    return float(np.exp(found.x))


def _cooled(fit: Fit, temperature: float) -> Fit:
    def cooled(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[Layer, ...]:
        *before, (weights, bias) = fit(vectors, classes)
        scale = np.float32(temperature)
        return (*before, (weights / scale, bias / scale))

    return cooled


def _loss(posterior: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Return the mean negative log likelihood."""
    true = posterior[np.arange(len(classes)), classes]
    return float(-np.log(np.maximum(true, 1e-6)).mean())


def _votes(
    vectors: NDArray[np.floating],
    labels: Labels,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the neighbours' votes for held-out pictures, their own listings left out."""
    among = sample(len(vectors), REFERENCE, rng)
    reference = vectors[among].astype(np.float32)
    votes = np.zeros((len(rows), len(labels.names)), np.float32)
    count = min(NEIGHBOURS, len(among))
    for start in range(0, len(rows), 256):
        block = rows[start : start + 256]
        near = vectors[block].astype(np.float32) @ reference.T
        near[labels.listings[block][:, None] == labels.listings[among]] = -np.inf
        top = np.argpartition(-near, count - 1, axis=1)[:, :count]
        similarities = np.take_along_axis(near, top, axis=1)
        codes = np.where(np.isfinite(similarities), labels.codes[among][top], -1)
        similarities = np.where(np.isfinite(similarities), similarities, -1)
        votes[start : start + 256] = neighbour_votes(codes, similarities, len(labels.names))
    return votes


def _candidates(classes: int, quick: bool) -> Sequence[tuple[str, Fit]]:
    if classes > MANY:
        return [("centroids", _centroids)]
    if quick:
        return [("logistic", _logistic(10.0))]
    return [
        ("centroids", _centroids),
        ("logistic", _logistic(10.0)),
        ("svm", _svm),
        ("network", _network),
    ]


def _centroids(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[Layer, ...]:
    count = int(classes.max()) + 1
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(sums, classes, vectors)
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return (((sums / lengths).T.astype(np.float32), np.zeros(count, np.float32)),)


def _logistic(strength: float) -> Fit:
    def fit(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[Layer, ...]:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        return _linear(LogisticRegression(C=strength, max_iter=100, tol=1e-3), vectors, classes)

    return fit


def _svm(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[Layer, ...]:
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    return _linear(LinearSVC(C=1.0), vectors, classes)


def _linear(
    model: Any, vectors: NDArray[np.float32], classes: NDArray[np.int64]
) -> tuple[Layer, ...]:
    model.fit(vectors, classes)
    return (_both_sides(model.coef_.T, model.intercept_),)


def _both_sides(weights: NDArray[np.floating], bias: NDArray[np.floating]) -> Layer:
    """Return a layer with one output a class; of two, scikit-learn keeps the second's alone."""
    if weights.shape[1] == 1:
        weights, bias = np.hstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    return weights.astype(np.float32), bias.astype(np.float32)


def _network(vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[Layer, ...]:
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415

    model = MLPClassifier(
        (256,), alpha=0.3, learning_rate_init=3e-3, batch_size=128, max_iter=30, random_state=0
    )
    with _quietly():
        model.fit(vectors * np.sqrt(vectors.shape[1], dtype=np.float32), classes)
    first = model.coefs_[0] * np.sqrt(vectors.shape[1])
    return (
        (first.astype(np.float32), model.intercepts_[0].astype(np.float32)),
        _both_sides(model.coefs_[1], model.intercepts_[1]),
    )


def _quietly() -> Any:
    import warnings  # noqa: PLC0415

    # It is stopped early on purpose: scikit-learn warns that it could go on.
    return warnings.catch_warnings(action="ignore")
