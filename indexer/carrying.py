"""What services wrote to an index while another was built that is to take its place.

The other began as a copy of the catalogue, so a listing that was there then has the same number in
both. What came later is known by its id.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from indexer.apply import BATCH, put_pictures
from indexer.catalog import DATABASE, Catalog
from indexer.stored import is_stored, stored_path

_FIELDS = ("title", "category", "price", "currency", "url", "attributes", "origin")

CARRIED = "CREATE TABLE IF NOT EXISTS carried (number INTEGER PRIMARY KEY, id TEXT NOT NULL)"
"""Listings that the copy did not have, by their number in the index that is replaced."""


class Carrier:
    """Carries over what was written to an index.

    Parameters
    ----------
    old, new : Path
        The folders of the index that is replaced, and of the one that was copied from it.
    copied : int
        The change number up to which it was copied.
    last : int
        The highest number that a listing had then.
    """

    def __init__(self, old: Path, new: Path, copied: int, last: int) -> None:
        self.old = old
        self.new = new
        self.copied = copied
        self.last = last

    def carry(self, catalog: Catalog) -> int:
        """Carry over what was written since the last time; return how many listings.

        Pictures that are new are pending then, and their files are there.

        Parameters
        ----------
        catalog : Catalog
            Of the new index.
        """
        catalog.db.execute("ATTACH ? AS old", (str(self.old / DATABASE),))
        try:
            since = int(catalog.meta("carried") or self.copied)
            # What is written from here on is seen by the next call, and may be by this one too.
            until = _change(catalog.db)
            count = self._remove(catalog) + self._write(catalog, since)
            with catalog.writing():
                catalog.set_meta("carried", str(until))
            return count
        finally:
            catalog.db.execute("DETACH old")

    def link_pictures(self) -> None:
        """Bring over every picture that the index itself keeps."""
        for path in (self.old / "pictures").glob("??/*"):
            if len(path.name) == 64:  # and no file that is only being written
                _link(path, self.new / path.relative_to(self.old))

    def _remove(self, catalog: Catalog) -> int:
        gone = [
            *_pages(
                catalog.db,
                "SELECT number, number AS place FROM main.listings WHERE number > ? AND number <="
                f" {self.last} AND number NOT IN (SELECT number FROM old.listings)",
            ),
            *_pages(
                catalog.db,
                "SELECT l.number, c.number AS place FROM carried c"
                " JOIN main.listings l ON l.id = c.id WHERE c.number > ?"
                " AND c.number NOT IN (SELECT number FROM old.listings)",
            ),
        ]
        for page in gone:
            with catalog.writing():
                catalog.next_change()
                catalog.db.executemany(
                    "DELETE FROM main.listings WHERE number = ?", [(row["number"],) for row in page]
                )
        with catalog.writing():
            catalog.db.execute(
                "DELETE FROM carried WHERE number NOT IN (SELECT number FROM old.listings)"
            )
        return sum(map(len, gone))

    def _write(self, catalog: Catalog, since: int) -> int:
        count = 0
        for page in _pages(
            catalog.db,
            "SELECT *, number AS place FROM old.listings WHERE number > ?"
            f" AND change > {since} AND written > {since}",
        ):
            # Their files first: what names them must find them.
            pictures = {row["number"]: self._pictures(catalog.db, row["number"]) for row in page}
            with catalog.writing():
                change = catalog.next_change()
                for row in page:
                    number = _write(catalog.db, row, change)
                    put_pictures(catalog.db, number, pictures[row["number"]], change)
                    if row["number"] > self.last:
                        catalog.db.execute(
                            "INSERT OR REPLACE INTO carried VALUES (?, ?)",
                            (row["number"], row["id"]),
                        )
            count += len(page)
        return count

    def _pictures(self, db: sqlite3.Connection, listing: int) -> list[tuple[str, str, str]]:
        rows = db.execute(
            "SELECT uri, region, version FROM old.pictures WHERE listing = ? ORDER BY position",
            (listing,),
        ).fetchall()
        for row in rows:
            if is_stored(row["uri"]):
                _link(stored_path(self.old, row["uri"]), stored_path(self.new, row["uri"]))
        return [tuple(row) for row in rows]


def _change(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT value FROM old.meta WHERE key = 'change'").fetchone()[0])


def _pages(db: sqlite3.Connection, sql: str) -> Iterator[list[sqlite3.Row]]:
    last = 0
    while page := db.execute(f"{sql} ORDER BY place LIMIT {BATCH}", (last,)).fetchall():
        yield page
        last = page[-1]["place"]


def _write(db: sqlite3.Connection, row: sqlite3.Row, change: int) -> int:
    """Write a listing's fields; what the new index knows of its catalogue's line stays."""
    fields = [row[name] for name in _FIELDS]
    known = db.execute("SELECT number FROM main.listings WHERE id = ?", (row["id"],)).fetchone()
    if known is None:
        added = db.execute(
            "INSERT INTO main.listings (title, category, price, currency, url, attributes, origin,"
            " id, digest, change, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, row["id"], row["digest"], change, change),
        ).lastrowid
        return int(added or 0)
    db.execute(
        "UPDATE main.listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
        " attributes = ?, origin = ?, change = ?, written = ? WHERE number = ?",
        (*fields, change, change, known["number"]),
    )
    return int(known["number"])


def _link(source: Path, target: Path) -> None:
    """Bring a file that never changes over; one that is gone will be reported when it is read."""
    if target.exists() or not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        aside = target.with_name(target.name + ".part")
        shutil.copyfile(source, aside)
        aside.replace(target)
