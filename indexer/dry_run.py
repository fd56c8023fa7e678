"""What a sync would do, found without touching the index: its lease and files stay as they are."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from indexer.catalog import DATABASE, FAILED, PENDING
from indexer.catalog_opening import WAIT_SECONDS
from indexer.catalog_schema import SCHEMA, VERSION
from indexer.errors import IndexDamaged, IndexVersionError
from indexer.options import IndexOptions, Outlook, Report
from indexer.progress import Progress
from indexer.sources import Source
from indexer.staging import ADDED, CHANGED, REMOVED, STAGING, compare, read_lines
from indexer.versions import count_urls

FIRST = 10
"""Ids of each kind that are named."""

# A listing's picture that is not there as it was, at its place. A URL says nothing of itself.
_READ = """
EXISTS (SELECT 1 FROM json_each(s.pictures) j WHERE NOT EXISTS (
    SELECT 1 FROM pictures p WHERE p.listing = l.number AND p.position = j.key
    AND p.uri = j.value ->> 0 AND p.region = j.value ->> 1
    AND j.value ->> 2 IN ('', p.version)))
"""
_TO_READ = """
SELECT count(*) FROM lines s JOIN json_each(s.pictures) j LEFT JOIN listings l ON l.id = s.id
LEFT JOIN pictures p ON p.listing = l.number AND p.position = j.key AND p.uri = j.value ->> 0
    AND p.region = j.value ->> 1 AND j.value ->> 2 IN ('', p.version)
WHERE (l.digest IS NULL OR l.digest <> s.digest) AND p.number IS NULL
"""


def preview(folder: Path, source: Source, options: IndexOptions, progress: Progress) -> Report:
    """Say what a sync of `source` would do to the index in `folder`, which need not be there.

    Raises
    ------
    LookalikeError
        If the catalogue cannot be read, or the index cannot.
    """
    with (
        tempfile.TemporaryDirectory(prefix="lookalike-") as scratch,
        closing(_opened(Path(scratch) / STAGING, folder)) as db,
    ):
        read_lines(db, "main", source, progress)
        db.execute("BEGIN")  # one state of the index for all that is counted
        try:
            return _report(db, source, options)
        finally:
            db.execute("COMMIT")


def _opened(staging: Path, folder: Path) -> sqlite3.Connection:
    """Open an empty database beside the index's, or beside an empty one where there is none."""
    db = sqlite3.connect(staging, timeout=WAIT_SECONDS, isolation_level=None)
    db.row_factory = sqlite3.Row
    path = folder / DATABASE
    try:
        if path.is_file():
            db.execute("ATTACH ? AS indexed", (str(path),))
            _require_readable(db, path)
        else:
            for statement in SCHEMA:
                db.execute(statement)
    except sqlite3.DatabaseError as error:
        db.close()
        raise IndexDamaged(
            f"{path} cannot be used ({error}).",
            hint="Restore it from a backup, or index again into another folder.",
        ) from error
    except IndexVersionError:
        db.close()
        raise
    return db


def _require_readable(db: sqlite3.Connection, path: Path) -> None:
    version = int(db.execute("PRAGMA indexed.user_version").fetchone()[0])
    if version > VERSION:
        raise IndexVersionError(
            f"{path} was written by a newer Lookalike (format {version}, this one knows"
            f" {VERSION}).",
            hint="Upgrade with: pip install --upgrade lookalike",
        )


def _report(db: sqlite3.Connection, source: Source, options: IndexOptions) -> Report:
    def count(sql: str, *parameters: object) -> int:
        return int(db.execute(sql, parameters).fetchone()[0])

    def first(rows: str) -> tuple[str, ...]:
        return tuple(row[0] for row in db.execute(f"SELECT {rows} LIMIT {FIRST}"))

    plan = compare(db, source)
    states = (PENDING, FAILED) if options.retry_failed else (PENDING, PENDING)
    asked = options.check_urls or options.recheck_urls
    outlook = Outlook(
        plan.changed - count(f"SELECT count(*) {CHANGED} AND {_READ}"),
        count(_TO_READ) + count("SELECT count(*) FROM pictures WHERE state IN (?, ?)", *states),
        count_urls(db, "AND l.id IN (SELECT id FROM lines)") if asked else 0,
        {
            "added": first(f"s.id {ADDED} ORDER BY s.number"),
            "pictures_changed": first(f"s.id {CHANGED} AND {_READ} ORDER BY s.number"),
            "fields_changed": first(f"s.id {CHANGED} AND NOT {_READ} ORDER BY s.number"),
            "removed": first(f"l.id {REMOVED} ORDER BY l.number"),
        },
    )
    failed = count("SELECT count(*) FROM pictures WHERE state = ?", FAILED)
    bare = count("SELECT count(*) FROM lines WHERE pictures = '[]'")
    return Report(plan, None, failed, None, outlook=outlook, without_pictures=bare)
