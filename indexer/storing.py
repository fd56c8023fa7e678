"""Writes that the disk refuses, put in words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import StorageError

REFUSED = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EFBIG,
    errno.EIO,
}
"""What the system says when a disk is full, broken or not to be written to."""

UNTOLD = ("requested and", "write error", "could not open")
"""What NumPy and FAISS say instead, without its number."""


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Run a block that writes to `path`.

    Raises
    ------
    StorageError
        If the disk is full, or may not be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno in REFUSED or (error.errno is None and _untold(error)):
            raise StorageError.of(error, path) from error
        raise
    except RuntimeError as error:  # FAISS has no other
        if _untold(error):
            raise StorageError.of(OSError(str(error)), path) from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in StorageError.SQLITE:
            raise StorageError.of(error, path) from error
        raise


def _untold(error: Exception) -> bool:
    return any(said in str(error) for said in UNTOLD)
