"""Publishing a snapshot: built aside, made durable, named, served; old ones removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.errors import IndexDamaged, IndexNotReady
from indexer.files import sync_file, sync_folder, write_durably
from indexer.manifest import CURRENT, FILES, FORMAT, MANIFEST, SNAPSHOTS, current_name
from indexer.reading_lock import REMOVING, remove_unread
from indexer.storing import storing
from indexer.weights import sha256_of

BUILDING = ".building-"


def begin(index: Path) -> Path:
    """Return an empty folder in which the next snapshot can be built aside.

    Raises
    ------
    StorageError
        If the disk is full, or may not be written to.
    """
    folder = index / SNAPSHOTS
    with storing(folder):
        folder.mkdir(exist_ok=True)
        for left in folder.glob(f"{BUILDING}*"):  # of a run that died
            shutil.rmtree(left)
        taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
        aside = folder / f"{BUILDING}{max(taken, default=0) + 1:06d}"
        aside.mkdir()
    return aside


@contextmanager
def building(index: Path) -> Iterator[Path]:
    """Lend an empty folder for the next snapshot, and remove it unless it gets published.

    Raises
    ------
    StorageError
        If the disk is full, or may not be written to; the snapshot that serves is untouched.
    """
    aside = begin(index)
    try:
        with storing(aside.parent):
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def publish(aside: Path, manifest: Mapping[str, Any]) -> str:
    """Make the snapshot built in `aside` the one that serves, and return its name.

    Every file is on disk before its folder gets its name, and that before CURRENT names it. All
    that lies in the folder belongs to the snapshot.

    Raises
    ------
    StorageError
        If the disk is full, or may not be written to; the snapshot that serves is untouched.
    """
    index, name = aside.parent.parent, aside.name.removeprefix(BUILDING)
    folder = aside.parent / name
    try:
        with storing(aside.parent):
            full = {"format": FORMAT, "name": name, **manifest, "files": _files(aside)}
            write_durably(aside / MANIFEST, json.dumps(full, indent=2, ensure_ascii=False).encode())
            aside.rename(folder)
            sync_folder(folder.parent)
            write_durably(index / CURRENT, name.encode("ascii"))
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        if not _serves(index, name):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    remove_old(index)
    return name


def remove_old(index: Path) -> int:
    """Remove the snapshots before the one that serves that nobody reads; return how many.

    Any process may, at any time. Where the file system knows no locks, the one before stays.
    """
    folder = index / SNAPSHOTS
    for left in folder.glob(f"{REMOVING}*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        current = current_name(index)
    except IndexNotReady:
        return 0
    # Later ones than the current are not old: one may be about to be named.
    old = sorted(path for path in folder.iterdir() if path.name.isdigit() and path.name < current)
    return sum(remove_unread(path, spare=path == old[-1]) for path in old)


def _files(aside: Path) -> dict[str, dict[str, Any]]:
    """Make all files of a folder durable, and return their sizes and checksums by name."""
    found = sorted(path for path in aside.rglob("*") if path != aside / MANIFEST)
    files = {}
    for path in found:
        if path.is_file():
            sync_file(path)
            name = path.relative_to(aside).as_posix()
            files[name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    for path in found:
        if path.is_dir():
            sync_folder(path)
    missing = set(FILES) - set(files)
    if missing:
        raise FileNotFoundError(f"The snapshot lacks {', '.join(sorted(missing))}.")
    return files


def _serves(index: Path, name: str) -> bool:
    try:
        return current_name(index) == name
    except IndexNotReady:
        return False
    except IndexDamaged:  # who knows
        return True
