"""What servers learn from queries: one sum, used by the next snapshot from 200 photos on."""

import dataclasses
import json
import multiprocessing
import zipfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from click.testing import CliRunner

from indexer.catalog import Catalog
from indexer.commands.status import facts, status
from indexer.errors import IndexDamaged, IndexVersionError
from indexer.learned import (
    FEWEST,
    FILE,
    FORMAT,
    REACH,
    Learned,
    add_learned,
    clipped,
    forget_learned,
    read_learned,
    usable,
)
from indexer.photos import SHRINKAGE, forget_photos, store_photos
from indexer.progress import SILENT
from indexer.projection import Projection, prepare_features
from indexer.rebuild import rebuild
from indexer.recipe import DEFAULT, SEED
from indexer.snapshot import MANIFEST, open_current
from indexer.verify import problems
from search.calibration import run_calibration
from tests.indexer.test_photos import found, shifted


def learned(network, count=FEWEST, recipe=DEFAULT, seed=0):
    """A sum of photos that are all alike."""
    photo = prepare_features(recipe, np.random.default_rng(seed).random((1, 3072)))[0]
    return Learned.none(recipe, network.sha256).plus(photo.astype(np.float64) * count, count)


def compact(index, **options):
    rebuild(index, options.get("recipe"), options.get("dims"), None)
    return open_current(index)


def test_below_200_photos_nothing_changes(indexed, network):
    before = open_current(indexed).projection
    add_learned(indexed, learned(network, FEWEST - 1))
    after = compact(indexed)
    assert after.manifest["learned"] == 0
    assert np.array_equal(after.projection.photo_mean_, before.photo_mean_)


def test_from_200_on_the_next_snapshot_uses_their_mean(indexed, network):
    before = open_current(indexed)
    sum_ = learned(network)
    add_learned(indexed, learned(network, FEWEST - 1))
    add_learned(indexed, learned(network, 1))
    unchanged = open_current(indexed)
    assert unchanged.name == before.name
    assert np.array_equal(unchanged.projection.photo_mean_, before.projection.mean_)
    after = compact(indexed)
    assert after.manifest["learned"] == FEWEST
    assert after.manifest["photos"] == 0
    expected = (sum_.total + SHRINKAGE * before.projection.mean_) / (FEWEST + SHRINKAGE)
    assert after.projection.photo_mean_ == pytest.approx(expected, abs=1e-6)
    assert not np.allclose(after.projection.photo_mean_, after.projection.mean_, atol=1e-3)
    # The catalogue's own vectors are the same.
    assert np.array_equal(after.projection.components_, before.projection.components_)
    assert np.array_equal(after.vectors, before.vectors)
    again = compact(indexed)
    assert np.array_equal(again.projection.photo_mean_, after.projection.photo_mean_)


def test_a_folder_of_photos_and_queries_count_by_their_numbers(indexed, network):
    photos = np.random.default_rng(3).random((50, 3072)).astype(np.float16)
    store_photos(indexed, photos, network)
    alone = compact(indexed)
    sum_ = learned(network)
    add_learned(indexed, sum_)
    both = compact(indexed)
    assert (both.manifest["photos"], both.manifest["learned"]) == (50, FEWEST)
    total = prepare_features(DEFAULT, photos).sum(axis=0) + sum_.total
    expected = (total + SHRINKAGE * both.projection.mean_) / (50 + FEWEST + SHRINKAGE)
    assert both.projection.photo_mean_ == pytest.approx(expected, abs=1e-6)
    forget_learned(indexed)
    without = compact(indexed)
    assert np.array_equal(without.projection.photo_mean_, alone.projection.photo_mean_)
    forget_photos(indexed)
    neither = compact(indexed).projection
    assert np.array_equal(neither.photo_mean_, neither.mean_)


