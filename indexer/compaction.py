"""Compaction: what changed since the snapshot goes into a new one, and what is gone goes for good.

Searches and writes go on beside it. It holds the writer's lease, so there is one at a time, and
none beside a sync; a crash releases it, and the next one goes on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from indexer.build import build_snapshot
from indexer.catalog import Catalog
from indexer.changes import changes_since, current_manifest
from indexer.lease import writer_lease
from indexer.progress import SILENT, Progress
from indexer.rebuild import require_network
from indexer.recipe import Recipe
from indexer.storing import storing
from indexer.sync import IndexOptions, keep_memory, keep_width, wanted_recipe
from indexer.tidying import Tidied, tidy


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes
    ----------
    snapshot : str or None
        The name of the snapshot that serves; None where there is none.
    built : bool
        Whether it is a new one.
    changed : int
        How much had changed since the one before.
    tidied : Tidied or None
        What was removed for good; None where it was not time for it.
    seconds : float
        How long it took.
    """

    snapshot: str | None
    built: bool
    changed: int
    tidied: Tidied | None
    seconds: float


def compact(
    folder: Path,
    progress: Progress = SILENT,
    *,
    recipe: Recipe | None = None,
    memory: int | None = None,
    only_if_due: bool = False,
) -> Compacted:
    """Build a snapshot of what the catalogue says now, and remove what nothing refers to.

    Parameters
    ----------
    folder : Path
        The index's folder.
    progress : Progress, optional
        Is told where it is.
    recipe : Recipe, optional
        Another recipe than the one in use.
    memory : int, optional
        Bytes that a process which searches may take, from now on.
    only_if_due : bool, optional
        Do nothing unless enough has changed since the snapshot that serves.

    Raises
    ------
    IndexNotReady
        If there is no index, or nothing in it to search yet.
    IndexBusy
        If a sync or another compaction is under way.
    StorageError
        If the disk is full, or may not be written to. The snapshot before goes on serving.
    """
    started = time.monotonic()
    Catalog(folder).close()  # says so where there is no index
    # The lease first: who replaces an index by another holds it too.
    with storing(folder), writer_lease(folder), Catalog(folder) as catalog:
        manifest = current_manifest(folder)
        changes = changes_since(catalog, manifest)
        name = None if manifest is None else str(manifest["name"])
        if only_if_due and (manifest is None or not changes.due):
            return Compacted(name, False, changes.changed, None, time.monotonic() - started)
        keep_memory(catalog, memory)
        # An index whose last listing went keeps its snapshot: there is none of nothing.
        build = manifest is None or _anything(catalog)
        if build:
            chosen = recipe or wanted_recipe(folder, IndexOptions())
            network = require_network(folder)
            keep_width(catalog, chosen, IndexOptions())
            name = build_snapshot(folder, catalog, network, chosen, progress)
        tidied = tidy(folder, catalog, progress)
        return Compacted(name, build, changes.changed, tidied, time.monotonic() - started)


def _anything(catalog: Catalog) -> bool:
    found = catalog.db.execute("SELECT 1 FROM pictures WHERE embedding IS NOT NULL LIMIT 1")
    return found.fetchone() is not None
