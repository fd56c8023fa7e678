"""The category model: honest about what it has not seen, and never in the way of a listing."""

import tracemalloc

import numpy as np
import pytest

from indexer.categories import CategoryModel, neighbour_votes
from indexer.category_training import HELD_OUT, train_categories
from indexer.errors import IndexDamaged
from indexer.labels import Labels
from indexer.prior_weight import keys
from indexer.projection import unit


def clouds(kinds, each, spread=0.5, dims=24, seed=0):
    """Unit vectors around as many centres as there are kinds."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(kinds, dims))
    codes = np.repeat(np.arange(kinds), each)
    return unit(centres[codes] + spread * generator.normal(size=(len(codes), dims))), codes


def labelled(codes, names=None):
    return Labels.of([(names or "abcdefghij")[code] for code in codes], np.arange(len(codes)))


def neighbours(vectors, codes, asked, n=10):
    near = asked @ vectors.T
    top = np.argsort(-near, axis=1)[:, :n]
    return codes[top], np.take_along_axis(near, top, axis=1)


def test_labels():
    labels = Labels.of(["hats", "", "bags", "hats"], np.arange(4))
    assert labels.names == ("bags", "hats")
    assert labels.codes.tolist() == [1, -1, 0, 1]
    assert labels.codes.dtype == np.int64
    assert Labels.of(["", ""], np.arange(2)).names == ()
    assert Labels.of([], np.arange(0)).codes.shape == (0,)


def test_a_long_category_does_not_lengthen_the_others():
    long = "hats > " * 700
    tracemalloc.start()
    try:
        labels = Labels.of([long, *["bags"] * 10_000], np.arange(10_001))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert labels.names == ("bags", long)
    assert labels.codes[:2].tolist() == [1, 0]
    assert peak < 2**20  # as an array of strings: 200 MB


@pytest.mark.parametrize("kinds", [2, 5])
def test_it_knows_new_pictures(kinds):
    vectors, codes = clouds(kinds, 60, spread=1.2)
    model, held_out = train_categories(vectors, labelled(codes))
    asked, right = clouds(kinds, 20, spread=1.2, seed=1)
    said = model.posterior(asked, *neighbours(vectors, codes, asked))
    assert said.shape == (20 * kinds, kinds)
    assert said.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (said.argmax(axis=1) == right).mean() > 0.95
    assert held_out.posterior.shape == (60 * kinds, kinds)
    assert model.accuracy_ > 0.95
    assert model.weight_ > 0


def test_confidence_is_what_it_says():
    """Where categories overlap, of the answers that are said to be 60 % sure 60 % are right."""
    vectors, codes = clouds(4, 150, spread=2.5)
    model, _ = train_categories(vectors, labelled(codes))
    asked, right = clouds(4, 400, spread=2.5, seed=1)
    said = model.posterior(asked, *neighbours(vectors, codes, asked))
    correct = said.argmax(axis=1) == right
    assert 0.5 < correct.mean() < 0.95
    assert said.max(axis=1).mean() == pytest.approx(correct.mean(), abs=0.07)


def test_labels_that_say_nothing_get_no_weight():
    vectors, _ = clouds(5, 60)
    shuffled = np.random.default_rng(3).integers(0, 5, 300)
    model, _ = train_categories(vectors, labelled(shuffled))
    assert model.weight_ == 0


def test_a_listings_pictures_are_never_a_test_of_each_other():
    """Listings of five near copies each, categories at random: nothing can be learnt from them."""
    generator = np.random.default_rng(0)
    listings = np.repeat(np.arange(60), 5)
    vectors = unit(
        generator.normal(size=(60, 24))[listings] + 0.01 * generator.normal(size=(300, 24))
    )
    codes = generator.integers(0, 3, 60)[listings]
    labels = Labels.of(["abc"[code] for code in codes], listings)
    model, _ = train_categories(vectors, labels)
    assert model.accuracy_ < 0.6
    assert model.weight_ == 0


def test_too_little_to_tell_apart():
    vectors, codes = clouds(3, 4)
    assert train_categories(vectors, labelled(codes)) is None
    vectors, codes = clouds(1, 50)
    assert train_categories(vectors, labelled(codes)) is None
    assert train_categories(vectors, Labels.of([""] * 50, np.arange(50))) is None


def test_a_rare_category_is_left_to_its_neighbours():
    vectors, codes = clouds(4, 40)
    keep = np.concatenate([np.flatnonzero(codes < 3), np.flatnonzero(codes == 3)[:2]])
    vectors, codes = vectors[keep], codes[keep]
    model, _ = train_categories(vectors, labelled(codes))
    assert model.classes_.tolist() == [0, 1, 2]
    asked = vectors[-1:]
    said = model.posterior(asked, *neighbours(vectors, codes, asked))
    prior = model.prior(said)
    assert prior.shape == (1, 5)
    # Nothing that the classifier does not know is held back below the average, nor the unlabelled.
    mean = model.weight_ * (said @ model.frequency_)[0]
    assert prior[0, 3] >= mean - 1e-6
    assert prior[0, -1] == pytest.approx(mean, rel=1e-5)


def test_thousands_of_categories():
    generator = np.random.default_rng(0)
    centres = unit(generator.normal(size=(3000, 64)))
    codes = np.repeat(np.arange(3000), 5)
    vectors = unit(centres[codes] + 0.05 * generator.normal(size=(15_000, 64)))
    names = [f"kind {code:04d}" for code in codes]
    model, _ = train_categories(vectors, Labels.of(names, np.arange(15_000)))
    assert model.kind == "centroids"
    asked = unit(centres[:50] + 0.05 * generator.normal(size=(50, 64)))
    said = model.posterior(asked, *neighbours(vectors, codes, asked))
    assert (said.argmax(axis=1) == np.arange(50)).mean() > 0.95


def test_many_categories_are_judged_by_models_that_saw_enough():
    """Held out are two or three pictures of each category, but its classifier saw twelve."""
    kinds, each = 2000, 12
    generator = np.random.default_rng(0)
    centres = unit(generator.normal(size=(kinds, 32)))

    def drawn(count):
        codes = np.repeat(np.arange(kinds), count)
        return unit(centres[codes] + 0.2 * generator.normal(size=(len(codes), 32))), codes

    vectors, codes = drawn(each)
    names = [f"kind {code:04d}" for code in codes]
    model, held_out = train_categories(vectors, Labels.of(names, np.arange(len(codes))))
    assert len(held_out.rows) == HELD_OUT
    asked, right = drawn(1)
    asked, right = asked[::4], right[::4]
    said = model.posterior(asked, *neighbours(vectors, codes, asked))
    correct = (said.argmax(axis=1) == right).mean()
    assert 0.4 < correct < 0.95
    assert model.accuracy_ == pytest.approx(correct, abs=0.1)


def test_kept_as_plain_arrays(tmp_path):
    vectors, codes = clouds(3, 40)
    model, _ = train_categories(vectors, labelled(codes))
    model.save(tmp_path / "model.npz")
    again = CategoryModel.load(tmp_path / "model.npz")
    asked, _ = clouds(3, 5, seed=1)
    near = neighbours(vectors, codes, asked)
    assert again.names == model.names == ("a", "b", "c")
    assert np.array_equal(again.posterior(asked, *near), model.posterior(asked, *near))
    assert again.summary() == model.summary()
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    CategoryModel.save_none(tmp_path / "none.npz")
    assert CategoryModel.load(tmp_path / "none.npz") is None
    (tmp_path / "none.npz").write_bytes(b"")
    with pytest.raises(IndexDamaged):
        CategoryModel.load(tmp_path / "none.npz")


def test_votes():
    codes = np.array([[0, 0, 1], [-1, -1, -1], [-1, 2, -1]])
    similarities = np.array([[0.5, 0.5, 0.5], [0.9, 0.9, 0.9], [0.9, 0.1, 0.9]], np.float32)
    votes = neighbour_votes(codes, similarities, 3)
    assert votes.round(4).tolist() == [
        [pytest.approx(0.6667), pytest.approx(0.3333), 0],
        [0, 0, 0],
        [0, 0, 1],
    ]
    assert neighbour_votes(np.zeros((1, 0), int), np.zeros((1, 0), np.float32), 2).tolist() == [
        [0, 0]
    ]


def test_the_nearest_is_never_held_back():
    similarities = np.array([[0.9, 0.5, 0.4]], np.float32)
    prior = np.array([[0.0, 0.8, 0.1]], np.float32)  # of categories 0, 1 and of none
    ranked = keys(similarities, prior, np.array([0, 1, -1]))
    assert ranked[0] == pytest.approx([1.7, 1.3, 0.5])
