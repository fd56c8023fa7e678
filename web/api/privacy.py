"""What of this machine is no client's business, and what of a client no log's."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from web.access.key_shape import hidden

TOKEN: Final = re.compile(r"(?<=/s/)[^/]+")
"""What follows /s/ is all that it takes to see a photo that somebody shares."""


def path_for_log(path: str) -> str:
    """Return a request's path without a key or the token of a shared photo in it."""
    return hidden(TOKEN.sub("...", path))


def without_paths(value: object) -> object:
    """Return a JSON value in which each path of a file of this machine is only its name."""
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    if isinstance(value, str):
        for kind in (PurePosixPath, PureWindowsPath):
            if kind(value).is_absolute():
                return kind(value).name
    return value
