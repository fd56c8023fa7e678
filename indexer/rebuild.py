"""New snapshots from stored features, without reading a picture."""

from __future__ import annotations

from pathlib import Path

from indexer.build import build_snapshot
from indexer.catalog import Catalog
from indexer.errors import IndexNotReady
from indexer.lease import writer_lease
from indexer.manifest import CURRENT
from indexer.model import CARD_FILE, Network, installed_network, missing_network
from indexer.progress import SILENT, Progress
from indexer.recipe import Recipe
from indexer.sync import IndexOptions, keep_width, wanted_recipe


def rebuild(
    folder: Path,
    recipe: str | None,
    dims: int | None,
    variance: float | None,
    progress: Progress = SILENT,
) -> str:
    """Build and publish a snapshot from the stored features; return its name.

    Raises
    ------
    IndexNotReady
        If there is no index, or no embedded picture in it.
    """
    chosen = wanted_recipe(folder, IndexOptions(recipe=recipe, dims=dims, variance=variance))
    return rebuild_with(folder, chosen, progress)


def rebuild_with(folder: Path, recipe: Recipe, progress: Progress = SILENT) -> str:
    """Do the same with a recipe that has no name of its own.

    Raises
    ------
    IndexNotReady
        If there is no index, or no embedded picture in it.
    """
    Catalog(folder).close()  # says so where there is no index
    # The lease first: who replaces an index by another holds it too.
    with writer_lease(folder), Catalog(folder) as catalog:
        network = require_network(folder)
        keep_width(catalog, recipe, IndexOptions())
        return build_snapshot(folder, catalog, network, recipe, progress)


def require_network(folder: Path) -> Network:
    """Return the network of an index.

    Raises
    ------
    IndexNotReady
        If it has none yet.
    IndexDamaged
        If it has none any more.
    """
    network = installed_network(folder)
    if network is None:
        if (folder / CURRENT).exists():  # it had one
            raise missing_network(folder, CARD_FILE)
        raise IndexNotReady(
            f"The index in {folder} has no network yet.",
            hint=f"Fill it with: lookalike index CATALOG --index {folder}",
        )
    return network
