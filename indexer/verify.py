"""Checking an index: every file of it against what the manifest and the database say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np

from indexer.catalog import Catalog
from indexer.errors import IndexDamaged, IndexNotReady, LookalikeError
from indexer.features import FeatureFile, feature_file
from indexer.learned import read_learned
from indexer.manifest import CURRENT, MANIFEST, unreadable
from indexer.model import (
    CARD_FILE,
    MODEL_FILE,
    Network,
    installed_again,
    installed_network,
    missing_network,
)
from indexer.progress import SILENT, Progress
from indexer.reading_lock import ReadingLock
from indexer.runtimes import OPENVINO_FILE, OPENVINO_SUMS, OPENVINO_WEIGHTS
from indexer.snapshot import SNAPSHOTS, Snapshot, current_name, read_manifest
from indexer.stored import FOLDER as PICTURES
from indexer.thumbnails import THUMBNAILS
from indexer.weights import sha256_of

COMPACT = "`lookalike compact` makes a new snapshot from the stored features."
UNTOLD = (
    "Index again into another folder, or make another index from the features as they are, with"
    " `lookalike export` and `lookalike import`."
)
ANEW = "Restore it from a backup, or index again into another folder."


class Unchecked(str):
    """A problem that is no damage: nothing tells whether there is some."""

    __slots__ = ()


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
            yield from _features(folder, catalog, progress)
    except (IndexDamaged, sqlite3.DatabaseError) as error:
        yield f"{error} Restore catalog.db from a backup."
    yield from _thumbnails(folder)
    yield from _kept_pictures(folder, progress)
    network = None
    try:
        network = installed_network(folder)
    except LookalikeError as error:
        yield str(error)
    yield from _model(folder, network)
    try:
        read_learned(folder)
    except LookalikeError as error:
        yield str(error)
    yield from _snapshot(folder, network, progress)


def _database(catalog: Catalog) -> Iterator[str]:
    try:
        said = [str(row[0]) for row in catalog.db.execute("PRAGMA integrity_check(10)")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    for line in said:
        if line != "ok":
            yield f"catalog.db: {line}. Restore it from a backup."


def _features(folder: Path, catalog: Catalog, progress: Progress) -> Iterator[str]:
    file = feature_file(folder, catalog)
    rows, count = None, 0
    try:
        while rows is None:  # again where a compaction has moved rows meanwhile
            moves, count = catalog.meta("moves"), int(catalog.meta("rows") or 0)
            rows = _damaged_rows(catalog, file, count, progress)
            if catalog.meta("moves") != moves:
                rows = None
    except LookalikeError as error:
        yield str(error)
    damaged, untold = rows or ([], 0)
    if untold:
        yield Unchecked(
            f"{file.sums_path}: the checksums of {untold:,} of {count:,} pictures' features are"
            f" missing, so that damage to these would not be seen. {UNTOLD}"
        )
    if damaged:
        named = ", ".join(repr(name) for name in _listings_of(catalog, damaged[:3]))
        yield (
            f"{file.path}: the features of {len(damaged):,} of {count:,} pictures were altered"
            f" since they were written{f', {named} among them' if named else ''}. {ANEW}"
        )


def _damaged_rows(
    catalog: Catalog, file: FeatureFile, count: int, progress: Progress
) -> tuple[list[int], int]:
    """Return the rows in use that are not as they were written, and how many nothing tells of.

    A row that nothing refers to may be half of another one: a compaction that died copied it.
    """
    numbers = catalog.db.execute("SELECT number FROM embeddings WHERE number < ?", (count,))
    used = np.zeros(count, bool)
    used[np.fromiter((row[0] for row in numbers), np.int64)] = True
    damaged, untold = [], 0
    with progress.track("Checking the features", count, "pictures") as advance:
        for number, sound in enumerate(file.check(count)):
            if used[number] and sound is None:
                untold += 1
            elif used[number] and not sound:
                damaged.append(number)
            advance(1)
    return damaged, untold


def _listings_of(catalog: Catalog, rows: list[int]) -> Iterator[str]:
    for number in rows:
        found = catalog.db.execute(
            "SELECT l.id FROM pictures p JOIN listings l ON l.number = p.listing"
            " WHERE p.embedding = ? LIMIT 1",
            (number,),
        ).fetchone()
        if found is not None:
            yield str(found[0])


def _thumbnails(folder: Path) -> Iterator[str]:
    """Check the thumbnails' database; that it is missing is fine, a backup may leave it out."""
    path = folder / THUMBNAILS
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            for (line,) in db.execute("PRAGMA quick_check(10)"):
                if line != "ok":
                    yield f"{path}: {line}. {ANEW}"
            # SQLite does not look into what it keeps: a JPEG begins and ends in its own way.
            (torn,) = db.execute(
                "SELECT count(*) FROM thumbnails"
                " WHERE substr(jpeg, 1, 3) <> x'FFD8FF' OR substr(jpeg, -2) <> x'FFD9'"
            ).fetchone()
            if torn:
                yield f"{path}: {torn:,} thumbnails are no whole JPEG. {ANEW}"
    except sqlite3.DatabaseError as error:
        yield f"{path}: {error}. {ANEW}"


