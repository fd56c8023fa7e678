"""The FAISS index of a snapshot: chosen by size, trained, filled, its recall measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.projection import unit

FLAT_UP_TO = 20_000
"""Vectors up to which comparing with all of them is fast enough, and exact."""

RECALL = 0.98
"""Share of the true ten nearest that an approximate index must find, on the index's own vectors."""

BLOCK = 8192


def write_faiss(path: Path, vectors: NDArray[np.float16]) -> dict[str, Any]:
    """Choose, train, fill and write the FAISS index of vectors.

    Parameters
    ----------
    path : Path
        The file to write.
    vectors : ndarray of float16, shape (N, dims)
        Of unit length.

    Returns
    -------
    dict
        What the manifest says of it: ``factory``, ``nprobe`` and the measured ``recall_at_10``.
    """
    count, dims = vectors.shape
    if count <= FLAT_UP_TO:
        index = faiss.index_factory(dims, "Flat", faiss.METRIC_INNER_PRODUCT)
        index.add(vectors.astype(np.float32))
        faiss.write_index(index, str(path))
        return {"factory": "Flat", "nprobe": None, "recall_at_10": 1.0}
    lists = int(2 ** np.round(np.log2(4 * np.sqrt(count))))
    factory = f"IVF{lists},SQfp16"
    index = faiss.index_factory(dims, factory, faiss.METRIC_INNER_PRODUCT)
    generator = np.random.default_rng(0)
    sample = np.sort(generator.choice(count, min(count, 64 * lists), replace=False))
    index.train(vectors[sample].astype(np.float32))
    for start in range(0, count, BLOCK):
        index.add(vectors[start : start + BLOCK].astype(np.float32))
    nprobe, recall = _measure_nprobe(index, vectors, lists)
    faiss.write_index(index, str(path))
    return {"factory": factory, "nprobe": nprobe, "recall_at_10": recall}


def _measure_nprobe(
    index: Any, vectors: NDArray[np.float16], lists: int, queries: int = 200
) -> tuple[int, float]:
    """Return the fewest lists that reach `RECALL`, and the recall that they reach.

    Asked is with the middles between two vectors of the index each: a vector of the index would
    find itself and its copies in one list, which no photo does.
    """
    chosen = np.random.default_rng(1).choice(len(vectors), 2 * queries, replace=False)
    asked = unit(vectors[chosen[:queries]].astype(np.float32) + vectors[chosen[queries:]])
    exact = exact_top(asked, vectors, 10)
    nprobe, recall = 4, 0.0
    while nprobe < lists:
        faiss.extract_index_ivf(index).nprobe = nprobe
        _, found = index.search(asked, 10)
        overlaps = [len(set(a) & set(b)) for a, b in zip(found, exact, strict=True)]
        recall = float(np.mean(overlaps)) / 10
        if recall >= RECALL:
            break
        nprobe *= 2
    return nprobe, round(recall, 4)


def exact_top(
    asked: NDArray[np.float32], vectors: NDArray[np.float16], k: int
) -> NDArray[np.int64]:
    """Return the positions of the `k` largest inner products, block by block."""
    best = np.full((len(asked), k), -np.inf, np.float32)
    ids = np.zeros((len(asked), k), np.int64)
    for start in range(0, len(vectors), 16 * BLOCK):
        block = vectors[start : start + 16 * BLOCK].astype(np.float32)
        scores = np.concatenate([best, asked @ block.T], axis=1)
        numbers = np.concatenate(
            [ids, np.broadcast_to(start + np.arange(len(block)), (len(asked), len(block)))], axis=1
        )
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, top, axis=1)
        ids = np.take_along_axis(numbers, top, axis=1)
    return ids
