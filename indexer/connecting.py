"""Opening an SQLite database whose folder may change names with another at that moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from indexer.errors import IndexBusy

TRIES = 10


def connect(path: Path, *, timeout: float = 30.0, address: str | None = None) -> sqlite3.Connection:
    """Connect to a database and read from it, so that its log is open too.

    SQLite opens the log by the database's name when it first reads. Were the folder exchanged
    for another in between (`indexer.swapping`), that would be the log of another database, and
    writing would damage it. So it is looked whether the name has stayed with its file.

    Parameters
    ----------
    path : Path
        The file; made if it is not there and `address` does not forbid it.
    timeout : float, optional
        Seconds that a statement waits for others.
    address : str, optional
        A URI of the same file, with what SQLite should know about opening it.

    Raises
    ------
    sqlite3.Error
        If it cannot be opened or is no database.
    IndexBusy
        If the name keeps going from file to file.
    """
    for _ in range(TRIES):
        before = file_at(path)
        db = sqlite3.connect(
            address or path, uri=address is not None, timeout=timeout, isolation_level=None
        )
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError:
            db.close()
            if file_at(path) == before or before is None:
                raise
            continue
        if before is None or file_at(path) == before:
            return db
        db.close()
    raise IndexBusy(f"{path} is being replaced.", hint="Try again.")


def file_at(path: Path) -> tuple[int, int] | None:
    """Return what a file is known by, whatever its name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
