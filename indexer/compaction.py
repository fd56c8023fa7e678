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
from indexer.manifest import SNAPSHOTS, read_manifest
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
    vectors : int
        How many vectors it holds; 0 once the last listing is gone.
    tidied : Tidied or None
        What was removed for good; None where it was not time for it.
    seconds : float
        How long it took.
    """

    snapshot: str | None
    built: bool
    changed: int
    vectors: int
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
        If there is no index, or nothing in it to search yet. (Of one whose last listing went, an
        empty snapshot is built.)
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
        if only_if_due and (manifest is None or not changes.due):
            name = None if manifest is None else str(manifest["name"])
            took = time.monotonic() - started
            return Compacted(name, False, changes.changed, changes.vectors, None, took)
        keep_memory(catalog, memory)
        chosen = recipe or wanted_recipe(folder, IndexOptions())
        network = require_network(folder)
        keep_width(catalog, chosen, IndexOptions())
        name = build_snapshot(folder, catalog, network, chosen, progress)
        vectors = int(read_manifest(folder / SNAPSHOTS / name)["vectors"])
        tidied = tidy(folder, catalog, progress)
        took = time.monotonic() - started
        return Compacted(name, True, changes.changed, vectors, tidied, took)