def _kept_pictures(folder: Path, progress: Progress) -> Iterator[str]:
    """Check the pictures that were given to the index itself. An export does without them."""
    paths = [path for path in (folder / PICTURES).glob("??/*") if len(path.name) == 64]
    altered = 0
    with progress.track("Checking pictures", len(paths), "pictures") as advance:
        for path in paths:
            with suppress(FileNotFoundError):  # tidied away meanwhile
                altered += sha256_of(path) != path.name
            advance(1)
    if altered:
        yield (
            f"{folder / PICTURES}: {altered:,} of {len(paths):,} pictures were altered since they"
            f" were written. Give their listings their pictures again, or restore a backup."
        )


def _model(folder: Path, network: Network | None) -> Iterator[str]:
    path = folder / MODEL_FILE
    if not (folder / CARD_FILE).is_file():
        yield str(missing_network(folder, CARD_FILE))
    elif not path.is_file():
        yield str(missing_network(folder, MODEL_FILE))
    elif network is not None and sha256_of(path) != network.model_sha256:
        yield (
            f"{path} is not the network that the index was made with (SHA-256 differs)."
            f" {installed_again(folder)}"
        )
    if (folder / OPENVINO_FILE).is_file():
        yield from _openvino(folder)


def _openvino(folder: Path) -> Iterator[str]:
    again = f"Remove {folder / OPENVINO_FILE}; `lookalike index --runtime openvino` makes it again."
    try:
        sums = json.loads((folder / OPENVINO_SUMS).read_bytes())
        said = {name: sums[name] for name in (OPENVINO_FILE, OPENVINO_WEIGHTS)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"{folder / OPENVINO_SUMS} cannot be read ({error}). {again}"
        return
    for name, sha256 in said.items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != sha256:
            yield f"{path} is not what was written (SHA-256 differs). {again}"


def _snapshot(folder: Path, network: Network | None, progress: Progress) -> Iterator[str]:
    try:
        name = current_name(folder)
    except IndexNotReady:
        yield "No snapshot was published yet; run `lookalike index` again to finish."
        return
    except LookalikeError as error:
        yield f"{error.message} {COMPACT}"
        return
    if not name.isdigit():
        yield f"{folder / CURRENT} names no snapshot. {COMPACT}"
        return
    path = folder / SNAPSHOTS / name
    try:
        lock = ReadingLock(path)  # so that it is not removed meanwhile
        manifest = read_manifest(path)
    except LookalikeError as error:
        yield f"{error.message} {COMPACT}"
        return
    damaged = list(_files(path, manifest, progress))
    lock.close()
    yield from damaged
    if damaged:
        return
    try:
        snapshot = Snapshot.open(path)
        if network is not None:
            network.require_same(Network(**snapshot.manifest["network"]))
    except LookalikeError as error:
        yield f"{error.message} {COMPACT}"
    except (TypeError, KeyError) as error:
        yield f"{unreadable(path / MANIFEST, error).message} {COMPACT}"


def _files(path: Path, manifest: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = manifest["files"]
    total = sum(said["bytes"] for said in files.values())
    with progress.track("Checking the snapshot", total, "bytes") as advance:
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
