"""A backup becomes the index again, in place of another if that is meant."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from indexer.backup import BackedUp, copied_aside, require_empty
from indexer.catalog import DATABASE, Catalog
from indexer.errors import IndexDamaged, IndexVersionError
from indexer.files import sync_folder
from indexer.lease import writer_lease
from indexer.progress import SILENT, Progress
from indexer.storing import storing
from indexer.swapping import swap


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    said : BackedUp
        What the index holds now.
    kept : Path or None
        Where the index lies that was there before.
    """

    said: BackedUp
    kept: Path | None


def restore(
    backup: Path, folder: Path, *, replace: bool = False, progress: Progress = SILENT
) -> Restored:
    """Copy a backup to `folder` and check the copy.

    An index that is there is put aside in one step, if it may be replaced. Servers take up the
    other one with their next search, and who was about to write to it is told to try again.

    Raises
    ------
    UsageError
        If there is something in `folder` already, and it may not be replaced.
    IndexNotReady
        If there is no backup.
    IndexDamaged
        If the backup is not sound. Nothing was changed then.
    IndexBusy
        If a sync or a compaction of the index that is there is under way.
    StorageError
        If the disk is full, or may not be written to.
    """
    there = (folder / DATABASE).exists()
    if not (there and replace):
        hint = "To put the backup in its place, add --replace; what is there is kept beside it."
        require_empty(folder, hint if there else "Name a folder that is not there yet.")
    with copied_aside(backup, folder, thumbnails=True, progress=progress) as (aside, said):
        kept = None
        with storing(folder.parent):
            if there:
                kept = _swapped(aside, folder)
            else:
                aside.replace(folder)
            sync_folder(folder.absolute().parent)
        return Restored(said, kept)


def _swapped(aside: Path, folder: Path) -> Path:
    """Put `aside` in the place of `folder`, and return where that lies now."""
    kept = _free(folder)
    with writer_lease(folder), ExitStack() as held:
        try:
            catalog = held.enter_context(Catalog(folder))
        except (IndexDamaged, IndexVersionError):  # nobody else can write to it either
            pass
        else:
            # Whoever waits to write there reads this next, and opens the other one.
            held.enter_context(catalog.writing())
            catalog.set_meta("replaced", "1")
        # By its final name before it is exchanged: what comes back under that name is the index
        # that was there, and nobody takes it for a copy that was not finished.
        aside.rename(kept)
        sync_folder(kept.parent)
        swap(folder, kept)
    return kept


def _free(folder: Path) -> Path:
    """Return a name beside `folder` that nothing has yet."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    kept, turn = folder.absolute().with_name(f"{folder.name}.before-{stamp}"), 1
    while kept.exists():
        turn += 1
        kept = kept.with_name(f"{folder.name}.before-{stamp}-{turn}")
    return kept
