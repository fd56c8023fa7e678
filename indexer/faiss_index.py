"""The FAISS index of a snapshot: chosen by size, trained, filled, its recall measured.

Beside an approximate index lie two files: ``codes.u8`` has each vector's code by position, to be
scanned where a filter keeps a part, and ``fresh.faiss`` what such codes are made by.
"""

from __future__ import annotations

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

BLOCK = 8192

ADDED = 8 * BLOCK
"""Vectors that are added at a time."""

A_LIST = 40
"""Vectors of each inverted list that its centre is trained on."""

TRAINED = 100_000
"""Vectors that codes are trained on."""

ASKED = 400
"""Questions that the recall is measured with."""

CANDIDATES = (50, 100, 200, 400, 800, 1600)
"""How many candidates may be compared exactly, to be measured."""

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
        What the manifest says of it: ``factory``, ``nprobe``, how many ``candidates`` are compared
        exactly, how many of a scan of codes (``scanned``), and the measured ``recall_at_10``.
    """
    count, dims = vectors.shape
    choice = choose(count, dims, memory, FLAT_UP_TO)
    index = faiss.index_factory(dims, choice.factory, faiss.METRIC_INNER_PRODUCT)
    if choice.exact:
        index.add(vectors.astype(np.float32))
        faiss.write_index(index, str(path))
        advance(count)
        return {
            "factory": "Flat",
            "nprobe": None,
            "candidates": None,
            "scanned": None,
            "recall_at_10": 1.0,
        }
    index.by_residual = True  # FAISS would not for inner products; it halves the candidates
    generator = np.random.default_rng(0)
    some = vectors[sample(count, A_LIST * choice.lists, generator)].astype(np.float32)
    index.train(some)
    some = vectors[sample(count, TRAINED, generator)].astype(np.float32)
    coder = trained_coder(some, choice.codes)
    with (path.parent / CODES).open("wb") as file:
        for start in range(0, count, ADDED):
            block = vectors[start : start + ADDED].astype(np.float32)
            index.add(block)
            coder.sa_encode(block).tofile(file)
            advance(len(block))
    faiss.write_index(coder, str(path.parent / FRESH))
    questions = middles(vectors)
    trade = measure(index, vectors, questions, choice)
    faiss.write_index(index, str(path))
    return {
        "factory": choice.factory,
        "nprobe": trade.nprobe,
        "candidates": trade.candidates,
        "scanned": _scanned(coder, some, questions),
        "recall_at_10": round(trade.recall, 4),
    }


def trained_coder(vectors: NDArray[np.float32], codes: int) -> Any:
    """Return an empty `faiss.IndexPQ` of 4 bits a code, trained on vectors (N, dims)."""
    coder = faiss.IndexPQ(vectors.shape[1], codes, 4, faiss.METRIC_INNER_PRODUCT)
    coder.train(vectors)
    return coder


def middles(vectors: NDArray[np.float16], count: int = ASKED) -> NDArray[np.float32]:
    """Return questions that an index of `vectors` (N, dims) is hard put to: shape (count, dims).

    They are the middles between two vectors of the index each: a vector of the index would find
    itself and its copies in one list, which no photo does.
    """
    count = min(count, len(vectors) // 2)
    chosen = np.random.default_rng(1).choice(len(vectors), 2 * count, replace=False)
    return unit(vectors[chosen[:count]].astype(np.float32) + vectors[chosen[count:]])


@dataclass(frozen=True, slots=True)
class Measured:
    """How an index is asked, and the share of the ten nearest that it then finds."""

    nprobe: int
    candidates: int
    recall: float


def measure(
    index: Any, vectors: NDArray[np.float16], questions: NDArray[np.float32], choice: Choice
) -> Measured:
    """Return the cheapest way to ask that reaches `RECALL`; the best one where none does."""
    exact = exact_top(questions, vectors, 10)
    length = len(vectors) / choice.lists
    cheapest: tuple[float, Measured] | None = None
    most = Measured(choice.lists, CANDIDATES[-1], 0.0)
    nprobe = min(8, choice.lists)
    while cheapest is None or _cost(nprobe, length, CANDIDATES[0]) < cheapest[0]:
        parameters = faiss.SearchParametersIVF(nprobe=nprobe)
        _, found = index.search(questions, CANDIDATES[-1], params=parameters)
        for candidates, recall in _recalls(found, exact):
            at = Measured(nprobe, candidates, recall)
            cost = _cost(nprobe, length, candidates)
            if recall >= RECALL and (cheapest is None or cost < cheapest[0]):
                cheapest = cost, at
            most = max(most, at, key=lambda one: one.recall)
        if nprobe == choice.lists:
            break
        nprobe = min(2 * nprobe, choice.lists)
    return most if cheapest is None else cheapest[1]


def _cost(nprobe: int, length: float, candidates: int) -> float:
    """Return about how many microseconds a question takes, beside finding the lists."""
    return nprobe * (0.2 + 0.004 * length) + 0.4 * candidates


def _recalls(found: NDArray[np.int64], exact: NDArray[np.int64]) -> list[tuple[int, float]]:
    """Return the recall of the first so many of what was found, most similar by its codes first.

    What is among the candidates is found, since they are compared exactly.
    """
    ranks = np.full(exact.shape, found.shape[1])
    for row, (candidates, true) in enumerate(zip(found, exact, strict=True)):
        _, at, place = np.intersect1d(candidates, true, return_indices=True)
        ranks[row, place] = at
    return [(count, float((ranks < count).mean())) for count in CANDIDATES]


def _scanned(coder: Any, some: NDArray[np.float32], questions: NDArray[np.float32]) -> int:
    """Return how many candidates a scan of codes needs.

    Twice as many as would do for `some` vectors: a filter may keep such as lie closer together.
    """
    scan = faiss.IndexPQFastScan(coder)
    scan.add(some)
    _, found = scan.search(questions, min(len(some), CANDIDATES[-1]))
    _, exact = faiss.knn(questions, some, 10, metric=faiss.METRIC_INNER_PRODUCT)
    enough = [count for count, recall in _recalls(found, exact) if recall >= RECALL]
    return 2 * enough[0] if enough else CANDIDATES[-1]


def exact_top(
    asked: NDArray[np.float32], vectors: NDArray[np.float16], k: int
) -> NDArray[np.int64]:
    """Return the positions of the `k` largest inner products, block by block."""
    best = np.full((len(asked), k), -np.inf, np.float32)
    ids = np.zeros((len(asked), k), np.int64)
    asked = np.ascontiguousarray(asked, np.float32)
    for start in range(0, len(vectors), 16 * BLOCK):
        block = vectors[start : start + 16 * BLOCK].astype(np.float32)
        near, places = faiss.knn(asked, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        scores = np.concatenate([best, near], axis=1)
        numbers = np.concatenate([ids, start + places], axis=1)
        top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(scores, top, axis=1)
        ids = np.take_along_axis(numbers, top, axis=1)
    return ids
