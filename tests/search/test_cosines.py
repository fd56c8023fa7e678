"""Cosines that do not depend on how they were come by."""

import numpy as np
import pytest

import search.cosines
from search.cosines import WIDE, best, compare, cosines, merged, widened


@pytest.fixture
def stored():
    return np.random.default_rng(0).standard_normal((500, 24)).astype(np.float16)


def test_widening_is_what_numpy_does(stored):
    assert np.array_equal(widened(stored), stored.astype(np.float32))
    assert np.array_equal(widened(stored[::3, ::-1]), stored[::3, ::-1].astype(np.float32))
    assert np.isnan(WIDE).sum() == 2046  # all halves that are no numbers


def test_a_cosine_does_not_depend_on_its_neighbours(stored):
    vector = np.random.default_rng(1).standard_normal(24).astype(np.float32)
    together = cosines(widened(stored), vector)
    for start in range(0, 490, 7):
        alone = cosines(widened(stored[start : start + 3]), vector)
        assert np.array_equal(alone, together[start : start + 3])


@pytest.mark.parametrize("block", [1, 7, 4096])
def test_comparing_block_by_block(stored, monkeypatch, block):
    monkeypatch.setattr(search.cosines, "BLOCK", block)
    vector = stored[17].astype(np.float32)
    places = np.arange(3, 480, 2)
    found, similarities = compare(stored, places, vector, 10)
    true = np.vecdot(stored[places].astype(np.float32), vector)
    order = np.argsort(-true, kind="stable")[:10]
    assert np.array_equal(found, places[order])
    assert np.array_equal(similarities, true[order])
    assert len(compare(stored, places[:0], vector, 10)[0]) == 0


def test_equal_ones_in_order():
    places = np.arange(100)[::-1]
    similarities = np.ones(100, np.float32)
    assert best(places, similarities, 5)[0].tolist() == [0, 1, 2, 3, 4]
    similarities[50] = 2
    assert best(places, similarities, 3)[0].tolist() == [49, 0, 1]


def test_merging_takes_the_best_of_each():
    one = np.array([3, 1]), np.array([0.9, 0.5], np.float32)
    two = np.array([1, 2]), np.array([0.7, 0.6], np.float32)
    places, similarities = merged([one, two])
    assert places.tolist() == [3, 1, 2]
    assert similarities.tolist() == pytest.approx([0.9, 0.7, 0.6])


def test_vectors_that_are_kept_widened_have_the_same_cosines():
    dice = np.random.default_rng(4)
    stored = dice.normal(size=(500, 96)).astype(np.float16)
    vector, places = dice.normal(size=96).astype(np.float32), np.arange(0, 500, 3)

    for one, other in zip(
        compare(stored, places, vector, 10),
        compare(widened(stored), places, vector, 10),
        strict=True,
    ):
        assert np.array_equal(one, other)
