"""What services wrote to an index while another was built that is to take its place.

The other began as a copy of the catalogue, so a listing that was there then has the same number in
both. What came later is known by its id.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from indexer.apply import BATCH, put_pictures
from indexer.catalog import DATABASE, Catalog
from indexer.files import sync_file
from indexer.stored import is_stored, stored_path

_FIELDS = ("title", "category", "price", "currency", "url", "attributes", "origin")

CARRIED = "CREATE TABLE IF NOT EXISTS carried (number INTEGER PRIMARY KEY, id TEXT NOT NULL)"
"""Listings that the copy did not have, by their number in the index that is replaced."""

_GONE = """
SELECT number, number AS place FROM new.listings WHERE number > :after AND number <= :last
AND number NOT IN (SELECT number FROM old.listings) AND id NOT IN (SELECT id FROM old.listings)
ORDER BY number LIMIT :count
"""
_CARRIED_AND_GONE = """
SELECT l.number, c.number AS place FROM new.carried c JOIN new.listings l ON l.id = c.id
WHERE c.number > :after AND c.number NOT IN (SELECT number FROM old.listings)
AND c.id NOT IN (SELECT id FROM old.listings)
ORDER BY c.number LIMIT :count
"""
_WRITTEN = """
SELECT *, number AS place FROM old.listings
WHERE number > :after AND number IN
    (SELECT number FROM old.listings WHERE written > :since AND written > 0)
ORDER BY number LIMIT :count
"""


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
        with closing(_both(self.old, self.new)) as both:
            since = int(catalog.meta("carried") or self.copied)
            # What is written from here on is seen by the next call, and may be by this one too.
            until = _change(both)
            count = self._remove(both, catalog) + self._write(both, catalog, since)
            # After the listings, so that none was brought whose attributes have no type here.
            types = dict(map(tuple, both.execute("SELECT name, type FROM old.fields")))
        with catalog.writing():
            catalog.record_types(types)
            catalog.set_meta("carried", str(until))
        return count

    def link_pictures(self) -> None:
        """Bring over every picture that the index itself keeps."""
        for path in (self.old / "pictures").glob("??/*"):
            if len(path.name) == 64:  # and no file that is only being written
                _link(path, self.new / path.relative_to(self.old))

    def _remove(self, both: sqlite3.Connection, catalog: Catalog) -> int:
        count = 0
        for sql in (_GONE, _CARRIED_AND_GONE):
            for page in _pages(both, sql, last=self.last):
                with catalog.writing():
                    catalog.next_change()
                    catalog.db.executemany(
                        "DELETE FROM listings WHERE number = ?", [(row["number"],) for row in page]
                    )
                count += len(page)
        gone = both.execute(
            "SELECT number FROM new.carried WHERE number NOT IN (SELECT number FROM old.listings)"
        ).fetchall()
        with catalog.writing():
            catalog.db.executemany("DELETE FROM carried WHERE number = ?", map(tuple, gone))
        return count

    def _write(self, both: sqlite3.Connection, catalog: Catalog, since: int) -> int:
        count = 0
        for page in _pages(both, _WRITTEN, since=since):
            # Their files first: what names them must find them.
            pictures = {row["number"]: self._pictures(both, row["number"]) for row in page}
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

    def _pictures(self, both: sqlite3.Connection, listing: int) -> list[tuple[str, str, str]]:
        rows = both.execute(
            "SELECT uri, region, version FROM old.pictures WHERE listing = ? ORDER BY position",
            (listing,),
        ).fetchall()
        for row in rows:
            if is_stored(row["uri"]):
                _link(stored_path(self.old, row["uri"]), stored_path(self.new, row["uri"]))
        return [tuple(row) for row in rows]


def _both(old: Path, new: Path) -> sqlite3.Connection:
    """Read both catalogues in one query; a writer's transaction would lock what it reads too."""
    db = sqlite3.connect("file::memory:", uri=True, isolation_level=None)
    db.row_factory = sqlite3.Row
    for name, folder in (("old", old), ("new", new)):
        uri = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
        db.execute(f"ATTACH ? AS {name}", (uri,))
    return db


def _change(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT value FROM old.meta WHERE key = 'change'").fetchone()[0])


def _pages(db: sqlite3.Connection, sql: str, **values: int) -> Iterator[list[sqlite3.Row]]:
    after = 0
    while page := db.execute(sql, {"after": after, "count": BATCH, **values}).fetchall():
        yield page
        after = page[-1]["place"]


def _write(db: sqlite3.Connection, row: sqlite3.Row, change: int) -> int:
    """Write a listing's fields; what the new index knows of its catalogue's line stays."""
    fields = [row[name] for name in _FIELDS]
    known = db.execute("SELECT number FROM listings WHERE id = ?", (row["id"],)).fetchone()
    if known is None:
        added = db.execute(
            "INSERT INTO listings (title, category, price, currency, url, attributes, origin,"
            " id, digest, change, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, row["id"], row["digest"], change, change),
        ).lastrowid
        return int(added or 0)
    db.execute(
        "UPDATE listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
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
        sync_file(aside)
        aside.replace(target)
