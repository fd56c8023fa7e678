"""Ranking: one hit per listing, by similarity and category, asked for again where need be."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.categories import CategoryModel
from indexer.scores import ScoreModel
from search.live import View
from search.ranking import posterior_of, rank
from search.selection import Selection

ASKED = np.array([[1, 0]], np.float32)


class ExactIndex:
    """Has the shape of `search.index.VectorIndex`, on an array."""

    def __init__(self, vectors, codes):
        self.vectors, self.codes = vectors, codes
        self.asked = []

    def nearest(self, vectors, count, within=None):
        self.asked.append(count)
        similarities = (self.vectors @ vectors.T).max(axis=1)
        order = np.argsort(-similarities, kind="stable")
        order = order[:count] if within is None else order[within.holds(order)][:count]
        return order, similarities[order]

    def nearest_of_category(self, vectors, code, count, within=None):
        members = Selection.of(self.codes == code)
        return self.nearest(vectors, count, members if within is None else members & within)


def searched(listings=None, codes=None, model=None):
    """A hundred vectors on a quarter of a circle, the first of them what is asked for."""
    angles = np.linspace(0, np.pi / 2, 100)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    codes = np.full(100, -1) if codes is None else codes
    scores = ScoreModel.fit(vectors @ vectors.T, 2.0, 100)
    snapshot = SimpleNamespace(
        manifest={"change": 1, "index": {}},
        folder=Path("nowhere"),
        file=lambda name: None,
        vectors=vectors.astype(np.float16),
        listings=np.arange(100) if listings is None else listings,
        codes=codes,
        count=100,
        categories=model,
        scores=scores,
        keyed_scores=scores,
    )
    return View.of(snapshot, ExactIndex(vectors, codes))


def listings_of(ranking):
    return [candidate.listing for candidate in ranking.candidates]


def test_nearest_first():
    found = rank(searched(), ASKED, 5)
    assert listings_of(found) == [0, 1, 2, 3, 4]
    assert found.candidates[0].similarity == pytest.approx(1)
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert found.category == []


def test_a_listings_best_picture():
    found = rank(searched(np.arange(100) // 2), ASKED, 4)
    assert [(c.listing, c.position) for c in found.candidates] == [(0, 0), (1, 2), (2, 4), (3, 6)]


def test_one_listing_fills_the_first_places():
    listings = np.where(np.arange(100) < 80, 7, np.arange(100))
    view = searched(listings)
    assert listings_of(rank(view, ASKED, 5)) == [7, 80, 81, 82, 83]
    assert len(view.index.asked) > 1
    assert listings_of(rank(view, ASKED, 5, leave_out=(7,))) == [80, 81, 82, 83, 84]


def test_more_than_there_are():
    listings = np.arange(100) // 50
    assert len(rank(searched(listings), ASKED, 10).candidates) == 2
    assert rank(searched(listings), ASKED, 10, leave_out=(0, 1)).candidates == []


@pytest.fixture
def model():
    """Is sure that whatever is asked for is of the second category."""
    layers = ((np.zeros((2, 2), np.float32), np.array([-4, 4], np.float32)),)
    half = np.full(2, 0.5, np.float32)
    return CategoryModel(("odd", "even"), "logistic", np.arange(2), layers, half, 0.0, 0.5, 1.0)


def test_the_likely_category_comes_first_but_the_nearest_stays(model):
    codes = (np.arange(100) % 2 == 0).astype(int)
    codes[0] = 0  # the nearest of all is of the unlikely category
    found = rank(searched(codes=codes, model=model), ASKED, 6)
    assert listings_of(found) == [0, 2, 4, 6, 8, 10]
    assert found.category[0] == ("even", pytest.approx(0.9997, abs=1e-3))
    assert listings_of(rank(searched(codes=codes, model=model), ASKED, 4, prior=False)) == [
        0,
        1,
        2,
        3,
    ]


def test_the_best_of_a_likely_category_are_sought_far_away(model):
    """The whole category lies beyond the nearest that were asked for."""
    codes = (np.arange(100) >= 60).astype(int)
    found = rank(searched(codes=codes, model=model), ASKED, 3)
    assert listings_of(found) == [0, 60, 61]


def test_unlabelled_listings_get_the_mean(model):
    codes = np.full(100, -1)
    codes[1], codes[2] = 0, 1
    assert listings_of(rank(searched(codes=codes, model=model), ASKED, 5))[:2] == [0, 2]
    # An unlikely category comes last of its neighbourhood, no category in between.
    assert listings_of(rank(searched(codes=codes, model=model), ASKED, 100)).index(1) > 20


def test_categories_of_a_query(model):
    view = searched(codes=np.arange(100) % 2, model=model)
    assert posterior_of(view, ASKED)[0][0] == "even"
    assert posterior_of(searched(), ASKED) == []
