"""Vectors that came since the snapshot: few are compared, of many the codes are scanned."""

import threading
from types import SimpleNamespace

import faiss
import numpy as np
import pytest

import search.fresh
from indexer.faiss_index import FRESH, trained_coder
from indexer.projection import unit
from search.fresh import FreshIndex

DIMS = 32


@pytest.fixture(scope="module")
def vectors():
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((40, DIMS))
    noise = generator.standard_normal((6000, DIMS))
    return unit(centres[generator.integers(40, size=6000)] + 0.8 * noise)


@pytest.fixture
def asked(vectors):
    """Return questions unlike any vector, but of their kind."""
    return unit(vectors[:20] + vectors[-20:])


def beside(folder, vectors, *, codes=True):
    if codes:
        faiss.write_index(trained_coder(vectors, DIMS // 2), str(folder / FRESH))
    said = {"scanned": 200} if codes else {}
    return SimpleNamespace(folder=folder, manifest={"index": said}, vectors=vectors[:1])


@pytest.fixture(params=[True, False])
def snapshot(request, tmp_path, vectors):
    return beside(tmp_path, vectors, codes=request.param)


def rounded(vectors):
    """Return vectors as the next snapshot will have them."""
    return vectors.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("count", [5, 2000, 6000])
@pytest.mark.parametrize("share", [None, 0.6, 0.01])
def test_like_comparing_with_all(snapshot, vectors, asked, count, share):
    index = FreshIndex(snapshot)
    for start in range(0, count, 700):
        index.add(vectors[start : min(count, start + 700)])
    mask = None if share is None else np.random.default_rng(2).random(count) < share
    places = np.arange(count) if mask is None else np.flatnonzero(mask)
    hits = 0
    for one in asked:
        found, similarities = index.nearest(one[None], 10, count, mask)
        true = np.vecdot(rounded(vectors[places]), one)
        assert len(found) == len(np.unique(found)) == min(10, len(places))
        assert np.isin(found, places).all()
        assert np.array_equal(similarities, np.vecdot(rounded(vectors[found]), one))
        assert np.all(np.diff(similarities) <= 0)
        hits += len(np.intersect1d(found, places[np.argsort(-true, kind="stable")[:10]]))
    assert hits >= 0.98 * len(asked) * min(10, len(places))


def test_only_the_first_so_many(snapshot, vectors, asked):
    """A search sees what there was when it began, however many came since."""
    index = FreshIndex(snapshot)
    index.add(vectors)
    index.nearest(asked[:1], 10, 6000, None)
    for upto in (0, 1, 2500):
        found, _ = index.nearest(asked[:1], 10, upto, None)
        assert len(found) == min(10, upto)
        assert np.all(found < upto)


def test_a_selection_far_from_the_question(snapshot, vectors, asked):
    index = FreshIndex(snapshot)
    index.add(vectors)
    similar = vectors @ -asked[0]
    mask = similar >= np.sort(similar)[-2500]
    found, _ = index.nearest(asked[:1], 10, 6000, mask)
    true = np.flatnonzero(mask)[np.argsort(similar[mask], kind="stable")[:10]]
    assert len(np.intersect1d(found, true)) >= 9


def test_more_than_there_are(snapshot, vectors, asked):
    index = FreshIndex(snapshot)
    index.add(vectors[:3000])
    found, _ = index.nearest(asked[:2], 5000, 3000, None)
    assert np.array_equal(np.sort(found), np.arange(3000))
    assert len(index.nearest(asked[:1], 5, 3000, np.zeros(3000, bool))[0]) == 0


def test_vectors_by_place(snapshot, vectors):
    index = FreshIndex(snapshot)
    index.add(vectors[:300])
    assert np.array_equal(index.vectors(np.array([299, 0])), rounded(vectors[[299, 0]]))


def test_the_first_scan_finds_what_was_added_before(tmp_path, vectors, asked, monkeypatch):
    """Few are not coded, until they are many."""
    monkeypatch.setattr(search.fresh, "EXACT_UP_TO", 100)
    index = FreshIndex(beside(tmp_path, vectors))
    index.add(vectors[:100])
    index.nearest(asked[:1], 5, 100, None)
    assert index._scan.ntotal == 0
    index.add(vectors[100:150])
    index.nearest(asked[:1], 5, 150, None)
    assert index._scan.ntotal == 150


def test_searched_while_it_grows(snapshot, vectors, asked, monkeypatch):
    monkeypatch.setattr(search.fresh, "EXACT_UP_TO", 500)
    index = FreshIndex(snapshot)
    index.add(vectors[:400])
    known, failures = [400], []

    def write():
        for start in range(400, 6000, 10):
            index.add(vectors[start : start + 10])
            known[0] = start + 10

    def read():
        while known[0] < 6000:
            upto = known[0]
            found, similarities = index.nearest(asked[:1], 10, upto, None)
            told = np.vecdot(rounded(vectors[found]), asked[0])
            if len(found) != 10 or found.max() >= upto or not np.array_equal(similarities, told):
                failures.append(upto)

    threads = [threading.Thread(target=read) for _ in range(3)] + [threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
