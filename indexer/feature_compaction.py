"""Features of pictures that are gone leave the feature file, beside writers that go on.

What no picture uses is deleted from the catalogue, and the file's last rows are moved into the
holes. Each step is a short transaction; whatever is written into a hole is written before the
transaction that names it, so that a crash at any point loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.features import FeatureFile, feature_file
from indexer.progress import Progress

AT_ONCE = 1000
"""Rows moved or deleted in one transaction: writers wait for no more than that."""

LOOKED_AT = 50_000
"""Rows looked at in one statement, so that the log of a busy catalogue can be folded in."""


def compact_features(folder: Path, catalog: Catalog, progress: Progress) -> tuple[int, int]:
    """Delete unused features and close the gaps; for who holds the writer's lease.

    Returns
    -------
    deleted, moved : int
        In rows.
    """
    deleted = 0
    for unused in _unused(catalog):
        for start in range(0, len(unused), AT_ONCE):
            deleted += _delete(catalog, unused[start : start + AT_ONCE])
    file = feature_file(folder, catalog)
    holes = _holes(catalog)
    moved = 0
    if len(holes):
        with progress.track("Closing gaps", len(holes), "pictures") as advance:
            for start in range(0, len(holes), AT_ONCE):
                some = holes[start : start + AT_ONCE]
                count = _fill(catalog, file, some)
                moved += count
                advance(len(some))
                if count < len(some):
                    break
    with catalog.writing():  # appending takes a transaction too
        rows = _end(catalog)
        if rows < int(catalog.meta("rows") or 0):  # the last ones were unused, or a crash left it
            catalog.set_meta("rows", str(rows))
            _count_move(catalog)
    _cut(catalog, file)
    return deleted, moved


def _cut(catalog: Catalog, file: FeatureFile) -> None:
    """Shorten the file to what the catalogue has committed."""
    with catalog.writing():
        file.shorten(int(catalog.meta("rows") or 0))


def _unused(catalog: Catalog) -> Iterator[list[int]]:
    last = -1
    while True:
        (end,) = catalog.db.execute(
            "SELECT max(number) FROM (SELECT number FROM embeddings WHERE number > ?"
            " ORDER BY number LIMIT ?)",
            (last, LOOKED_AT),
        ).fetchone()
        if end is None:
            return
        rows = catalog.db.execute(
            "SELECT number FROM embeddings e WHERE number > ? AND number <= ? AND NOT EXISTS"
            " (SELECT 1 FROM pictures p WHERE p.embedding = e.number)",
            (last, end),
        )
        yield [int(row[0]) for row in rows]
        last = end


def _delete(catalog: Catalog, numbers: list[int]) -> int:
    """Delete those that are still unused."""
    with catalog.writing():
        return catalog.db.executemany(
            "DELETE FROM embeddings WHERE number = ? AND NOT EXISTS"
            " (SELECT 1 FROM pictures p WHERE p.embedding = embeddings.number)",
            [(number,) for number in numbers],
        ).rowcount


def _holes(catalog: Catalog) -> NDArray[np.int64]:
    """Return the rows that nothing refers to, in order. Nobody but the lease's holder fills one."""
    rows = int(catalog.meta("rows") or 0)
    free = np.ones(rows, bool)
    for start in range(0, rows, LOOKED_AT):
        numbers = catalog.db.execute(
            "SELECT number FROM embeddings WHERE number >= ? AND number < ?",
            (start, min(rows, start + LOOKED_AT)),
        )
        free[np.fromiter((row[0] for row in numbers), np.int64)] = False
    return np.flatnonzero(free)


def _fill(catalog: Catalog, file: FeatureFile, holes: NDArray[np.int64]) -> int:
    """Move the last rows into holes that lie before them; return how many there were."""
    found = catalog.db.execute(
        "SELECT number FROM embeddings ORDER BY number DESC LIMIT ?", (len(holes),)
    )
    last = np.fromiter((row[0] for row in found), np.int64)
    holes = holes[: len(last)]
    earlier = holes < last
    holes, last = holes[earlier], last[earlier]
    if not len(holes):
        return 0
    file.move(last, holes)
    pairs = list(zip(holes.tolist(), last.tolist(), strict=True))
    with catalog.writing():
        # Pictures name the new row only after it is there, and the old one is gone by then.
        catalog.db.execute("PRAGMA defer_foreign_keys = ON")
        catalog.db.executemany("UPDATE embeddings SET number = ? WHERE number = ?", pairs)
        catalog.db.executemany("UPDATE pictures SET embedding = ? WHERE embedding = ?", pairs)
        catalog.set_meta("rows", str(_end(catalog)))
        _count_move(catalog)
    return len(holes)


def _end(catalog: Catalog) -> int:
    """Return how many rows the file needs."""
    (last,) = catalog.db.execute("SELECT max(number) FROM embeddings").fetchone()
    return 0 if last is None else int(last) + 1


def _count_move(catalog: Catalog) -> None:
    catalog.db.execute("UPDATE meta SET value = value + 1 WHERE key = 'moves'")
