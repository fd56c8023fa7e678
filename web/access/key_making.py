"""Making and revoking keys: the file is written whole, and by one command at a time."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from indexer.errors import UsageError
from indexer.files import sync_folder
from indexer.lease import locked
from web.access.key_shape import SHAPE
from web.access.keys import NO_KEYS, Key, Keys, Scope, read_keys
from web.errors import KeyNotFound

BITS: Final = 256


def add_key(
    path: Path, name: str, scope: Scope, expires: datetime | None = None, rate: str | None = None
) -> tuple[Key, str]:
    """Make a key, and return it as it is kept and as it is given away.

    Raises
    ------
    UsageError
        If there is a key of that name, or it is no name.
    KeysUnreadable
        If those that there are cannot be read; nothing has changed then.
    """
    with locked(_lock_of(path)):
        there = read_keys(path)
        if any(key.name == name for key in there.keys):
            raise UsageError(
                f"There is a key of the name {name!r}.",
                hint="Choose another name, or revoke that one first.",
            )
        id_ = _new_id(there)
        text = f"lk_{id_}_{secrets.token_urlsafe(BITS // 8)}"
        try:
            key = Key(
                id=id_,
                name=name,
                scope=scope,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
                made=datetime.now(UTC).replace(microsecond=0),
                expires=expires,
                rate=rate,
            )
        except ValidationError:
            raise UsageError("A key's name has 1 to 100 characters.") from None
        secret = secrets.token_urlsafe(BITS // 8) if there is NO_KEYS else there.secret
        _write(path, Keys(secret=secret, keys=(*there.keys, key)))
    return key, text


def revoke_key(path: Path, which: str) -> tuple[Key, int]:
    """Take a key away by its id, its name or itself; return it, and how many are left.

    Raises
    ------
    KeyNotFound
        If there is none.
    KeysUnreadable
        If those that there are cannot be read; nothing has changed then.
    """
    with locked(_lock_of(path)):
        there = read_keys(path)
        whole = SHAPE.fullmatch(which)  # as it was found where it should not be
        which = whole[1] if whole else which
        # An id comes first: somebody may have named a key like another's.
        found = next((key for key in there.keys if key.id == which), None)
        found = found or next((key for key in there.keys if key.name == which), None)
        if found is None:
            raise KeyNotFound("There is no such key.", hint="lookalike keys list shows them.")
        left = tuple(key for key in there.keys if key is not found)
        _write(path, Keys(secret=there.secret, keys=left))
    return found, len(left)


def _new_id(there: Keys) -> str:
    while True:
        id_ = secrets.token_hex(4)
        if all(key.id != id_ for key in there.keys):
            return id_


def _lock_of(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.lock")


def _write(path: Path, keys: Keys) -> None:
    """Replace the file in one step, readable by nobody else at any time."""
    aside = path.with_name(f"{path.name}.part")
    with suppress(FileNotFoundError):
        aside.unlink()
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _as_before(path, descriptor)
        file.write(keys.model_dump_json(indent=1, exclude_none=True).encode() + b"\n")
        file.flush()
        os.fsync(descriptor)
    aside.replace(path)
    sync_folder(path.parent)


def _as_before(path: Path, descriptor: int) -> None:
    """Keep the owner of the file, so that root's command does not take it from the server."""
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o640)
