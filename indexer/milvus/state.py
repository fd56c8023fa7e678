"""Listings as they are in the middle of a call that writes several, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.listing_writes import not_found
from indexer.milvus.rows import Document, Kept, listing_number, picture_number
from indexer.milvus.store import Filled

Vector = NDArray[Any]
"""Of shape (dims,)."""


class State:
    """What the operations of one call have done so far; nothing of it is written yet.

    Parameters
    ----------
    documents : mapping of int to Document
        Listings as they were, by number.
    pictures : mapping of int to mapping of int to (str, ndarray, str)
        What pictures are made of, their vectors, and the document they were written with, by the
        number of listing and picture (`Store.pictures_of`).
    dims : int
        Numbers of a vector.
    """

    def __init__(
        self,
        documents: Mapping[int, Document],
        pictures: Mapping[int, Mapping[int, tuple[str, Vector, str]]],
        dims: int,
    ) -> None:
        self._before = documents
        self._now: dict[int, Document | None] = dict(documents)
        self._pictures = pictures
        self._dims = dims
        self._thumbnails: dict[str, bytes] = {}
        self._features: dict[str, Vector] = {}
        self._vectors = {made: one for of in pictures.values() for made, one, _ in of.values()}
        self._sizes = {
            one.made_of: (one.width, one.height)
            for document in documents.values()
            for one in document.pictures
            if one.width and one.height
        }

    def get(self, listing_id: str) -> Document | None:
        """Return a listing as it is now; None where there is none of this id."""
        document = self._now.get(listing_number(listing_id))
        return document if document is not None and document.fields.id == listing_id else None

    def is_whole(self, document: Document) -> bool:
        """Tell whether what is searched of a listing says what the listing says.

        Of one that was written or removed by half, it does not.
        """
        number = document.number
        if document is not self._before.get(number):
            return True
        text = document.text()
        wanted = {
            picture_number(document.fields.id, place): (one.made_of, text)
            for place, one in enumerate(document.pictures)
            if one.done
        }
        there = self._pictures.get(number, {})
        return wanted == {picture: (made, said) for picture, (made, _, said) in there.items()}

    def require_vectors(self, document: Document) -> None:
        """Raise an error unless a listing can be written without its pictures.

        Raises
        ------
        ListingNotFound
            If it was removed by half: no vector of it is left.
        UsageError
            If its pictures were replaced by half: vectors of others stand in their place.
        """
        lacking = [
            one for one in document.pictures if one.done and one.made_of not in self._vectors
        ]
        if lacking and not self._pictures.get(document.number):
            raise not_found(document.fields.id)
        if lacking:
            raise UsageError(
                f"The pictures of the listing {document.fields.id!r} were written by half.",
                hint="Write it again, with its pictures.",
            )

    def size_of(self, made_of: str) -> tuple[int, int] | None:
        """Return a picture's width and height; None where they, or its vector, are not known."""
        return self._sizes.get(made_of) if made_of in self._vectors else None

    def learn(self, kept: Kept, thumbnail: bytes | None, features: Vector, vector: Vector) -> None:
        """Take up what was made of a picture."""
        if thumbnail is not None:
            self._thumbnails[kept.content] = thumbnail
        self._features[kept.made_of], self._vectors[kept.made_of] = features, vector
        if kept.width and kept.height:
            self._sizes[kept.made_of] = kept.width, kept.height

    def set(self, document: Document) -> None:
        """Make a listing what is said here.

        Raises
        ------
        UsageError
            If another listing has its number.
        """
        before = self._now.get(document.number) or self._before.get(document.number)
        if before is not None and before.fields.id != document.fields.id:
            raise UsageError(
                f"The listings {before.fields.id!r} and {document.fields.id!r} have the same"
                " number in Milvus.",
                hint="Give one of them another id.",
            )
        self._now[document.number] = document

    def remove(self, listing_id: str) -> None:
        """Take a listing out, also one of which only pictures were written.

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        """
        number = listing_number(listing_id)
        by_half = number not in self._now and self._pictures.get(number)
        if self.get(listing_id) is None and not by_half:
            raise not_found(listing_id)
        self._now[number] = None

    # What is to be written in the end

    def filled(self) -> list[Filled]:
        """Return the listings that are new or changed."""
        return [
            Filled(
                document, self._vectors_of(document), there=self._pictures.get(number, {}).keys()
            )
            for number, document in self._changed()
        ]

    def removed(self) -> tuple[list[Document], list[int]]:
        """Return the listings that are to go, and the numbers of all pictures that are."""
        numbers = [number for number, one in self._now.items() if one is None]
        gone = [self._before[number] for number in numbers if number in self._before]
        return gone, [one for number in numbers for one in self._pictures.get(number, {})]

    def thumbnails(self) -> dict[str, bytes]:
        """Return JPEGs of new pictures, by content."""
        used = {one.content for _, document in self._changed() for one in document.pictures}
        return {key: jpeg for key, jpeg in self._thumbnails.items() if key in used}

    def features(self) -> dict[str, Vector]:
        """Return features of new pictures, by what they are of."""
        used = {one.made_of for _, document in self._changed() for one in document.pictures}
        return {key: made for key, made in self._features.items() if key in used}

    def _changed(self) -> Iterator[tuple[int, Document]]:
        for number, document in self._now.items():
            if document is not None and document is not self._before.get(number):
                yield number, document

    def _vectors_of(self, document: Document) -> NDArray[np.float32]:
        rows = [self._vectors[one.made_of] for one in document.pictures if one.done]
        return np.array(rows, np.float32).reshape(len(rows), self._dims)
