"""Pictures that were given to the index itself, kept in it by content hash.

pictures/ab/abcdef...   the encoded bytes, as they were given
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from indexer.errors import PictureError, StorageError
from indexer.files import sync_folder
from indexer.listing import Picture
from indexer.sources import read_picture

SCHEME = "stored:"
FOLDER = "pictures"


def is_stored(uri: str) -> bool:
    """Tell whether a picture is kept in the index itself."""
    return uri.startswith(SCHEME)


def stored_uri(content: str) -> str:
    """Return the URI of a kept picture, by the SHA-256 of its bytes."""
    return SCHEME + content


def stored_path(index: Path, uri: str) -> Path:
    """Return where a kept picture lies."""
    content = uri.removeprefix(SCHEME)
    return index / FOLDER / content[:2] / content


def keep(index: Path, content: str, data: bytes) -> str:
    """Keep a picture durably and return its URI.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    uri = stored_uri(content)
    path = stored_path(index, uri)
    try:
        if not _touched(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)
        # Also where it is there already: who put it there may have died before its name was safe.
        for folder in (path.parent, path.parent.parent, index):
            sync_folder(folder)
    except OSError as error:
        raise StorageError.of(error, path) from error
    return uri


def is_kept(index: Path, uri: str) -> bool:
    """Tell whether a picture is there, if it is one that is kept in the index."""
    return not is_stored(uri) or stored_path(index, uri).is_file()


def _touched(path: Path) -> bool:
    """Let tidying up know that a file is about to be named; False where there is none."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    # Threads of one process may keep the same picture at the same time.
    aside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise


def read_any(index: Path, picture: Picture, *, max_bytes: int) -> bytes:
    """Read a picture's bytes, wherever it is.

    Raises
    ------
    PictureError
        If it cannot be read, or is larger than `max_bytes`.
    """
    if not is_stored(picture.uri):
        return read_picture(picture, max_bytes=max_bytes)
    try:
        return stored_path(index, picture.uri).read_bytes()
    except OSError as error:
        raise PictureError(
            f"could not be read from the index: {error.strerror or error}",
            hint="Give the listing its picture again.",
        ) from error
