"""Writing to a catalogue listing by listing, as services do while shoppers search.

A write is durable when its call returns, and the next search finds it. It waits for its turn among
other writers, for one transaction; a sync or a compaction that is under way does not hold it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, region_text
from indexer.embedder import Embedder
from indexer.errors import IndexBusy, ListingNotFound, LookalikeError, NetworkMismatch, UsageError
from indexer.features import feature_file
from indexer.listing import Listing, Picture
from indexer.listing_writes import write_patch, write_put, write_removal
from indexer.model import Network, installed_network
from indexer.operations import (
    Operation,
    Patch,
    Put,
    Ready,
    Remove,
    Written,
    require_writable,
)
from indexer.pictures import LIMITS, PictureLimits, content_hash, prepare
from indexer.stored import is_kept, keep, read_any
from indexer.thumbnails import Thumbnails

TOGETHER = 64
"""Operations that share a transaction; each still succeeds or fails alone."""

TRIES = 5

Outcome = Written | LookalikeError


class _Gone(Exception):
    """What was there when a write began was tidied away meanwhile."""


class Writer:
    """Writes to the index in a folder. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        The index's folder; it must have its network.
    embedder : callable
        Returns what runs the network; called when there is a picture that is new.
    limits : PictureLimits, optional
        What a picture may weigh.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Callable[[], Embedder],
        *,
        limits: PictureLimits = LIMITS,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self._embedder = embedder

    def put(self, listing: Listing) -> Written:
        """Make a listing what is said here: add it, or replace the one of its id.

        Raises
        ------
        UsageError
            If it has no picture or too many, or its id cannot be one.
        PictureError
            If a picture cannot be used. Nothing is changed then.
        IndexBusy, StorageError
            If it cannot be written.
        """
        return self._one(Put(listing))

    def patch(self, patch: Patch) -> Written:
        """Change fields of a listing, without embedding anything.

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        IndexBusy, StorageError
            If it cannot be written.
        """
        return self._one(patch)

    def remove(self, listing_id: str) -> Written:
        """Take a listing out of the catalogue; the next search does not find it.

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        IndexBusy, StorageError
            If it cannot be written.
        """
        return self._one(Remove(listing_id))

    def write(self, operations: Iterable[Operation]) -> list[Outcome]:
        """Do one after the other; what fails says why, and the others are done.

        Returns
        -------
        list of Written or LookalikeError
            In the order of `operations`.

        Raises
        ------
        IndexBusy, StorageError
            If nothing more can be written; operations of earlier transactions are kept.
        """
        outcomes: list[Outcome] = []
        together: list[Operation] = []
        for operation in operations:
            together.append(operation)
            if len(together) == TOGETHER:
                outcomes += self._together(together)
                together = []
        return outcomes + self._together(together) if together else outcomes

    def _one(self, operation: Operation) -> Written:
        (outcome,) = self._together([operation])
        if isinstance(outcome, LookalikeError):
            raise outcome
        return outcome

    def _together(self, operations: Sequence[Operation]) -> list[Outcome]:
        for _ in range(TRIES):
            try:
                return self._try(operations)
            except _Gone:
                continue
        raise IndexBusy(
            "The index is being tidied up or replaced.",
            hint="Try again; nothing of this write was kept.",
        )

    def _try(self, operations: Sequence[Operation]) -> list[Outcome]:
        network = self._network()
        with closing(Thumbnails(self.folder)) as thumbnails, Catalog(self.folder) as catalog:
            # What takes long, before it is anybody's turn.
            ready = [self._ready(one, catalog, thumbnails, network) for one in operations]
            usable = [one for one in ready if not isinstance(one, LookalikeError)]
            pictures = list(chain.from_iterable(usable))
            with catalog.writing():
                # Another index may have taken this one's place meanwhile (`lookalike index
                # --replace`): the next try opens that. Who replaced it may have died before it
                # could say so.
                if catalog.meta("replaced") or not catalog.in_place():
                    raise _Gone
                if installed_network(self.folder) != network:
                    raise _Gone
                self._show(pictures, thumbnails)
                change = catalog.next_change()
                return [
                    one
                    if isinstance(one, LookalikeError)
                    else self._write(catalog, operation, one, change)
                    for operation, one in zip(operations, ready, strict=True)
                ]

    def _show(self, pictures: Sequence[Ready], thumbnails: Thumbnails) -> None:
        """See to it that pictures can be shown; nobody tidies while this has its turn."""
        for picture in pictures:
            drawn = picture.thumbnail is not None or thumbnails.has(picture.content)
            if not drawn or not is_kept(self.folder, picture.uri):
                raise _Gone
        new = {one.content: one.thumbnail for one in pictures if one.thumbnail is not None}
        if new:
            thumbnails.add(new.items())

    def _write(
        self, catalog: Catalog, operation: Operation, pictures: list[Ready], change: int
    ) -> Outcome:
        try:
            match operation:
                case Put():
                    rows = [self._row(catalog, picture) for picture in pictures]
                    placed = list(zip(pictures, rows, strict=True))
                    return write_put(catalog, operation, placed, change)
                case Patch():
                    return write_patch(catalog, operation, change)
                case Remove():
                    return write_removal(catalog, operation)
        except ListingNotFound as error:
            return error

    def _network(self) -> Network:
        network = installed_network(self.folder)
        if network is None:
            Catalog(self.folder).close()  # says so where there is no index at all
            raise UsageError(
                f"The index in {self.folder} has no network yet.",
                hint=f"Fill it with: lookalike index CATALOG --index {self.folder}",
            )
        return network

    def _ready(
        self, operation: Operation, catalog: Catalog, thumbnails: Thumbnails, network: Network
    ) -> list[Ready] | LookalikeError:
        if not isinstance(operation, Put):
            return []
        listing = operation.listing
        try:
            require_writable(listing)
            ready = [
                self._ready_picture(picture, catalog, thumbnails, network)
                for picture in listing.pictures
            ]
            # Only once all of them have turned out well.
            return [
                one if picture.data is None else self._kept(one, picture.data)
                for one, picture in zip(ready, listing.pictures, strict=True)
            ]
        except LookalikeError as error:
            if error.status >= 500 and error.status != 501:
                raise
            return error

    def _ready_picture(
        self, picture: Picture, catalog: Catalog, thumbnails: Thumbnails, network: Network
    ) -> Ready:
        data = picture.data
        if data is None:
            data = read_any(self.folder, picture, max_bytes=self.limits.max_bytes)
        content, region = content_hash(data), region_text(picture)
        known = _embedding(catalog, content, region) is not None
        if known and thumbnails.has(content):
            return Ready(picture.uri, content, region)
        prepared = prepare(
            data,
            network.input_size,
            region=picture.region,
            thumbnail=True,
            limits=self.limits,
        )
        return Ready(
            picture.uri,
            content,
            region,
            prepared.width,
            prepared.height,
            prepared.thumbnail,
            None if known else self._features(prepared.pixels, catalog),
        )

    def _kept(self, ready: Ready, data: bytes) -> Ready:
        return replace(ready, uri=keep(self.folder, ready.content, data))

    def _features(self, pixels: NDArray[np.uint8], catalog: Catalog) -> NDArray[np.float32]:
        features = self._embedder().embed(pixels)
        width = feature_file(self.folder, catalog).width
        if len(features) < width:
            raise NetworkMismatch(
                "The index's network is of an earlier version, and gives fewer features than"
                " the index was told to keep.",
                hint="Index into another folder with --index DIR.",
            )
        return features[:width]

    def _row(self, catalog: Catalog, picture: Ready) -> int:
        """Return the row of a picture's features, written now where they are new."""
        known = _embedding(catalog, picture.content, picture.region)
        if known is not None:
            return known
        if picture.features is None:
            raise _Gone
        rows = int(catalog.meta("rows") or 0)
        file = feature_file(self.folder, catalog)
        catalog.set_meta("rows", str(file.append(picture.features[None], rows)))
        catalog.db.execute(
            "INSERT INTO embeddings VALUES (?, ?, ?, ?, ?)",
            (rows, picture.content, picture.region, picture.width, picture.height),
        )
        return rows


def _embedding(catalog: Catalog, content: str, region: str) -> int | None:
    row = catalog.db.execute(
        "SELECT number FROM embeddings WHERE content = ? AND region = ?", (content, region)
    ).fetchone()
    return None if row is None else int(row[0])
