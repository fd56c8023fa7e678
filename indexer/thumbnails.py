"""Small JPEGs of the pictures, by content hash, in a database of their own.

SQLite serves many small blobs faster than a folder of files, and copies as one file. It is kept
apart from the catalogue so that a backup can leave it out: without it the page shows no small
pictures of what was indexed before, and search goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

THUMBNAILS = "thumbnails.db"


class Thumbnails:
    """The thumbnails of one index. Not shared between threads.

    Parameters
    ----------
    folder : Path
        The index's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / THUMBNAILS, timeout=30, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        # A lost thumbnail is made again; the catalogue's own commit is the one that must hold.
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS thumbnails (content TEXT PRIMARY KEY, jpeg BLOB NOT NULL)"
        )

    def add(self, thumbnails: Iterable[tuple[str, bytes]]) -> None:
        """Keep (content hash, JPEG) pairs, as one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            self.db.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", thumbnails)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def get(self, content: str) -> bytes | None:
        """Return a JPEG; None where there is none."""
        row = self.db.execute(
            "SELECT jpeg FROM thumbnails WHERE content = ?", (content,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def has(self, content: str) -> bool:
        """Return whether there is a thumbnail of this key."""
        row = self.db.execute("SELECT 1 FROM thumbnails WHERE content = ?", (content,)).fetchone()
        return row is not None

    def keep_only(self, catalog: Path) -> int:
        """Delete what no picture of the catalogue database refers to; return how many."""
        self.db.execute("ATTACH ? AS catalog", (str(catalog),))
        try:
            return self.db.execute(
                "DELETE FROM thumbnails WHERE content NOT IN (SELECT e.content FROM"
                " catalog.pictures p JOIN catalog.embeddings e ON e.number = p.embedding)"
            ).rowcount
        finally:
            self.db.execute("DETACH catalog")

    def close(self) -> None:
        """Close the connection."""
        self.db.close()
