"""A backup becomes the index again, in place of another if that is meant."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.backup import BackedUp, copied_aside, require_empty
from indexer.catalog import DATABASE
from indexer.errors import IndexBusy
from indexer.files import sync_folder
from indexer.lease import writer_lease
from indexer.progress import SILENT, Progress
from indexer.storing import storing
from indexer.thumbnails import THUMBNAILS

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    said : BackedUp
        What the index holds now.
    kept : Path or None
        Where the index lies that was there before.
    """

    said: BackedUp
    kept: Path | None


def restore(
    backup: Path, folder: Path, *, replace: bool = False, progress: Progress = SILENT
) -> Restored:
    """Copy a backup to `folder` and check the copy.

    An index that is there is put aside, if it may be replaced and nobody has it open.

    Raises
    ------
    UsageError
        If there is something in `folder` already, and it may not be replaced.
    IndexNotReady
        If there is no backup.
    IndexDamaged
        If the backup is not sound. Nothing was changed then.
    IndexBusy
        If the index that is there is in use.
    StorageError
        If the disk is full, or may not be written to.
    """
    hint = "To put the backup in its place, add --replace; what is there is kept beside it."
    if not replace:
        require_empty(folder, hint)
    with copied_aside(backup, folder, thumbnails=True, progress=progress) as (aside, said):
        kept = None
        with storing(folder.parent):
            if (folder / DATABASE).exists():
                kept = _swap(aside, folder)
            else:
                require_empty(folder, hint)
                aside.replace(folder)
            sync_folder(folder.parent)
        return Restored(said, kept)


def _swap(aside: Path, folder: Path) -> Path:
    """Put `aside` in the place of `folder` in one step; return where that lies now."""
    kept = _free(folder)
    with writer_lease(folder), _closed(folder / THUMBNAILS), _closed(folder / DATABASE) as db:
        if db is not None:
            # A writer that has opened it since then is told so instead of writing into the void.
            db.execute("INSERT OR REPLACE INTO meta VALUES ('replaced', '1')")
        if _exchanged(aside, folder):
            aside.rename(kept)
        else:
            folder.rename(kept)
            aside.rename(folder)
    return kept


def _free(folder: Path) -> Path:
    """Return a name beside `folder` that nothing has yet."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    kept, turn = folder.absolute().with_name(f"{folder.name}.before-{stamp}"), 1
    while kept.exists():
        turn += 1
        kept = kept.with_name(f"{folder.name}.before-{stamp}-{turn}")
    return kept


@contextmanager
def _closed(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Hold a database that nobody else has open; None where there is none.

    SQLite removes a database's log by the name that it once opened it with. Were another database
    of that name there by then, that would lose its log.

    Raises
    ------
    IndexBusy
        If anybody has it open.
    """
    if not path.exists():
        yield None
        return
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as db:
        try:
            # Only the one who is alone with it may leave the log out. And without a journal on
            # the disk, nothing of it is left in the folder that takes its place.
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise IndexBusy(
                f"The index in {path.parent} is in use.",
                hint="Stop the server and whatever else uses it, and try again.",
            ) from error
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done = rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    return bool(done == 0)
