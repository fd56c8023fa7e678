"""The FAISS index that is written: its kind, its files, what it says of itself."""

import faiss
import numpy as np
import pytest

import indexer.faiss_index
from indexer.faiss_index import CODES, FRESH, exact_top, hard_questions, write_faiss
from indexer.planning import PROGRAM, choose
from indexer.projection import unit


def vectors_of(count, dims=32, seed=0):
    """Return vectors around some directions, as float16."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((50, dims))
    noise = generator.standard_normal((count, dims))
    return unit(centres[generator.integers(50, size=count)] + 0.7 * noise).astype(np.float16)


@pytest.fixture
def _few(monkeypatch):
    monkeypatch.setattr(indexer.faiss_index, "FLAT_UP_TO", 500)


def test_few_vectors_are_kept_exactly(tmp_path):
    vectors = vectors_of(300)
    told = []
    said = write_faiss(tmp_path / "index.faiss", vectors, advance=told.append)
    assert said == {"factory": "Flat", "nprobe": None, "recall_at_10": 1.0}
    assert sum(told) == 300
    assert [path.name for path in tmp_path.iterdir()] == ["index.faiss"]


@pytest.mark.usefixtures("_few")
def test_many_vectors_get_codes(tmp_path):
    vectors = vectors_of(20_000)
    told = []
    said = write_faiss(tmp_path / "index.faiss", vectors, advance=told.append)
    assert said["factory"] == "IVF512,PQ16x4fs"
    assert said["recall_at_10"] >= indexer.faiss_index.RECALL
    assert 1 <= said["nprobe"] <= 512
    assert said["candidates"] in indexer.faiss_index.CANDIDATES
    assert said["scanned"] >= said["candidates"] // 4
    assert sum(told) == 20_000
    index = faiss.read_index(str(tmp_path / "index.faiss"))
    assert (index.ntotal, index.d, index.by_residual) == (20_000, 32, True)
    coder = faiss.read_index(str(tmp_path / FRESH))
    assert coder.ntotal == 0
    codes = np.fromfile(tmp_path / CODES, np.uint8).reshape(20_000, 8)
    assert np.array_equal(codes, coder.sa_encode(vectors.astype(np.float32)))


@pytest.mark.usefixtures("_few")
def test_the_same_vectors_give_the_same_index(tmp_path):
    vectors = vectors_of(2000)
    (tmp_path / "again").mkdir()
    first = write_faiss(tmp_path / "index.faiss", vectors)
    assert first == write_faiss(tmp_path / "again" / "index.faiss", vectors)
    assert (tmp_path / CODES).read_bytes() == (tmp_path / "again" / CODES).read_bytes()


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("share", [1.0, 0.8, 0.0])
def test_the_memory_decides(tmp_path, share):
    vectors = vectors_of(5000)
    budget = int(share * (choose(5000, 32, flat_up_to=500).resident)) + PROGRAM
    said = write_faiss(tmp_path / "index.faiss", vectors, budget if share else 1)
    assert said["factory"].split(",")[1] == {1.0: "PQ16x4fs", 0.8: "PQ8x4fs", 0.0: "SQ8"}[share]
    assert said["recall_at_10"] >= indexer.faiss_index.RECALL


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("dims", [1, 7, 97])
def test_an_odd_number_of_dimensions(tmp_path, dims):
    said = write_faiss(tmp_path / "index.faiss", vectors_of(1000, dims))
    assert said["factory"] == f"IVF128,PQ{dims}x4fs"


@pytest.mark.usefixtures("_few")
def test_equal_vectors_do_not_count_as_not_found(tmp_path):
    """A shop that sells one picture a thousand times."""
    vectors = np.repeat(vectors_of(20), 50, axis=0)
    assert write_faiss(tmp_path / "index.faiss", vectors)["recall_at_10"] > 0.99


@pytest.mark.usefixtures("_few")
def test_all_lists_can_be_looked_into(tmp_path):
    """A graph that finds the lists, as FAISS offers one, would lose some of them."""
    vectors = vectors_of(3000)
    write_faiss(tmp_path / "index.faiss", vectors)
    index = faiss.read_index(str(tmp_path / "index.faiss"))
    lists = index.quantizer.search(hard_questions(vectors), index.nlist)[1]
    assert np.array_equal(np.sort(lists, axis=1)[0], np.arange(index.nlist))
    assert lists.min() == 0


def test_questions_are_no_vectors_of_the_index():
    vectors = vectors_of(900)
    asked = hard_questions(vectors)
    assert asked.shape == (450, 32)
    assert np.linalg.norm(asked, axis=1) == pytest.approx(1, abs=1e-3)
    nearest = (asked @ vectors.astype(np.float32).T).max(axis=1)
    middle, near = np.array_split(nearest, 2)
    assert nearest.max() < 0.9999
    assert near.mean() > middle.mean()
    assert len(hard_questions(vectors[:3])) == 1


def test_the_recall_of_the_worse_questions_counts():
    vectors = np.eye(20, dtype=np.float32)
    questions = np.eye(20, dtype=np.float32)[:2]
    found = np.array([[0, 1, 2], [7, 8, 9]])
    recalls = dict(
        indexer.faiss_index._recalls(vectors, questions, found, np.array([0.9, 0.9], np.float32))
    )
    assert recalls[50] == 0.0
    assert set(recalls) == set(indexer.faiss_index.CANDIDATES)


def test_exact_top_of_fewer_vectors_than_a_block_and_of_several(monkeypatch):
    vectors = vectors_of(300)
    asked = hard_questions(vectors)[:5]
    whole = exact_top(asked, vectors, 10)
    monkeypatch.setattr(indexer.faiss_index, "BLOCK", 4)
    assert np.array_equal(whole, exact_top(asked, vectors, 10))
    expected = np.argsort(-(asked @ vectors.astype(np.float32).T), axis=1)[:, :10]
    assert np.array_equal(whole, expected)
