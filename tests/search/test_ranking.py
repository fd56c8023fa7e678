"""Ranking: one hit per listing, asked for again where that was not enough."""

import numpy as np
import pytest

from search.ranking import rank, score


class ExactIndex:
    """Has the shape of `search.index.VectorIndex`, on an array."""

    def __init__(self, vectors):
        self.vectors = vectors
        self.asked = []

    def nearest(self, vectors, count):
        self.asked.append(count)
        similarities = (self.vectors @ vectors.T).max(axis=1)
        order = np.argsort(-similarities, kind="stable")[:count]
        return order, similarities[order]


@pytest.fixture
def index():
    angles = np.linspace(0, np.pi / 2, 100)
    return ExactIndex(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))


ASKED = np.array([[1, 0]], np.float32)


def test_nearest_first(index):
    found = rank(index, np.arange(100), ASKED, 5)
    assert [candidate.listing for candidate in found] == [0, 1, 2, 3, 4]
    assert found[0].similarity == pytest.approx(1)


def test_a_listings_best_picture(index):
    listings = np.arange(100) // 2
    found = rank(index, listings, ASKED, 4)
    assert [(c.listing, c.position) for c in found] == [(0, 0), (1, 2), (2, 4), (3, 6)]


def test_one_listing_fills_the_first_places(index):
    listings = np.where(np.arange(100) < 80, 7, np.arange(100))
    found = rank(index, listings, ASKED, 5)
    assert [candidate.listing for candidate in found] == [7, 80, 81, 82, 83]
    assert len(index.asked) > 1
    found = rank(index, listings, ASKED, 5, leave_out=(7,))
    assert [candidate.listing for candidate in found] == [80, 81, 82, 83, 84]


def test_more_than_there_are(index):
    listings = np.arange(100) // 50
    assert len(rank(index, listings, ASKED, 10)) == 2
    assert rank(index, listings, ASKED, 10, leave_out=(0, 1)) == []


def test_scores():
    assert [score(value) for value in (-0.3, 0.0, 0.4, 1.0, 1.0001)] == [0, 0, 0.4, 1, 1]
