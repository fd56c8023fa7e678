"""Which snapshot serves, and its manifest: what it was made of and with, and what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from indexer.errors import IndexDamaged, IndexNotReady, IndexVersionError

FORMAT = 3
"""Format 3 may hold further files than `FILES`; a snapshot of format 2 is one without any."""

OLDEST = 2
"""The oldest format that is read."""

CURRENT = "CURRENT"
SNAPSHOTS = "snapshots"
MANIFEST = "manifest.json"
FILES = (
    "index.faiss",
    "vectors.f16",
    "pictures.i64",
    "listings.i64",
    "projection.npz",
    "categories.i32",
    "categories.npz",
)
"""The files that every snapshot has."""

KEYS = {
    "vectors",
    "dims",
    "recipe",
    "photos",
    "network",
    "index",
    "categories",
    "scores",
    "change",
    "created",
    "version",
}

AGAIN = "Run `lookalike verify` to see what is wrong; `lookalike compact` makes a new snapshot."


def current_name(index: Path) -> str:
    """Return the name of the snapshot that serves.

    Raises
    ------
    IndexNotReady
        If none was ever published.
    """
    try:
        return (index / CURRENT).read_text("ascii").strip()
    except FileNotFoundError as error:
        raise IndexNotReady(
            f"The index in {index} holds nothing to search yet.",
            hint=f"Fill it with: lookalike index CATALOG --index {index}",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(index / CURRENT, error) from error


def unreadable(path: Path, error: Exception) -> IndexDamaged:
    """Return what to raise for a file of a snapshot that is missing or makes no sense."""
    if isinstance(error, FileNotFoundError):
        return IndexDamaged(f"{path} is missing.", hint=AGAIN)
    if isinstance(error, OSError):
        return IndexDamaged(f"{path} cannot be read: {error.strerror}.", hint=AGAIN)
    # What a decoder says is for programmers, and may hold the whole file.
    return IndexDamaged(f"{path} is damaged: it does not hold what was written.", hint=AGAIN)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a snapshot's manifest.

    Raises
    ------
    IndexDamaged
        If it is missing or makes no sense.
    IndexVersionError
        If a newer Lookalike wrote it, or one too old.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        form = int(manifest["format"])
        files = {name: (said["bytes"], said["sha256"]) for name, said in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error) from error
    if form > FORMAT:
        raise IndexVersionError(
            f"{folder} was written by a newer Lookalike (format {form}, this one knows {FORMAT}).",
            hint="Upgrade with: pip install --upgrade lookalike",
        )
    if form < OLDEST:
        raise IndexVersionError(
            f"{folder} was written by an older Lookalike (format {form}, this one writes"
            f" {FORMAT}).",
            hint="`lookalike compact` makes a new snapshot of the same pictures.",
        )
    missing = (set(FILES) - set(files)) | (KEYS - set(manifest))
    if missing:
        raise IndexDamaged(f"{path} does not say {', '.join(sorted(missing))}.", hint=AGAIN)
    return dict(manifest)