def test_other_features_cannot_use_it(indexed, network):
    add_learned(indexed, learned(network))
    smaller = compact(indexed, dims=5)  # comes after the mean
    assert smaller.manifest["learned"] == FEWEST
    other = compact(indexed, recipe="seed")
    assert other.manifest["learned"] == 0
    assert np.array_equal(other.projection.photo_mean_, other.projection.mean_)
    # A server that has not yet taken up the new snapshot adds nothing any more.
    add_learned(indexed, learned(network, 10))
    assert read_learned(indexed).count == FEWEST
    add_learned(indexed, learned(network, 10, recipe=SEED))
    assert (read_learned(indexed).count, read_learned(indexed).recipe.name) == (10, "seed")


def test_another_network_cannot_use_it(indexed, network):
    other = dataclasses.replace(network, sha256="1" * 64)
    add_learned(indexed, learned(network))
    assert usable(indexed, DEFAULT, network).count == FEWEST
    assert usable(indexed, DEFAULT, other) is None
    add_learned(indexed, learned(other, 10))
    assert read_learned(indexed).network == network.sha256


def test_what_lies_far_out_is_drawn_near():
    generator = np.random.default_rng(0)
    features = generator.random((300, 768)) ** 2
    projection = Projection.fit(DEFAULT, features)
    centre = projection.photo_mean_
    prepared = prepare_features(DEFAULT, features)
    distances = np.linalg.norm(prepared - projection.mean_, axis=1)
    bound = REACH * np.sqrt((distances**2).mean())
    assert (distances < bound).all()
    for row, usual in zip(features[:20], prepared[:20], strict=True):
        assert clipped(projection, row) == pytest.approx(usual)
    outlier = np.zeros(768)
    outlier[7] = 1e6
    assert np.linalg.norm(prepare_features(DEFAULT, outlier[None])[0] - centre) > 1.5 * bound
    drawn = clipped(projection, outlier)
    assert np.linalg.norm(drawn - centre) == pytest.approx(bound, rel=0.01)
    assert drawn.argmax() == 7


def test_photos_are_found_better_after_their_mean_is_learned():
    catalogue, photos = shifted()
    projection = Projection.fit(DEFAULT, catalogue[:60])
    before = found(projection, catalogue[:60], photos[:60])
    total = sum(clipped(projection, photo).astype(np.float64) for photo in photos[60:])
    after = projection.learning(None, total, 60)
    assert found(after, catalogue[:60], photos[:60]) > before + 0.1


def test_equal_pictures_have_no_reach():
    same = np.tile(np.random.default_rng(0).random(768), (5, 1))
    for features in (same, same[:1]):
        projection = Projection.fit(DEFAULT, features)
        other = np.random.default_rng(1).random(768)
        expected = prepare_features(DEFAULT, other[None])[0]
        assert clipped(projection, other) == pytest.approx(expected)


def test_a_catalogue_of_two_pictures_is_not_centred(sync, draw, write_csv, tmp_path, network):
    draw(tmp_path / "a.png", 1)
    sync(write_csv(tmp_path / "catalog.csv", [("a", "a.png")]))
    index = tmp_path / "index"
    add_learned(index, learned(network))
    assert compact(index).manifest["learned"] == 0


def _add_often(index, network, count):
    for _ in range(count):
        add_learned(index, learned(network, 10))


def test_two_processes_add_up(indexed, network):
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        for done in [pool.submit(_add_often, indexed, network, 25) for _ in range(2)]:
            done.result()
    kept, one = read_learned(indexed), learned(network, 10)
    assert kept.count == 500
    assert kept.total == pytest.approx(50 * one.total)


def test_the_file_holds_a_sum_and_what_it_is_of(indexed, network):
    add_learned(indexed, learned(network))
    with zipfile.ZipFile(indexed / FILE) as file:
        names = {name.removesuffix(".npy") for name in file.namelist()}
    assert names == {"format", "recipe", "network", "total", "count"}
    assert read_learned(indexed).total.shape == (768,)
    assert (indexed / FILE).stat().st_size < 768 * 8 + 5000


