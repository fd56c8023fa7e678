"""The FAISS index of a snapshot: chosen by size, trained, filled, its recall measured.

Beside an approximate index lie two files: ``codes.u8`` has each vector's code by position, to be
scanned where a filter keeps a part, and ``fresh.faiss`` what such codes are made by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer import planning
from indexer.planning import Choice, choose
from indexer.progress import Advance
from indexer.projection import unit
from indexer.sampling import sample

FLAT_UP_TO = planning.FLAT_UP_TO

RECALL = 0.98
"""Share of the true ten nearest that an approximate index must find, on the index's own vectors."""

AIM = 0.99
"""The same where it is chosen how to ask: questions of another kind may be harder still."""

BLOCK = 8192

ADDED = 8 * BLOCK
"""Vectors that are added at a time."""

A_LIST = 40
"""Vectors of each inverted list that its centre is trained on."""

TRAINED = 100_000
"""Vectors that codes are trained on."""

ASKED = 500
"""Questions that the recall is measured with."""

CANDIDATES = (50, 100, 200, 400, 800, 1600)
"""How many candidates may be compared exactly, to be measured."""

ROUNDING = 1e-5
"""Difference of two cosines that says nothing."""

CODES = "codes.u8"
FRESH = "fresh.faiss"


def write_faiss(
    path: Path,
    vectors: NDArray[np.float16],
    memory: int | None = None,
    advance: Advance = lambda _: None,
) -> dict[str, Any]:
    """Choose, train, fill and write the FAISS index of vectors.

    Parameters
    ----------
    path : Path
        The file to write. ``codes.u8`` and ``fresh.faiss`` of an approximate index lie beside it.
    vectors : ndarray of float16, shape (N, dims)
        Of unit length; may be mapped.
    memory : int, optional
        Bytes that a serving process may take beside what it maps; no limit where not given.
    advance : callable, optional
        Is told how many more vectors are in the index.

    Returns
    -------
    dict
        What the manifest says of it: ``factory``, ``nprobe`` and the measured ``recall_at_10``; of
        an approximate index also how many ``candidates`` are compared exactly, and how many of a
        scan of codes (``scanned``).
    """
    count, dims = vectors.shape
    choice = choose(count, dims, memory, FLAT_UP_TO)
    index: Any = faiss.index_factory(dims, choice.factory, faiss.METRIC_INNER_PRODUCT)
    if choice.exact:
        index.add(vectors.astype(np.float32))
        faiss.write_index(index, str(path))
        advance(count)
        return {"factory": "Flat", "nprobe": None, "recall_at_10": 1.0}
    index.by_residual = True  # FAISS would not for inner products; it halves the candidates
    generator = np.random.default_rng(0)
    with _one_thread(), (path.parent / CODES).open("wb") as file:
        some = vectors[sample(count, A_LIST * choice.lists, generator)].astype(np.float32)
        index.train(some)
        some = vectors[sample(count, TRAINED, generator)].astype(np.float32)
        coder = trained_coder(some, choice.codes)
        for start in range(0, count, ADDED):
            block = vectors[start : start + ADDED].astype(np.float32)
            index.add(block)
            coder.sa_encode(block).tofile(file)
            advance(len(block))
    faiss.write_index(coder, str(path.parent / FRESH))
    questions = hard_questions(vectors)
    trade = measure(index, vectors, questions, choice)
    faiss.write_index(index, str(path))
    return {
        "factory": choice.factory,
        "nprobe": trade.nprobe,
        "candidates": trade.candidates,
        "scanned": _scanned(coder, some, questions),
        "recall_at_10": round(trade.recall, 4),
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep FAISS to one thread for a while.

    Its threads wait for one another thousands of times while it trains. On two cores that did
    other work too, training 2,048 lists took two of them 30 to 49 seconds, and one of them 7 (two
    on an idle machine: 3). An index is mostly built beside a server.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def trained_coder(vectors: NDArray[np.float32], codes: int) -> Any:
    """Return an empty `faiss.IndexPQ` of 4 bits a code, trained on vectors (N, dims)."""
    coder = faiss.IndexPQ(vectors.shape[1], codes, 4, faiss.METRIC_INNER_PRODUCT)
    coder.train(vectors)
    return coder


def hard_questions(vectors: NDArray[np.float16], count: int = ASKED) -> NDArray[np.float32]:
    """Return questions that an index of `vectors` (N, dims) is hard put to.

    The first half are the middles between two vectors of the index each: a vector of the index
    would find itself and its copies in one list, which no photo does. The second half lie near one
    vector each, as photos of a product of which there are many: codes hardly tell those apart.

    Returns
    -------
    ndarray of float32, shape (count, dims)
        Of unit length; fewer where there are few vectors.
    """
    count = min(count, len(vectors) // 2)
    chosen = np.random.default_rng(1).choice(len(vectors), 2 * count, replace=False)
    near, far = vectors[chosen].astype(np.float32).reshape(2, count, -1)
    shares = np.where(np.arange(count) < count / 2, 1.0, 0.25)
    return unit(near + shares[:, np.newaxis] * far)


@dataclass(frozen=True, slots=True)
class Measured:
    """How an index is asked, and the share of the ten nearest that it then finds."""

    nprobe: int
    candidates: int
    recall: float


def measure(
    index: Any, vectors: NDArray[np.float16], questions: NDArray[np.float32], choice: Choice
) -> Measured:
    """Return the cheapest way to ask that reaches `AIM`; the best one where none does."""
    least = _tenth(vectors, questions, exact_top(questions, vectors, min(10, len(vectors))))
    length = len(vectors) / choice.lists
    cheapest: tuple[float, Measured] | None = None
    most = Measured(choice.lists, CANDIDATES[-1], 0.0)
    nprobe = min(8, choice.lists)
    while cheapest is None or _cost(nprobe, length, CANDIDATES[0]) < cheapest[0]:
        inverted: Any = faiss.SearchParametersIVF
        _, found = index.search(questions, CANDIDATES[-1], params=inverted(nprobe=nprobe))
        for candidates, recall in _recalls(vectors, questions, found, least):
            at = Measured(nprobe, candidates, recall)
            cost = _cost(nprobe, length, candidates)
            if recall >= AIM and (cheapest is None or cost < cheapest[0]):
                cheapest = cost, at
            most = max(most, at, key=lambda one: one.recall)
        if nprobe == choice.lists:
            break
        nprobe = min(2 * nprobe, choice.lists)
    return most if cheapest is None else cheapest[1]


def _cost(nprobe: int, length: float, candidates: int) -> float:
    """Return about how many microseconds a question takes, beside finding the lists."""
    return nprobe * (0.2 + 0.004 * length) + 0.4 * candidates


def _tenth(
    vectors: NDArray[np.floating], questions: NDArray[np.float32], exact: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return how similar the last of the nearest is to each question."""
    pairs = zip(questions, exact, strict=True)
    return np.array([(vectors[row].astype(np.float32) @ one).min() for one, row in pairs])


def _recalls(
    vectors: NDArray[np.floating],
    questions: NDArray[np.float32],
    found: NDArray[np.int64],
    least: NDArray[np.float32],
) -> list[tuple[int, float]]:
    """Return the recall of the first so many that were found, in the worse half of the questions.

    What is among the candidates is found, since they are compared exactly. By how near they are,
    not by which: equal pictures are as good as one another.
    """
    hits = np.zeros((len(questions), CANDIDATES[-1]), np.bool_)
    for one, row, bound, hit in zip(questions, found, least, hits, strict=True):
        real = row[row >= 0]  # -1 where FAISS's lists ran out
        hit[: len(real)] = vectors[real].astype(np.float32) @ one >= bound - ROUNDING
    shares = np.minimum(np.cumsum(hits, axis=1), 10) / 10
    halves = np.array_split(shares, 2)
    return [(n, min(float(half[:, n - 1].mean()) for half in halves)) for n in CANDIDATES]


def _scanned(coder: Any, some: NDArray[np.float32], questions: NDArray[np.float32]) -> int:
    """Return how many candidates a scan of codes needs.

    Twice as many as would do for `some` vectors: a filter may keep such as lie closer together.
    """
    scan: Any = faiss.IndexPQFastScan(coder)
    scan.add(some)
    _, found = scan.search(questions, CANDIDATES[-1])
    _, exact = faiss.knn(questions, some, min(10, len(some)), metric=faiss.METRIC_INNER_PRODUCT)
    measured = _recalls(some, questions, found, _tenth(some, questions, exact))
    return 2 * next((count for count, recall in measured if recall >= AIM), CANDIDATES[-1] // 2)


def exact_top(
    asked: NDArray[np.float32], vectors: NDArray[np.float16], k: int
) -> NDArray[np.int64]:
    """Return the positions of the `k` largest inner products, block by block."""
    best = np.full((len(asked), k), -np.inf, np.float32)
    ids = np.zeros((len(asked), k), np.int64)
    asked = np.ascontiguousarray(asked, np.float32)
    for start in range(0, len(vectors), 16 * BLOCK):
        block = vectors[start : start + 16 * BLOCK].astype(np.float32)
        near, places = faiss.knn(
            asked, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT
        )
        scores = np.concatenate([best, near], axis=1)
        numbers = np.concatenate([ids, start + places], axis=1)
        top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(scores, top, axis=1)
        ids = np.take_along_axis(numbers, top, axis=1)
    return ids
