"""Small JPEGs of the pictures, by content hash, in a database of their own.

SQLite serves many small blobs faster than a folder of files, and copies as one file. It is kept
apart from the catalogue so that a backup can leave it out: without it the page shows no small
pictures of what was indexed before, and search goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from indexer.catalog import Catalog
from indexer.connecting import connect
from indexer.storing import storing

THUMBNAILS = "thumbnails.db"

LOOKED_AT = 10_000
"""Thumbnails looked at in one statement, so that no reader holds up the catalogue's writers."""

REMOVED_AT_ONCE = 1000
"""Thumbnails deleted in one transaction, for the same reason."""

UNUSED = """
SELECT content FROM
    (SELECT content FROM thumbnails WHERE content > ? ORDER BY content LIMIT ?) AS some
WHERE NOT EXISTS (SELECT 1 FROM catalog.embeddings e JOIN catalog.pictures p
    ON p.embedding = e.number WHERE e.content = some.content)
"""


class Thumbnails:
    """The thumbnails of one index. Not shared between threads.

    Parameters
    ----------
    folder : Path
        The index's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / THUMBNAILS
        with storing(self._path):
            self.db = connect(self._path)
            self.db.execute("PRAGMA journal_mode = WAL")
            # On disk before the catalogue names them: nobody would make a lost one again.
            self.db.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten.
            self.db.execute("PRAGMA secure_delete = ON")
            self.db.execute(
                "CREATE TABLE IF NOT EXISTS thumbnails"
                " (content TEXT PRIMARY KEY, jpeg BLOB NOT NULL)"
            )

    def add(self, thumbnails: Iterable[tuple[str, bytes]]) -> None:
        """Keep (content hash, JPEG) pairs durably, as one transaction.

        Whoever holds no lease adds them inside the transaction that names them in the catalogue:
        `keep_only` runs beside it.

        Raises
        ------
        StorageError
            If the disk is full, or may not be written to; none of them is kept then.
        """
        with storing(self._path):
            self.db.execute("BEGIN IMMEDIATE")
            try:
                self.db.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", thumbnails)
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

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
        """Delete what no picture of the catalogue database refers to; return how many.

        In short transactions, each while nobody writes to the catalogue: what is about to be
        referred to is not lost.

        Raises
        ------
        StorageError
            If the disk is full, or may not be written to.
        """
        removed = 0
        with storing(self._path), Catalog(catalog.parent) as opened:
            self.db.execute("ATTACH ? AS catalog", (str(catalog),))
            try:
                for unused in self._unused():
                    for start in range(0, len(unused), REMOVED_AT_ONCE):
                        with opened.writing():
                            removed += self._remove(unused[start : start + REMOVED_AT_ONCE])
            finally:
                self.db.execute("DETACH catalog")
            if removed:  # what was deleted may still lie in the log
                self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return removed

    def _unused(self) -> Iterator[list[str]]:
        last: str | None = ""
        while last is not None:
            place = (last, LOOKED_AT)
            (end,) = self.db.execute(
                "SELECT max(content) FROM (SELECT content FROM thumbnails WHERE content > ?"
                " ORDER BY content LIMIT ?)",
                place,
            ).fetchone()
            yield [row[0] for row in self.db.execute(UNUSED, place)]
            last = end

    def _remove(self, contents: list[str]) -> int:
        """Delete those that are still unused."""
        # Not immediate: that would wait for the turn to write to the catalogue, which is held.
        self.db.execute("BEGIN")
        try:
            removed = self.db.executemany(
                "DELETE FROM thumbnails WHERE content = ? AND NOT EXISTS (SELECT 1 FROM"
                " catalog.embeddings e JOIN catalog.pictures p ON p.embedding = e.number"
                " WHERE e.content = thumbnails.content)",
                [(content,) for content in contents],
            ).rowcount
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        return removed

    def close(self) -> None:
        """Close the connection."""
        self.db.close()
