"""Counts of requests in SQLite: in memory for one process, in a file for the workers of a machine.

The library `limits` counts in one process' memory or in a server such as Redis, and has nothing
between the two.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from contextlib import nullcontext
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from limits.storage import Storage

from indexer.lease import locked

SCHEME: Final = "sqlite-counts"

TIDY_EVERY: Final = 1000
"""Counts between two looks for what is over."""

PATIENCE: Final = 0.5
"""Seconds to wait for another worker; each holds the file for microseconds."""

SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS counts (
    name TEXT PRIMARY KEY, count INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
"""
# Nothing of it must outlive the server, so nothing is forced to the disk.

COUNT: Final = """
INSERT INTO counts VALUES (:name, :amount, :until) ON CONFLICT (name) DO UPDATE SET
    count = CASE WHEN until > :now THEN count + :amount ELSE :amount END,
    until = CASE WHEN until > :now THEN until ELSE :until END
RETURNING count
"""


class SqliteStorage(Storage):
    """Counts for fixed windows. Safe to use from several threads and processes.

    Parameters
    ----------
    uri : str
        ``sqlite-counts:///PATH``; without a path, in memory.
    wrap_exceptions : bool, optional
        Whether errors are told as those of `limits`.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._counted = 0
        path = urlsplit(uri or "").path
        self._connection = sqlite3.connect(
            path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        # Nobody tells a storage that its application is gone.
        weakref.finalize(self, self._connection.close)
        # Workers begin together, and SQLite does not wait for one that is changing the mode.
        with locked(Path(f"{path}.lock")) if path else nullcontext():
            self._connection.executescript(SCHEMA)

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What goes wrong here."""
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the count; the first of a window says how long it lasts."""
        now = time.time()
        values = {"name": key, "amount": amount, "now": now, "until": now + expiry}
        with self._lock:
            ((count,),) = self._connection.execute(COUNT, values).fetchall()
            self._counted += 1
            if self._counted % TIDY_EVERY == 0:
                self._connection.execute("DELETE FROM counts WHERE until <= ?", (now,))
        return int(count)

    def get(self, key: str) -> int:
        """Return the count; 0 where its window is over."""
        found = self._find(key)
        return 0 if found is None or found[1] <= time.time() else found[0]

    def get_expiry(self, key: str) -> float:
        """Return when the window is over, in seconds since 1970."""
        found = self._find(key)
        return time.time() if found is None else found[1]

    def check(self) -> bool:
        """Tell whether it works."""
        try:
            self._find("")
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int:
        """Forget all counts, and return how many there were."""
        with self._lock:
            return self._connection.execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Forget a count."""
        with self._lock:
            self._connection.execute("DELETE FROM counts WHERE name = ?", (key,))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _find(self, key: str) -> tuple[int, float] | None:
        with self._lock:
            found: tuple[int, float] | None = self._connection.execute(
                "SELECT count, until FROM counts WHERE name = ?", (key,)
            ).fetchone()
        return found
