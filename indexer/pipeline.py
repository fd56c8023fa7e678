"""Pending pictures to features: read ahead, decode ahead, embed, checkpoint.

Three stages in a row, each with threads of its own and a bounded number of pictures in flight,
so that memory does not grow with the catalogue. Results arrive in the catalogue's order, so that
the same catalogue always makes the same index.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import DONE, FAILED, PENDING, Catalog, parse_region
from indexer.embedder import Embedder, cores
from indexer.errors import LookalikeError, NetworkMismatch
from indexer.features import FeatureFile
from indexer.flights import READERS, ordered_map
from indexer.listing import Picture
from indexer.pictures import PictureLimits, Prepared, content_hash, prepare
from indexer.progress import Progress
from indexer.sources.fetching import fetch_picture, has_url_version, is_gone, is_of_the_network
from indexer.stored import is_stored, stored_path
from indexer.thumbnails import Thumbnails
from indexer.versions import MISSING

__all__ = ["READERS", "Embedded", "Pipeline", "Task", "ordered_map"]

CHECKPOINT_PICTURES = 256
CHECKPOINT_SECONDS = 5.0
"""What a crash may cost, whichever comes first."""

NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


@dataclass(slots=True)
class Task:
    """One pending picture on its way through."""

    number: int
    picture: Picture
    region: str
    version: str = ""
    held: bool = False
    data: bytes = b""
    content: str = ""
    known: int | None = None
    thumbnail_kept: bool = False
    prepared: Prepared | None = None
    features: NDArray[np.float16] | None = None
    reason: str = ""
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a run did, in pictures.

    Attributes
    ----------
    embedded, reused, rejected : int
        Given to the network, found by content, and of no use.
    seconds : float
        How long it took.
    unreached : int
        Changed at their URLs and could not be downloaded: they stay as they were, and the next
        sync tries again.
    """

    embedded: int
    reused: int
    rejected: int
    seconds: float
    unreached: int = 0


