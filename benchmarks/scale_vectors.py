"""Hard vectors for `benchmarks.scale`, questions, selections, and the exact answers to them."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

K = 10
QUESTIONS = 500
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
KINDS = ("random", "near")
WIDTH = 768
BLOCK = 100_000


# From shared/bench/vectors.py of this project's brief, unchanged: not clustered, which makes
# approximate search about as hard as on real pictures or harder.
def hard_vectors(real, count, seed=0, block=100_000):
    """Yield float32 (<=block, d) unit vectors drawn around `real` (n, d), `count` in all."""
    rng, spread = np.random.default_rng(seed), real.std(0) * 0.5
    for start in range(0, count, block):
        m = min(block, count - start)
        i, j = rng.integers(0, len(real), (2, m))
        w = rng.uniform(0.2, 0.8, (m, 1)).astype(np.float32)
        x = (
            w * real[i]
            + (1 - w) * real[j]
            + rng.normal(0, 1, (m, real.shape[1])).astype(np.float32) * spread
        )
        yield (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def real_vectors(index: Path) -> np.ndarray:
    """Return the vectors of an index of real pictures, shape (N, dims), float32."""
    from indexer.snapshot import open_current

    return np.asarray(open_current(index).vectors, np.float32)


def write_vectors(path: Path, real: np.ndarray, count: int, width: int | None = None) -> None:
    """Write hard vectors as float16, in the first columns of rows of `width`."""
    with path.open("wb") as file:
        for block in hard_vectors(real, count):
            rows = np.zeros((len(block), width or block.shape[1]), np.float16)
            rows[:, : block.shape[1]] = block
            rows.tofile(file)


def mapped(path: Path, width: int) -> np.ndarray:
    """Return a file of float16 rows, mapped."""
    return np.memmap(path, np.float16, "r").reshape(-1, width)


def questions(real: np.ndarray) -> np.ndarray:
    """Return further hard vectors to ask with."""
    return next(hard_vectors(real, QUESTIONS, seed=1))


def masks(vectors: np.ndarray, real: np.ndarray, shares=SHARES) -> dict[str, np.ndarray]:
    """Return selections by name: random ones, and the neighbourhood of one vector each."""
    generator = np.random.default_rng(2)
    centre = next(hard_vectors(real, 1, seed=3))[0]
    similar = np.concatenate(
        [
            vectors[start : start + BLOCK].astype(np.float32) @ centre
            for start in range(0, len(vectors), BLOCK)
        ]
    )
    found = {}
    for share in shares:
        found[f"random {share:g}"] = generator.random(len(vectors)) < share
        kept = max(K, int(len(vectors) * share))
        found[f"near {share:g}"] = similar >= np.partition(similar, -kept)[-kept]
    return found


def exact(vectors: np.ndarray, asked: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the true nearest `K` of each question, shape (Q, K), -1 where there are fewer."""
    best = np.full((len(asked), K), -np.inf, np.float32)
    ids = np.full((len(asked), K), -1, np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        places = (
            np.arange(len(block)) if mask is None else np.flatnonzero(mask[start : start + BLOCK])
        )
        if not len(places):
            continue
        near, at = faiss.knn(
            asked,
            block[places].astype(np.float32),
            min(K, len(places)),
            metric=faiss.METRIC_INNER_PRODUCT,
        )
        scores = np.concatenate([best, near], axis=1)
        numbers = np.concatenate([ids, start + places[at]], axis=1)
        top = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        best = np.take_along_axis(scores, top, axis=1)
        ids = np.take_along_axis(numbers, top, axis=1)
    return ids


def recall(found: list[np.ndarray], true: np.ndarray) -> float:
    """Return the share of the true nearest that was found."""
    hits = sum(
        len(np.intersect1d(one, two[two >= 0])) for one, two in zip(found, true, strict=True)
    )
    return hits / int((true >= 0).sum())
