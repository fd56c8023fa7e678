"""Writing to an index in Milvus listing by listing, as `indexer.writing` does to one in a folder.

A write is in Milvus' log when its call returns. Two servers that change one listing at the same
moment do not wait for one another: the later write stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from indexer.milvus.rows import Document, Kept, listing_number, picture_number
from indexer.milvus.space import Space
from indexer.milvus.store import Filled, Store
from indexer.operations import FIELDS, Operation, Patch, Put, Remove, Written, require_writable
from indexer.pictures import LIMITS, PictureLimits, content_hash, prepare
from indexer.projection import Projection
from indexer.stored import read_any, stored_uri
from indexer.writing import Outcome, Writer

NOWHERE = Path()
"""Pictures that are given as bytes are not kept: Milvus is no place for them."""


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
    """

    def __init__(
        self,
        milvus: Milvus,
        space: Space,
        embedder: Callable[[], Embedder],
        *,
        limits: PictureLimits = LIMITS,
    ) -> None:
        super().__init__(NOWHERE, embedder, limits=limits)
        self._space = space
        self._store = Store(milvus)

    def _together(self, operations: Sequence[Operation]) -> list[Outcome]:
        known = self._store.documents(listing_number(one.id) for one in operations)
        state = _State(known)
        thumbnails: dict[str, bytes] = {}
        features: dict[str, NDArray[np.float32]] = {}
        outcomes: list[Outcome] = []
        fields = self._store.meta.fields()
        for operation in operations:
            try:
                match operation:
                    case Put():
                        one = self._put(operation, state, thumbnails, features)
                    case Patch():
                        one = self._patch(operation, state)
                    case Remove():
                        one = state.remove(operation.id)
            except LookalikeError as error:
                if error.status >= 500 and error.status != 501:
                    raise
                outcomes.append(error)
            else:
                outcomes.append(one)
        self._store.add_thumbnails(thumbnails)
        self._store.add_features(features)
        self._apply(state, fields)
        return outcomes

    def _apply(self, state: _State, fields: Fields) -> None:
        kept = [one for one in state.now.values() if one is not None and state.changed(one.number)]
        vectors = self._vectors(kept, state)
        filled = [
            Filled(one, vectors[one.number], len(before.pictures) if before else 0)
            for one in kept
            for before in [state.before.get(one.number)]
        ]
        if filled:
            self._store.put(filled, fields)
        self._store.remove(
            [state.before[n] for n, one in state.now.items() if one is None and n in state.before]
        )

    def _vectors(self, documents: Sequence[Document], state: _State) -> dict[int, NDArray[Any]]:
        """Return each listing's vectors: of pictures that stay, the old ones."""
        wanted = {
            (one.number, place): picture_number(one.fields.id, state.from_place(one, place))
            for one in documents
            for place, picture in enumerate(one.pictures)
            if picture.done and picture.made_of not in state.vectors
        }
        there = self._store.vectors(list(wanted.values())) if wanted else {}
        dims = self._space.dims
        found: dict[int, NDArray[Any]] = {}
        for one in documents:
            rows = [
                state.vectors[picture.made_of]
                if picture.made_of in state.vectors
                else there[wanted[one.number, place]]
                for place, picture in enumerate(one.pictures)
                if picture.done
            ]
            found[one.number] = np.array(rows, np.float32).reshape(len(rows), dims)
        return found

    def _put(
        self,
        put: Put,
        state: _State,
        thumbnails: dict[str, bytes],
        features: dict[str, NDArray[np.float32]],
    ) -> Written:
        listing = put.listing
        require_writable(listing)
        before = state.now.get(listing_number(listing.id))
        known = {one.made_of for one in before.pictures if one.done} if before else set()
        pictures = [
            self._picture(one, known, state, thumbnails, features) for one in listing.pictures
        ]
        document = Document(
            ListingFields.of(listing), tuple(pictures), listing.origin, written=True
        )
        document.text()  # says so where it is too long
        if before is not None and _says(before, document):
            return Written(listing.id, "unchanged")
        state.set(document)
        return Written(listing.id, "created" if before is None else "replaced")

    def _picture(
        self,
        picture: Picture,
        known: set[str],
        state: _State,
        thumbnails: dict[str, bytes],
        features: dict[str, NDArray[np.float32]],
    ) -> Kept:
        data = picture.data
        if data is None:
            data = read_any(NOWHERE, picture, max_bytes=self.limits.max_bytes)
        content = content_hash(data)
        uri = picture.uri if picture.data is None else stored_uri(content)
        kept = Kept(uri, region_text(picture), content, DONE, version=content)
        if kept.made_of in known or kept.made_of in state.vectors:
            return kept
        prepared = prepare(
            data,
            self._space.network.input_size,
            region=picture.region,
            thumbnail=True,
            limits=self.limits,
        )
        made = self._made_features(prepared.pixels)
        if prepared.thumbnail is not None:
            thumbnails[content] = prepared.thumbnail
        features[kept.made_of] = made
        # By float16, as the features of a catalogue are kept.
        projection: Projection = self._space.snapshot.projection
        state.vectors[kept.made_of] = projection.transform(made[None].astype(np.float16))[0]
        return replace(kept, width=prepared.width, height=prepared.height)

    def _made_features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        made = self._embedder().embed(pixels)
        if len(made) < self._space.feature_width:
            raise NetworkMismatch(
                "The index's network gives fewer features than the index keeps.",
                hint="Write the index again with `lookalike index`.",
            )
        return made[: self._space.feature_width]

    def _patch(self, patch: Patch, state: _State) -> Written:
        before = state.now.get(listing_number(patch.id))
        if before is None:
            raise not_found(patch.id)
        said = before.fields
        changed = {name: patch.fields.get(name, getattr(said, name)) for name in FIELDS}
        attributes = {**said.attributes, **patch.attributes}
        kept = {name: value for name, value in attributes.items() if value is not None}
        fields = ListingFields(said.id, **changed, attributes=kept)
        document = replace(before, fields=fields, written=True)
        document.text()
        if _says(before, document):
            return Written(patch.id, "unchanged")
        state.set(document)
        return Written(patch.id, "patched")


class _State:
    """Listings as they are after the operations of one call so far."""

    def __init__(self, known: dict[int, Document]) -> None:
        self.before = known
        self.now: dict[int, Document | None] = dict(known)
        self.vectors: dict[str, NDArray[np.float32]] = {}

    def set(self, document: Document) -> None:
        self.now[document.number] = document

    def remove(self, listing_id: str) -> Written:
        number = listing_number(listing_id)
        if self.now.get(number) is None:
            raise not_found(listing_id)
        self.now[number] = None
        return Written(listing_id, "removed")

    def changed(self, number: int) -> bool:
        return self.now[number] is not self.before.get(number)

    def from_place(self, document: Document, place: int) -> int:
        """Return where a picture that has no new vector was before."""
        before = self.before[document.number]
        made_of = document.pictures[place].made_of
        return next(
            n for n, one in enumerate(before.pictures) if one.done and one.made_of == made_of
        )


def _says(one: Document, other: Document) -> bool:
    def said(document: Document) -> object:
        pictures = [(p.uri, p.region, p.content, p.state) for p in document.pictures]
        return document.fields, pictures

    return said(one) == said(other)
