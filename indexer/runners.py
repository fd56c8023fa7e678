"""What runs the network, lent to one caller at a time: first come, first served."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Run = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
"""(1, size, size, 3) uint8 -> outputs by name."""


class Runners:
    """Lends runners; when all are lent, to whoever has waited longest.

    Parameters
    ----------
    runners : iterable of callable
        At least one.
    """

    def __init__(self, runners: Iterable[Run]) -> None:
        self._lock = threading.Lock()
        self._free = list(runners)
        # A lock and queue.Queue let whoever comes pass those that wait; here each has a place.
        self._waiting: deque[SimpleQueue[Run]] = deque()

    @contextmanager
    def lent(self) -> Iterator[Run]:
        """Lend a runner for a block."""
        run = self._take()
        try:
            yield run
        finally:
            self._give_back(run)

    def _take(self) -> Run:
        with self._lock:
            run = self._next()
            if run is not None:
                return run
            turn: SimpleQueue[Run] = SimpleQueue()
            self._waiting.append(turn)
        try:
            return turn.get()
        except BaseException:  # Ctrl-C: what was meant for this caller is for the next
            with self._lock:
                still = turn in self._waiting
                if still:
                    self._waiting.remove(turn)
            if not still:
                self._give_back(turn.get())
            raise

    def _give_back(self, run: Run) -> None:
        with self._lock:
            if not self._hand_on(run):
                self._free.append(run)

    def _next(self) -> Run | None:
        """Take what is free, holding the lock."""
        return self._free.pop() if self._free else None

    def _hand_on(self, run: Run) -> bool:
        """Give a runner to whoever has waited longest, holding the lock; False if nobody waits."""
        if not self._waiting:
            return False
        self._waiting.popleft().put(run)
        return True


class RunnersForPhotos(Runners):
    """One runner with all cores, for whoever comes alone; and several with a core each.

    The several are made in the background, one after the other while somebody waits for one: each
    takes memory, of the network some 35 MB.

    Parameters
    ----------
    alone : callable
        The runner with all cores.
    make : callable
        Makes a runner for one core.
    most : int
        How many of those.
    """

    def __init__(self, alone: Run, make: Callable[[], Run], most: int) -> None:
        super().__init__([])
        self._alone = alone
        self._make = make
        self._most = most
        self._made = 0
        self._making = False
        self._failed = False
        self._lent = 0

    def _next(self) -> Run | None:
        if not self._lent:
            self._lent = 1
            return self._alone
        if self._free:
            self._lent += 1
            return self._free.pop()
        if self._made < self._most and not (self._making or self._failed):
            self._begin_making()
        return None

    def _give_back(self, run: Run) -> None:
        with self._lock:
            # Beside those with a core each, the one with all of them would be in their way.
            in_their_way = run is self._alone and self._made and not self._failed
            if not in_their_way and self._hand_on(run):
                return
            self._lent -= 1
            if run is not self._alone:
                self._free.append(run)

    def _begin_making(self) -> None:
        """Make more in the background, holding the lock."""
        self._making = True
        try:
            threading.Thread(target=self._make_more, name="more of the network").start()
        except RuntimeError as error:  # there are too many threads
            self._give_up(error)

    def _make_more(self) -> None:
        while True:
            try:
                run = self._make()
            except Exception as error:  # noqa: BLE001 - whatever it is, those there are go on
                with self._lock:
                    self._give_up(error)
                return
            with self._lock:
                self._made += 1
                if self._hand_on(run):
                    self._lent += 1
                else:
                    self._free.append(run)
                if not self._waiting or self._made == self._most:
                    self._making = False
                    return

    def _give_up(self, error: Exception) -> None:
        """Go on with what there is, holding the lock."""
        self._making, self._failed = False, True
        log.warning("No more than %d photos are looked at at once: %s", self._made + 1, error)
