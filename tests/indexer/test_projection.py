"""The projection against scikit-learn's PCA and the formulas written out."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from indexer.errors import IndexDamaged
from indexer.model import CHANNELS
from indexer.projection import Projection
from indexer.recipe import DEFAULT, SEED, Recipe


def features_of(count, seed=0, layers=4):
    """Return nonnegative features with a few strong directions, as the feature file holds them."""
    generator = np.random.default_rng(seed)
    strong = generator.random((count, 10)) @ generator.random((10, layers * CHANNELS))
    return (strong + 0.1 * generator.random((count, layers * CHANNELS))).astype(np.float16)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_default_is_the_formula():
    features = features_of(60)
    prepared = unit(np.sqrt(features[:, :CHANNELS].astype(np.float64)))
    pca = PCA(20, svd_solver="full").fit(prepared)
    expected = unit(pca.transform(prepared) / pca.explained_variance_**0.25)
    projection = Projection.fit(DEFAULT.sized(20, None), features)
    vectors = projection.transform(features)
    assert vectors.dtype == np.float32
    # Signs of components are free, so cosines are compared.
    assert vectors @ vectors.T == pytest.approx(expected @ expected.T, abs=2e-3)


def test_seed_is_max_pooling_pca_and_cosine():
    features = features_of(150)
    pooled = features[:, CHANNELS : 2 * CHANNELS].astype(np.float64)
    expected = unit(PCA(100, svd_solver="full").fit_transform(pooled))
    projection = Projection.fit(SEED, features)
    vectors = projection.transform(features)
    assert projection.dims == 100
    assert vectors @ vectors.T == pytest.approx(expected @ expected.T, abs=2e-3)


def test_more_pictures_than_values():
    features = features_of(1000, layers=1)
    prepared = unit(np.sqrt(features.astype(np.float64)))
    expected = PCA(16, svd_solver="full").fit(prepared)
    projection = Projection.fit(DEFAULT.sized(16, None), features)
    assert projection.eigenvalues_[:9] == pytest.approx(expected.explained_variance_[:9], rel=1e-2)
    assert len(projection.explained_variance_ratio_) == CHANNELS


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1.0])
def test_variance_chooses_dims(share):
    projection = Projection.fit(DEFAULT.sized(None, share), features_of(80))
    reached = np.cumsum(projection.explained_variance_ratio_)
    assert reached[projection.dims - 1] >= share - 1e-5
    assert projection.dims == 1 or reached[projection.dims - 2] < share


def test_concatenated_features():
    recipe = Recipe(name="x", features=("mixed7_avg", "mixed6_avg"), dims=5)
    features = features_of(30)
    vectors = Projection.fit(recipe, features).transform(features)
    assert vectors.shape == (30, 5)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("recipe", [DEFAULT, SEED, DEFAULT.sized(None, 0.9)], ids=str)
def test_tiny_catalogues(count, recipe):
    features = features_of(count)
    vectors = Projection.fit(recipe, features).transform(features)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(count), abs=1e-5)
    assert (np.argmax(vectors @ vectors.T, axis=1) == np.arange(count)).all()


def test_pictures_that_are_all_the_same():
    features = np.repeat(features_of(1), 5, axis=0)
    vectors = Projection.fit(DEFAULT, features).transform(features)
    assert np.isfinite(vectors).all()


def test_a_picture_without_any_feature():
    features = features_of(10)
    features[3] = 0
    vectors = Projection.fit(DEFAULT, features).transform(features)
    assert np.isfinite(vectors).all()


def test_one_row_is_as_in_the_batch():
    features = features_of(40)
    projection = Projection.fit(DEFAULT, features)
    batch = projection.transform(features)
    assert projection.transform(features[7:8])[0] == pytest.approx(batch[7], abs=1e-4)


def test_fitted_twice_is_the_same():
    first, second = (Projection.fit(DEFAULT, features_of(40)) for _ in range(2))
    assert (first.components_ == second.components_).all()


def test_save_and_load(tmp_path):
    features = features_of(30)
    projection = Projection.fit(DEFAULT, features)
    path = tmp_path / "projection.npz"
    projection.save(path)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())
    loaded = Projection.load(path, DEFAULT)
    assert (loaded.transform(features) == projection.transform(features)).all()
    assert loaded.fitted_on_ == 30
    assert loaded.dims == projection.dims


def test_load_refuses_what_is_no_projection(tmp_path):
    path = tmp_path / "projection.npz"
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)
    np.savez(path, mean=np.zeros(3))
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)
    np.savez(path, mean=np.array([{}], dtype=object))
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)


def test_load_refuses_an_altered_file(tmp_path):
    path = tmp_path / "projection.npz"
    Projection.fit(DEFAULT, features_of(5)).save(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8] = bytes(value ^ 255 for value in data[middle : middle + 8])
    path.write_bytes(data)
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)
    path.write_bytes(data[:middle])
    with pytest.raises(IndexDamaged):
        Projection.load(path, DEFAULT)
