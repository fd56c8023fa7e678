"""Figures against values computed by hand, by scikit-learn and by rolling dice."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from search.metrics import (
    Dice,
    average_precision,
    bootstrap,
    calibration_error,
    first_rank,
    hit_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)

RELEVANCE = np.array(
    [
        [True, False, True, False, False],
        [False, False, False, False, True],
        [False, False, False, False, False],
    ]
)


def test_by_hand():
    assert precision_at(RELEVANCE, 1).tolist() == [1, 0, 0]
    assert precision_at(RELEVANCE, 5).tolist() == [0.4, 0.2, 0]
    assert precision_at(RELEVANCE, 10).tolist() == [0.2, 0.1, 0]  # missing places are wrong
    assert recall_at(RELEVANCE, 3, np.array([4, 1, 0])).tolist() == [0.5, 0, 0]
    assert average_precision(RELEVANCE).tolist() == pytest.approx([(1 + 2 / 3) / 2, 1 / 5, 0])
    ranks = first_rank(RELEVANCE)
    assert ranks.tolist() == [1, 5, 0]
    assert hit_at(ranks, 4).tolist() == [1, 0, 0]
    assert hit_at(ranks, 5).tolist() == [1, 1, 0]
    assert reciprocal_rank(ranks).tolist() == [1, 0.2, 0]
    assert first_rank(np.zeros((2, 0), bool)).tolist() == [0, 0]


def test_average_precision_is_scikit_learns():
    rng = np.random.default_rng(3)
    for share in (0.02, 0.3, 0.9):
        keys = rng.random((20, 200))
        relevant = rng.random((20, 200)) < share
        relevant[:, 0] = True
        order = np.argsort(-keys, axis=1)
        ranked = np.take_along_axis(relevant, order, axis=1)
        theirs = [average_precision_score(r, k) for r, k in zip(relevant, keys, strict=True)]
        assert average_precision(ranked) == pytest.approx(theirs)


@pytest.mark.parametrize("right", [True, False])
def test_dice_are_what_rolling_them_gives(right):
    rng = np.random.default_rng(1)
    size, others = 7, 30
    total = size if right else 12
    rolled = []
    for _ in range(20_000):
        first = np.full(size, right)
        rest = rng.permutation(np.arange(others) < (0 if right else total))
        rolled.append(np.concatenate([first, rest]))
    relevance = np.array(rolled)
    dice = Dice(np.array([right]), np.array([size]), np.array([others]), np.array([total]))
    totals = np.full(len(relevance), total)
    for k in (5, 20, 100):
        assert dice.precision_at(k) == pytest.approx(precision_at(relevance, k).mean(), abs=0.004)
        assert dice.recall_at(k) == pytest.approx(recall_at(relevance, k, totals).mean(), abs=0.004)
    assert dice.average_precision() == pytest.approx(average_precision(relevance).mean(), abs=0.004)


def test_dice_on_the_very_listing():
    rng = np.random.default_rng(2)
    size, others = 7, 30
    for right in (True, False):
        low, high = (1, size) if right else (size + 1, size + others)
        ranks = rng.integers(low, high, 50_000, endpoint=True)
        dice = Dice(np.array([right]), np.array([size]), np.array([others]), np.array([size]))
        assert dice.hit_at(5) == pytest.approx(hit_at(ranks, 5).mean(), abs=0.01)
        assert dice.reciprocal_rank() == pytest.approx(reciprocal_rank(ranks).mean(), abs=0.01)
        assert dice.hit_at(20) == pytest.approx(hit_at(ranks, 20).mean(), abs=0.01)


def test_dice_where_a_category_has_no_listing():
    nothing = np.array([0])
    dice = Dice(np.array([False]), nothing, nothing, nothing)
    assert dice.precision_at(10) == dice.average_precision() == dice.reciprocal_rank() == [0]


def test_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.55, 0.55, 1.0])
    right = np.array([True, False, True, True, True])
    # The top bin holds .95, .95 and 1 with 2 right, the other .55 twice with 2 right.
    expected = (abs(2.9 - 2) + abs(1.1 - 2)) / 5
    assert calibration_error(confidence, right) == pytest.approx(expected)


def test_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        (one,) = bootstrap(rng.random((80, 1)), resamples=400)
        assert one.low < one.value < one.high
        held += one.low <= 0.5 <= one.high
    assert 180 <= held <= 198


def test_intervals_are_scipys():
    from scipy import stats

    values = np.random.default_rng(6).random(150)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    (ours,) = bootstrap(values[:, None], resamples=4000)
    assert ours.low == pytest.approx(theirs.low, abs=0.003)
    assert ours.high == pytest.approx(theirs.high, abs=0.003)


def test_paired_differences_see_what_intervals_apart_do_not():
    rng = np.random.default_rng(7)
    first = rng.random(100)
    second = first + 0.02 + rng.normal(0, 0.02, 100)
    one, two = bootstrap(np.stack([first, second], axis=1))
    assert one.high > two.low
    (change,) = bootstrap((second - first)[:, None])
    assert change.significant
    assert change.value == pytest.approx(two.value - one.value)
    (same,) = bootstrap(np.zeros((10, 1)))
    assert not same.significant
    assert bootstrap(first[:, None]) == bootstrap(first[:, None])  # seeded
