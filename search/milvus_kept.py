"""The last used thumbnails of an index in Milvus, kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict


class Kept:
    """Bytes by key, as many as there is room for. Safe to use from several threads.

    Parameters
    ----------
    room : int
        Bytes.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return what is kept by a key; None where nothing is."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def add(self, key: str, data: bytes) -> None:
        """Keep bytes, and let go of what was not used for the longest time."""
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = data
            self._taken += len(data)
            while self._taken > self._room:
                _, old = self._kept.popitem(last=False)
                self._taken -= len(old)
