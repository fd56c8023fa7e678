"""Two folders change names in one step, so that nobody ever finds neither."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from indexer.errors import StorageError
from indexer.files import sync_folder

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE
_UNKNOWN = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def swap(one: Path, other: Path) -> bool:
    """Exchange the names of two folders that lie beside one another, durably.

    Returns
    -------
    bool
        Whether it was one step. Where the system cannot do that, it is two, and for an instant
        there is no `one`; `put_back` mends what a crash leaves then.

    Raises
    ------
    StorageError
        If the folder may not be written to. Nothing has changed then.
    """
    try:
        exchanged = _exchange(one, other)
        if not exchanged:
            _rename_in_turn(one, other)
        sync_folder(one.parent)
    except OSError as error:
        raise StorageError.of(error, one.parent) from error
    return exchanged


def put_back(one: Path) -> None:
    """Give a folder its name again that a crash in `swap` left without it."""
    if not one.exists() and _aside(one).is_dir():
        _aside(one).rename(one)
        sync_folder(one.parent)


def _aside(one: Path) -> Path:
    return one.with_name(one.name + ".swapped")


def _rename_in_turn(one: Path, other: Path) -> None:
    one.rename(_aside(one))
    try:
        other.rename(one)
    except OSError:
        _aside(one).rename(one)
        raise
    _aside(one).rename(other)


def _exchange(one: Path, other: Path) -> bool:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(one))
