"""A copy of an index that is being searched and written to, as it was at one moment.

What is copied, and in which order, so that the copy is whole though writes go on:

1. The snapshot that serves; it is kept from being removed.
2. The kept pictures. Those that come later are copied after the catalogue.
3. The catalogue, by SQLite's own means: one state of it, at least as new as the snapshot.
4. The rows of the feature file that this catalogue names. They do not change, unless a compaction
   moves them: then 3 and 4 are done again.
5. Everything else.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import DATABASE
from indexer.copying import copy_database, copy_file, reading, sync_tree
from indexer.errors import IndexBusy, IndexDamaged, IndexNotReady, UsageError
from indexer.files import sync_folder, write_durably
from indexer.lease import writer_lease
from indexer.manifest import CURRENT, MANIFEST, SNAPSHOTS
from indexer.progress import SILENT, Advance, Progress
from indexer.snapshot import Snapshot, open_current
from indexer.staging import STAGING
from indexer.stored import FOLDER as PICTURES
from indexer.storing import storing
from indexer.thumbnails import THUMBNAILS
from indexer.verify import Unchecked, problems

FEATURES = (("features.f16", 2), ("features.crc", 4))

SHARED = "shared.db"
"""Photos that people share for a while (`web.pages.sharing`): a copy would keep them longer."""

PASSING = (".part", ".lock", "-wal", "-shm", "-journal", ".bak", SHARED)
"""Ends of the names of files that a copy does without."""

TRIES = 3
"""Times that features are copied beside a compaction, before its end is waited for."""

PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds.

    Attributes
    ----------
    snapshot : str
        The one that serves from it.
    listings : int
        In its catalogue.
    size : int
        In bytes, on the disk.
    """

    snapshot: str
    listings: int
    size: int


def back_up(
    folder: Path, target: Path, *, thumbnails: bool = True, progress: Progress = SILENT
) -> BackedUp:
    """Copy the index in `folder`, which may be in use, to `target`, and check the copy.

    Raises
    ------
    UsageError
        If there is something in `target` already.
    IndexNotReady
        If there is no index, or nothing in it to search yet.
    IndexDamaged
        If the copy is not sound, because the index is not. There is none then.
    IndexBusy
        If a compaction does not end.
    StorageError
        If the disk is full, or may not be written to.
    """
    require_empty(target)
    with copied_aside(folder, target, thumbnails=thumbnails, progress=progress) as (aside, said):
        aside.replace(target)
        sync_folder(target.parent)
    return said


def require_empty(target: Path, hint: str = "Name a folder that is not there yet.") -> None:
    """Raise UsageError if there is anything at `target` but an empty folder."""
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists():
        raise UsageError(f"There is something in {target} already.", hint=hint)


