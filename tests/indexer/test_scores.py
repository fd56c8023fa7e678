"""Scores: rising with the key, fitted to the index's own background, the same for all queries."""

import numpy as np
import pytest

from indexer.background import fit_scores
from indexer.labels import Labels
from indexer.projection import unit
from indexer.scores import CLOSE, ScoreModel


@pytest.fixture
def background():
    generator = np.random.default_rng(0)
    return np.clip(generator.normal(0, 0.15, 200_000), -1, 0.99)


def test_rising_from_nothing_to_one(background):
    model = ScoreModel.fit(background, 1.0, 5000)
    scores = model.score(np.linspace(-1, 1, 500))
    assert np.all(np.diff(scores) >= 0)
    assert np.all(np.diff(scores[np.linspace(-1, 1, 500) > -0.3]) > 0)
    assert scores[0] < 0.05
    assert scores[-1] > 0.999


def test_chance_is_the_share_of_random_pairs(background):
    model = ScoreModel.fit(background, 1.0, 5000)
    for key in (-0.1, 0.0, 0.2, 0.3, 0.4, 0.5):
        share = float((background > key).mean())
        assert model.chance(np.array(key)) == pytest.approx(share, rel=0.25, abs=1e-5)


def test_the_tail_is_fitted_beyond_what_was_seen():
    """A tail of a known law, extrapolated a hundred times beyond the sample it was fitted on."""
    generator = np.random.default_rng(0)
    law = 1 - 0.7 * generator.random(20_000) ** (1 / 6)  # P(key > x) = ((1 - x) / 0.7) ** 6
    model = ScoreModel.fit(law, 1.0, 100)
    assert model.shape_ == pytest.approx(6, rel=0.15)
    rare = 1 - 0.7 * 1e-6 ** (1 / 6)
    assert model.chance(np.array(rare)) == pytest.approx(1e-6, rel=0.6)


def test_a_larger_catalogue_finds_more_by_chance(background):
    tiny, small, large = (ScoreModel.fit(background, 1.0, n) for n in (5, 300, 1_000_000))
    assert small.score(np.array(0.6)) > CLOSE > large.score(np.array(0.5))
    assert tiny.score(np.array(0.6)) == small.score(np.array(0.6))


@pytest.mark.parametrize(("count", "most"), [(2, 0.05), (10, 0.15), (50, 0.4)])
def test_in_a_small_catalogue_not_everything_is_close(count, most):
    """Photos of something else altogether: 3 in 300 listings are close by chance."""
    generator = np.random.default_rng(0)
    vectors = unit(generator.normal(size=(count, 100)))
    plain, _ = fit_scores(vectors, Labels.of([""] * count, np.arange(count)), None, None, None)
    others = unit(generator.normal(size=(200, 100)))
    assert (plain.score((others @ vectors.T).max(axis=1)) >= CLOSE).mean() < most
    photos = unit(vectors + 0.05 * generator.normal(size=vectors.shape))
    assert np.all(plain.score((photos * vectors).sum(axis=1)) >= 0.8)


@pytest.mark.parametrize("count", [3, 5, 12])
def test_few_pictures_that_span_little_make_nothing_close(count):
    """As many pictures span one dimension less; there, any two directions are near."""
    generator = np.random.default_rng(0)
    vectors = unit(generator.normal(size=(count, count - 1)))
    plain, _ = fit_scores(vectors, Labels.of([""] * count, np.arange(count)), None, None, None)
    others = unit(generator.normal(size=(400, count - 1)))
    assert (plain.score((others @ vectors.T).max(axis=1)) >= CLOSE).mean() < 0.2
    if count > 4:
        assert plain.score(np.array(0.9999)) >= 0.8


@pytest.mark.parametrize(("pictures", "sellers"), [(14, 3), (200, 5), (24, 2)])
def test_a_picture_that_several_sellers_list_is_close_to_itself(pictures, sellers):
    generator = np.random.default_rng(0)
    vectors = unit(generator.normal(size=(pictures, min(60, pictures - 1))))
    vectors = np.tile(vectors, (sellers, 1))
    labels = Labels.of([""] * len(vectors), np.arange(len(vectors)))
    plain, keyed = fit_scores(vectors, labels, None, None, None)
    assert plain.score(np.array(0.999)) >= 0.9
    assert keyed.score(np.array(0.999)) >= 0.9


def test_few_pairs_and_equal_ones():
    model = ScoreModel.fit(np.array([0.3]), 1.0, 2)
    assert np.all(np.isfinite(model.score(np.linspace(-1, 1, 50))))
    model = ScoreModel.fit(np.ones(100), 1.0, 2)
    assert np.all(np.isfinite(model.score(np.linspace(-1, 1, 50))))


def test_the_manifest_keeps_it(background):
    model = ScoreModel.fit(background, 1.8, 5000)
    assert ScoreModel.from_dict(model.as_dict()) == model


def test_photos_of_the_catalogue_are_close_and_others_are_not():
    generator = np.random.default_rng(0)
    kinds = generator.normal(size=(20, 64))
    vectors = unit(kinds[np.arange(2000) % 20] + 0.7 * generator.normal(size=(2000, 64)))
    labels = Labels.of([""] * 2000, np.arange(2000))
    plain, keyed = fit_scores(vectors, labels, None, None, None)
    assert plain == keyed
    photos = unit(vectors[:200] + 0.05 * generator.normal(size=(200, 64)))
    others = unit(generator.normal(size=(200, 64)))
    assert (plain.score((photos @ vectors.T).max(axis=1)) >= CLOSE).mean() > 0.95
    assert (plain.score((others @ vectors.T).max(axis=1)) >= CLOSE).mean() < 0.05


def test_an_index_of_one_listing():
    vectors = unit(np.ones((3, 4)))
    plain, _ = fit_scores(vectors, Labels.of([""] * 3, np.zeros(3, int)), None, None, None)
    assert np.all(np.isfinite(plain.score(np.array([0.0, 0.5, 1.0]))))
