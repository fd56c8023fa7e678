"""Keys for the tests of whatever takes one."""

from __future__ import annotations

from web.access.key_making import add_key
from web.access.keys import Scope, keys_file
from web.settings import Settings


def key_for(settings: Settings, scope: Scope, name: str = "", **more: object) -> str:
    """Make a key for a server with these settings."""
    path = keys_file(settings.index, settings.keys)
    return add_key(path, name or f"to {scope}", scope, **more)[1]  # type: ignore[arg-type]


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
