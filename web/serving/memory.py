"""The memory that requests take: so much, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Memory:
    """Counts the bytes of bodies that are kept. Safe to use from several threads.

    What is kept is counted and not what is announced: who announces much and sends little takes
    nothing away from others.

    Parameters
    ----------
    most : int
        Bytes that may be kept at once.
    told : callable, optional
        Is told how many are, whenever that changes.
    """

    def __init__(self, most: int, told: Callable[[int], None] = lambda _: None) -> None:
        self.most = most
        self.held = 0
        self._told = told
        self._lock = threading.Lock()

    def has_room(self, size: int) -> bool:
        """Tell whether so many bytes more would find room as things are."""
        return self.held + size <= self.most

    def take(self, size: int) -> bool:
        """Count some bytes more, unless there is no room for them; return whether there was."""
        with self._lock:
            if not self.has_room(size):
                return False
            self.held += size
            self._told(self.held)
        return True

    def give_back(self, size: int) -> None:
        """Count some bytes less."""
        with self._lock:
            self.held -= size
            self._told(self.held)
