"""Taking a staged catalogue over into the real one, in transactions of a thousand listings."""

from __future__ import annotations

import json
import sqlite3

from indexer.catalog import FAILED, PENDING, Catalog
from indexer.progress import Progress
from indexer.staging import Plan

BATCH = 1000

CHANGED = """
SELECT s.*, l.number AS known FROM staged.listings s
LEFT JOIN main.listings l ON l.id = s.id
WHERE s.number > ? AND (l.digest IS NULL OR l.digest <> s.digest)
ORDER BY s.number LIMIT ?
"""


def apply_staged(catalog: Catalog, plan: Plan, progress: Progress) -> None:
    """Add, change and remove listings so that the catalogue says what was staged.

    Pictures that are new or changed become pending; the others keep their features.
    """
    with progress.track("Comparing", plan.added + plan.changed, "listings") as advance:
        last = 0
        while rows := catalog.db.execute(CHANGED, (last, BATCH)).fetchall():
            with catalog.writing():
                change = catalog.next_change()
                for row in rows:
                    _take_over(catalog.db, row, change)
            last = rows[-1]["number"]
            advance(len(rows))
    if plan.removed:
        with catalog.writing():
            catalog.next_change()
            catalog.db.execute(
                "DELETE FROM main.listings WHERE id NOT IN (SELECT id FROM staged.listings)"
            )


def retry_failed(catalog: Catalog) -> int:
    """Make every rejected picture pending again; return how many."""
    with catalog.writing():
        change = catalog.next_change()
        return catalog.db.execute(
            "UPDATE pictures SET state = ?, reason = '', change = ? WHERE state = ?",
            (PENDING, change, FAILED),
        ).rowcount


def _take_over(db: sqlite3.Connection, row: sqlite3.Row, change: int) -> None:
    fields = [
        row[name]
        for name in ("title", "category", "price", "currency", "url", "attributes", "origin")
    ]
    if row["known"] is None:
        listing = db.execute(
            "INSERT INTO main.listings (title, category, price, currency, url, attributes, origin,"
            " digest, change, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, row["digest"], change, row["id"]),
        ).lastrowid
    else:
        listing = row["known"]
        db.execute(
            "UPDATE main.listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
            " attributes = ?, origin = ?, digest = ?, change = ? WHERE number = ?",
            (*fields, row["digest"], change, listing),
        )
    _take_over_pictures(db, int(listing or 0), json.loads(row["pictures"]), change)


def _take_over_pictures(
    db: sqlite3.Connection, listing: int, staged: list[list[str]], change: int
) -> None:
    known = {
        row["position"]: row
        for row in db.execute("SELECT * FROM main.pictures WHERE listing = ?", (listing,))
    }
    for position, (uri, region, version) in enumerate(staged):
        row = known.pop(position, None)
        if row is None:
            db.execute(
                "INSERT INTO main.pictures (listing, position, uri, region, version, state, change)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (listing, position, uri, region, version, PENDING, change),
            )
        elif (row["uri"], row["region"], row["version"]) != (uri, region, version):
            # Its features stay until the new ones are there, so that it can still be found.
            db.execute(
                "UPDATE main.pictures SET uri = ?, region = ?, version = ?, state = ?,"
                " reason = '', change = ? WHERE number = ?",
                (uri, region, version, PENDING, change, row["number"]),
            )
    for row in known.values():
        db.execute("DELETE FROM main.pictures WHERE number = ?", (row["number"],))
