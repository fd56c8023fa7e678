"""What the start-up line says of who may do what."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields

from web.access.keys import SCOPES, Keys, keys_file, read_keys
from web.access.loopback import is_loopback_host
from web.access.rate_limits import described
from web.errors import KeysUnreadable
from web.setting_values import misspelt
from web.settings import Settings

UNSAFE = (
    "\nWarning: this is no address of this machine alone, and whoever reaches it may search."
    " LOOKALIKE_READS=keys asks for keys; LOOKALIKE_PUBLIC=on says that it is meant so."
)


def admission(settings: Settings, host: str, environ: Mapping[str, str] = os.environ) -> str:
    """Say who may read and write, whether there are keys, and what the limits are.

    Parameters
    ----------
    settings : Settings
        The server's.
    host : str
        The address that it listens on.
    environ : mapping of str to str, optional
        What the settings were read from: one that is misspelt may have left a door open.
    """
    try:
        keys: Keys | None = read_keys(keys_file(settings.index, settings.keys))
    except KeysUnreadable:
        keys = None
    reading = "whoever reaches this address" if settings.reads == "open" else "whoever has a key"
    open_to_all = settings.reads == "open" and not settings.public
    name = f"[{host}]" if ":" in host else host
    wrong = "".join(
        f"\nWarning: {name} is no setting. Is {meant} meant?"
        for name, meant in misspelt(fields(Settings), environ).items()
    )
    unsafe = UNSAFE * (open_to_all and not is_loopback_host(name))
    return (
        f"Reading: {reading}. Writing: {_writing(settings, keys)}. Keys: {_keys(keys)}."
        f" Limits: {described(settings)}.{unsafe}{wrong}"
    )


def _writing(settings: Settings, keys: Keys | None) -> str:
    if settings.writes == "off":
        return "nobody"
    if settings.writes == "loopback" or (keys is not None and not keys.keys):
        return "programs on this machine"
    return "whoever has a key with the scope write"


def _keys(keys: Keys | None) -> str:
    if keys is None:
        return "cannot be read, so what takes a key is refused"
    if not keys.keys:
        return "none"
    good = Counter(key.scope for key in keys.keys if not key.expired)
    over = sum(key.expired for key in keys.keys)
    said = [f"{good[scope]} {scope}" for scope in SCOPES if good[scope]]
    return ", ".join(said + [f"{over} out of date"] * bool(over))
