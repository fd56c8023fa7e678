"""Unlabelled photos: another mean and other directions than the catalogue's, found and used."""

import dataclasses

import numpy as np
import pytest

from indexer.errors import IndexDamaged, NetworkMismatch
from indexer.photos import FILE, forget_photos, pooled, store_photos, stored_photos
from indexer.projection import Projection
from indexer.recipe import DEFAULT


def shifted(count=120, seed=0):
    """Catalogue features, and photos of the same things in another light."""
    generator = np.random.default_rng(seed)
    catalogue = generator.random((count, 768)) ** 2
    light = 4 * generator.random(768) ** 4
    return catalogue, 0.1 * catalogue + light + 0.8 * generator.random((count, 768))


def found(projection, catalogue, photos):
    """Share of photos whose own listing is nearest."""
    vectors = projection.transform(catalogue)
    asked = projection.transform(photos, photos=True)
    return ((asked @ vectors.T).argmax(axis=1) == np.arange(len(photos))).mean()


def test_photos_are_found_better_after_their_mean_is_known():
    catalogue, photos = shifted()
    without = found(Projection.fit(DEFAULT, catalogue[:60]), catalogue[:60], photos[:60])
    known = Projection.fit(DEFAULT, catalogue[:60], photos[60:])
    assert found(known, catalogue[:60], photos[:60]) > without + 0.1


def test_few_photos_move_the_mean_a_little():
    catalogue, photos = shifted()
    plain = Projection.fit(DEFAULT, catalogue)
    assert np.array_equal(plain.mean_, plain.photo_mean_)
    moved = [
        np.linalg.norm(Projection.fit(DEFAULT, catalogue, photos[:count]).photo_mean_ - plain.mean_)
        for count in (1, 5, 50)
    ]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_the_step_between_the_two_kinds_is_no_variation():
    generator = np.random.default_rng(0)
    catalogue, photos = generator.normal(size=(80, 5)), generator.normal(size=(2000, 5))
    stacked = pooled(catalogue - catalogue.mean(axis=0), photos - photos.mean(axis=0))
    assert stacked.shape == (2080, 5)
    assert np.abs(stacked.mean(axis=0)).max() < 1e-6
    assert stacked.var(axis=0) == pytest.approx(np.ones(5), abs=0.2)


def test_kept_and_forgotten(tmp_path, network):
    features = np.random.default_rng(0).random((7, 12)).astype(np.float32)
    assert stored_photos(tmp_path, network) is None
    store_photos(tmp_path, features, network)
    assert stored_photos(tmp_path, network) == pytest.approx(features, abs=1e-3)
    with pytest.raises(NetworkMismatch):
        stored_photos(tmp_path, dataclasses.replace(network, sha256="1" * 64))
    (tmp_path / FILE).write_bytes(b"garbage")
    with pytest.raises(IndexDamaged):
        stored_photos(tmp_path, network)
    forget_photos(tmp_path)
    forget_photos(tmp_path)
    assert stored_photos(tmp_path, network) is None