@dataclass
class Pipeline:
    """Embeds every pending picture of a catalogue.

    Attributes
    ----------
    catalog, features, thumbnails
        Where results go.
    embedder : Embedder
        The network.
    input_size : int
        Pixels a side of its input.
    limits : PictureLimits
        What a picture may weigh.
    """

    catalog: Catalog
    features: FeatureFile
    thumbnails: Thumbnails
    embedder: Embedder
    input_size: int
    limits: PictureLimits
    _buffer: list[Task] = field(default_factory=list)
    _saved: float = field(default_factory=time.monotonic)

    def run(self, progress: Progress) -> Embedded:
        """Embed what is pending; what is done when an exception ends it is kept.

        Returns
        -------
        Embedded
            How many pictures were embedded, found by content, and rejected.
        """
        pending = self.catalog.count("pictures", "state = ?", PENDING)
        counts = {"embedded": 0, "reused": 0, "rejected": 0, "unreached": 0}
        started = time.monotonic()
        with ExitStack() as stack:
            advance = stack.enter_context(progress.track("Embedding", pending, "pictures"))
            stack.callback(self._checkpoint)  # also when a Ctrl-C ends it
            for task in self._through(stack):
                self._buffer.append(task)
                counts[_outcome(task)] += 1
                advance(1)
                if len(self._buffer) >= CHECKPOINT_PICTURES or self._overdue():
                    self._checkpoint()
        return Embedded(**counts, seconds=time.monotonic() - started)

    def _through(self, stack: ExitStack) -> Iterator[Task]:
        def pool(threads: int) -> Executor:
            executor = ThreadPoolExecutor(threads)
            stack.callback(executor.shutdown, wait=True, cancel_futures=True)
            return executor

        workers = self.embedder.workers
        read = ordered_map(pool(READERS), self._read, self._pending(), 2 * READERS)
        prepared = ordered_map(pool(cores()), self._prepare, map(self._look_up, read), 8 * workers)
        return ordered_map(pool(workers), self._embed, prepared, 2 * workers)

    def _pending(self) -> Iterator[Task]:
        last = 0
        while rows := self.catalog.db.execute(
            "SELECT number, uri, region, version, embedding IS NOT NULL AS held FROM pictures"
            " WHERE state = ? AND number > ? ORDER BY number LIMIT 1000",
            (PENDING, last),
        ).fetchall():
            for row in rows:
                picture = Picture(row["uri"], region=parse_region(row["region"]))
                yield Task(row["number"], picture, row["region"], row["version"], bool(row["held"]))
            last = rows[-1]["number"]

    def _read(self, task: Task) -> Task:
        try:
            picture = task.picture
            if is_stored(picture.uri):
                path = stored_path(self.features.path.parent, picture.uri)
                picture = replace(picture, uri=str(path))
            fetched = fetch_picture(picture, max_bytes=self.limits.max_bytes)
            task.data, task.content = fetched.data, content_hash(fetched.data)
            if fetched.version is not None:
                task.version = fetched.version
        except LookalikeError as error:
            _not_read(task, error)
        return task

    def _look_up(self, task: Task) -> Task:
        """Find the features of a picture that was merely touched, renamed or used twice."""
        if task.content:
            task.known = self._known(task)
            task.thumbnail_kept = self.thumbnails.has(task.content)
        return task

    def _known(self, task: Task) -> int | None:
        row = self.catalog.db.execute(
            "SELECT number FROM embeddings WHERE content = ? AND region = ?",
            (task.content, task.region),
        ).fetchone()
        return None if row is None else int(row[0])

    def _prepare(self, task: Task) -> Task:
        if task.data and not (task.known is not None and task.thumbnail_kept):
            try:
                task.prepared = prepare(
                    task.data,
                    self.input_size,
                    region=task.picture.region,
                    thumbnail=True,
                    limits=self.limits,
                )
            except LookalikeError as error:
                task.reason = str(error)
        task.data = b""
        return task

    def _embed(self, task: Task) -> Task:
        if task.prepared is not None and task.known is None:
            features = self.embedder.embed(task.prepared.pixels)
            if len(features) < self.features.width:
                raise NetworkMismatch(
                    "The index's network is of an earlier version, and gives fewer features than"
                    " the index was told to keep.",
                    hint="Index into another folder with --index DIR.",
                )
            # As they are kept, so that the transaction that keeps them is short.
            task.features = features[: self.features.width].astype(np.float16)
            # A checkpoint's worth of pixels would be 70 MB.
            task.prepared = replace(task.prepared, pixels=NO_PIXELS)
        return task

    def _overdue(self) -> bool:
        return time.monotonic() - self._saved > CHECKPOINT_SECONDS

    def _checkpoint(self) -> None:
        """Make the buffered results durable: features, thumbnails, then the rows that name them.

        A picture that somebody else replaced meanwhile has another number, and is left alone.
        """
        tasks, self._buffer = self._buffer, []
        self._saved = time.monotonic()
        if not tasks:
            return
        self.thumbnails.add(
            (t.content, t.prepared.thumbnail) for t in tasks if t.prepared is not None
        )
        with self.catalog.writing():
            change = self.catalog.next_change()
            self._save_features(tasks)
            self.catalog.db.executemany(
                "UPDATE pictures SET state = ?, embedding = ?, reason = ?, version = ?, change = ?"
                " WHERE number = ? AND state = ?",
                [(*_row(t), change, t.number, PENDING) for t in tasks if not t.unreached],
            )
            self.catalog.db.executemany(
                "UPDATE pictures SET state = ?, change = ? WHERE number = ? AND state = ?",
                [(DONE, change, t.number, PENDING) for t in tasks if t.unreached],
            )

    def _save_features(self, tasks: list[Task]) -> None:
        """Append new features and set `known` of every task that has some."""
        rows = int(self.catalog.meta("rows") or 0)
        fresh: list[Task] = []
        for task in tasks:
            if task.features is None or task.prepared is None:
                continue
            task.known = self._known(task)  # the same picture twice within one flight
            if task.known is None:
                task.known = rows + len(fresh)
                fresh.append(task)
                self.catalog.db.execute(
                    "INSERT INTO embeddings VALUES (?, ?, ?, ?, ?)",
                    (
                        task.known,
                        task.content,
                        task.region,
                        task.prepared.width,
                        task.prepared.height,
                    ),
                )
        if fresh:
            stacked = np.stack([t.features for t in fresh if t.features is not None])
            self.catalog.set_meta("rows", str(self.features.append(stacked, rows)))


def _row(task: Task) -> tuple[int, int | None, str, str]:
    return FAILED if task.reason else DONE, task.known, task.reason, task.version


def _not_read(task: Task, error: LookalikeError) -> None:
    """Note why a picture could not be read.

    One that was had from the same URL before stays as it was unless it is gone for good: a host
    that is down for an hour should not take its listings out of the search.
    """
    at_url = has_url_version(task.picture.uri)
    passing = is_of_the_network(error) and not is_gone(error)
    if at_url and passing and task.held and task.version:
        task.unreached = True
        return
    task.reason = str(error)
    if at_url:
        task.version = MISSING


def _outcome(task: Task) -> str:
    if task.unreached:
        return "unreached"
    if task.reason:
        return "rejected"
    return "embedded" if task.features is not None else "reused"
