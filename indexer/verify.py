"""Checking an index: every file of it against what the manifest and the database say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.build import feature_file
from indexer.catalog import Catalog
from indexer.errors import IndexDamaged, IndexNotReady, LookalikeError
from indexer.model import MODEL_FILE, Network, installed_network
from indexer.progress import SILENT, Progress
from indexer.snapshot import SNAPSHOTS, Snapshot, current_name, read_manifest
from indexer.weights import sha256_of

COMPACT = "`lookalike compact` makes a new snapshot from the stored features."


def problems(folder: Path, progress: Progress = SILENT) -> Iterator[str]:
    """Yield, in words, everything that is wrong with an index; nothing for a sound one.

    Raises
    ------
    IndexNotReady
        If there is no index at all.
    """
    try:
        with Catalog(folder) as catalog:
            yield from _database(catalog)
            yield from _features(folder, catalog)
    except (IndexDamaged, sqlite3.DatabaseError) as error:
        yield f"{error} Restore catalog.db from a backup."
    network = None
    try:
        network = installed_network(folder)
    except LookalikeError as error:
        yield str(error)
    yield from _model(folder, network)
    yield from _snapshot(folder, network, progress)


def _database(catalog: Catalog) -> Iterator[str]:
    try:
        said = [str(row[0]) for row in catalog.db.execute("PRAGMA integrity_check(10)")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    for line in said:
        if line != "ok":
            yield f"catalog.db: {line}. Restore it from a backup."


def _features(folder: Path, catalog: Catalog) -> Iterator[str]:
    try:
        feature_file(folder, catalog).open(int(catalog.meta("rows") or 0))
    except LookalikeError as error:
        yield str(error)


def _model(folder: Path, network: Network | None) -> Iterator[str]:
    path = folder / MODEL_FILE
    if network is None:
        yield f"{folder} has no network.json; index again into another folder."
    elif not path.is_file():
        yield f"{path} is missing; index again into another folder, or restore it from a backup."
    elif sha256_of(path) != network.model_sha256:
        yield f"{path} is not the network that the index was made with (SHA-256 differs)."


def _snapshot(folder: Path, network: Network | None, progress: Progress) -> Iterator[str]:
    try:
        name = current_name(folder)
    except IndexNotReady:
        yield "No snapshot was published yet; run `lookalike index` again to finish."
        return
    except LookalikeError as error:
        yield str(error)
        return
    path = folder / SNAPSHOTS / name
    try:
        manifest = read_manifest(path)
    except LookalikeError as error:
        yield f"{error.message} {COMPACT}"
        return
    damaged = list(_files(path, manifest, progress))
    yield from damaged
    if damaged:
        return
    try:
        snapshot = Snapshot.open(path)
        if network is not None:
            network.require_same(Network(**snapshot.manifest["network"]))
    except (LookalikeError, TypeError, KeyError) as error:
        yield f"{error} {COMPACT}"


def _files(path: Path, manifest: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = manifest["files"]
    total = sum(said["bytes"] for said in files.values())
    with progress.track("Checking", total, "bytes") as advance:
        for name, said in files.items():
            file = path / name
            if not file.is_file():
                yield f"{file} is missing. {COMPACT}"
            elif file.stat().st_size != said["bytes"]:
                yield (
                    f"{file} has {file.stat().st_size:,} bytes instead of {said['bytes']:,}."
                    f" {COMPACT}"
                )
            elif sha256_of(file) != said["sha256"]:
                yield f"{file} was altered since it was written (SHA-256 differs). {COMPACT}"
            advance(said["bytes"])
