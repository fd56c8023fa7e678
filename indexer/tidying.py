"""What a deletion leaves behind goes for good: features, thumbnails, pictures, old snapshots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import DATABASE, Catalog
from indexer.catalog_opening import WAIT_SECONDS
from indexer.errors import IndexUnusable
from indexer.feature_compaction import compact_features
from indexer.manifest import SNAPSHOTS, read_manifest
from indexer.progress import SILENT, Progress
from indexer.publishing import remove_old
from indexer.stored import FOLDER as PICTURES
from indexer.stored import SCHEME as STORED
from indexer.storing import storing
from indexer.thumbnails import THUMBNAILS, Thumbnails

GRACE_SECONDS = 3600.0
"""How long a kept picture may lie there unnamed: its listing may be about to be written."""

LOOKED_AT = 50_000
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was tidied away.

    Attributes
    ----------
    features : int
        Rows of the feature file of pictures that are gone.
    moved : int
        Rows that were moved to close the gaps.
    thumbnails : int
        Small pictures.
    pictures : int
        Pictures that were given to the index itself.
    tombstones : int
        Notes of what was removed, which no reader needs any more.
    snapshots : int
        Old snapshots.
    """

    features: int
    moved: int
    thumbnails: int
    pictures: int
    tombstones: int
    snapshots: int


def tidy(folder: Path, catalog: Catalog, progress: Progress = SILENT) -> Tidied:
    """Remove what nothing refers to any more; for who holds the writer's lease.

    Searches and writes go on beside it. After a crash, the next call goes on.

    Raises
    ------
    StorageError
        If the disk may not be written to.
    IndexBusy
        If other writers do not let it have its turn.
    """
    # Features first: who meant to use them anew then brings the thumbnail again, too.
    features, moved = compact_features(folder, catalog, progress)
    thumbnails = _thumbnails(folder)
    with storing(folder / PICTURES):
        pictures = _pictures(folder, catalog)
    snapshots = remove_old(folder)
    tombstones = _tombstones(folder, catalog)
    _fold_log(catalog)
    return Tidied(features, moved, thumbnails, pictures, tombstones, snapshots)


def tidy_emptied(folder: Path) -> int:
    """Delete the kept pictures of a catalogue that has no picture any more; return how many.

    Those that were given within the last hour stay when its last listing goes (`GRACE_SECONDS`),
    and nothing else would be a reason for another compaction. Anybody may, at any time.

    Raises
    ------
    IndexUnusable
        If there is no index, or it may not be written to.
    """
    if not (folder / PICTURES).is_dir():
        return 0
    with Catalog(folder) as catalog, storing(folder / PICTURES):
        if catalog.db.execute("SELECT 1 FROM pictures LIMIT 1").fetchone() is not None:
            return 0
        return _pictures(folder, catalog)


def _thumbnails(folder: Path) -> int:
    if not (folder / THUMBNAILS).exists():
        return 0
    thumbnails = Thumbnails(folder)
    try:
        return thumbnails.keep_only(folder / DATABASE)
    finally:
        thumbnails.close()


def _pictures(folder: Path, catalog: Catalog) -> int:
    """Delete kept pictures that no listing has; return how many."""
    if not (folder / PICTURES).is_dir():
        return 0
    catalog.db.execute("CREATE TEMP TABLE named (content TEXT PRIMARY KEY) WITHOUT ROWID")
    try:
        # Whatever changes after this number is looked at again before anything is deleted.
        change = catalog.change()
        _name(catalog)
        unnamed: list[Path] = []
        removed = 0
        for path in _old_files(folder / PICTURES):
            if not _is_named(catalog, path.name):
                unnamed.append(path)
            if len(unnamed) == AT_ONCE:
                removed += _unlink(catalog, unnamed, change)
                unnamed = []
        return removed + _unlink(catalog, unnamed, change)
    finally:
        catalog.db.execute("DROP TABLE temp.named")


def _name(catalog: Catalog) -> None:
    """Note the contents of all kept pictures that a listing has."""
    last, end = 0, catalog.db.execute("SELECT max(number) FROM pictures").fetchone()[0] or 0
    while last < end:
        catalog.db.execute(
            "INSERT OR IGNORE INTO temp.named SELECT substr(uri, ?) FROM main.pictures"
            " WHERE number > ? AND number <= ? AND substr(uri, 1, ?) = ?",
            (len(STORED) + 1, last, last + LOOKED_AT, len(STORED), STORED),
        )
        last += LOOKED_AT


def _is_named(catalog: Catalog, content: str) -> bool:
    found = catalog.db.execute("SELECT 1 FROM temp.named WHERE content = ?", (content,))
    return found.fetchone() is not None


def _old_files(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder that were not written or asked for lately."""
    for path in folder.glob("*/*"):
        if _old(path):
            yield path


def _old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > GRACE_SECONDS
    except FileNotFoundError:
        return False


def _unlink(catalog: Catalog, paths: list[Path], change: int) -> int:
    """Delete files of pictures, while nobody writes, that no listing has got since `change`."""
    if not paths:
        return 0
    with catalog.writing():
        since = catalog.db.execute(
            "SELECT substr(uri, ?) FROM pictures WHERE change > ? AND substr(uri, 1, ?) = ?",
            (len(STORED) + 1, change, len(STORED), STORED),
        )
        named = {str(row[0]) for row in since}
        gone = [path for path in paths if path.name not in named and _old(path)]
        for path in gone:
            path.unlink(missing_ok=True)
    return len(gone)


def _tombstones(folder: Path, catalog: Catalog) -> int:
    """Forget what was removed before the oldest snapshot that may still be read."""
    changes = []
    for path in (folder / SNAPSHOTS).glob("*"):
        if path.name.isdigit():
            try:
                changes.append(int(read_manifest(path)["change"]))
            except IndexUnusable:  # nobody can read it either
                continue
    if not changes or min(changes) <= int(catalog.meta("pruned") or 0):
        return 0
    removed, oldest = 0, min(changes)
    with catalog.writing():  # said first: a reader that needs one of them must not miss it
        catalog.set_meta("pruned", str(oldest))
    while True:
        with catalog.writing():
            some = catalog.db.execute(
                "DELETE FROM removed WHERE picture IN (SELECT picture FROM removed"
                " WHERE change <= ? LIMIT ?)",
                (oldest, AT_ONCE),
            ).rowcount
        removed += some
        if some < AT_ONCE:
            return removed


def _fold_log(catalog: Catalog) -> None:
    """Empty the write-ahead log, where deleted rows may still lie, if no reader is in the way."""
    catalog.db.execute("PRAGMA busy_timeout = 1000")
    try:
        catalog.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        catalog.db.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
