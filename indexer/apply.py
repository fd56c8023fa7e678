"""Taking a staged catalogue over into the real one, in transactions of a few hundred listings.

Between two of them others may write. What they wrote since the catalogue began to be read is newer
than what it says, and stays.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from indexer.catalog import FAILED, PENDING, Catalog
from indexer.progress import Progress
from indexer.staging import HALF, REMOVED, Staged
from indexer.versions import is_of_url

BATCH = 500
"""Listings that a transaction takes over."""

PAUSE = 0.5
"""How long nobody writes after a transaction, as a share of its length. SQLite has no queue: who
waits looks again every 0.1 s at the latest, and would never find the catalogue free."""

LONGEST_PAUSE = 0.05

# Looked for outside of the transactions: among a million lines that did not change, it takes long.
_DIFFERING = """
SELECT s.number, l.number AS known FROM lines s LEFT JOIN listings l ON l.id = s.id
WHERE s.number > ? AND (l.digest IS NULL OR l.digest <> s.digest)
ORDER BY s.number LIMIT ?
"""
_LINE = """
SELECT s.*, l.number AS held, l.digest AS taken_over, l.written,
    EXISTS (SELECT 1 FROM staged.before b WHERE b.id = s.id) AS before
FROM lines s LEFT JOIN listings l ON l.id = s.id WHERE s.number = ?
"""


def apply_staged(catalog: Catalog, staged: Staged, progress: Progress) -> None:
    """Add, change and remove listings so that the catalogue says what was staged.

    Pictures that are new or changed become pending; the others keep their features.
    """
    plan = staged.plan
    with progress.track("Comparing", plan.added + plan.changed, "listings") as advance:
        last = 0
        while rows := catalog.db.execute(_DIFFERING, (last, BATCH)).fetchall():
            with _turn(catalog) as change:
                if not last:  # with the first listing that has them, or before
                    catalog.record_types(staged.types)
                for row in rows:
                    _take_over(catalog.db, row["number"], row["known"], change, staged.since)
            last = rows[-1]["number"]
            advance(len(rows))
    if plan.removed:
        _remove(catalog, staged, progress)


def retry_failed(catalog: Catalog) -> int:
    """Make every rejected picture pending again; return how many."""
    with catalog.writing():
        change = catalog.next_change()
        return catalog.db.execute(
            "UPDATE pictures SET state = ?, reason = '', change = ? WHERE state = ?",
            (PENDING, change, FAILED),
        ).rowcount


def put_pictures(
    db: sqlite3.Connection, listing: int, pictures: Sequence[Sequence[str]], change: int
) -> None:
    """Make a listing's pictures those given; what is new or changed becomes pending.

    Parameters
    ----------
    db : sqlite3.Connection
        In a transaction.
    listing : int
        Its number.
    pictures : sequence of (uri, region, version)
        An empty version, as of a URL, is that of the picture which is there already.
    change : int
        The transaction's change number.
    """
    known = {
        row["position"]: row
        for row in db.execute("SELECT * FROM pictures WHERE listing = ?", (listing,))
    }
    for position, (uri, region, version) in enumerate(pictures):
        row = known.pop(position, None)
        if row is None:
            db.execute(
                "INSERT INTO pictures (listing, position, uri, region, version, state, change)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (listing, position, uri, region, version, PENDING, change),
            )
        elif (row["uri"], row["region"]) != (uri, region) or version not in ("", row["version"]):
            # Its features stay until the new ones are there, so that it can still be found.
            db.execute(
                "UPDATE pictures SET uri = ?, region = ?, version = ?, state = ?,"
                " reason = '', change = ? WHERE number = ?",
                (uri, region, version, PENDING, change, row["number"]),
            )
        elif not version and not is_of_url(row["version"]):
            # Somebody gave the same URL; from now on it is the catalogue's, and its host is asked.
            db.execute("UPDATE pictures SET version = '' WHERE number = ?", (row["number"],))
    for row in known.values():
        db.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))


@contextmanager
def _turn(catalog: Catalog) -> Iterator[int]:
    """Run a block as one transaction with a change number, and let others have theirs."""
    with catalog.writing():
        started = time.monotonic()
        yield catalog.next_change()
    time.sleep(min(LONGEST_PAUSE, PAUSE * (time.monotonic() - started)))


def _take_over(
    db: sqlite3.Connection, line: int, known: int | None, change: int, since: int
) -> None:
    row = db.execute(_LINE, (line,)).fetchone()
    if row["held"] is None and (known is not None or row["before"]):
        return  # somebody removed it since the source began to be read
    if row["held"] is not None and row["written"] > since:
        # The newer write stays until this line changes once more.
        db.execute("UPDATE listings SET digest = ? WHERE number = ?", (row["digest"], row["held"]))
        return
    if row["held"] is not None and row["taken_over"][:HALF] == row["digest"][:HALF]:
        # Only its pictures changed, or where they lie: what services wrote to its fields stays.
        db.execute(
            "UPDATE listings SET origin = ?, digest = ?, change = ? WHERE number = ?",
            (row["origin"], row["digest"], change, row["held"]),
        )
        put_pictures(db, row["held"], json.loads(row["pictures"]), change)
        return
    fields = [
        row[name]
        for name in ("title", "category", "price", "currency", "url", "attributes", "origin")
    ]
    if row["held"] is None:
        listing = db.execute(
            "INSERT INTO listings (title, category, price, currency, url, attributes, origin,"
            " digest, change, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, row["digest"], change, row["id"]),
        ).lastrowid
    else:
        listing = row["held"]
        db.execute(
            "UPDATE listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
            " attributes = ?, origin = ?, digest = ?, change = ?, written = 0 WHERE number = ?",
            (*fields, row["digest"], change, listing),
        )
    put_pictures(db, int(listing or 0), json.loads(row["pictures"]), change)


def _remove(catalog: Catalog, staged: Staged, progress: Progress) -> None:
    last = 0
    with progress.track("Removing", staged.plan.removed, "listings") as advance:
        while rows := catalog.db.execute(
            f"SELECT l.number {REMOVED} AND l.written <= ? AND l.number > ?"
            " ORDER BY l.number LIMIT ?",
            (staged.since, last, BATCH),
        ).fetchall():
            numbers = [row["number"] for row in rows]
            with _turn(catalog):
                # Once more: somebody may have written to it since it was looked up.
                catalog.db.execute(
                    "DELETE FROM listings WHERE written <= ? AND digest <> x''"
                    " AND number IN (SELECT value FROM json_each(?))",
                    (staged.since, json.dumps(numbers)),
                )
            last = numbers[-1]
            advance(len(numbers))
