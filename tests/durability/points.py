"""Every point at which a process writes, one after the other: where it dies, or is refused.

Wraps what Python calls: files' calls of `os`, SQLite's transactions. What SQLite and FAISS call
themselves is reached by `strace` instead (`tests.durability.tracing`).
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

from indexer.reading_lock import REMOVING

CALLS = (
    "fsync",
    "rename",
    "replace",
    "truncate",
    "write",
    "pwrite",
    "unlink",
    "rmdir",
    "mkdir",
    "utime",
)
PUT_ASIDE = "put aside"
"""A rename that gives an old snapshot the name of one that is being removed."""

CLEANING = ("unlink", "rmdir", "mkdir", "utime", PUT_ASIDE)
"""Calls whose failure need not be an error: nothing to remove, or there already."""

KILL = "kill"


class Countdown:
    """Counts the writes of this process and acts at one of them.

    Parameters
    ----------
    at : int
        Which, from 1.
    how : str
        ``kill``, or the name of an error of `errno` that the call fails with.
    """

    def __init__(self, at: int, how: str) -> None:
        self.at, self.how = at, how
        self.count = 0
        self.name = ""

    def arm(self) -> None:
        """Wrap the calls, in this process for good."""
        for name in CALLS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        connect = sqlite3.connect
        countdown = self

        class Counting(sqlite3.Connection):
            writes = False

            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                if sql.startswith("BEGIN"):
                    self.writes = "IMMEDIATE" in sql
                if self.writes and sql.startswith(("COMMIT", "BEGIN")):
                    countdown.tick(sql, _refusal_of_sqlite)
                return super().execute(sql, *parameters)

        def counting(*arguments: Any, **options: Any) -> sqlite3.Connection:
            return connect(*arguments, **{"factory": Counting, **options})

        sqlite3.connect = counting

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            aside = name == "rename" and REMOVING in str(arguments[1])
            self.tick(PUT_ASIDE if aside else name, _refusal)
            return call(*arguments, **options)

        return wrapped

    def tick(self, name: str, refusal: Callable[[str], Exception]) -> None:
        """Count a call; die or raise where it is the one."""
        self.count += 1
        if self.count == self.at:
            self.name = name
            if self.how == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise refusal(self.how)


def _refusal(how: str) -> OSError:
    number = getattr(errno, how)
    return OSError(number, os.strerror(number))


def _refusal_of_sqlite(how: str) -> sqlite3.OperationalError:
    full = how == "ENOSPC"
    error = sqlite3.OperationalError("database or disk is full" if full else "disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_IOERR_FSYNC
    return error
