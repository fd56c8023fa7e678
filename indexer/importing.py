"""An exported catalogue into an index: listings and features, without reading a picture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from indexer.build import build_snapshot
from indexer.catalog import Catalog
from indexer.errors import IndexUnusable, NetworkMismatch, UsageError
from indexer.export_schema import network_path
from indexer.features import feature_file
from indexer.import_batch import Batch, Imported
from indexer.import_rows import Export, ListingRow
from indexer.lease import writer_lease
from indexer.model import Network, install_network, installed_network
from indexer.progress import SILENT, Progress
from indexer.recipe import Recipe
from indexer.snapshot import open_current
from indexer.storing import storing
from indexer.thumbnails import Thumbnails
from indexer.weights import sha256_of


def import_exports(paths: Sequence[Path], folder: Path, progress: Progress = SILENT) -> Imported:
    """Take exported listings over into the index in `folder`, made where there is none.

    A listing that is there already becomes what the export says; others stay. Everything is
    checkpointed: after a crash or a Ctrl-C, the same call goes on where it stopped.

    Raises
    ------
    SourceError
        If a file is no export, or makes no sense.
    UsageError
        If an export holds no features, or others than the index keeps, or its network is missing.
    NetworkMismatch
        If another network than the index's made them.
    StorageError
        If the disk is full, or may not be written to.
    """
    exports = [Export(path) for path in paths]
    for export in exports:
        if not export.said["features"]:
            raise UsageError(
                f"{export.path} holds vectors but no features, and an index is made of those.",
                hint="Export again with --features.",
            )
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with writer_lease(folder), Catalog(folder, create=True) as catalog:
        recipe = _recipe(folder, exports)
        network = _network(folder, exports)
        _keep_width(catalog, exports, recipe)
        done = Imported()
        total = sum(export.count for export in exports)
        with (
            closing(Thumbnails(folder)) as thumbnails,
            progress.track("Importing", total, "listings") as advance,
        ):
            for export in exports:
                with catalog.writing():
                    catalog.record_types(export.types)
                for batch in export.batches():
                    Batch(catalog, feature_file(folder, catalog), done).take_over(batch)
                    _keep_thumbnails(thumbnails, batch)
                    advance(len(batch))
        done.snapshot = _publish(folder, catalog, network, recipe, progress)
    return done


def _recipe(folder: Path, exports: Sequence[Export]) -> Recipe:
    """Return the recipe that the index has, else the export's."""
    try:
        return open_current(folder).projection.recipe
    except IndexUnusable:  # there is none yet, or a new one is about to replace it
        return Recipe.from_dict(exports[0].said["recipe"])


def _network(folder: Path, exports: Sequence[Export]) -> Network:
    """Return the network of the index, installing the export's where it has none."""
    made_by = [Network(**export.said["network"]) for export in exports]
    network = installed_network(folder) or made_by[0]
    for other in made_by:
        network.require_same(other)
    if installed_network(folder) is None:
        path = network_path(exports[0].path)
        if not path.is_file():
            raise UsageError(
                f"{path} is missing, and {folder} has no network yet.",
                hint="Copy it from where the export was made: it lies beside it.",
            )
        if sha256_of(path) != network.model_sha256:
            raise NetworkMismatch(
                f"{path} is not the network that made the export (SHA-256 differs).",
                hint="Copy it again from where the export was made.",
            )
        with storing(folder):
            install_network(network, path, folder)
    return network


def _keep_width(catalog: Catalog, exports: Sequence[Export], recipe: Recipe) -> None:
    """Fix the width of the feature file, or see that the exports have what it keeps."""
    width = min(int(export.said["feature_width"]) for export in exports)
    kept = int(catalog.meta("feature_width") or 0)
    if width < kept:
        raise UsageError(
            "The index keeps features that the export does not have.",
            hint="Import it into another folder with --index DIR.",
        )
    recipe.require_kept(kept or width)
    if not kept:
        with catalog.writing():
            catalog.set_meta("feature_width", str(width))


def _keep_thumbnails(thumbnails: Thumbnails, batch: list[ListingRow]) -> None:
    pictures = [picture for listing in batch for picture in listing.pictures]
    found = [
        (picture.said[5], picture.thumbnail)
        for picture in pictures
        if picture.thumbnail is not None and not thumbnails.has(picture.said[5])
    ]
    if found:
        thumbnails.add(found)


def _publish(
    folder: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> str:
    """Publish a snapshot unless the one that serves says it all already."""
    try:
        current = open_current(folder)
    except IndexUnusable:
        current = None
    if current is not None and current.manifest["change"] == catalog.change():
        return current.name
    return build_snapshot(folder, catalog, network, recipe, progress)
