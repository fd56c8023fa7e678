"""Pending pictures to features: read ahead, decode ahead, embed, checkpoint.

Three stages in a row, each with threads of its own and a bounded number of pictures in flight,
so that memory does not grow with the catalogue. Results arrive in the catalogue's order, so that
the same catalogue always makes the same index.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from indexer.catalog import DONE, FAILED, PENDING, Catalog, parse_region
from indexer.embedder import cores
from indexer.features import FeatureFile
from indexer.flights import READERS, ordered_map
from indexer.listing import Picture
from indexer.progress import Progress
from indexer.steps import Steps, Task
from indexer.thumbnails import Thumbnails

__all__ = ["READERS", "Embedded", "PendingPictures", "Pipeline", "Task", "ordered_map"]

CHECKPOINT_PICTURES = 256
CHECKPOINT_SECONDS = 5.0
"""What a crash may cost, whichever comes first."""


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
class PendingPictures(ABC):
    """The pending pictures of a catalogue, embedded in a way that a subclass knows.

    Attributes
    ----------
    catalog, features, thumbnails
        Where results go.
    """

    catalog: Catalog
    features: FeatureFile
    thumbnails: Thumbnails
    _buffer: list[Task] = field(default_factory=list, init=False)
    _saved: float = field(default_factory=time.monotonic, init=False)

    @abstractmethod
    def through(self, stack: ExitStack) -> Iterator[Task]:
        """Yield every pending picture, done with; what has to be ended is given to `stack`."""

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
            for task in self.through(stack):
                self._buffer.append(task)
                counts[_outcome(task)] += 1
                advance(1)
                if len(self._buffer) >= CHECKPOINT_PICTURES or self._overdue():
                    self._checkpoint()
        return Embedded(**counts, seconds=time.monotonic() - started)

    def pending(self) -> Iterator[Task]:
        """Yield what is pending, as it stands in the catalogue."""
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

    def known(self, task: Task) -> int | None:
        """Return the row of the feature file that a picture's content has already."""
        row = self.catalog.db.execute(
            "SELECT number FROM embeddings WHERE content = ? AND region = ?",
            (task.content, task.region),
        ).fetchone()
        return None if row is None else int(row[0])

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
            task.known = self.known(task)  # the same picture twice within one flight
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


@dataclass
class Pipeline(PendingPictures):
    """Embeds them in this process.

    Attributes
    ----------
    steps : Steps
        What is done to each.
    """

    steps: Steps

    def through(self, stack: ExitStack) -> Iterator[Task]:
        """Yield them in the catalogue's order."""

        def pool(threads: int) -> Executor:
            executor = ThreadPoolExecutor(threads)
            stack.callback(executor.shutdown, wait=True, cancel_futures=True)
            return executor

        steps, workers = self.steps, self.steps.embedder.workers
        read = ordered_map(pool(READERS), steps.read, self.pending(), 2 * READERS)
        prepared = ordered_map(pool(cores()), steps.prepare, map(self._look_up, read), 8 * workers)
        return ordered_map(pool(workers), steps.embed, prepared, 2 * workers)

    def _look_up(self, task: Task) -> Task:
        """Find the features of a picture that was merely touched, renamed or used twice."""
        if task.content:
            task.known = self.known(task)
            task.thumbnail_kept = self.thumbnails.has(task.content)
        return task


def _row(task: Task) -> tuple[int, int | None, str, str]:
    return FAILED if task.reason else DONE, task.known, task.reason, task.version


def _outcome(task: Task) -> str:
    if task.unreached:
        return "unreached"
    if task.reason:
        return "rejected"
    return "embedded" if task.features is not None else "reused"
