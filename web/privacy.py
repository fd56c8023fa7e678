"""What of this machine is no client's business."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath


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
