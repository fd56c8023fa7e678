"""A small database in the work folder: which listings were written to which collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.catalog import Catalog

DUE = (
    "SELECT l.number FROM listings l LEFT JOIN pushed.listings p ON p.number = l.number"
    " WHERE l.number > ? AND (p.number IS NULL OR p.change < max(l.change,"
    " coalesce((SELECT max(change) FROM pictures WHERE listing = l.number), 0)))"
    " ORDER BY l.number LIMIT ?"
)

GONE = (
    "SELECT number, id, pictures FROM pushed.listings p WHERE NOT EXISTS"
    " (SELECT 1 FROM listings l WHERE l.number = p.number) LIMIT ?"
)


@contextmanager
def attached(catalog: Catalog, ledger: Path) -> Iterator[None]:
    """Attach the database that says what was written, making it where there is none."""
    catalog.db.execute("ATTACH ? AS pushed", (str(ledger),))
    catalog.db.execute(
        "CREATE TABLE IF NOT EXISTS pushed.listings"
        " (number INTEGER PRIMARY KEY, id TEXT NOT NULL, pictures INTEGER NOT NULL,"
        " change INTEGER NOT NULL)"
    )
    try:
        yield
    finally:
        catalog.db.execute("DETACH pushed")
