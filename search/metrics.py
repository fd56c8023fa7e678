"""How good rankings are, as pure functions on arrays: one row a photo, one column a place.

Every function returns one value a photo, so that means, intervals and paired differences can be
taken of them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over photos, and the interval in which it lies in 95 of 100 such samples."""

    value: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero: for differences."""
        return self.low > 0 or self.high < 0


def precision_at(relevance: NDArray[np.bool_], k: int) -> Values:
    """Return the share of relevant ones in the first `k` places.

    Parameters
    ----------
    relevance : ndarray of bool, shape (Q, R)
        Whether what stands in each place is relevant, best place first. Where R is below `k`, the
        missing places count as not relevant.
    k : int

    Returns
    -------
    ndarray of float64, shape (Q,)
    """
    shares: Values = relevance[:, :k].sum(axis=1) / k
    return shares


def recall_at(relevance: NDArray[np.bool_], k: int, total: NDArray[np.integer]) -> Values:
    """Return the share of all relevant ones that is in the first `k` places.

    Parameters
    ----------
    relevance : ndarray of bool, shape (Q, R)
        As for `precision_at`.
    k : int
    total : ndarray of int, shape (Q,)
        How many relevant ones there are, ranked or not. Where there are none, recall is 0.

    Returns
    -------
    ndarray of float64, shape (Q,)
    """
    shares: Values = relevance[:, :k].sum(axis=1) / np.maximum(total, 1)
    return shares


def average_precision(relevance: NDArray[np.bool_]) -> Values:
    """Return the mean, over the relevant ones, of the precision down to each one's place.

    Parameters
    ----------
    relevance : ndarray of bool, shape (Q, R)
        Of whole rankings: a relevant one that is not in it does not count.

    Returns
    -------
    ndarray of float64, shape (Q,)
        0 where nothing is relevant.
    """
    precision = np.cumsum(relevance, axis=1) / np.arange(1, relevance.shape[1] + 1)
    summed = (precision * relevance).sum(axis=1)
    mean: Values = summed / np.maximum(relevance.sum(axis=1), 1)
    return mean


def first_rank(relevance: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first relevant place of each row (Q, R), from 1; 0 where there is none."""
    if not relevance.shape[1]:
        return np.zeros(len(relevance), np.int64)
    return np.where(relevance.any(axis=1), relevance.argmax(axis=1) + 1, 0)


def hit_at(ranks: NDArray[np.int64], k: int) -> Values:
    """Return 1 where the right one stands in the first `k` places, else 0.

    Parameters
    ----------
    ranks : ndarray of int64, shape (Q,)
        Place of the right one, from 1; 0 where it was not found.
    k : int
    """
    return ((ranks > 0) & (ranks <= k)).astype(np.float64)


def reciprocal_rank(ranks: NDArray[np.int64]) -> Values:
    """Return 1 / rank of each (Q,), 0 for what was not found; its mean is the MRR."""
    return np.where(ranks > 0, 1 / np.maximum(ranks, 1), 0.0)


@dataclass(frozen=True, slots=True)
class Dice:
    """What a classifier and dice would answer: the predicted category first, in random order.

    Whatever picks the right category has these figures without comparing any picture; a search
    is worth what it adds to them. Behind that category the others follow, in random order too.

    Attributes
    ----------
    right : ndarray of bool, shape (Q,)
        Whether the predicted category is the photo's.
    size : ndarray of int64, shape (Q,)
        How many listings it has.
    others : ndarray of int64, shape (Q,)
        How many listings there are besides.
    total : ndarray of int64, shape (Q,)
        How many listings are of the photo's category.
    """

    right: NDArray[np.bool_]
    size: NDArray[np.int64]
    others: NDArray[np.int64]
    total: NDArray[np.int64]

    def precision_at(self, k: int) -> Values:
        """Return the expected share of relevant ones in the first `k` places."""
        behind = self._behind(k) * self.total
        shares: Values = np.where(self.right, np.minimum(self.size, k), behind) / k
        return shares

    def recall_at(self, k: int) -> Values:
        """Return the expected share of all relevant listings in the first `k` places."""
        return self.precision_at(k) * k / np.maximum(self.total, 1)

    def average_precision(self) -> Values:
        """Return the expected average precision of the whole ranking."""
        pairs = zip(self.size, self.others, self.total, strict=True)
        behind = np.array([_random_ap(*(int(n) for n in one)) for one in pairs], np.float64)
        return np.where(self.right, 1.0, behind)

    def hit_at(self, k: int) -> Values:
        """Return how likely one listing of the photo's category is among the first `k`."""
        ahead = np.minimum(self.size, k) / np.maximum(self.size, 1)
        return np.where(self.right, ahead, self._behind(k))

    def reciprocal_rank(self) -> Values:
        """Return the expected reciprocal rank of one listing of the photo's category."""
        tails = [_harmonic(int(s), int(o)) for s, o in zip(self.size, self.others, strict=True)]
        behind = np.array(tails, np.float64) / np.maximum(self.others, 1)
        ahead = np.array([_harmonic(0, int(s)) for s in self.size]) / np.maximum(self.size, 1)
        return np.where(self.right, ahead, behind)

    def _behind(self, k: int) -> Values:
        """Return the share of the other listings that is in the first `k` places."""
        shares: Values = np.clip(k - self.size, 0, self.others) / np.maximum(self.others, 1)
        return shares


def _harmonic(start: int, count: int) -> float:
    return float((1 / np.arange(start + 1, start + count + 1)).sum())


def _random_ap(before: int, others: int, relevant: int) -> float:
    """Return the expected AP where `relevant` of `others` places, behind `before`, are relevant."""
    places = np.arange(others)
    above = places * (max(relevant, 1) - 1) / max(others - 1, 1)
    return float(((1 + above) / (before + places + 1)).sum() / max(others, 1))


def calibration_error(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10
) -> float:
    """Return the expected calibration error: how far confidence is from accuracy on average.

    Parameters
    ----------
    confidence : ndarray of float, shape (Q,)
        Of the predicted category, 0 to 1.
    right : ndarray of bool, shape (Q,)
        Whether it was the right one.
    bins : int, optional
        Of equal width (Guo et al. 2017).
    """
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=confidence - right.astype(np.float64), minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def bootstrap(values: Values, resamples: int = RESAMPLES, seed: int = 0) -> list[Estimate]:
    """Return the mean of each column, with the percentile interval of a bootstrap over photos.

    Every column is resampled alike. For a paired comparison, give the differences.

    Parameters
    ----------
    values : ndarray of float64, shape (Q, F)
        F figures of each of Q photos, at least one.
    resamples : int, optional
    seed : int, optional
        The same values always have the same interval.

    Returns
    -------
    list of Estimate
        F of them.
    """
    count = len(values)
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    for start in range(0, resamples, 100):
        drawn = min(100, resamples - start)
        # How often each photo is drawn says as much as which are, and is a matrix product.
        times = rng.multinomial(count, np.full(count, 1 / count), size=drawn)
        means[start : start + drawn] = times @ values / count
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [
        Estimate(float(mean), float(bottom), float(top))
        for mean, bottom, top in zip(values.mean(axis=0), low, high, strict=True)
    ]
