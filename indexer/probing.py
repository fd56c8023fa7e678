"""How fast this machine is at what an index takes most of its time for: short measurements."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from indexer.model import INPUT_SIZE, MODEL_FILE
from indexer.paths import cache_folder

SECONDS = 2.0
"""How long is embedded to see how fast that is."""


def work(rounds: int = 3) -> float:
    """Return the seconds of assigning 4,096 vectors to 4,096 lists, the best of some rounds."""
    import faiss  # noqa: PLC0415 - slow to load

    vectors = np.random.default_rng(0).standard_normal((4096, 128), np.float32)
    lists = faiss.IndexFlatIP(128)
    lists.add(vectors)
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        lists.search(vectors, 1)
        taken.append(time.perf_counter() - start)
    return min(taken)


def stored_model(index: Path) -> Path | None:
    """Return a converted network: the index's, else the newest of the cache, else None."""
    if (index / MODEL_FILE).is_file():
        return index / MODEL_FILE
    found = (cache_folder() / "networks").glob(f"*-{INPUT_SIZE}-*.tflite")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def embedding_rate(model: Path, seconds: float = SECONDS) -> float:
    """Return how many pictures a second the network alone embeds here.

    Parameters
    ----------
    model : Path
        A converted network.
    seconds : float, optional
        How long to look.

    Raises
    ------
    IndexDamaged
        If it is no such network.
    """
    from indexer.embedder import Embedder  # noqa: PLC0415 - loads LiteRT

    embedder = Embedder.for_bulk(model)
    pixels = np.random.default_rng(0).integers(0, 256, (INPUT_SIZE, INPUT_SIZE, 3), np.uint8)

    def run(_: int) -> int:
        count, end = 0, time.perf_counter() + seconds
        while count == 0 or time.perf_counter() < end:
            embedder.embed(pixels)
            count += 1
        return count

    with ThreadPoolExecutor(embedder.workers) as pool:
        list(pool.map(lambda _: embedder.embed(pixels), range(embedder.workers)))  # warm
        start = time.perf_counter()
        count = sum(pool.map(run, range(embedder.workers)))
        return count / (time.perf_counter() - start)
