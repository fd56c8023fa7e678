"""Copying files durably, and databases while they are written to."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from indexer.connecting import connect
from indexer.files import sync_file, sync_folder
from indexer.progress import Advance

PIECE = 64 << 20
"""Bytes copied at once."""

PAGES = 4096
"""Pages of a database copied at once."""

UNSUPPORTED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
"""What the system says where it cannot copy by itself between two file systems."""


def copy_file(source: Path, target: Path, advance: Advance, size: int | None = None) -> None:
    """Copy a file, or its first `size` bytes, and make the copy durable.

    The system copies; where the file system can share blocks between files, it does.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    EOFError
        If it is shorter than `size`.
    """
    with source.open("rb") as read, target.open("wb") as written:
        left = os.fstat(read.fileno()).st_size if size is None else size
        while left:
            copied = _piece(read.fileno(), written.fileno(), min(left, PIECE))
            if not copied:
                if size is None:  # it was cut short meanwhile
                    break
                raise EOFError(f"{source} ends {left:,} bytes early")
            left -= copied
            advance(copied)
        os.fsync(written.fileno())


def _piece(read: int, written: int, size: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(read, written, size)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
    data = os.read(read, min(size, 1 << 20))
    view = memoryview(data)
    while view:
        view = view[os.write(written, view) :]
    return len(data)


def copy_database(source: Path, target: Path, advance: Advance) -> None:
    """Copy an SQLite database as it is at one moment, while others write to it, durably.

    Raises
    ------
    sqlite3.DatabaseError
        If it is damaged.
    """
    with closing(reading(source)) as read, closing(sqlite3.connect(target)) as written:
        # In a transaction that sees one state, so that no writer makes the copy begin anew.
        read.execute("BEGIN")
        (size,) = read.execute("PRAGMA page_size").fetchone()
        read.execute("SELECT count(*) FROM sqlite_master").fetchone()
        done = 0

        def told(_: int, remaining: int, total: int) -> None:
            nonlocal done
            advance((total - remaining - done) * size)
            done = total - remaining

        read.backup(written, pages=PAGES, progress=told)
    sync_file(target)


def reading(path: Path) -> sqlite3.Connection:
    """Open a database for reading, from a disk that may not be written to as well."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        return connect(path, address=address)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        # SQLite would write beside it even to read it. Where it cannot, nobody else does either.
        return connect(path, address=f"{address}&immutable=1")


def sync_tree(folder: Path) -> None:
    """Make the names in a folder and in those below it durable."""
    for below in sorted(path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(below)
    sync_folder(folder)
