"""The live check of recall: a few real photos, compared with every vector."""

from __future__ import annotations

import numpy as np
import pytest

import indexer.build
import search.live_recall
from indexer.operations import Remove
from indexer.rebuild import rebuild
from indexer.writing import Writer
from search.live_recall import LiveRecall, WatchedEngine


@pytest.fixture
def watched(indexed, fake_network):
    engine = WatchedEngine(indexed, runtime="auto", threads=None, limits=search.engine.LIMITS)
    engine.recall = LiveRecall(share=1.0, gap=0.0, rest=0.0)
    yield engine
    engine.close()


@pytest.fixture
def approximate(watched, monkeypatch):
    """As if the index were an approximate one."""
    watched.snapshot.manifest["index"]["nprobe"] = 1
    return watched


@pytest.fixture
def photo(pictures_folder):
    return pictures_folder / "bags" / "00.png"


def test_an_exact_index_is_not_compared(watched, photo):
    watched.search(photo=photo)
    assert not watched.recall.check(watched)
    assert watched.status()["live_recall"] is None


def test_all_that_is_near_is_found(approximate, photo, monkeypatch):
    monkeypatch.setattr(search.live_recall, "BLOCK", 5)
    Writer(approximate.path, lambda: None).write([Remove("bags:03.jpg")])
    told = []
    approximate.on_page = told.append
    page = approximate.search(photo=photo)
    assert told == [page]
    assert approximate.recall.check(approximate)
    approximate.search(photo=photo, filter="category:bags")
    assert approximate.recall.check(approximate)
    assert approximate.status()["live_recall"] == {"recall_at_10": 1.0, "photos": 2}
    assert not approximate.recall.check(approximate)  # nothing waits


def test_what_is_missed_is_told(approximate, photo, monkeypatch):
    approximate.search(photo=photo)
    real = type(approximate.view()).nearest

    def half(self, vectors, count, within=None):
        positions, similarities = real(self, vectors, count, within)
        return positions[::2], similarities[::2]

    monkeypatch.setattr(type(approximate.view()), "nearest", half)
    approximate.recall.check(approximate)
    assert approximate.recall.as_dict()["recall_at_10"] == 0.5


def test_few_and_not_too_often(approximate, photo):
    recall = approximate.recall = LiveRecall(share=1.0, gap=1000.0, rest=0.0)
    for _ in range(3):
        approximate.search(photo=photo)
        recall.check(approximate)
    assert recall.as_dict()["photos"] == 1
    recall = approximate.recall = LiveRecall(share=0.0)
    approximate.search(photo=photo)
    assert not recall.check(approximate)


def test_one_of_another_snapshot_is_let_go(approximate, photo):
    approximate.search(photo=photo)
    rebuild(approximate.path, None, None, None)
    approximate.refresh()
    assert not approximate.recall.check(approximate)


def test_it_stops_when_told(approximate, photo):
    approximate.search(photo=photo)
    approximate.recall.check(approximate, lambda: True)
    assert approximate.recall.as_dict() is None


def test_learning_is_still_told(approximate, photo):
    told = []
    approximate.search(photo=photo, on_photo=None)
    query = search.query.Query(photo=photo)
    approximate.search(query, on_photo=lambda *given: told.append(given))
    assert len(told) == 1
    assert isinstance(told[0][1], np.ndarray)
    assert indexer.build.FLAT_UP_TO
