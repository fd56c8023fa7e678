"""Learning the photos' mean from queries, where the server was told to.

Photos are summed in memory and added to the index's file (`indexer.learned`) from a thread of
their own, so that no search waits for the disk. Of a client, nothing is kept but a count for the
day under a salted hash of its address, in memory.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
from flask import current_app, request
from numpy.typing import NDArray

from indexer.errors import LookalikeError
from indexer.learned import Learned, add_learned, clipped
from indexer.snapshot import Snapshot
from search.query import Page, Query
from web.access.loopback import client_network
from web.engine import current_engine

log = logging.getLogger(__name__)

PER_DAY = 5
"""Photos of one client that count in a day: of the 200 that it takes, one in forty."""

CLIENTS = 50_000
"""Clients that are counted in a day, some 5 MB; whoever comes after them adds nothing."""

TOGETHER = 10
"""Photos that are written at once, at least. The difference between two states of the file is
then a mean of people, of two clients at the least, and never one photo's features."""

FLUSH_SECONDS = 120.0
"""The time between two writes; a crash loses so much."""

DAY = 86_400


class Allowance:
    """Counts each client's photos of a day.

    A client that is forgotten could add again, so none is before the day is over: once there are
    `clients` of them, no other counts.
    """

    def __init__(self, per_day: int = PER_DAY, clients: int = CLIENTS) -> None:
        self.per_day, self.clients = per_day, clients
        self._day = -1
        self._salt = b""
        self._counts: dict[bytes, int] = {}

    def take(self, address: str | None) -> bool:
        """Say whether a client may add one more photo today, and count it."""
        day = int(time.time() // DAY)
        if day != self._day:  # with a new salt, so that days cannot be told to share a client
            self._day, self._salt, self._counts = day, secrets.token_bytes(16), {}
        name = client_network(address).encode()
        key = hashlib.blake2b(name, key=self._salt, digest_size=8).digest()
        count = self._counts.get(key, 0)
        if count >= self.per_day or (not count and len(self._counts) >= self.clients):
            return False
        self._counts[key] = count + 1
        return True


class Learner:
    """Sums the photos that are searched with. Safe to use from several threads.

    Parameters
    ----------
    index : Path
        The index's folder, whose file the sum is added to.
    allowance : Allowance, optional
        What one client may add.
    flush_seconds : float, optional
        The time between two writes.
    """

    def __init__(
        self,
        index: Path,
        *,
        allowance: Allowance | None = None,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self.index = index
        self.flush_seconds = flush_seconds
        self._allowance = allowance or Allowance()
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pending: Learned | None = None
        self._complaint = ""

    def add(self, address: str | None, snapshot: Snapshot, features: NDArray[np.floating]) -> None:
        """Count a photo, unless its client has added enough today; takes microseconds.

        Parameters
        ----------
        address : str or None
            The client's, as the server sees it.
        snapshot : Snapshot
            What answered the photo.
        features : ndarray of float, shape (F,)
            The photo's.
        """
        with self._lock:
            if not self._allowance.take(address):
                return
        photo = clipped(snapshot.projection, features)
        recipe, network = snapshot.projection.recipe, snapshot.manifest["network"]["sha256"]
        with self._lock:
            if self._pending is None or not self._pending.fits(recipe, network):
                self._pending = Learned.none(recipe, network)
            self._pending = self._pending.plus(photo, 1)
            # Not before there is something to do: a server may fork after the app was made.
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="learner", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Add what was summed to the file, if it is enough; what cannot be written is kept."""
        with self._flushing:
            with self._lock:
                pending = self._pending
                if pending is None or pending.count < TOGETHER:
                    return
                self._pending = None
            try:
                begun_anew = add_learned(self.index, pending)
            except (OSError, LookalikeError) as error:
                self._keep(pending)
                self._complain(f"What was learned from queries cannot be written: {error}")
                return
            if begun_anew is not None:
                self._complain(f"What was learned from queries is begun anew: {begun_anew.message}")
            else:
                self._complaint = ""

    def close(self) -> None:
        """Write what there is, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopping.wait(self.flush_seconds):
            self.flush()

    def _keep(self, pending: Learned) -> None:
        with self._lock:
            newer = self._pending
            if newer is None:
                self._pending = pending
            elif newer.fits(pending.recipe, pending.network):
                self._pending = newer.plus(pending.total, pending.count)

    def _complain(self, words: str) -> None:
        """Log a warning once, and not at every write."""
        if words != self._complaint:
            log.warning("%s", words)
        self._complaint = words


def search_and_learn(query: Query) -> Page:
    """Answer a query of this request, and learn from its photo where the server was told to."""
    learner: Learner | None = current_app.extensions["lookalike.learner"]
    if learner is None:
        return current_engine().search(query)
    return current_engine().search(query, on_photo=partial(learner.add, request.remote_addr))
