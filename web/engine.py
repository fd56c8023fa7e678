"""The engine that answers: opened when there is an index, looked after while it serves."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from flask import current_app

from indexer.errors import LookalikeError, NetworkMismatch
from indexer.listing import Listing
from indexer.milvus.address import is_milvus
from indexer.pictures import LIMITS, PictureLimits
from search.asking import OnPhoto
from search.explain import Explainable
from search.query import Page, Query

log = logging.getLogger(__name__)

RECHECK_SECONDS = 1.0
"""How long to wait before looking again for an index, or for a newer snapshot of it."""


class SearchEngine(Explainable, Protocol):
    """What the page and the API ask of `search.engine.Engine`."""

    def search(self, query: Query, /, *, on_photo: OnPhoto | None = None) -> Page:
        """Answer a query; tell `on_photo`, where given, what a photo was seen as."""

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """Return a listing and the keys of its thumbnails."""

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG, None where there is none."""

    def picture(self, listing_id: str, position: int) -> bytes:
        """Return a picture of the catalogue as it is encoded there."""

    def sample(self, count: int) -> list[tuple[Listing, tuple[str, ...]]]:
        """Return some listings to look at, always the same ones."""

    def status(self) -> dict[str, object]:
        """Describe the index."""

    def refresh(self) -> bool:
        """Take up a newer snapshot, if there is one."""

    def outdated(self) -> bool:
        """Tell whether another index has taken the place of this one; takes microseconds."""

    def close(self) -> None:
        """Let go of the index."""


class EngineHolder:
    """Holds the engine of an index that may not exist yet, and that changes while it is served.

    Where a caretaker looks after it, requests never wait for a newer snapshot to be opened; where
    nobody does, the request that comes after `recheck_seconds` does so itself. Only where a whole
    other index has taken the place of the one that is open, all wait until that is open.

    Parameters
    ----------
    path : Path
        The index.
    limits : PictureLimits, optional
        What a photo may cost: passed to `Engine.open`.
    runtime : str, optional
        What runs the network, a name of `indexer.runtimes.RUNTIMES`: passed on, too.
    threads : int, optional
        Threads of the network: passed on, too; as many as there are cores where not given.
    engine : SearchEngine, optional
        An engine that is open already.
    recheck_seconds : float, optional
        The least time between two looks at the disk.
    on_page : callable, optional
        Is told every answer of an engine that was opened here.

    Attributes
    ----------
    attended : bool
        Whether a caretaker calls `look`.
    """

    def __init__(
        self,
        path: Path,
        *,
        limits: PictureLimits = LIMITS,
        runtime: str = "auto",
        threads: int | None = None,
        engine: SearchEngine | None = None,
        recheck_seconds: float = RECHECK_SECONDS,
        on_page: Callable[[Page], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.limits = limits
        self.runtime = runtime
        self.threads = threads
        self.recheck_seconds = recheck_seconds
        self.attended = False
        self._on_page = on_page
        self._engine = engine
        self._error: LookalikeError | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()

    @property
    def engine(self) -> SearchEngine | None:
        """The engine, where one is open; nothing is opened for this."""
        return self._engine

    def get(self) -> SearchEngine:
        """Return the engine.

        Raises
        ------
        LookalikeError
            If the index cannot be served: there is none, or it is damaged, or of another version.
        """
        engine = self._engine
        if engine is None:
            return self._open()
        if engine.outdated():
            return self._followed(engine)
        if self.attended or time.monotonic() < self._next_look:
            return engine
        # Whoever comes while another refreshes is answered from what there is.
        if self._lock.acquire(blocking=False):
            try:
                self._refresh(engine)
            finally:
                self._next_look = time.monotonic() + self.recheck_seconds
                self._lock.release()
        return self._engine or engine

    def look(self) -> bool:
        """Take up what is new on the disk, while requests go on; return whether there was.

        For one thread of its own: opening a large snapshot takes its time. An index that is not
        there, or cannot be served, is no error here: who asks for it is told.
        """
        engine = self._engine
        if engine is None:
            with contextlib.suppress(LookalikeError):
                self._open()
            return self._engine is not None
        with self._lock:
            return self._refresh(engine)

    def close(self) -> None:
        """Close the engine, if one is open."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _open(self) -> SearchEngine:
        with self._lock:
            if self._engine is not None:  # opened by another thread while this one waited
                return self._engine
            if self._error is not None and time.monotonic() < self._next_look:
                raise self._error.with_traceback(None)
            try:
                self._engine = self._opened()
                self._error = None
            except LookalikeError as error:
                self._note(error, "The index cannot be served: %s")
                raise
            finally:
                self._next_look = time.monotonic() + self.recheck_seconds
            return self._engine

    def _followed(self, engine: SearchEngine) -> SearchEngine:
        """Return the engine of the index that has taken the place of the one that is open."""
        with self._lock:
            tried = self._error is not None and time.monotonic() < self._next_look
            if self._engine is engine and engine.outdated() and not tried:
                self._next_look = time.monotonic() + self.recheck_seconds
                self._refresh(engine)
            return self._engine or engine

    def _refresh(self, engine: SearchEngine) -> bool:
        """Take up a newer snapshot; return whether there was one."""
        try:
            newer = engine.refresh()
            if newer:
                log.info("Serving a newer snapshot of the index.")
            self._error = None
        except NetworkMismatch:  # the index was made anew, with another network
            return self._replace(engine)
        except LookalikeError as error:
            # What is open goes on serving: an old answer is better than none.
            self._note(error, "A newer snapshot cannot be served: %s")
            return False
        return newer

    def _replace(self, engine: SearchEngine) -> bool:
        """Open the index anew beside the engine that serves, and take that in its place."""
        try:
            self._engine = self._opened()
        except LookalikeError as error:
            self._note(error, "The new index cannot be served: %s")
            return False
        log.info("Serving the index that was made anew.")
        engine.close()
        self._error = None
        return True

    def _opened(self) -> SearchEngine:
        return _open_engine(self.path, self.limits, self.runtime, self.threads, self._on_page)

    def _note(self, error: LookalikeError, words: str) -> None:
        """Remember an error, and log it once and not at every look."""
        if self._error is None or self._error.message != error.message:
            log.warning(words, error)
        self._error = error


def current_engine() -> SearchEngine:
    """Return the engine of the application that handles this request."""
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    return holder.get()


def _open_engine(
    path: Path,
    limits: PictureLimits,
    runtime: str,
    threads: int | None,
    on_page: Callable[[Page], None],
) -> SearchEngine:
    if is_milvus(path):
        from search.milvus import MilvusEngine  # noqa: PLC0415 - an extra

        milvus = MilvusEngine(path, runtime=runtime, threads=threads, limits=limits)
        milvus.on_page = on_page
        milvus.warm_up()
        return milvus
    # FAISS and LiteRT take a second to load, which only an index that is served is worth.
    from search.live_recall import WatchedEngine  # noqa: PLC0415

    engine = WatchedEngine(path, runtime=runtime, threads=threads, limits=limits)
    engine.on_page = on_page
    engine.warm_up()
    return engine
