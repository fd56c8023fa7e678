"""Writing to an index in Milvus listing by listing, as `indexer.writing` does to one in a folder.

A write is in Milvus' log when its call returns. Writes of one process to one listing wait for one
another. Two servers that change one listing at the same moment do not: the later write stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import DONE, region_text
from indexer.embedder import Embedder
from indexer.errors import LookalikeError, NetworkMismatch
from indexer.field_values import ListingFields
from indexer.listing import Picture
from indexer.listing_writes import not_found
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import Fields
from indexer.milvus.rows import Document, Kept, listing_number, require_fitting
from indexer.milvus.space import Space
from indexer.milvus.state import State
from indexer.milvus.store import Store
from indexer.operations import FIELDS, Operation, Patch, Put, Remove, Written, require_writable
from indexer.pictures import LIMITS, PictureLimits, content_hash, prepare
from indexer.projection import Projection
from indexer.stored import read_any, stored_uri
from indexer.writing import Outcome, Writer

NOWHERE = Path()
"""Pictures that are given as bytes are not kept: Milvus is no place for them."""

WRITING = 10.0
"""Seconds that a write may take: whoever waits for it is a service."""


class Turns:
    """Lets writes to one listing take turns in this process."""

    def __init__(self) -> None:
        self._locks = [threading.Lock() for _ in range(64)]

    @contextmanager
    def of(self, listings: Sequence[int]) -> Iterator[None]:
        """Have the turn of some listings, by number."""
        with ExitStack() as stack:
            # Always in one order, so that no two wait for each other.
            for place in sorted({number % len(self._locks) for number in listings}):
                stack.enter_context(self._locks[place])
            yield


class MilvusWriter(Writer):
    """Writes to an index in Milvus. Safe to use from several threads and processes.

    Parameters
    ----------
    milvus : Milvus
        Where it is.
    space : Space
        What it says beside its listings.
    embedder : callable
        Returns what runs the network; called when there is a picture that is new.
    limits : PictureLimits, optional
        What a picture may weigh.
    turns : Turns, optional
        Shared by all that write in this process.
    learned : callable, optional
        Is given the attributes there are after each write.
    """

    def __init__(
        self,
        milvus: Milvus,
        space: Space,
        embedder: Callable[[], Embedder],
        *,
        limits: PictureLimits = LIMITS,
        turns: Turns | None = None,
        learned: Callable[[Fields], None] = lambda _: None,
    ) -> None:
        super().__init__(NOWHERE, embedder, limits=limits)
        self._space = space
        self._store = Store(milvus, writing=WRITING)
        self._turns = turns or Turns()
        self._learned = learned

    def _together(self, operations: Sequence[Operation]) -> list[Outcome]:
        numbers = list(dict.fromkeys(listing_number(one.id) for one in operations))
        with self._turns.of(numbers):
            state, fields = self._read(numbers)
            outcomes = [self._outcome(operation, state) for operation in operations]
            self._store.add_thumbnails(state.thumbnails())
            self._store.add_features(state.features())
            filled, (gone, pictures) = state.filled(), state.removed()
            if filled:
                self._store.put(filled, fields)
                self._learned(fields)
            if gone or pictures:
                self._store.remove(gone, pictures)
        return outcomes

    def _read(self, numbers: Sequence[int]) -> tuple[State, Fields]:
        # Each waits until Milvus has all that was written before; together, they wait once.
        with ThreadPoolExecutor(3) as readers:
            documents = readers.submit(self._store.documents, numbers)
            pictures = readers.submit(self._store.pictures_of, numbers)
            fields = readers.submit(self._store.meta.fields)
            return State(documents.result(), pictures.result(), self._space.dims), fields.result()

    def _outcome(self, operation: Operation, state: State) -> Outcome:
        try:
            match operation:
                case Put():
                    return self._put(operation, state)
                case Patch():
                    return _patch(operation, state)
                case Remove():
                    state.remove(operation.id)
                    return Written(operation.id, "removed")
        except LookalikeError as error:
            if error.status >= 500 and error.status != 501:
                raise
            return error

    def _put(self, put: Put, state: State) -> Written:
        listing = put.listing
        require_writable(listing)
        before = state.get(listing.id)
        pictures = [self._picture(one, state) for one in listing.pictures]
        document = Document(
            ListingFields.of(listing),
            tuple(_as_before(pictures, before)),
            listing.origin,
            written=True,
        )
        require_fitting(document)
        if before is not None and _says(before, document) and state.is_whole(before):
            return Written(listing.id, "unchanged")
        state.set(document)
        return Written(listing.id, "created" if before is None else "replaced")

    def _picture(self, picture: Picture, state: State) -> Kept:
        data = picture.data
        if data is None:
            data = read_any(NOWHERE, picture, max_bytes=self.limits.max_bytes)
        content = content_hash(data)
        uri = picture.uri if picture.data is None else stored_uri(content)
        kept = Kept(uri, region_text(picture), content, DONE, version=content)
        size = state.size_of(kept.made_of)
        if size is not None:
            return replace(kept, width=size[0], height=size[1])
        prepared = prepare(
            data,
            self._space.network.input_size,
            region=picture.region,
            thumbnail=True,
            limits=self.limits,
        )
        made = self._made_features(prepared.pixels)
        # By float16, as the features of a catalogue are kept.
        projection: Projection = self._space.snapshot.projection
        vector = projection.transform(made[None].astype(np.float16))[0]
        kept = replace(kept, width=prepared.width, height=prepared.height)
        state.learn(kept, prepared.thumbnail, made, vector)
        return kept

    def _made_features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        made = self._embedder().embed(pixels)
        if len(made) < self._space.feature_width:
            raise NetworkMismatch(
                "The index's network gives fewer features than the index keeps.",
                hint="Write the index again with `lookalike index`.",
            )
        return made[: self._space.feature_width]


def _patch(patch: Patch, state: State) -> Written:
    before = state.get(patch.id)
    if before is None:
        raise not_found(patch.id)
    state.require_vectors(before)
    said = before.fields
    changed = {name: patch.fields.get(name, getattr(said, name)) for name in FIELDS}
    attributes = {**said.attributes, **patch.attributes}
    kept = {name: value for name, value in attributes.items() if value is not None}
    fields = ListingFields(said.id, **changed, attributes=kept)
    document = replace(before, fields=fields, written=True)
    require_fitting(document)
    if _says(before, document) and state.is_whole(before):
        return Written(patch.id, "unchanged")
    state.set(document)
    return Written(patch.id, "patched")


def _as_before(pictures: Sequence[Kept], before: Document | None) -> Iterator[Kept]:
    """Yield pictures; those that stay in their place as they were, the others as new ones."""
    old = () if before is None else before.pictures
    now = time.time_ns() // 1000
    for place, one in enumerate(pictures):
        if place < len(old) and _is_same(old[place], one):
            yield old[place]
        else:
            yield replace(one, since=now + place)


def _is_same(one: Kept, other: Kept) -> bool:
    names = ("uri", "region", "content", "state")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _says(one: Document, other: Document) -> bool:
    return (
        one.fields == other.fields
        and len(one.pictures) == len(other.pictures)
        and all(map(_is_same, one.pictures, other.pictures))
    )