@contextmanager
def copied_aside(
    folder: Path, target: Path, *, thumbnails: bool, progress: Progress
) -> Iterator[tuple[Path, BackedUp]]:
    """Lend a sound copy of an index beside where it will lie; it is removed unless renamed."""
    if not (folder / DATABASE).is_file():
        raise IndexNotReady(f"There is no index in {folder}.", hint="Name another folder.")
    with storing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.absolute().with_name(f".{target.name}.part")
        shutil.rmtree(aside, ignore_errors=True)  # of a run that died
        aside.mkdir()
    try:
        with storing(target.parent):
            said = _copy(folder, aside, thumbnails, progress)
            sync_tree(aside)
        _check(folder, aside, progress)
        yield aside, said
    except sqlite3.DatabaseError as error:
        raise IndexDamaged(
            f"A database of the index in {folder} cannot be read ({error}).",
            hint=f"See more with: lookalike verify --index {folder}",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _copy(folder: Path, aside: Path, thumbnails: bool, progress: Progress) -> BackedUp:
    snapshot = open_current(folder)
    together = {DATABASE, *(name for name, _ in FEATURES)}
    try:
        total = sum(path.stat().st_size for path in _files(folder, snapshot, thumbnails))
        with progress.track("Copying", total, "bytes") as advance:
            _copy_pictures(folder, aside, advance)
            _copy_catalogue(folder, aside, advance)
            _copy_pictures(folder, aside, advance)
            for path in _files(folder, snapshot, thumbnails):
                if path.name not in together:
                    _copy_other(path, aside / path.relative_to(folder), advance)
        write_durably(aside / CURRENT, snapshot.name.encode("ascii"))
    finally:
        snapshot.close()
    with closing(sqlite3.connect(aside / DATABASE)) as db:
        (listings,) = db.execute("SELECT count(*) FROM listings").fetchone()
    size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
    return BackedUp(snapshot.name, int(listings), size)


def _files(folder: Path, snapshot: Snapshot, thumbnails: bool) -> Iterator[Path]:
    """Yield every file that belongs to an index."""
    yield snapshot.folder / MANIFEST
    for name in snapshot.manifest["files"]:
        yield snapshot.folder / name
    for top in sorted(folder.iterdir()):
        if top.name in (SNAPSHOTS, CURRENT, STAGING) or top.name.endswith(PASSING):
            continue
        if top.name == THUMBNAILS and not thumbnails:
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not path.name.endswith(PASSING):
                yield path


def _copy_other(path: Path, target: Path, advance: Advance) -> None:
    """Copy a file unless that was done, or it has gone meanwhile."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".db":
            copy_database(path, target, advance)
        else:
            copy_file(path, target, advance)
    except FileNotFoundError:
        target.unlink(missing_ok=True)


def _copy_pictures(folder: Path, aside: Path, advance: Advance) -> None:
    """Copy those kept pictures that were not copied yet."""
    for path in (folder / PICTURES).glob("*/*"):
        if not path.name.endswith(PASSING):
            _copy_other(path, aside / path.relative_to(folder), advance)


def _copy_catalogue(folder: Path, aside: Path, advance: Advance) -> None:
    """Copy catalogue and features so that they belong together."""
    for turn in range(TRIES + 1):
        with ExitStack() as held:
            if turn == TRIES:
                held.enter_context(_patient_lease(folder))
            if _copy_both(folder, aside, advance):
                return
    raise IndexBusy(f"The features in {folder} keep being moved.", hint="Try again.")


def _copy_both(folder: Path, aside: Path, advance: Advance) -> bool:
    for name in (DATABASE, *(name for name, _ in FEATURES)):
        (aside / name).unlink(missing_ok=True)
    copy_database(folder / DATABASE, aside / DATABASE, advance)
    with closing(sqlite3.connect(aside / DATABASE)) as db:
        meta = dict(db.execute("SELECT key, value FROM meta"))
        db.execute("DELETE FROM meta WHERE key = 'replaced'")  # of an index that a restore replaced
        db.commit()
    rows, width = int(meta.get("rows", 0)), int(meta.get("feature_width", 0))
    try:
        for (name, size), values in zip(FEATURES, (width, 1), strict=True):
            if rows and (folder / name).exists():
                have = (folder / name).stat().st_size
                # What lacks checksums is told by the check of the copy.
                wanted = min(rows * values * size, have) if values == 1 else rows * values * size
                copy_file(folder / name, aside / name, advance, wanted)
    except EOFError as error:
        if _moves(folder) == meta.get("moves"):
            raise IndexDamaged(f"{error}.", hint="Run `lookalike verify`.") from error
        return False
    return _moves(folder) == meta.get("moves")


def _moves(folder: Path) -> str | None:
    with closing(reading(folder / DATABASE)) as db:
        found = db.execute("SELECT value FROM meta WHERE key = 'moves'").fetchone()
    return None if found is None else str(found[0])


@contextmanager
def _patient_lease(folder: Path) -> Iterator[None]:
    """Hold the writer's lease, waiting for whoever holds it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with ExitStack() as held:
            try:
                held.enter_context(writer_lease(folder))
            except IndexBusy:
                if time.monotonic() > until:
                    raise
            else:
                yield
                return
        time.sleep(0.5)


def _check(folder: Path, aside: Path, progress: Progress) -> None:
    found = list(problems(aside, progress))
    wrong = [one for one in found if not isinstance(one, Unchecked)]
    for left in aside.glob("*.db-*"):  # of reading; nobody has it open any more
        left.unlink()
    if wrong:
        said = wrong[0].replace(str(aside), str(folder))
        raise IndexDamaged(
            f"The index in {folder} is damaged, and a copy of it is no backup: {said}",
            hint=f"See all with: lookalike verify --index {folder}",
        )
    for one in found:  # better such a backup than none
        progress.say(one.replace(str(aside), str(folder)))
