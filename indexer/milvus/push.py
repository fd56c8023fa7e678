"""A work folder's catalogue into Milvus: what changed since the last time, and what went.

The folder is an index like any other. A small database in it says what has been written to which
collection, so that a run that was stopped goes on where it was, and one after no change writes
nothing. What services wrote to Milvus meanwhile stays until its source changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import DONE, Catalog
from indexer.errors import IndexNotReady
from indexer.faiss_index import exact_top
from indexer.features import FeatureFile, feature_file
from indexer.field_values import FieldType, ListingFields
from indexer.lease import writer_lease
from indexer.milvus.address import Address
from indexer.milvus.connection import PATIENT, Milvus
from indexer.milvus.ledger import DUE, GONE, attached
from indexer.milvus.meta import STRONG
from indexer.milvus.orphans import SERVICES, remove_orphans
from indexer.milvus.pushed import Pushed
from indexer.milvus.rows import Document, Kept
from indexer.milvus.schema import LISTINGS, search_params
from indexer.milvus.space import Made, prepare, write_space
from indexer.milvus.store import Filled, Store
from indexer.model import MODEL_FILE, installed_network
from indexer.progress import SILENT, Progress
from indexer.snapshot import Snapshot, open_current
from indexer.thumbnails import Thumbnails

AT_ONCE = 500
"""Listings that are written in one call."""

SAMPLE = 50
"""Pictures that are searched with at the end."""


def push(work: Path, address: Address, progress: Progress = SILENT) -> Pushed:
    """Bring an index in Milvus up to date with the one in a folder.

    Parameters
    ----------
    work : Path
        The folder; its writer's lease is held meanwhile.
    address : Address
        Of the collection; it is made where there is none.
    progress : Progress, optional
        Is shown how far it is.

    Raises
    ------
    IndexBusy
        If another process writes to the folder, or from it to Milvus.
    IndexNotReady
        If the folder holds no published index.
    NetworkMismatch
        If another network or projection made what is in Milvus.
    StoreUnavailable
        If Milvus does not answer; the same call goes on later.
    """
    with writer_lease(work), closing(open_current(work)) as snapshot:
        network = installed_network(work)
        if network is None:
            raise IndexNotReady(f"The index in {work} has no network yet.")
        with (
            closing(Milvus(address, timeout=PATIENT)) as milvus,
            Catalog(work) as catalog,
            closing(Thumbnails(work)) as thumbnails,
        ):
            made = prepare(milvus, snapshot, network, catalog.meta("secret") or "")
            ledger = work / f"milvus-{made.made}.db"
            with attached(catalog, ledger):
                store = Store(milvus)
                pusher = _Pusher(store, catalog, snapshot, thumbnails, work)
                written = pusher.write(progress)
                removed = pusher.remove()
                remove_orphans(store)
                catalogue = {
                    "feature_width": int(catalog.meta("feature_width") or 0),
                    "runtimes": catalog.meta("runtimes") or "",
                }
                write_space(milvus, made, snapshot, network, work / MODEL_FILE, catalogue)
                return pusher.checked(written, removed, made)


@dataclass(slots=True)
class _Pusher:
    """Writes what is due, group by group, and notes each group once Milvus has it."""

    store: Store
    catalog: Catalog
    snapshot: Snapshot
    thumbnails: Thumbnails
    work: Path

    def write(self, progress: Progress) -> int:
        """Write listings that are new or changed; return how many."""
        types = cast("dict[str, FieldType]", self.catalog.field_types())
        fields = self.store.meta.fields()
        self.store.meta.learn(fields, [], types)
        file = feature_file(self.work, self.catalog)
        total = sum(len(group) for group in self._due())
        others = self.store.count(condition=f"since > {SERVICES}") if total else 0
        written = 0
        with (
            progress.track("Writing to Milvus", total, "listings") as advance,
            ThreadPoolExecutor(2) as beside,
        ):
            for numbers in self._due():
                group, features, thumbnails = self._group(numbers, file)
                # Milvus takes all three at once in the time of the slowest.
                started = [
                    beside.submit(self.store.add_features, features),
                    beside.submit(self.store.add_thumbnails, thumbnails),
                ]
                filled = [one for one, _ in group]
                if others:  # which may have left pictures of a write that was cut short
                    there = self.store.pictures_there([one.document.number for one in filled])
                    filled = [replace(one, there=there[one.document.number]) for one in filled]
                # First, so that one that goes from the folder after a crash goes from Milvus too.
                self._note(numbers, filled, [0] * len(filled))
                self.store.put(filled, fields)
                for one in started:
                    one.result()
                self._note(numbers, filled, [change for _, change in group])
                written += len(group)
                advance(len(group))
        return written

    def _due(self) -> Iterator[list[int]]:
        last = 0
        while rows := self.catalog.db.execute(DUE, (last, AT_ONCE)).fetchall():
            yield [int(row[0]) for row in rows]
            last = int(rows[-1][0])

    def _group(
        self, numbers: list[int], file: FeatureFile
    ) -> tuple[list[tuple[Filled, int]], dict[str, NDArray[np.float16]], dict[str, bytes]]:
        """Return listings, each with its change, their features, and their thumbnails."""
        wanted = json.dumps(numbers)
        listings = self.catalog.db.execute(
            "SELECT l.*, p.pictures AS before FROM listings l"
            " LEFT JOIN pushed.listings p ON p.number = l.number"
            " WHERE l.number IN (SELECT value FROM json_each(?)) ORDER BY l.number",
            (wanted,),
        ).fetchall()
        pictures = self.catalog.db.execute(
            "SELECT p.*, e.content, e.width, e.height FROM pictures p"
            " LEFT JOIN embeddings e ON e.number = p.embedding"
            " WHERE p.listing IN (SELECT value FROM json_each(?)) ORDER BY p.listing, p.position",
            (wanted,),
        ).fetchall()
        of: dict[int, list[Any]] = {number: [] for number in numbers}
        for row in pictures:
            of[row["listing"]].append(row)
        done = [row for row in pictures if row["embedding"] is not None]
        features = file.read(np.array([row["embedding"] for row in done], np.int64))
        vectors = self._vectors(done, features)
        place = {row["number"]: n for n, row in enumerate(done)}
        group = []
        for row in listings:
            own = [place[one["number"]] for one in of[row["number"]] if one["number"] in place]
            change = max([row["change"], *(one["change"] for one in of[row["number"]])])
            document = _document(row, of[row["number"]])
            group.append((Filled(document, vectors[own], row["before"] or 0), change))
        made_of = [f"{row['content']} {row['region']}" for row in done]
        jpegs = {row["content"]: self.thumbnails.get(row["content"]) for row in done}
        return (
            group,
            dict(zip(made_of, features, strict=True)),
            {key: jpeg for key, jpeg in jpegs.items() if jpeg is not None},
        )

    def _vectors(self, done: list[Any], features: NDArray[np.float16]) -> NDArray[np.float32]:
        if not done:
            return np.zeros((0, self.snapshot.projection.dims), np.float32)
        return self.snapshot.projection.transform(features)

    def _note(self, numbers: list[int], group: list[Filled], changes: list[int]) -> None:
        """Note what listings are in Milvus; with change 0, that they may be from now on."""
        rows = [
            (
                number,
                one.document.fields.id,
                max(len(one.document.pictures), 0 if change else one.before),
                change,
            )
            for number, one, change in zip(numbers, group, changes, strict=True)
        ]
        self.catalog.db.execute("BEGIN")
        self.catalog.db.executemany(
            "INSERT OR REPLACE INTO pushed.listings VALUES (?, ?, ?, ?)", rows
        )
        self.catalog.db.execute("COMMIT")

    def remove(self) -> int:
        """Remove listings that the folder has no more; return how many."""
        removed = 0
        while rows := self.catalog.db.execute(GONE, (AT_ONCE,)).fetchall():
            # One that came back under another number was written just now.
            gone = [
                Document(ListingFields(row["id"]), (Kept("", "", "", 0),) * row["pictures"])
                for row in rows
                if not self.catalog.number_of(row["id"])
            ]
            self.store.remove(gone)
            self.catalog.db.executemany(
                "DELETE FROM pushed.listings WHERE number = ?", [(row["number"],) for row in rows]
            )
            removed += len(gone)
        return removed

    def checked(self, written: int, removed: int, made: Made) -> Pushed:
        """Count what is there, and compare some searches."""
        listings = self.store.count(LISTINGS)
        vectors = self.store.count()
        alone = listings == self.catalog.count("listings") and vectors == self.snapshot.count
        overlap = self._overlap(made.kind) if alone and self.snapshot.count else None
        expected = self.catalog.count("listings")
        address = str(self.store.milvus.address)
        return Pushed(address, written, removed, listings, vectors, expected, overlap)

    def _overlap(self, kind: str) -> float:
        """Return the share of the ten nearest of some pictures that Milvus finds."""
        snapshot = self.snapshot
        k = min(10, snapshot.count)
        places = np.unique(np.linspace(0, snapshot.count - 1, SAMPLE).astype(int))
        asked = snapshot.vectors[places].astype(np.float32)
        found = self.store.milvus.search(
            self.store.milvus.address.collection,
            data=[row.tolist() for row in asked],
            limit=k,
            search_params=search_params(kind, k),
            output_fields=["picture"],
            consistency_level=STRONG,
        )
        exact = exact_top(asked, snapshot.vectors, k)
        shares = []
        for vector, best, hits in zip(asked, exact, found, strict=True):
            least = float((snapshot.vectors[best].astype(np.float32) @ vector).min())
            near = sum(hit["distance"] >= least - 1e-5 for hit in hits)
            shares.append(min(1.0, near / k))
        return float(np.mean(shares))


def _document(row: Any, pictures: list[Any]) -> Document:
    names = ("id", "title", "category", "price", "currency", "url")
    fields = ListingFields(
        **{name: row[name] for name in names}, attributes=json.loads(row["attributes"])
    )
    kept = (
        Kept(
            one["uri"],
            one["region"],
            one["content"] or "",
            # One that is to be embedded anew is found by what it was until then.
            one["state"] if one["embedding"] is None else DONE,
            one["width"],
            one["height"],
            one["version"],
            one["reason"],
            one["number"],
        )
        for one in pictures
    )
    return Document(
        fields, tuple(kept), row["origin"], bytes(row["digest"]).hex(), bool(row["written"])
    )
