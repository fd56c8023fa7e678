"""A catalogue with its vectors and features as one Parquet file, for other machines and stores."""

from __future__ import annotations

import datetime
import filecmp
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import IndexBusy, UsageError
from indexer.export_batch import batch_of
from indexer.export_schema import arrow, network_path, packed, schema
from indexer.features import feature_file
from indexer.files import sync_file, sync_folder
from indexer.model import MODEL_FILE, Network
from indexer.progress import SILENT, Progress
from indexer.snapshot import Snapshot, open_current
from indexer.storing import storing
from indexer.thumbnails import Thumbnails

LISTINGS_AT_ONCE = 2000
"""Listings of a row group: all that is in memory at a time, some 10 MB."""

TRIES = 20
"""Times that a row group is read anew where features were moved meanwhile."""

PICTURES = """
SELECT p.listing, p.number, p.uri, p.region, p.version, p.state, p.reason, p.embedding, p.change,
    e.content, e.width, e.height
FROM pictures p LEFT JOIN embeddings e ON e.number = p.embedding
WHERE p.listing >= ? AND p.listing <= ? ORDER BY p.listing, p.position
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes
    ----------
    listings, pictures : int
        How many.
    network : Path
        Where the network lies, without which nobody can search the export with a photo.
    """

    listings: int
    pictures: int
    network: Path


def export(
    folder: Path,
    target: Path,
    *,
    features: bool = True,
    thumbnails: bool = True,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Exported:
    """Write the catalogue of an index, which may be in use, to a Parquet file.

    Each listing is written as it is at one moment; two of them, as they are at two.

    Parameters
    ----------
    folder : Path
        The index's.
    target : Path
        The file. The network is copied beside it, as ``NAME.network.tflite``.
    features : bool, optional
        Whether what vectors are made of is exported too: it takes that to import it again.
    thumbnails : bool, optional
        Whether the small pictures are.
    overwrite : bool, optional
        Whether files that are there already are replaced: once the new ones are complete, each in
        one step.

    Raises
    ------
    UsageError
        If there is such a file already, or a folder.
    IndexNotReady
        If there is no index, or nothing in it to search yet.
    StorageError
        If the disk is full, or may not be written to.
    MissingExtra
        If pyarrow is not installed.
    """
    network = network_path(target)
    parquet = arrow().parquet
    with ExitStack() as held:
        snapshot = open_current(folder)
        held.callback(snapshot.close)
        _require_free(target, network, folder / MODEL_FILE, overwrite)
        catalog = held.enter_context(Catalog(folder))
        said = _said(folder, snapshot, catalog, features)
        shape = schema(said, features=features, thumbnails=thumbnails)
        small = held.enter_context(closing(Thumbnails(folder))) if thumbnails else None
        reader = _Reader(folder, catalog, snapshot, small, features)
        aside = target.with_name(f"{target.name}.part")
        with storing(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = network.with_name(f"{network.name}.part")
            listings, pictures = 0, 0
            try:
                with (
                    parquet.ParquetWriter(
                        aside, shape, compression="zstd", use_dictionary=["category", "currency"]
                    ) as writer,
                    progress.track("Exporting", catalog.count("listings"), "listings") as advance,
                ):
                    for group in reader.groups():
                        writer.write_batch(group.cast(shape))
                        listings += len(group)
                        pictures += len(group.column("pictures").flatten())
                        advance(len(group))
                sync_file(aside)
                shutil.copyfile(folder / MODEL_FILE, beside)
                sync_file(beside)
                beside.replace(network)  # first: an export is never without it
                aside.replace(target)
                sync_folder(target.absolute().parent)
            finally:
                aside.unlink(missing_ok=True)
                beside.unlink(missing_ok=True)
    return Exported(listings, pictures, network)


def _said(folder: Path, snapshot: Snapshot, catalog: Catalog, features: bool) -> dict[str, Any]:
    manifest = snapshot.manifest
    return {
        "version": version("lookalike"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "network": asdict(Network(**manifest["network"])),
        "recipe": manifest["recipe"],
        "feature_width": int(catalog.meta("feature_width") or 0),
        "features": features,
        "dims": manifest["dims"],
        "snapshot": snapshot.name,
        "space": snapshot.space,
        "change": catalog.change(),
        "runtimes": catalog.meta("runtimes") or "",
        "fields": catalog.field_types(),
        "projection": packed(snapshot.folder / "projection.npz"),
    }


def _require_free(target: Path, network: Path, model: Path, overwrite: bool) -> None:
    for path in (target, network):
        if path.is_dir():
            raise UsageError(f"{path} is a folder.", hint="Name a file: catalogue.parquet, say.")
        # The very network that goes with it may lie there from an export that was deleted.
        same = path == network and path.exists() and filecmp.cmp(network, model, shallow=False)
        if path.exists() and not overwrite and not same:
            raise UsageError(
                f"{path} is there already.",
                hint="Name another file, or replace it with --overwrite.",
            )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads listings group by group, beside whoever writes."""

    folder: Path
    catalog: Catalog
    snapshot: Snapshot
    thumbnails: Thumbnails | None
    features: bool

    def groups(self) -> Iterator[Any]:
        """Yield Arrow record batches of `LISTINGS_AT_ONCE` listings."""
        last = 0
        while True:
            group, last = self._group(last)
            if group is None:
                return
            yield group

    def _group(self, last: int) -> tuple[Any, int]:
        file = feature_file(self.folder, self.catalog)
        for _ in range(TRIES):
            with self.catalog.reading():
                moves = self.catalog.meta("moves")
                listings = self.catalog.db.execute(
                    "SELECT * FROM listings WHERE number > ? ORDER BY number LIMIT ?",
                    (last, LISTINGS_AT_ONCE),
                ).fetchall()
                if not listings:
                    return None, last
                ends = (listings[0]["number"], listings[-1]["number"])
                pictures = self.catalog.db.execute(PICTURES, ends).fetchall()
            done = [row for row in pictures if row["embedding"] is not None]
            rows = file.read(np.array([row["embedding"] for row in done], np.int64))
            if self.catalog.meta("moves") == moves:
                vectors = self._vectors(done, rows)
                batch = batch_of(
                    listings,
                    pictures,
                    rows,
                    vectors,
                    features=self.features,
                    thumbnails=self.thumbnails,
                )
                return batch, ends[1]
        raise IndexBusy("Features keep being moved.", hint="Try again after the compaction.")

    def _vectors(self, done: list[Any], rows: NDArray[np.float16]) -> NDArray[np.float16]:
        """Return the snapshot's vectors, and those of what came since."""
        snapshot = self.snapshot
        vectors = np.zeros((len(done), snapshot.projection.dims), np.float16)
        if not done:
            return vectors
        numbers = np.array([row["number"] for row in done], np.int64)
        changes = np.array([row["change"] for row in done], np.int64)
        places = np.minimum(np.searchsorted(snapshot.pictures, numbers), snapshot.count - 1)
        there = (snapshot.pictures[places] == numbers) & (changes <= snapshot.manifest["change"])
        vectors[there] = snapshot.vectors[places[there]]
        if not there.all():
            vectors[~there] = snapshot.projection.transform(rows[~there])
        return vectors
