"""Lanes: requests that take long wait for one another, and nobody else waits for them.

Whatever looks at a photo has a lane with a bounded queue: whoever comes when that is full, or has
stood in it for too long, is told to come back later rather than left to wait. So have writes, of
which a batch may take minutes. Pages, thumbnails and listings have another lane, what watches the
server one more, and `/health` its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qs

from flask import Flask
from waitress.task import ThreadedTaskDispatcher
from werkzeug.exceptions import HTTPException

from indexer.milvus.address import is_milvus
from web.access.rate_limits import SEARCHES
from web.access.scopes import needed
from web.answers.proxies import without_prefix
from web.monitoring.metrics import Metrics
from web.serving.overload import Reason

Name: TypeAlias = Literal["photos", "writes", "pages", "watch", "health"]

LANE_OF: Final[dict[str, Name]] = {
    **dict.fromkeys(SEARCHES, "photos"),
    "photos.shared": "photos",
    "pictures.preview": "photos",
    "map.points": "photos",
    "map.sheet": "photos",
    "map.still": "photos",
    "why.why_listing": "photos",
    "health.get_health": "health",
    "health.get_ready": "watch",
    "metrics.get_metrics": "watch",
}
"""By endpoint; what writes has a lane of its own, and all else is a page."""

PAGES: Final = 2
"""Pages, and searches by listing, that are worked on at once. They are Python nearly all the time,
of which a process runs one thread at a time: more of them get in each other's way (at 16 clients
97 searches by listing a second by one thread, 87 by two, 46 to 68 by four). For more, there is
`--workers`."""

SIMILAR: Final = "search.get_similar"
"""Looks at pictures only where its hits are to be explained."""


class Turn:
    """A connection whose request waits for its turn.

    Parameters
    ----------
    channel : web.serving.connections.Channel
        The connection.
    lane : Lane
        Where it waits.
    """

    __slots__ = ("channel", "entered", "lane")

    def __init__(self, channel: Any, lane: Lane) -> None:
        self.channel = channel
        self.lane = lane
        self.entered = time.monotonic()

    def service(self) -> None:
        """Answer, now that it is its turn."""
        waited = time.monotonic() - self.entered
        self.channel.requests[0].waited += waited
        self.lane.left(waited)
        self.channel.service()

    def cancel(self) -> None:
        """Give up: the server ends."""
        self.channel.cancel()


class Lane(ThreadedTaskDispatcher):  # type: ignore[misc]
    """A queue, and the threads that answer what waits in it.

    Parameters
    ----------
    name : str
        Of the lane, in the metrics.
    threads : int
        How many requests are answered at once.
    metrics : Metrics
        Are told of the queue.
    most : int, optional
        How many may wait; as many as there are connections where not given.
    """

    def __init__(
        self, name: Name, threads: int, metrics: Metrics, *, most: int | None = None
    ) -> None:
        super().__init__()
        self.most = most
        self._length = metrics.queue.labels(name)
        self._waited = metrics.waited.labels(name)
        self.set_thread_count(threads)

    def offer(self, channel: Any) -> bool:
        """Queue a connection's request, unless too many wait; return whether it was."""
        idle = len(self.threads) - self.active_count
        if self.most is not None and len(self.queue) - idle >= self.most:
            return False
        self._length.inc()
        self.add_task(Turn(channel, self))
        return True

    def left(self, waited: float) -> None:
        """Note that a request has waited for so many seconds, and does so no more."""
        self._waited.observe(waited)
        self._length.dec()

    def overdue(self, before: float) -> list[Turn]:
        """Take out of the queue what has stood in it since before a time."""
        late = []
        with self.lock:
            while self.queue and self.queue[0].entered < before:
                late.append(self.queue.popleft())
        return late


class Lanes:
    """Chooses each request's lane: takes the place of waitress's own dispatcher.

    Parameters
    ----------
    choose : callable
        Returns a lane's name for a method, a path and what follows its question mark.
    lanes : mapping of str to Lane
        By name.
    metrics : Metrics
        Are told of refusals.
    seconds : float
        How long a request may wait in a lane that is bounded.
    """

    def __init__(
        self,
        choose: Callable[[str, str, str], Name],
        lanes: Mapping[Name, Lane],
        metrics: Metrics,
        seconds: float,
    ) -> None:
        self._choose = choose
        self._lanes = lanes
        self._metrics = metrics
        self._seconds = seconds

    def add_task(self, channel: Any) -> None:
        """Queue a connection's first request, or have it told that there are too many."""
        request = channel.requests[0]
        if request.error or request.overloaded or request.refused:
            self._refuse(channel, request.overloaded)
            return
        name = self._choose(request.command, request.path, request.query)
        if not self._lanes[name].offer(channel):
            self._refuse(channel, "queue")

    def expire(self) -> None:
        """Have those told that wait for too long."""
        before = time.monotonic() - self._seconds
        for lane in self._lanes.values():
            for turn in lane.overdue(before) if lane.most is not None else ():
                lane.left(time.monotonic() - turn.entered)
                self._refuse(turn.channel, "waited")

    def shutdown(self) -> None:
        """End the threads, and give up what waits."""
        for lane in self._lanes.values():
            lane.set_thread_count(0)  # all at once, and then wait for each
        for lane in self._lanes.values():
            lane.shutdown()

    def _refuse(self, channel: Any, reason: Reason | None) -> None:
        request = channel.requests[0]
        if reason is not None:
            self._metrics.refused.labels(reason).inc()
            request.overload(reason)
        self._lanes["pages"].offer(channel)  # takes all: it is quickly said


def new_lanes(app: Flask, metrics: Metrics, *, threads: int, most: int, seconds: float) -> Lanes:
    """Return the lanes of an application.

    Parameters
    ----------
    app : Flask
        Whose routes tell which lane a request takes.
    metrics : Metrics
        Of the same.
    threads : int
        How many requests each of the larger lanes works on at once.
    most : int
        How many requests with photos may wait, and how many writes.
    seconds : float
        How long one of them may wait.
    """
    index = app.extensions["lookalike.settings"].index
    lanes: dict[Name, Lane] = {
        "photos": Lane("photos", threads, metrics, most=most),
        "writes": Lane("writes", threads, metrics, most=most),
        # Those of an index in Milvus wait for it, which is not Python.
        "pages": Lane("pages", threads if is_milvus(index) else min(threads, PAGES), metrics),
        "watch": Lane("watch", 2, metrics),
        "health": Lane("health", 1, metrics),
    }
    return Lanes(chooser(app), lanes, metrics, seconds)


def chooser(app: Flask) -> Callable[[str, str, str], Name]:
    """Return what tells a request's lane by its method, path and query, as WSGI has them."""
    adapter = app.url_map.bind("localhost")
    prefix = app.extensions["lookalike.settings"].url_prefix.rstrip("/")

    def choose(method: str, path: str, query: str = "") -> Name:
        inner = without_prefix(path, prefix).encode("latin-1").decode("utf-8", "replace")
        try:
            endpoint, _ = adapter.match(inner, method=method.upper())
        except HTTPException:  # nothing is there, or something else
            return "pages"
        if method.upper() == "OPTIONS":
            return "pages"
        if endpoint not in LANE_OF and needed(endpoint, method) == "write":
            return "writes"
        if endpoint == SIMILAR and "explain" in parse_qs(query):
            return "photos"
        return LANE_OF.get(endpoint, "pages")

    return choose
