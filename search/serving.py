"""How an index serves: what its approximate search finds, and how long a photo takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.errors import LookalikeError
from indexer.faiss_index import exact_top
from indexer.listing import Picture
from indexer.snapshot import Snapshot
from indexer.sources import read_picture
from search.engine import Engine
from search.index import VectorIndex

T = TypeVar("T")

TIMED = 20
"""Photos that are searched one at a time."""

ASKED = 1000
"""Photos whose ten nearest are compared, at most."""

TRADED = 200
"""Photos that recall is weighed against time with."""

STAGES = ("decode", "embed", "search", "total")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one stage: of the middle photo, and of the slowest 1 in 20."""

    median: float
    p95: float


def ann_recall(
    snapshot: Snapshot, index: VectorIndex, vectors: NDArray[np.float32], k: int = 10
) -> float:
    """Return the share of the `k` nearest vectors that a snapshot's FAISS index finds.

    Parameters
    ----------
    snapshot : Snapshot
        Its vectors are searched exactly.
    index : VectorIndex
        Asked one photo at a time, as a server does.
    vectors : ndarray of float32, shape (Q, dims)
        The photos, unit length.
    k : int, optional
        Of fewer vectors, all.
    """
    if len(vectors) > ASKED:
        chosen = np.random.default_rng(0).choice(len(vectors), ASKED, replace=False)
        vectors = vectors[np.sort(chosen)]
    k = min(k, snapshot.count)
    exact = exact_top(vectors, snapshot.vectors, k)
    shares = []
    for vector, best in zip(vectors, exact, strict=True):
        _, similarities = index.nearest(vector[None], k)
        # By how near they are, not by which: equal pictures are as good as one another.
        least = (snapshot.vectors[best].astype(np.float32) @ vector).min()
        shares.append(min(1.0, float((similarities >= least - 1e-5).sum()) / k))
    return float(np.mean(shares))


def time_stages(engine: Engine, photos: Sequence[Picture], count: int = TIMED) -> dict[str, Times]:
    """Search with some photos, one at a time, and say how long each stage takes.

    Parameters
    ----------
    engine : Engine
        What is searched.
    photos : sequence of Picture
        That can be used; those that have gone since are passed over.
    count : int, optional
        How many, spread evenly over them.

    Returns
    -------
    dict of str to Times
        For ``decode``, ``embed``, ``search`` and ``total``.
    """
    places = np.unique(np.linspace(0, len(photos) - 1, min(count, len(photos))).astype(int))
    engine.warm_up()
    taken: list[dict[str, float]] = []
    for place in places:
        try:
            data = read_picture(photos[place], max_bytes=engine.limits.max_bytes)
            page = engine.search(photo=data)
        except LookalikeError:
            continue
        # The first one also maps the snapshot's files.
        taken.append(dict((page if taken else engine.search(photo=data)).took_ms))
    return {
        stage: Times(*(float(q) for q in np.quantile([t[stage] for t in taken], [0.5, 0.95])))
        for stage in STAGES
        if taken
    }


@dataclass(frozen=True, slots=True)
class Trade:
    """What an approximate index finds and how long it takes, by how much of it is searched.

    Attributes
    ----------
    points : tuple of (str, float, float)
        ``nprobe N``, the share of the ten nearest that is found, median milliseconds of a query.
    chosen : str
        The label of what serves.
    exact_ms : float
        Median milliseconds of comparing with every vector.
    """

    points: tuple[tuple[str, float, float], ...]
    chosen: str
    exact_ms: float


def recall_by_time(
    snapshot: Snapshot, index: VectorIndex, vectors: NDArray[np.float32], k: int = 10
) -> Trade | None:
    """Measure the trade of recall against time; None of an exact index, which has none.

    Parameters
    ----------
    snapshot : Snapshot
        Its vectors are searched exactly.
    index : VectorIndex
        Its FAISS index.
    vectors : ndarray of float32, shape (Q, dims)
        What to ask with, one at a time; the first `TRADED` are taken.
    k : int, optional
        How many nearest are sought.
    """
    if index.lists is None:
        return None
    vectors = vectors[:TRADED]
    exact = exact_top(vectors, snapshot.vectors, k)
    everything = snapshot.vectors.astype(np.float32)
    exact_ms = _median_ms([_timed(partial(np.dot, everything, v))[1] for v in vectors])
    usual = int(snapshot.manifest["index"]["nprobe"])
    settings = sorted({*(2**n for n in range(index.lists.bit_length())), usual})
    points = []
    for nprobe in settings:
        found, times = [], []
        for vector, best in zip(vectors, exact, strict=True):
            search = partial(index.nearest, vector[None], k, nprobe=nprobe)
            (positions, _), seconds = _timed(search)
            found.append(len(np.intersect1d(positions, best)) / k)
            times.append(seconds)
        points.append((f"nprobe {nprobe}", float(np.mean(found)), _median_ms(times)))
    return Trade(tuple(points), f"nprobe {usual}", exact_ms)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _median_ms(seconds: Sequence[float]) -> float:
    return 1000 * float(np.median(seconds))
