"""Nearest vectors of a snapshot: every way of finding them against comparing with all."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import faiss
import numpy as np
import pytest

import indexer.faiss_index
import search.index
import search.packed
from indexer.errors import IndexDamaged
from indexer.faiss_index import write_faiss
from indexer.projection import unit
from search.index import VectorIndex
from search.selection import Selection

COUNT, DIMS = 12_000, 32
SHARES = (0.5, 0.1, 0.02, 0.001)


def snapshot_of(folder: Path, vectors, codes=None):
    """Return as much of a snapshot as an index of vectors needs."""
    said = json.loads((folder / "said.json").read_text())
    codes = np.zeros(len(vectors), np.int32) if codes is None else codes
    return SimpleNamespace(
        folder=folder,
        manifest={"index": said},
        vectors=vectors,
        count=len(vectors),
        codes=codes,
        projection=SimpleNamespace(dims=vectors.shape[1]),
    )


def written(folder, vectors, flat_up_to=500, memory=None):
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(indexer.faiss_index, "FLAT_UP_TO", flat_up_to)
        said = write_faiss(folder / "index.faiss", vectors, memory)
    (folder / "said.json").write_text(json.dumps(said))
    return folder


@pytest.fixture(scope="module")
def vectors():
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((60, DIMS))
    noise = generator.standard_normal((COUNT, DIMS))
    return unit(centres[generator.integers(60, size=COUNT)] + 0.8 * noise).astype(np.float16)


@pytest.fixture(scope="module")
def asked(vectors):
    """Return questions unlike any vector, but of their kind."""
    return unit(vectors[:40].astype(np.float32) + vectors[-40:])


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(2).integers(-1, 6, COUNT).astype(np.int32)


@pytest.fixture(scope="module")
def folder(vectors, tmp_path_factory):
    return written(tmp_path_factory.mktemp("approximate") / "s", vectors)


@pytest.fixture(scope="module")
def flat(vectors, tmp_path_factory):
    return written(tmp_path_factory.mktemp("flat") / "s", vectors, flat_up_to=COUNT)


@pytest.fixture(scope="module")
def old(vectors, tmp_path_factory):
    """Return the index of a snapshot of version 0.1.0."""
    folder = tmp_path_factory.mktemp("old")
    index = faiss.index_factory(DIMS, "IVF256,SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors.astype(np.float32))
    index.add(vectors.astype(np.float32))
    faiss.write_index(index, str(folder / "index.faiss"))
    said = {"factory": "IVF256,SQfp16", "nprobe": 64, "recall_at_10": 0.98}
    (folder / "said.json").write_text(json.dumps(said))
    return folder


@pytest.fixture(params=["approximate", "flat", "old", "mapped"])
def index(request, vectors, codes, tmp_path_factory):
    if request.param == "mapped":
        folder = written(tmp_path_factory.mktemp("mapped") / "s", vectors, memory=1)
        return VectorIndex(snapshot_of(folder, vectors, codes))
    name = {"approximate": "folder"}.get(request.param, request.param)
    return VectorIndex(snapshot_of(request.getfixturevalue(name), vectors, codes))


def exact(vectors, one, count, mask=None):
    places = np.arange(len(vectors)) if mask is None else np.flatnonzero(mask)
    similarities = np.vecdot(vectors[places].astype(np.float32), one)
    order = np.lexsort((places, -similarities))[:count]
    return places[order], similarities[order]


def recall(index, vectors, asked, mask=None, count=10, **how):
    found = 0
    for one in asked:
        positions, similarities = index.nearest(one[None], count, **how)
        true, best = exact(vectors, one, count, mask)
        assert len(positions) == len(np.unique(positions)) == len(true)
        assert np.all(np.diff(similarities) <= 0)
        # Exact cosines, to the last bit, whichever way they were found.
        assert np.array_equal(similarities, np.vecdot(vectors[positions].astype(np.float32), one))
        assert positions.dtype == np.int64
        assert similarities.dtype == np.float32
        found += int((similarities >= best[-1]).sum())
    return found / (count * len(asked))


def test_all_vectors(index, vectors, asked):
    assert recall(index, vectors, asked) >= 0.95


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("near", [False, True])
def test_selections(index, vectors, asked, share, near):
    """As good where a filter keeps what is far from the question."""
    if near:
        similar = vectors.astype(np.float32) @ -asked[0]
        mask = similar >= np.sort(similar)[-int(share * COUNT)]
    else:
        mask = np.random.default_rng(3).random(COUNT) < share
    assert recall(index, vectors, asked, mask, within=Selection.of(mask)) >= 0.95
    dead = np.random.default_rng(4).random(COUNT) < 0.3
    living = Selection.of(~dead)
    how = {"within": Selection.of(mask), "living": living}
    assert recall(index, vectors, asked, mask & ~dead, count=3, **how) >= 0.95
    assert recall(index, vectors, asked[:5], ~dead, living=living) >= 0.95


@pytest.mark.parametrize("size", [1, 7, 1200, 5000])
def test_an_answer_is_not_short_while_there_are_more(index, vectors, asked, size):
    """Even where what is asked for is all that matches, in lists that no question leads to."""
    similar = vectors.astype(np.float32) @ -asked[0]
    mask = np.zeros(COUNT, np.bool_)
    mask[np.argsort(-similar)[:size]] = True
    for count in (size, size + 10):
        positions, _ = index.nearest(asked[:1], count, Selection.of(mask))
        assert len(positions) == size
        assert mask[positions].all()
    few = Selection.of(mask & (np.arange(COUNT) % 2 == 0))
    positions, _ = index.nearest(asked[:1], COUNT, Selection.of(mask), living=few)
    assert len(positions) == few.count


def test_all_there_are(index, asked):
    positions, similarities = index.nearest(asked[:1], COUNT + 5)
    assert np.array_equal(np.sort(positions), np.arange(COUNT))
    assert np.all(np.diff(similarities) <= 0)


def test_nothing_selected(index, asked):
    for within in (np.zeros(COUNT, bool), np.arange(COUNT) < 2000):
        none = Selection.of(np.zeros(COUNT, np.bool_))
        found = index.nearest(asked[:1], 5, Selection.of(within), living=none)
        assert [len(part) for part in found] == [0, 0]
        assert (found[0].dtype, found[1].dtype) == (np.int64, np.float32)
    assert len(index.nearest(asked[:1], 5, living=none)[0]) == 0
    assert len(index.nearest(asked[:1], 0)[0]) == 0


def test_the_answer_is_the_same_whichever_way(index, vectors, asked, monkeypatch):
    mask = np.random.default_rng(5).random(COUNT) < 0.05
    answers = []
    for exact_up_to, scanned_up_to in ((COUNT, COUNT), (0, COUNT), (0, 0)):
        monkeypatch.setattr(search.index, "EXACT_UP_TO", exact_up_to)
        monkeypatch.setattr(search.index, "EXACT_WITHOUT_CODES", exact_up_to)
        monkeypatch.setattr(search.index, "SCANNED_UP_TO", scanned_up_to)
        positions, similarities = index.nearest(asked[:1], 5, Selection.of(mask))
        answers.append((positions.tolist(), similarities.tolist()))
    assert answers[0] == answers[1]
    assert answers[0] == answers[2]


def test_several_vectors_at_once(index, vectors, asked):
    positions, similarities = index.nearest(asked[:3], 10)
    both = np.stack([np.vecdot(vectors.astype(np.float32), one) for one in asked[:3]]).max(axis=0)
    assert len(positions) == len(np.unique(positions))
    assert np.array_equal(similarities[:5], np.sort(both)[::-1][:5])
    mask = both < np.sort(both)[-5000]
    found, values = index.nearest(asked[:3], 10, Selection.of(mask))
    assert mask[found].all()
    assert values[0] == both[mask].max()


def test_categories(index, vectors, codes, asked):
    for code in (-1, 0, 5):
        assert index.category(code) is index.category(code)
        assert index.category(code).count == (codes == code).sum()
        positions, _ = index.nearest_of_category(asked[:1], code, 10)
        true, _ = exact(vectors, asked[0], 10, codes == code)
        assert len(np.intersect1d(positions, true)) >= 9
        assert set(codes[positions]) == {code}
        half = np.arange(COUNT) % 2 == 0
        positions, _ = index.nearest_of_category(asked[:1], code, 10, Selection.of(half))
        assert half[positions].all()
        assert len(positions) == 10
    assert len(index.nearest_of_category(asked[:1], 99, 10)[0]) == 0


def test_more_lists_find_more(folder, vectors, asked):
    index = VectorIndex(snapshot_of(folder, vectors))
    assert index.lists == 512
    found = [
        np.mean(
            [
                len(
                    np.intersect1d(
                        index.nearest(one[None], 10, nprobe=nprobe)[0],
                        exact(vectors, one, 10)[0],
                    )
                )
                for one in asked
            ]
        )
        for nprobe in (1, 512)
    ]
    assert found[0] < 9 < found[1]


def test_an_exact_index_has_no_lists(flat, vectors):
    assert VectorIndex(snapshot_of(flat, vectors)).lists is None


def test_a_pack_is_kept_for_the_same_selection(folder, vectors, asked, monkeypatch):
    index = VectorIndex(snapshot_of(folder, vectors))
    packed = index._packed
    masks = [np.random.default_rng(n).random(COUNT) < 0.3 for n in range(3)]
    selections = [Selection.of(mask) for mask in masks]
    first = packed.pack(selections[0])
    assert packed.pack(selections[0]) is first
    assert packed.pack(Selection.of(masks[0])) is not first
    monkeypatch.setattr(search.packed, "KEPT", int(1.5 * first.bytes))
    for selection in selections:
        packed.pack(selection)
    assert packed.pack(selections[2]) is packed.pack(selections[2])
    assert packed.pack(selections[0]) is not first
    assert packed._bytes <= 1.5 * first.bytes


def test_from_several_threads(folder, vectors, asked):
    index = VectorIndex(snapshot_of(folder, vectors))
    selections = [Selection.of(np.random.default_rng(n).random(COUNT) < 0.2) for n in range(4)]

    def ask(n):
        return index.nearest(asked[n % 40][None], 10, selections[n % 4])[0].tolist()

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(80)))
    assert together == [ask(n) for n in range(80)]


@pytest.mark.parametrize("name", ["index.faiss", "fresh.faiss", "codes.u8"])
def test_damaged_files(folder, vectors, tmp_path, name):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(b"nonsense")
    with pytest.raises(IndexDamaged, match=name):
        VectorIndex(snapshot_of(tmp_path, vectors))


def test_an_index_of_other_vectors(folder, flat, vectors, tmp_path):
    with pytest.raises(IndexDamaged, match="12,000 vectors of 32 dimensions, the snapshot 11,999"):
        VectorIndex(snapshot_of(folder, vectors[:-1]))
    (tmp_path / "fresh.faiss").write_bytes((flat / "index.faiss").read_bytes())
    for name in ("index.faiss", "codes.u8", "said.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(IndexDamaged, match="codes of 4 bits"):
        VectorIndex(snapshot_of(tmp_path, vectors))
