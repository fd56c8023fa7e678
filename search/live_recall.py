"""Watching a server's searches: how long each takes, and how much of what is nearest they find.

A few of the photos that people search with are compared, some time later and from a thread of its
own, with every vector of the index. Nothing is kept of a photo but the share that was found.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexUnusable, QueryError
from indexer.snapshot import Snapshot
from search.asking import OnPhoto
from search.cosines import cosines, widened
from search.describing import figures
from search.engine import Engine
from search.filters import Condition
from search.live import View
from search.query import Page, Query
from search.selection import Within

K = 10
"""Hits that are compared."""

BLOCK = 4096
"""Vectors that are compared at a time: few, since whoever searches waits meanwhile."""

AS_NEAR = 1e-5
"""Hits count by how near they are and not by which: equal pictures are as good as one another."""

REST = 3.0
"""How long a comparison rests after each block, in times of what the block took."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that was searched with and waits to be compared.

    Attributes
    ----------
    snapshot : Snapshot
        What answered it.
    features : ndarray of float32, shape (F,)
        What the network made of it.
    condition : Condition
        What its hits had to meet.
    """

    snapshot: Snapshot
    features: NDArray[np.float32]
    condition: Condition


class LiveRecall:
    """The share of the nearest that real searches find. Safe to use from several threads.

    Parameters
    ----------
    share : float, optional
        Of the photos, how many are compared.
    gap : float, optional
        Seconds between two of them, at least.
    last : int, optional
        Over how many the mean is.
    rest : float, optional
        How long a comparison rests, in times of how long it works.
    """

    def __init__(
        self, *, share: float = 0.01, gap: float = 10.0, last: int = 200, rest: float = REST
    ) -> None:
        self.share, self.gap, self.rest = share, gap, rest
        self._shares: deque[float] = deque(maxlen=last)
        self._next = 0.0
        self._waiting: Photo | None = None
        self._lock = threading.Lock()

    def offer(self, photo: Photo) -> None:
        """Take a photo to be compared, or do not; takes microseconds."""
        if photo.snapshot.manifest["index"]["nprobe"] is None:  # an exact index finds them all
            return
        if random.random() >= self.share:  # noqa: S311 - nobody gains by guessing it
            return
        with self._lock:
            if self._waiting is None and time.monotonic() >= self._next:
                self._next = time.monotonic() + self.gap
                self._waiting = photo

    def check(self, engine: Engine, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Compare the photo that waits, if one does; return whether there was one.

        For a thread that may take seconds: it rests most of the time, so that searches do not
        wait for it.
        """
        with self._lock:
            photo, self._waiting = self._waiting, None
        if photo is None:
            return False
        view = engine.view()
        if view.snapshot is not photo.snapshot:  # it asked another; the next one will do
            return False
        found = recall_of(view, photo, self.rest, stopping)
        if found is not None:
            with self._lock:
                self._shares.append(found)
        return True

    def as_dict(self) -> dict[str, Any] | None:
        """Return the mean over the last photos and how many those are; None before the first."""
        with self._lock:
            shares = list(self._shares)
        if not shares:
            return None
        return {"recall_at_10": round(float(np.mean(shares)), 4), "photos": len(shares)}


class WatchedEngine(Engine):
    """An engine that says what it does: for servers. Opened as any other, then told who watches.

    Attributes
    ----------
    recall : LiveRecall
        Is offered every photo.
    on_page : callable
        Is told every answer.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.recall = LiveRecall()
        self.on_page: Callable[[Page], None] = lambda _: None

    def search(
        self, query: Query | None = None, /, *, on_photo: OnPhoto | None = None, **options: Any
    ) -> Page:
        """Do what `Engine.search` does, and tell of it."""
        asked = query if query is not None else Query(**options)

        def told(snapshot: Snapshot, features: NDArray[np.float32]) -> None:
            self.recall.offer(Photo(snapshot, features, asked.condition))
            if on_photo is not None:
                on_photo(snapshot, features)

        page = super().search(asked, on_photo=told)
        self.on_page(page)
        return page

    def status(self) -> dict[str, object]:
        """Return what this index is and holds, fit for JSON, with what is watched."""
        return {**super().status(), "live_recall": self.recall.as_dict()}

    def figures(self) -> dict[str, float]:
        """Return the few numbers that are looked at all the time; takes milliseconds."""
        return figures(self)


def recall_of(
    view: View, photo: Photo, rest: float, stopping: Callable[[], bool] = lambda: False
) -> float | None:
    """Return the share of the nearest `K` that a view's search finds for a photo.

    Returns
    -------
    float or None
        None where nothing can be found, or it was told to stop.
    """
    vectors = view.snapshot.projection.transform(photo.features[np.newaxis], photos=True)
    within: Within | None = None
    if photo.condition:
        with suppress(QueryError, IndexUnusable):  # a field that is not there any more
            within = view.within(photo.condition)
        if within is None:
            return None
    allowed = within or view.everything()
    exact = np.zeros(0, np.float32)
    for block in _similarities(view, allowed, vectors[0]):
        started = time.perf_counter()
        exact = np.sort(np.concatenate([exact, block]))[-K:]
        time.sleep(rest * (time.perf_counter() - started))
        if stopping():
            return None
    if not len(exact):
        return None
    _, found = view.nearest(vectors, K, within)
    near = np.count_nonzero(found >= exact[0] - AS_NEAR)
    return min(1.0, near / len(exact))


def _similarities(
    view: View, within: Within, vector: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield the cosines of all that may be found, block by block."""
    for start in range(0, view.snapshot.count, BLOCK):
        positions = np.arange(start, min(start + BLOCK, view.snapshot.count))
        positions = positions[within.holds(positions)]
        yield cosines(widened(view.snapshot.vectors[positions]), vector)
    places = np.flatnonzero(within.new)
    for start in range(0, len(places), BLOCK):
        yield cosines(view.fresh.vectors(places[start : start + BLOCK]), vector)
