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
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, UsageError
from indexer.export_batch import batch_of
from indexer.export_schema import arrow, network_path, schema
from indexer.exporting import Exported
from indexer.files import sync_file, write_durably
from indexer.milvus.address import Address
from indexer.milvus.connection import PATIENT, Milvus
from indexer.milvus.holding import Hold
from indexer.milvus.meta import MODEL, PROJECTION, STRONG
from indexer.milvus.rows import Document, picture_number
from indexer.milvus.schema import LISTINGS
from indexer.milvus.slices import begin, join, require_all
from indexer.milvus.space import Space, read_space
from indexer.milvus.store import Store
from indexer.progress import SILENT, Progress
from indexer.storing import storing

SLICE = 1000
"""Listings of a slice, about."""

NUMBERS = 2**63

SETTLING = 10.0
"""Seconds that a write or a removal may be under way: as `indexer.milvus.writing` has it."""

Made = tuple[int, str]
"""A picture's number and what it is made of."""

Vector = NDArray[Any]
"""Of shape (dims,)."""


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
        If there are fewer listings in the end than there were counted; or, without features, the
        vectors of one are missing.
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
        counted = store.count(LISTINGS)
        asked = {"made": space.made, "features": features, "thumbnails": thumbnails}
        with storing(target.parent):
            parts = target.with_name(f"{target.name}.parts")
            begun = begin(parts, asked, max(1, counted // SLICE), counted)
            slices = begun.slices
            with (
                Hold(milvus, begun.hold) if features else nullcontext() as hold,
                progress.track("Exporting", slices, "slices") as advance,
            ):
                reader = _Reader(store, space, features, thumbnails)
                for place in range(slices):
                    if hold is not None:
                        hold.renew()
                    reader.write(parts / f"{place:08d}.parquet", place, slices)
                    advance(1)
            write_durably(network, store.meta.read(MODEL))
            try:
                done = join(
                    parts,
                    target,
                    slices,
                    lambda read: require_all(
                        read + reader.left_out, begun.counted, store.count(LISTINGS)
                    ),
                )
            except IndexDamaged:  # what does not add up is not taken up again
                shutil.rmtree(parts)
                raise
            shutil.rmtree(parts)
        return Exported(*done, network)
    finally:
        milvus.close()


class _Reader:
    """Reads slices; `left_out` listings went before their pictures were read too."""

    def __init__(self, store: Store, space: Space, features: bool, thumbnails: bool) -> None:
        self.left_out = 0
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
        documents, vectors = self._settled(documents)
        kept = [
            (document, place, one)
            for document in documents
            for place, one in enumerate(document.pictures)
        ]
        done = [one for document in documents for one in _done(document)]
        width = self._space.feature_width if self._features else 0
        features = self._rows({made for _, made in done}, width) if self._features else {}
        rows = np.array([features[made] for _, made in done] if features else [], np.float16)
        rows = rows.reshape(len(done), width)
        lacking = [place for place, one in enumerate(done) if one not in vectors]
        if lacking:  # of listings that were written or removed by half
            if not self._features:
                raise _by_half(documents, vectors)
            made = self._space.snapshot.projection.transform(rows[lacking])
            vectors |= zip((done[place] for place in lacking), made, strict=True)
        pictures = [_picture(document, place, one) for document, place, one in kept]
        contents = sorted({one.content for _, _, one in kept if one.done})
        thumbnails = self._store.thumbnails(contents, STRONG) if self._thumbnails else None
        return batch_of(
            [_listing(document) for document in documents],
            pictures,
            rows,
            np.array([vectors[one] for one in done], np.float16).reshape(-1, self._space.dims),
            features=self._features,
            thumbnails=thumbnails,
        )

    def _settled(self, documents: list[Document]) -> tuple[list[Document], dict[Made, Vector]]:
        """Return listings, and the vectors that there are of what they say that they show.

        One that is written or removed meanwhile is read again: taken as it is then, or left out.
        """
        now = {document.number: document for document in documents}
        vectors: dict[Made, Vector] = {}
        # With features, what is missing in the end can be made.
        ends = time.monotonic() + (SETTLING / 10 if self._features else SETTLING)
        asked, pause = list(now), 0.1
        while True:
            numbers = [number for one in asked for number, _ in _done(now[one])]
            vectors |= self._store.made(numbers)
            asked = [one for one in asked if any(made not in vectors for made in _done(now[one]))]
            if not asked or time.monotonic() > ends:
                self.left_out += len(documents) - len(now)
                return [now[number] for number in sorted(now)], vectors
            time.sleep(pause)
            pause *= 2
            found = self._store.documents(asked)
            now = {number: one for number, one in now.items() if number not in asked} | found
            asked = list(found)

    def _rows(self, wanted: set[str], width: int) -> Mapping[str, NDArray[np.float16]]:
        found = self._store.features(sorted(wanted))
        lacking = [key for key in wanted if key not in found or len(found[key]) != width]
        if lacking:
            raise IndexDamaged(
                f"The features of {len(lacking):,} pictures are missing.",
                hint="Export with --no-features.",
            )
        return found


def _done(document: Document) -> list[Made]:
    """Return the pictures of a listing that have a vector."""
    return [
        (picture_number(document.fields.id, place), one.made_of)
        for place, one in enumerate(document.pictures)
        if one.done
    ]


def _by_half(documents: list[Document], vectors: Mapping[Made, Vector]) -> IndexDamaged:
    lacking = [
        document.fields.id
        for document in documents
        if any(one not in vectors for one in _done(document))
    ]
    return IndexDamaged(
        f"The vectors of {len(lacking):,} listings are missing, for example of {lacking[0]!r}.",
        hint="Write or remove them again, and then export again; or export with features.",
    )


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
