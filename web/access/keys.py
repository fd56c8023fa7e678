"""Keys: who may do what, kept hashed in one file that servers follow while it changes.

A key is ``lk_``, an id of 8 hexadecimal digits, ``_`` and 256 random bits. The file has its SHA-256
and not the key: a slow hash is for passwords that people think up, and nobody guesses 256 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from web.access.key_shape import SHAPE
from web.errors import KeysUnreadable

log = logging.getLogger(__name__)

Scope: TypeAlias = Literal["read", "write", "admin"]

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""What a key may do; each may do what those before it may."""

RATE: Final = re.compile(r"[1-9][0-9]{0,8} per (second|minute|hour|day)")

RATE_OR_OFF: Final = re.compile(f"off|{RATE.pattern}")

NOBODY: Final = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
"""What a key of an unknown id is compared with, so that ids cannot be told apart by time."""


class Key(BaseModel):
    """A key as it is kept.

    Attributes
    ----------
    id : str
        Names it, in public: 8 hexadecimal digits.
    name : str
        For people.
    scope : {"read", "write", "admin"}
        What it may do.
    sha256 : str
        Of the key itself, hexadecimal.
    made, expires : datetime
        With a time zone; None where it does not expire.
    rate : str or None
        How often it may search, where that is its own: ``1000 per minute``, or ``off``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    made: AwareDatetime
    expires: AwareDatetime | None = None
    rate: Annotated[str, Field(pattern=f"^({RATE_OR_OFF.pattern})$")] | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether its scope includes another."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    @property
    def expired(self) -> bool:
        """Whether it is out of date."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


class Keys(BaseModel):
    """All keys of a server, as they lie in the file.

    Attributes
    ----------
    version : int
        Of the file's format.
    secret : str
        What the cookies of people who signed in are signed with; empty where there is no file.
    keys : tuple of Key
        In the order in which they were made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    secret: Annotated[str, Field(min_length=40)]
    keys: tuple[Key, ...] = ()

    def by_id(self, id_: str) -> Key | None:
        """Return the key of an id, unless it is out of date."""
        found = next((key for key in self.keys if key.id == id_), None)
        return None if found is None or found.expired else found

    def known(self, text: str) -> Key | None:
        """Return the key that a text is, unless it is out of date; None where it is none."""
        shaped = SHAPE.fullmatch(text)
        found = self.by_id(shaped[1]) if shaped else None
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        same = hmac.compare_digest(digest, found.sha256 if found is not None else NOBODY)
        return found if same else None


NO_KEYS: Final = Keys(secret="-" * 40)


class KeyFile:
    """The keys of a file, read anew once it changes. Safe to use from several threads.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys = NO_KEYS
        self._error: KeysUnreadable | None = None

    def keys(self) -> Keys:
        """Return the keys as of now; none where there is no file.

        Raises
        ------
        KeysUnreadable
            If there is a file and it cannot be read: it never counts as none.
        """
        try:
            seen = _identity(self.path.stat())
        except FileNotFoundError:
            seen = ()
        except OSError:
            seen = (-1,)
        if seen != self._seen:
            with self._lock:
                self._take_up(seen)
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._keys

    def _take_up(self, seen: tuple[int, ...]) -> None:
        if seen == self._seen:  # another thread was faster
            return
        trouble = None
        try:
            self._keys = read_keys(self.path)
        except KeysUnreadable as error:
            trouble = error
        if trouble is not None:
            log.error("%s What needs a key is refused. %s", trouble.message, trouble.hint)
        self._error = trouble
        self._seen = seen


def keys_file(index: Path, given: Path | None) -> Path:
    """Return where the keys of an index's server are: beside it, where nothing else is said."""
    if given is not None:
        return given
    whole = index.absolute()
    return whole.with_name(f"{whole.name}.keys.json")


def read_keys(path: Path) -> Keys:
    """Read a file of keys; where there is none, there are none.

    Raises
    ------
    KeysUnreadable
        If it is damaged, of a newer version, or may not be read.
    """
    try:
        return Keys.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return NO_KEYS
    except OSError as error:
        raise KeysUnreadable(
            f"The keys in {path} cannot be read: {error.strerror}.",
            hint="Give the file to the user that the server runs as.",
        ) from error
    except ValidationError:
        # What pydantic says of it would show parts of the file.
        raise KeysUnreadable(
            f"The keys in {path} are damaged, or of a newer version.",
            hint="Put a copy back, or remove the file and make new keys.",
        ) from None


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_mtime_ns, found.st_size
