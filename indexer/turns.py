"""Whose turn to write it was last, so that the next writer notices one who died in it.

A process that is killed in its COMMIT may leave a whole transaction in SQLite's log that nobody
was told of. While another process has the database open, that is passed over, and the next
transaction is written over it. But were all of them killed before, the next who opens the database
would find it and take it as written; and what it names beside the database - rows of features,
thumbnails - may have been written over by then.

So each transaction leaves its mark in a file before it does anything, and in the database with all
it does. Where the two differ, the last one died or gave up, and a transaction that changes nothing
else goes first: it takes the place in the log.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from indexer.errors import IndexBusy
from indexer.storing import storing

FILE = "writer.turn"
TRIES = 100


def take_turn(db: sqlite3.Connection, folder: Path) -> None:
    """Begin a transaction with nothing unfinished left behind in the log.

    Parameters
    ----------
    db : sqlite3.Connection
        To the catalogue.
    folder : Path
        The index's.

    Raises
    ------
    StorageError
        If the folder may not be written to.
    IndexBusy
        If others keep giving up.
    sqlite3.OperationalError
        If it is another's turn, or the database cannot be written to.
    """
    db.execute("BEGIN IMMEDIATE")
    with storing(folder / FILE):
        # Never made durable: after a power cut there is nobody who could pass anything over.
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            for _ in range(TRIES):
                if _marked(db, descriptor):
                    return
                db.execute("COMMIT")
                db.execute("BEGIN IMMEDIATE")
        finally:
            os.close(descriptor)
    raise IndexBusy(
        "Other writers to the catalogue keep failing.",
        hint="Try again; nothing of this write was kept.",
    )


def _marked(db: sqlite3.Connection, descriptor: int) -> bool:
    """Leave a mark; return whether who was here last has finished what it began."""
    noted = os.pread(descriptor, 100, 0).decode("ascii", "replace")
    row = db.execute("SELECT value FROM meta WHERE key = 'turn'").fetchone()
    mark = secrets.token_hex(8)
    os.pwrite(descriptor, mark.encode("ascii"), 0)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('turn', ?)", (mark,))
    return noted == ("" if row is None else row[0])
