"""Photos that people share for a while: re-encoded, under a secret address, gone when it is over.

They lie in a database of their own in the index's folder, which all workers use and no backup
copies. What is deleted is overwritten, and nothing of it is written anywhere else (the journal is
in memory). Of the addresses only digests are kept: whoever reads the file cannot open them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app

from indexer.backup import SHARED
from indexer.errors import StorageError
from indexer.listing import Region
from indexer.storing import storing
from web.errors import NotAllowed, ShareGone

log = logging.getLogger(__name__)

HOUR = 3600

TOKEN_BYTES = 18
"""Random bytes of an address: 144 bits, 24 letters."""

MOST_BYTES = 256 * 2**20
"""What all shared photos may take together; the oldest go first."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS shared (
    number INTEGER PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    owner BLOB NOT NULL,
    photo BLOB NOT NULL,
    region TEXT NOT NULL,
    until REAL NOT NULL
)
"""

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Shared:
    """A photo that is shared.

    Attributes
    ----------
    token : str
        What its address ends with.
    photo : bytes
        A JPEG.
    region : Region or None
        The part of it that matters.
    until : datetime
        When it is deleted, in UTC.
    """

    token: str
    photo: bytes
    region: Region | None
    until: datetime


class Shares:
    """The shared photos of an index. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        The index's folder.
    hours : int
        How long a photo is kept; 0 shares none.
    most_bytes : int, optional
        What all photos may take together.
    """

    def __init__(self, folder: Path, hours: int, most_bytes: int = MOST_BYTES) -> None:
        self._path = folder / SHARED
        self.hours = hours
        self._most_bytes = most_bytes

    def add(self, photo: bytes, region: Region | None) -> tuple[Shared, str]:
        """Keep a photo.

        Parameters
        ----------
        photo : bytes
            A JPEG without metadata.
        region : Region or None
            The part of it that matters.

        Returns
        -------
        Shared
            It.
        str
            The secret by which its owner may delete it.

        Raises
        ------
        NotAllowed
            If this server shares none.
        StorageError
            If the disk is full, or may not be written to.
        """
        if not self.hours:
            raise NotAllowed("This server shares no photos.")
        token, owner = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
        until = time.time() + self.hours * HOUR
        with self._open() as db:
            _forget_expired(db)
            (taken,) = db.execute("SELECT coalesce(sum(length(photo)), 0) FROM shared").fetchone()
            while taken and taken + len(photo) > self._most_bytes:
                number, size = db.execute(
                    "SELECT number, length(photo) FROM shared ORDER BY number LIMIT 1"
                ).fetchone()
                db.execute("DELETE FROM shared WHERE number = ?", (number,))
                taken -= size
            db.execute(
                "INSERT INTO shared (token, owner, photo, region, until) VALUES (?, ?, ?, ?, ?)",
                (_digest(token), _digest(owner), photo, json.dumps(region), until),
            )
        return Shared(token, photo, region, _moment(until)), owner

    def get(self, token: str) -> Shared:
        """Return a photo.

        Raises
        ------
        ShareGone
            If its time is over, it was deleted, or there never was one.
        """
        row = self._row(token)
        if row is None:
            raise ShareGone(
                "This link has ended.",
                hint="A shared photo is kept for a while only; this one was deleted.",
            )
        photo, region, until, _ = row
        given = json.loads(region)
        return Shared(token, photo, tuple(given) if given else None, _moment(until))

    def is_owner(self, token: str, key: str) -> bool:
        """Whether a secret is the one that was given to whoever shared a photo."""
        row = self._row(token)
        return row is not None and hmac.compare_digest(row[3], _digest(key))

    def forget(self, token: str) -> None:
        """Delete a photo now."""
        with self._open() as db:
            db.execute("DELETE FROM shared WHERE token = ?", (_digest(token),))

    def forget_expired(self) -> None:
        """Delete the photos whose time is over; all of them where none are shared any more."""
        if self._path.exists():
            with self._open() as db:
                _forget_expired(db)
                if not self.hours:
                    db.execute("DELETE FROM shared")

    def _row(self, token: str) -> tuple[bytes, str, float, bytes] | None:
        if not self._path.exists():
            return None
        with self._open() as db:
            _forget_expired(db)
            row: tuple[bytes, str, float, bytes] | None = db.execute(
                "SELECT photo, region, until, owner FROM shared WHERE token = ?", (_digest(token),)
            ).fetchone()
        return row

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Lend the database for one transaction."""
        with storing(self._path):
            # For nobody else on this machine to read; SQLite would make it readable.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            try:
                with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                    db.execute("PRAGMA secure_delete = ON")
                    db.execute("PRAGMA journal_mode = MEMORY")
                    db.execute("PRAGMA auto_vacuum = FULL")
                    db.execute("BEGIN IMMEDIATE")
                    db.execute(SCHEMA)
                    yield db
                    db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF in DAMAGED:
                    log.warning("%s is damaged (%s), and is begun anew.", self._path, error)
                    self._path.unlink(missing_ok=True)
                    raise StorageError.of(error, self._path) from error
                raise


def current_shares() -> Shares:
    """Return the shared photos of the application that handles this request."""
    shares: Shares = current_app.extensions["lookalike.shares"]
    return shares


def _forget_expired(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM shared WHERE until <= ?", (time.time(),))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
