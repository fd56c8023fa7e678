"""What runs the network, lent to one caller at a time: first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

Run = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
"""(1, size, size, 3) uint8 -> outputs by name."""


class Runners:
    """Lends runners; when all are lent, to whoever has waited longest.

    Parameters
    ----------
    make : callable
        Makes a runner for one core. Called when one is needed that is not there yet.
    most : int
        How many of those there may be.
    alone : callable, optional
        A runner with all cores, for whoever comes when none is lent.

    Raises
    ------
    Exception
        What `make` raises: where there is no `alone`, the first is made at once.
    """

    def __init__(self, make: Callable[[], Run], most: int, alone: Run | None = None) -> None:
        self._make = make
        self._most = most
        self._alone = alone
        self._lock = threading.Lock()
        self._free = [] if alone is not None else [make()]
        self._made = len(self._free)
        self._lent = 0
        # Lock and queue.Queue let whoever comes pass those that wait; here each has a place.
        self._waiting: deque[SimpleQueue[Run | None]] = deque()

    @contextmanager
    def lent(self) -> Iterator[Run]:
        """Lend a runner for a block."""
        run = self._take()
        try:
            yield run
        finally:
            self._give_back(run)

    def _take(self) -> Run:
        while True:
            with self._lock:
                if self._alone is not None and not self._lent:
                    self._lent += 1
                    return self._alone
                if self._free:
                    self._lent += 1
                    return self._free.pop()
                making = self._made < self._most
                if making:
                    self._made += 1
                    self._lent += 1
                else:
                    turn: SimpleQueue[Run | None] = SimpleQueue()
                    self._waiting.append(turn)
            run = self._one_more() if making else self._waited(turn)
            if run is not None:
                return run

    def _one_more(self) -> Run:
        try:
            return self._make()
        except BaseException:
            with self._lock:
                self._made -= 1
                self._lent -= 1
                if self._waiting:  # it may have waited for nothing but this one
                    self._waiting.popleft().put(None)
            raise

    def _waited(self, turn: SimpleQueue[Run | None]) -> Run | None:
        try:
            return turn.get()
        except BaseException:  # Ctrl-C: what was meant for this caller is for the next
            with self._lock:
                still = turn in self._waiting
                if still:
                    self._waiting.remove(turn)
            run = None if still else turn.get()
            if run is not None:
                self._give_back(run)
            raise

    def _give_back(self, run: Run) -> None:
        with self._lock:
            if run is not self._alone:
                if self._waiting:
                    self._waiting.popleft().put(run)
                    return
                self._free.append(run)
            self._lent -= 1
