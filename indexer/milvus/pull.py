"""An index in Milvus as an exported file, which `lookalike import` makes an index of anywhere.

Listings are read in slices of their numbers, each into a file of its own beside the target. A run
that was stopped goes on with the slices that are missing; at the end they become one file.
"""

from __future__ import annotations

import datetime
import json
import shutil
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, LookalikeError, UsageError
from indexer.export_batch import batch_of
from indexer.export_schema import arrow, network_path, schema
from indexer.exporting import Exported
from indexer.files import sync_file, sync_folder, write_durably
from indexer.milvus.address import Address
from indexer.milvus.connection import LONG, PATIENT, Milvus
from indexer.milvus.meta import MODEL, PROJECTION, STRONG
from indexer.milvus.rows import Document, picture_number
from indexer.milvus.schema import FEATURES, LISTINGS, load_features
from indexer.milvus.space import Space, read_space
from indexer.milvus.store import Store
from indexer.progress import SILENT, Progress
from indexer.storing import storing

SLICE = 1000
"""Listings of a slice, about."""

NUMBERS = 2**63

STALE = 24 * 60 * 60
"""Seconds after which slices are of another time, and are read again."""


def pull(
    address: Address,
    target: Path,
    *,
    features: bool = True,
    thumbnails: bool = True,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Exported:
    """Write an index in Milvus, which may be in use, to a Parquet file.

    Parameters and what is written are those of `indexer.exporting.export`.

    Raises
    ------
    UsageError
        If there is such a file already.
    IndexNotReady
        If there is no index.
    StoreUnavailable
        If Milvus does not answer; the same call goes on later.
    IndexDamaged
        If there are fewer listings in the end than there were counted.
    """
    network = network_path(target)
    if not overwrite and target.exists():
        raise UsageError(
            f"{target} is there already.",
            hint="Name another file, or replace it with --overwrite.",
        )
    milvus = Milvus(address, timeout=PATIENT)
    try:
        space, store = read_space(milvus), Store(milvus)
        if features:
            load_features(milvus)
        reader = _Reader(store, space, features, thumbnails)
        counted = store.count(LISTINGS)
        with storing(target.parent):
            parts = target.with_name(f"{target.name}.parts")
            slices, counted = _begun(parts, space.made, counted, features, thumbnails)
            with progress.track("Exporting", slices, "slices") as advance:
                for place in range(slices):
                    reader.write(parts / f"{place:08d}.parquet", place, slices)
                    advance(1)
            write_durably(network, store.meta.read(MODEL))
            try:
                done = _joined(
                    parts,
                    target,
                    slices,
                    lambda read: _require_all(read, counted, store.count(LISTINGS)),
                )
            except IndexDamaged:  # what does not add up is not taken up again
                shutil.rmtree(parts)
                raise
            shutil.rmtree(parts)
        return Exported(*done, network)
    finally:
        if features:
            milvus.release_collection(address.named(FEATURES), timeout=LONG)
        milvus.close()


def _require_all(read: int, before: int, after: int) -> None:
    """Raise IndexDamaged where fewer listings were read than can have gone while they were."""
    if read < min(before, after) - abs(after - before):
        raise IndexDamaged(f"{read:,} of {before:,} listings could be read.", hint="Export again.")


def _begun(
    parts: Path, made: str, counted: int, features: bool, thumbnails: bool
) -> tuple[int, int]:
    """Begin, or go on with what was begun, unless that is another export.

    Returns
    -------
    slices : int
        How many slices there are.
    counted : int
        How many listings there were when it was begun.
    """
    said = parts / "said.json"
    asked = {"made": made, "features": features, "thumbnails": thumbnails}
    if said.is_file() and time.time() - said.stat().st_mtime < STALE:
        known = json.loads(said.read_bytes())
        if {name: known.get(name) for name in asked} == asked and "counted" in known:
            return known["slices"], known["counted"]
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    begun = {"slices": max(1, counted // SLICE), "counted": counted}
    write_durably(said, json.dumps({**asked, **begun}).encode())
    return begun["slices"], counted


def _joined(
    parts: Path, target: Path, slices: int, check: Callable[[int], None]
) -> tuple[int, int]:
    """Make one file of all slices; return how many listings and pictures it holds.

    The file that it takes the place of stays where `check`, told of the listings, raises.
    """
    parquet = arrow().parquet
    aside = target.with_name(f"{target.name}.part")
    listings, pictures = 0, 0
    first = parquet.read_schema(parts / "00000000.parquet")
    with parquet.ParquetWriter(
        aside, first, compression="zstd", use_dictionary=["category", "currency"]
    ) as writer:
        for place in range(slices):
            table = parquet.read_table(parts / f"{place:08d}.parquet", schema=first)
            listings += table.num_rows
            pictures += len(table.column("pictures").combine_chunks().flatten())
            writer.write_table(table)
    try:
        check(listings)
    except LookalikeError:
        aside.unlink()
        raise
    sync_file(aside)
    aside.replace(target)
    sync_folder(target.absolute().parent)
    return listings, pictures


class _Reader:
    """Reads slices."""

    def __init__(self, store: Store, space: Space, features: bool, thumbnails: bool) -> None:
        self._store, self._space = store, space
        self._features, self._thumbnails = features, thumbnails
        self._shape = schema(self._said(), features=features, thumbnails=thumbnails)

    def _said(self) -> dict[str, Any]:
        manifest = self._space.snapshot.manifest
        return {
            "version": version("lookalike"),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "network": manifest["network"],
            "recipe": manifest["recipe"],
            "feature_width": self._space.feature_width,
            "features": self._features,
            "dims": self._space.dims,
            "snapshot": self._space.snapshot.name,
            "space": self._space.snapshot.space,
            "change": self._space.change,
            "runtimes": self._space.runtimes,
            "fields": self._store.meta.fields().types,
            "projection": b64encode(self._store.meta.read(PROJECTION)).decode("ascii"),
        }

    def write(self, path: Path, place: int, slices: int) -> None:
        """Write a slice, unless it is there."""
        if path.is_file():
            return
        aside = path.with_suffix(".part")
        with arrow().parquet.ParquetWriter(aside, self._shape, compression="zstd") as writer:
            first, last = (NUMBERS * n // slices for n in (place, place + 1))
            for documents in self._documents(first, last):
                writer.write_batch(self._batch(documents).cast(self._shape))
        sync_file(aside)
        aside.replace(path)

    def _documents(self, first: int, last: int) -> Iterator[list[Document]]:
        """Yield the listings whose numbers are in a range, some at a time."""
        milvus = self._store.milvus
        rows = milvus.query(
            milvus.address.named(LISTINGS),
            filter=f"number >= {first} and number < {min(last, NUMBERS - 1)}",
            output_fields=["number", "value"],
            limit=4 * SLICE,
            consistency_level=STRONG,
        )
        if len(rows) < 4 * SLICE:
            rows = sorted(rows, key=lambda row: row["number"])
            for start in range(0, len(rows), SLICE):
                yield [Document.read(row["value"]) for row in rows[start : start + SLICE]]
            return
        # There are more of them than were counted.
        middle = (first + last) // 2
        yield from self._documents(first, middle)
        yield from self._documents(middle, last)

    def _batch(self, documents: list[Document]) -> Any:
        kept = [
            (document, place, one)
            for document in documents
            for place, one in enumerate(document.pictures)
        ]
        done = [
            (picture_number(document.fields.id, place), one)
            for document, place, one in kept
            if one.done
        ]
        known = self._store.vectors([number for number, _ in done])
        nothing = np.zeros(self._space.dims, np.float32)
        vectors = np.array([known.get(number, nothing) for number, _ in done], np.float16)
        width = self._space.feature_width if self._features else 0
        features = self._rows({one.made_of for _, one in done}, width) if self._features else {}
        rows = np.array([features[one.made_of] for _, one in done] if features else [], np.float16)
        pictures = [_picture(document, place, one) for document, place, one in kept]
        contents = sorted({one.content for _, one in done})
        thumbnails = self._store.thumbnails(contents, STRONG) if self._thumbnails else None
        return batch_of(
            [_listing(document) for document in documents],
            pictures,
            rows.reshape(len(done), width),
            vectors.reshape(len(done), self._space.dims),
            features=self._features,
            thumbnails=thumbnails,
        )

    def _rows(self, wanted: set[str], width: int) -> Mapping[str, NDArray[np.float16]]:
        found = self._store.features(sorted(wanted))
        lacking = [key for key in wanted if key not in found or len(found[key]) != width]
        if lacking:
            raise IndexDamaged(
                f"The features of {len(lacking):,} pictures are missing.",
                hint="Export with --no-features.",
            )
        return found


def _listing(document: Document) -> dict[str, Any]:
    said = document.fields
    return {
        "number": document.number,
        "id": said.id,
        "title": said.title,
        "category": said.category,
        "price": said.price,
        "currency": said.currency,
        "url": said.url,
        "attributes": json.dumps(dict(said.attributes), ensure_ascii=False, sort_keys=True),
        "origin": document.origin,
        "digest": bytes.fromhex(document.digest),
        "written": document.written,
    }


def _picture(document: Document, place: int, one: Any) -> dict[str, Any]:
    return {
        "listing": document.number,
        "number": picture_number(document.fields.id, place),
        "uri": one.uri,
        "region": one.region,
        "version": one.version,
        "state": one.state,
        "reason": one.reason,
        "content": one.content or None,
        "width": one.width,
        "height": one.height,
        "embedding": 0 if one.done else None,
    }
