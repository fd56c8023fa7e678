"""Everything that can go wrong and be put right by the person who asked.

    LookalikeError
    ├── UsageError             the options contradict each other or ask for the impossible
    ├── SourceError            the catalogue cannot be read, or a line of it is wrong
    │   └── DuplicateListing   two lines claim one listing id
    ├── PictureError           a picture cannot be used
    │   ├── PictureTooLarge    it is over the byte or pixel cap
    │   └── PictureTypeError   it is not a picture, or of a kind that is not supported
    ├── QueryError             a search asks for something that cannot be answered
    │   ├── ListingNotFound    no listing has this id
    │   └── CursorExpired      a page was asked for that this index cannot continue
    ├── NetworkError           the network's weights or its converted model cannot be had
    │   ├── WeightsUnavailable no weights could be found or fetched
    │   └── NetworkMismatch    the index was made with another network
    │       └── IndexReplaced  such an index took the place of the one that was opened
    ├── IndexUnusable            the index on disk cannot be used
    │   ├── IndexNotReady      there is none yet, or nothing in it yet
    │   ├── IndexDamaged       a file is missing, cut short or altered
    │   ├── IndexVersionError  it was written by a newer Lookalike
    │   ├── IndexBusy          another process holds the writer's lease
    │   └── StorageError       the disk is full, or may not be written to
    ├── ClusterError           the Ray cluster cannot be reached, or a node cannot do its part
    └── MissingExtra           an optional package is needed and not installed

Each has a `code` for programs, a message and a `hint` for people, the HTTP `status` that the API
answers with, and the command line's `exit_code`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import ClassVar


class LookalikeError(Exception):
    """An error that is reported in words, without a traceback.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    hint : str, optional
        What to do about it, in one sentence.
    """

    code = "error"
    status = 500
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(LookalikeError):
    """The options contradict each other or ask for the impossible."""

    code = "bad_request"
    status = 422
    exit_code = 2


class SourceError(LookalikeError):
    """The catalogue cannot be read, or a line of it is wrong."""

    code = "bad_catalogue"
    status = 422

    parts: tuple[SourceError, ...] = ()
    """The errors that this one tells together, where there are several."""


class DuplicateListing(SourceError):
    """Two lines of the catalogue claim one listing id."""

    code = "duplicate_listing"


class PictureError(LookalikeError):
    """A picture cannot be used; the message is the reason, fit to stand in a report."""

    code = "bad_picture"
    status = 422


class PictureTooLarge(PictureError):
    """A picture is over the byte or pixel cap."""

    code = "picture_too_large"
    status = 413


class PictureTypeError(PictureError):
    """The bytes are no picture, or one of a kind that is not supported."""

    code = "unsupported_type"
    status = 415


class QueryError(LookalikeError):
    """A search asks for something that cannot be answered."""

    code = "bad_query"
    status = 422
    exit_code = 2


class ListingNotFound(QueryError):
    """No listing has this id."""

    code = "listing_not_found"
    status = 404
    exit_code = 1


class CursorExpired(QueryError):
    """A page was asked for that this index cannot continue: its vectors are others now."""

    code = "cursor_expired"
    status = 410
    exit_code = 1


class NetworkError(LookalikeError):
    """The network's weights or its converted model cannot be had."""

    code = "network_error"
    status = 503


class WeightsUnavailable(NetworkError):
    """No weights could be found or fetched."""

    code = "weights_unavailable"


class NetworkMismatch(NetworkError):
    """The index was made with another network than the one that is asked for."""

    code = "network_mismatch"
    status = 409


class IndexReplaced(NetworkMismatch):
    """An index made with another network took the place of the one that was opened."""

    code = "index_replaced"
    status = 503


class IndexUnusable(LookalikeError):
    """The index on disk cannot be used."""

    code = "index_error"
    status = 503


class IndexNotReady(IndexUnusable):
    """There is no index yet, or nothing in it yet."""

    code = "index_not_ready"


class IndexDamaged(IndexUnusable):
    """A file of the index is missing, cut short or altered."""

    code = "index_damaged"


class IndexVersionError(IndexUnusable):
    """The index was written by a newer Lookalike."""

    code = "index_too_new"


class IndexBusy(IndexUnusable):
    """Another process holds the writer's lease."""

    code = "index_busy"
    status = 409


class StorageError(IndexUnusable):
    """The disk is full, or may not be written to; what was there is as it was."""

    code = "storage_error"
    status = 507

    SQLITE: ClassVar = (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
    )
    """SQLite's codes that mean this."""

    @classmethod
    def of(cls, error: OSError | sqlite3.Error, path: Path | None = None) -> StorageError:
        """Put what the system said in words."""
        said = getattr(error, "strerror", None) or str(error)
        where = f" to {path}" if path is not None else ""
        return cls(
            f"The index cannot be written{where}: {said}.",
            hint="See to free space and to the right to write there; nothing was lost, and what"
            " was published before is still served.",
        )


class ClusterError(LookalikeError):
    """The Ray cluster cannot be reached, or a node of it cannot do its part."""

    code = "cluster_error"
    status = 503


class MissingExtra(LookalikeError):
    """An optional package is needed and not installed.

    Parameters
    ----------
    need : str
        What needs it, for example ``"HEIC pictures"``.
    extra : str
        The extra of this project that brings it, for example ``"heic"``.
    """

    code = "missing_extra"
    status = 501

    def __init__(self, need: str, extra: str) -> None:
        super().__init__(
            f"{need} need{'s' if not need.endswith('s') else ''} the optional packages of the"
            f" '{extra}' extra.",
            hint=f"Install them with: pip install 'lookalike[{extra}]'",
        )
