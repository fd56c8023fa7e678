"""Opening the catalogue database: made where there is none, migrated where it is older."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from indexer.catalog_schema import SCHEMA, VERSION, upgrade
from indexer.connecting import connect
from indexer.errors import IndexDamaged, IndexVersionError, StorageError
from indexer.files import sync_file, sync_folder

WAIT_SECONDS = 30.0
"""How long a writer waits for its turn."""

SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is removed is not to be read in the file
)


def open_database(path: Path) -> sqlite3.Connection:
    """Open a catalogue database of this version, made or migrated if need be.

    Where its folder may not be written to, it can be read and not changed.

    Raises
    ------
    IndexVersionError
        If a newer Lookalike wrote it.
    IndexDamaged
        If it is no SQLite database.
    StorageError
        If it cannot be made or migrated.
    """
    try:
        db = _connected(path)
        try:
            db.row_factory = sqlite3.Row
            _migrate(db, path)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in StorageError.SQLITE:
            raise StorageError.of(error, path) from error
        raise _damaged(path, error) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    return db


def _connected(path: Path) -> sqlite3.Connection:
    try:
        db = connect(path, timeout=WAIT_SECONDS)
        try:
            for setting in SETTINGS:
                db.execute(setting)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        kind = error.sqlite_errorcode & 0xFF
        if kind not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not path.exists():
            raise
        # SQLite would write beside it even to read it. Where it cannot, nobody else does either.
        return connect(path, address=f"{path.absolute().as_uri()}?mode=ro&immutable=1")
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version = _version(db)
    if version > VERSION:
        raise IndexVersionError(
            f"{path} was written by a newer Lookalike (format {version}, this one knows"
            f" {VERSION}).",
            hint="Upgrade with: pip install --upgrade lookalike",
        )
    if version == VERSION:
        return
    if version:
        _back_up(db, path.with_name(f"{path.name}.v{version}.bak"))
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while this one waited for its turn.
        version = _version(db)
        if version == 0:
            for statement in SCHEMA:
                db.execute(statement)
        elif version < VERSION:
            upgrade(db, version)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _back_up(db: sqlite3.Connection, path: Path) -> None:
    """Copy the database before it is changed; a copy that is there is never overwritten."""
    if path.exists():
        return
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    copy = sqlite3.connect(aside)
    try:
        db.backup(copy)
    finally:
        copy.close()
    sync_file(aside)
    aside.replace(path)
    sync_folder(path.parent)


def _damaged(path: Path, error: sqlite3.Error) -> IndexDamaged:
    return IndexDamaged(
        f"{path} cannot be used ({error}).",
        hint="Restore it from a backup, or index again into another folder.",
    )
