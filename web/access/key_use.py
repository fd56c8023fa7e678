"""When a key was last used: the time of an empty file of its own, which takes no lock."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two notes of the same key."""


class KeyUse:
    """Notes the use of keys. Safe to use from several threads and processes.

    Parameters
    ----------
    keys : Path
        The file of keys, beside which it is noted.
    """

    def __init__(self, keys: Path) -> None:
        self._folder = _folder(keys)
        self._noted: dict[str, float] = {}
        self._failed = False

    def note(self, id_: str) -> None:
        """Note that a key is used now; what cannot be noted stops no request."""
        now = time.monotonic()
        if self._failed or now - self._noted.get(id_, -EVERY) < EVERY:
            return
        self._noted[id_] = now
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / id_).touch(mode=0o600)
        except OSError as error:
            self._failed = True
            log.warning("When keys were last used is not noted: %s.", error.strerror)


def last_used(keys: Path, id_: str) -> datetime | None:
    """Return when a key was last used, to a minute; None where that is not known."""
    try:
        return datetime.fromtimestamp(int((_folder(keys) / id_).stat().st_mtime), UTC)
    except OSError:
        return None


def forget_use(keys: Path, id_: str) -> None:
    """Forget when a key was last used."""
    with suppress(OSError):
        (_folder(keys) / id_).unlink()


def _folder(keys: Path) -> Path:
    return keys.with_name(f"{keys.name}.used")
