"""A trial ranks as the engine does, without a snapshot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.build import feature_file, labelled_rows
from indexer.errors import UsageError
from indexer.recipe import DEFAULT, REGIONS, SEED
from search.engine import Engine
from search.queries import embed_photos, read_queries
from search.trial import NOTHING, Trial
from tests.search.shop import draw_photos, draw_shop


@pytest.fixture
def engine(tmp_path, sync, index_folder):
    sync(draw_shop(tmp_path / "shop"))
    opened = Engine.open(index_folder)
    yield opened
    opened.close()


@pytest.fixture
def photos(tmp_path, engine, fake_network):
    read = read_queries(draw_photos(tmp_path / "shop"))
    return embed_photos(read, fake_network, engine.network.input_size)


def weighing(trial, weight):
    return replace(trial, categories=replace(trial.categories, weight_=weight))


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.8])
def test_ranks_as_the_engine(engine, photos, weight):
    snapshot = engine.snapshot
    assert snapshot.categories is not None
    model = replace(snapshot.categories, weight_=weight)
    engine._view = replace(engine._view, snapshot=replace(snapshot, categories=model))
    trial = Trial.of_snapshot(engine.snapshot)
    answers = list(trial.answers(photos.features, [NOTHING] * len(photos.photos)))
    for photo, answer in zip(photos.photos, answers, strict=True):
        data = Path(photo.picture.uri).read_bytes()
        for prior, positions in ((True, answer.ranked), (False, answer.plain)):
            page = engine.search(photo=data, k=24, prior=prior)
            with engine.catalog() as catalog:
                expected = [catalog.number_of(hit.listing.id) for hit in page.hits]
            assert trial.listings[positions].tolist() == expected
        assert snapshot.categories.names[int(answer.posterior.argmax())] == page.category[0][0]
    differ = sum((one.ranked != one.plain).any() for one in answers)
    assert (differ > 0) == (weight > 0)


def test_what_is_left_out_is_not_in_the_answer(engine, photos):
    trial = weighing(Trial.of_snapshot(engine.snapshot), 0.5)
    count = len(photos.photos)
    (whole,) = trial.answers(photos.features[:1], [NOTHING])
    best = whole.plain[0]
    same = np.flatnonzero(trial.listings == trial.listings[best])
    (less,) = trial.answers(photos.features[:1], [same])
    assert trial.listings[less.ranked].tolist().count(trial.listings[best]) == 0
    assert less.plain.tolist() == whole.plain[1:].tolist()
    (nothing,) = trial.answers(photos.features[:1], [np.arange(len(trial.vectors))])
    assert len(nothing.ranked) == len(nothing.plain) == 0
    assert np.isfinite(nothing.posterior).all()
    everyone = list(trial.answers(photos.features, [NOTHING] * count))
    assert all(len(one.ranked) == len(set(trial.listings)) for one in everyone)


def test_one_picture_of_several_is_left_out(engine, photos):
    trial = Trial.of_snapshot(engine.snapshot)
    listing = next(n for n in trial.listings if (trial.listings == n).sum() == 2)
    first, second = np.flatnonzero(trial.listings == listing)
    (answer,) = trial.answers(photos.features[:1], [np.array([first])])
    assert second in answer.plain
    assert first not in answer.plain


def test_blocks_do_not_matter(engine, photos, monkeypatch):
    trial = Trial.of_snapshot(engine.snapshot)
    left = [np.array([n]) for n in range(len(photos.photos))]
    whole = list(trial.answers(photos.features, left))
    monkeypatch.setattr("search.trial.AT_ONCE", 5 * len(trial.vectors))
    monkeypatch.setattr("search.trial.BLOCK", 7)
    for one, two in zip(whole, trial.answers(photos.features, left), strict=True):
        assert one.plain.tolist() == two.plain.tolist()
        assert one.ranked.tolist() == two.ranked.tolist()
        assert one.key == pytest.approx(two.key, abs=1e-5)


def fitted(engine, recipe, photos=None, width=None):
    with engine.catalog() as catalog:
        pictures, rows, labels = labelled_rows(catalog)
        count = int(catalog.meta("rows") or 0)
        features = feature_file(engine.path, catalog).open(count)[:, :width]
    return Trial.fit(recipe, features, rows, pictures, labels, photos)


def test_fitting_gives_what_the_snapshot_has(engine, photos):
    trial, current = fitted(engine, DEFAULT), Trial.of_snapshot(engine.snapshot)
    assert trial.vectors == pytest.approx(current.vectors, abs=2e-3)
    assert trial.listings.tolist() == current.listings.tolist()
    assert trial.codes.tolist() == current.codes.tolist()
    assert trial.categories.summary() == current.categories.summary()
    left = [NOTHING] * len(photos.photos)
    pairs = zip(
        trial.answers(photos.features, left), current.answers(photos.features, left), strict=True
    )
    assert all(one.ranked[:5].tolist() == two.ranked[:5].tolist() for one, two in pairs)


def test_another_recipe(engine, photos):
    trial = fitted(engine, SEED)
    assert trial.projection.dims != engine.snapshot.projection.dims or trial.name == "seed"
    with_photos = fitted(engine, DEFAULT, photos.features)
    assert not np.allclose(with_photos.projection.photo_mean_, with_photos.projection.mean_)
    with pytest.raises(UsageError, match="does not keep"):
        fitted(engine, SEED, width=768)
    with pytest.raises(UsageError, match="'regions' needs features") as caught:
        fitted(engine, REGIONS)
    assert "--keep-features regions" in caught.value.hint