def _with(index, **changed):
    with np.load(index / FILE) as arrays:
        kept = {**arrays, **changed}
    np.savez(index / FILE, **kept)


@pytest.mark.parametrize(
    "damage",
    [
        lambda index: (index / FILE).write_bytes(b""),
        lambda index: (index / FILE).write_bytes(b"garbage"),
        lambda index: (index / FILE).write_bytes((index / FILE).read_bytes()[:-900]),
        lambda index: _with(index, total=np.zeros(3)),
        lambda index: _with(index, total=np.full(768, np.nan)),
        lambda index: _with(index, count=np.int64(-1)),
        lambda index: _with(index, recipe=np.array("[]")),
        lambda index: _with(index, recipe=np.array(json.dumps({"name": "x", "features": ["y"]}))),
    ],
)
def test_a_damaged_file_is_told_and_begun_anew(indexed, network, damage):
    add_learned(indexed, learned(network))
    damage(indexed)
    with pytest.raises(IndexDamaged, match=r"learned\.npz"):
        read_learned(indexed)
    assert any("learned.npz" in line for line in problems(indexed))
    # It is not worth refusing the catalogue's update.
    assert compact(indexed).manifest["learned"] == 0
    assert isinstance(add_learned(indexed, learned(network, 20)), IndexDamaged)
    assert read_learned(indexed).count == 20
    assert not list(problems(indexed))


def test_a_newer_format_is_left_alone(indexed, network):
    add_learned(indexed, learned(network))
    _with(indexed, format=np.int64(FORMAT + 1))
    before = (indexed / FILE).read_bytes()
    with pytest.raises(IndexVersionError, match="newer"):
        add_learned(indexed, learned(network, 10))
    assert (indexed / FILE).read_bytes() == before
    assert compact(indexed).manifest["learned"] == 0


def _status(index, **_):
    # Wide enough that no sentence is folded.
    return CliRunner(env={"COLUMNS": "200"}).invoke(status, ["--index", str(index)]).output


def test_status_says_how_far_it_is(indexed, network):
    assert "compared as catalogue pictures" in _status(indexed)
    add_learned(indexed, learned(network, 130))
    assert "learned from 130 queries so far, used from 200 on" in _status(indexed)
    add_learned(indexed, learned(network, 1110))
    assert "learned from 1,240 queries so far, the next snapshot uses them" in _status(indexed)
    store_photos(indexed, np.random.default_rng(0).random((300, 3072)), network)
    compact(indexed)
    said = _status(indexed)
    assert "centred by the mean of 300 customers' photos and 1,240 queries" in said
    assert "so far" not in said
    with Catalog(indexed) as catalog:
        known = facts(indexed, catalog)
    assert (known["photos"], known["learned"], known["queries"]) == (300, 1240, 1240)
    (indexed / FILE).write_bytes(b"garbage")
    assert "cannot be read" in _status(indexed)


def test_forgotten_with_the_photos(indexed, network):
    add_learned(indexed, learned(network))
    assert compact(indexed).manifest["learned"] == FEWEST
    for dry_run in (True, False):
        run_calibration(
            indexed,
            queries=None,
            photos=None,
            forget_photos=True,
            dry_run=dry_run,
            runtime="auto",
            progress=SILENT,
        )
        assert (indexed / FILE).exists() is dry_run
    after = open_current(indexed)
    assert after.manifest["learned"] == 0
    assert np.array_equal(after.projection.photo_mean_, after.projection.mean_)


def test_snapshots_of_before_open(indexed):
    path = open_current(indexed).folder / MANIFEST
    said = json.loads(path.read_text())
    del said["learned"]
    path.write_text(json.dumps(said))
    open_current(indexed)
    with Catalog(indexed) as catalog:
        assert facts(indexed, catalog)["learned"] == 0
    assert compact(indexed).manifest["learned"] == 0
