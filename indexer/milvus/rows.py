"""Listings as Milvus keeps them: numbers, documents and fields to filter by.

Numbers are hashes of ids. Whoever writes a listing, and however often, writes the same entities,
with nobody to hand numbers out. Of 100 million listings, two share a number with a chance of 1 in
2,000; the second is refused when it is written. Of 300 million pictures, two share one with a
chance of 1 in 200; the one that was written last is found then.

Values to filter by are kept as hexadecimal letters. So no value, whatever it is made of, can end
the text in which an expression says it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import DONE, parse_region
from indexer.errors import UsageError
from indexer.field_column import key_of
from indexer.field_values import (
    FieldType,
    ListingFields,
    encoded,
    field_name,
    hash_of,
    number_of,
    text_of,
)
from indexer.listing import Attribute, Listing, Picture
from indexer.milvus.schema import TEXT

SLOTS = 64
"""Values of a list that can be filtered by; further ones are not found."""

NO_PRICE = -1e308
"""Stands where there is no price: Milvus 2.3 has no empty numbers."""

LONG = 256
"""Bytes of a text up to which it is kept as it is; of longer ones, the rest is hashed."""

COMPRESSED = "zlib:"


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture of a document.

    Attributes
    ----------
    uri, region, content, version, reason : str
        As the catalogue keeps them.
    state : int
        One of `indexer.catalog`'s.
    width, height : int or None
        In pixels, where they are known.
    since : int
        Of two pictures, the greater one came later; equal similarities are in this order.
    """

    uri: str
    region: str
    content: str
    state: int
    width: int | None = None
    height: int | None = None
    version: str = ""
    reason: str = ""
    since: int = 0

    @property
    def done(self) -> bool:
        """Whether it has a vector."""
        return self.state == DONE

    @property
    def made_of(self) -> str:
        """What names its features."""
        return f"{self.content} {self.region}"


@dataclass(frozen=True, slots=True)
class Document:
    """A listing as Milvus keeps it.

    Attributes
    ----------
    fields : ListingFields
        What it says.
    pictures : tuple of Kept
        In their order.
    origin, digest : str
        Where it was read, and what of (hexadecimal).
    written : bool
        Whether its last write was no sync's.
    """

    fields: ListingFields
    pictures: tuple[Kept, ...]
    origin: str = ""
    digest: str = ""
    written: bool = False

    @property
    def number(self) -> int:
        """Its listing's number."""
        return listing_number(self.fields.id)

    def listing(self) -> tuple[Listing, tuple[str, ...]]:
        """Return the listing and its pictures' thumbnail keys, as `Catalog.listing` does."""
        said = self.fields
        listing = Listing(
            said.id,
            tuple(Picture(one.uri, region=parse_region(one.region)) for one in self.pictures),
            said.title,
            said.category,
            said.price,
            said.currency,
            said.url,
            said.attributes,
            self.origin,
        )
        return listing, tuple(one.content if one.done else "" for one in self.pictures)

    def text(self) -> str:
        """Write it as `read` reads it.

        Raises
        ------
        UsageError
            If it is longer than Milvus can keep.
        """
        said = self.fields
        text = json.dumps(
            {
                "id": said.id,
                "title": said.title,
                "category": said.category,
                "price": said.price,
                "currency": said.currency,
                "url": said.url,
                "attributes": dict(said.attributes),
                "origin": self.origin,
                "digest": self.digest,
                "written": self.written,
                "pictures": [astuple(one) for one in self.pictures],
            },
            sort_keys=True,
        )
        if len(text) > TEXT:
            text = COMPRESSED + base64.b64encode(zlib.compress(text.encode())).decode()
        if len(text) > TEXT:
            raise UsageError(
                f"The listing {said.id!r} says more than Milvus can keep of one (64 KB).",
                hint="Leave out its longest attributes.",
            )
        return text

    @classmethod
    def read(cls, text: str) -> Document:
        """Read what `text` wrote."""
        if text.startswith(COMPRESSED):
            text = zlib.decompress(base64.b64decode(text.removeprefix(COMPRESSED))).decode()
        said = json.loads(text)
        names = ("id", "title", "category", "price", "currency", "url", "attributes")
        return cls(
            ListingFields(**{name: said[name] for name in names}),
            tuple(Kept(*picture) for picture in said["pictures"]),
            said["origin"],
            said["digest"],
            said["written"],
        )


def listing_number(listing_id: str) -> int:
    """Return a listing's number, from its id: 1 to 2**63 - 1."""
    return (hash_of(f"listing {listing_id}") >> 1) or 1


def picture_number(listing_id: str, place: int) -> int:
    """Return the number of a listing's picture, from its place among them."""
    return (hash_of(f"picture {place} {listing_id}") >> 1) or 1


def hashed(text: str) -> int:
    """Return what stands for a whole text where it is only compared."""
    return hash_of(text) >> 1


def letters(key: str) -> str:
    """Return a text in its normal form as letters that mean nothing to an expression."""
    data = encoded(key)
    if len(data) <= LONG:
        return data.hex()
    return f"{data[:LONG].hex()}:{hash_of(key):016x}"


def slot(field: str, place: int) -> str:
    """Return the name under which one of a field's values is kept."""
    return f"{hash_of(field):016x}_{place}"


def slots_of(attributes: Mapping[str, Attribute]) -> dict[str, int]:
    """Return how many values each attribute has."""
    return {
        field_name(name): min(len(value), SLOTS) if isinstance(value, list) else 1
        for name, value in attributes.items()
    }


def entities(
    document: Document, vectors: NDArray[np.floating], types: Mapping[str, FieldType]
) -> list[dict[str, Any]]:
    """Return a listing's pictures as entities of the collection of vectors.

    Parameters
    ----------
    document : Document
        The listing.
    vectors : ndarray of float, shape (P, dims)
        Of those of its pictures that have one, in their order.
    types : mapping of str to FieldType
        Of attributes; others are not kept to filter by.
    """
    said = document.fields
    filtered = dict(_said(said.attributes, types))
    _require_room(said.id, filtered)
    shared = {
        "listing": document.number,
        "label": hashed(said.category),
        "title": hashed(key_of(said.title, "text") or ""),
        "name": hashed(key_of(said.id, "text") or ""),
        "url": hashed(key_of(said.url, "text") or ""),
        "category": letters(key_of(said.category, "text") or ""),
        "currency": letters(key_of(said.currency, "text") or ""),
        "price": NO_PRICE if said.price is None else float(said.price),
        "said": filtered,
        "document": document.text(),
    }
    done = [(place, one) for place, one in enumerate(document.pictures) if one.done]
    # By float16, as a snapshot keeps them: moving an index changes no answer.
    rounded = np.asarray(vectors).astype(np.float16).astype(np.float32)
    return [
        {
            "picture": picture_number(said.id, place),
            "vector": vector,
            "place": place,
            "content": one.content,
            "region": one.region,
            "since": one.since,
            **shared,
        }
        for (place, one), vector in zip(done, rounded, strict=True)
    ]


def require_fitting(document: Document) -> None:
    """Raise UsageError unless a listing is small enough for Milvus, whatever types it has."""
    document.text()
    names = map(field_name, document.fields.attributes)
    # No value is longer than it is as a text.
    texts: dict[str, FieldType] = dict.fromkeys(names, "text")
    _require_room(document.fields.id, dict(_said(document.fields.attributes, texts)))


def _require_room(listing_id: str, said: Mapping[str, str | float]) -> None:
    if len(json.dumps(said)) > TEXT:
        raise UsageError(
            f"The listing {listing_id!r} has more attributes than Milvus can keep of one (64 KB).",
            hint="Leave some out.",
        )


def _said(
    attributes: Mapping[str, Attribute], types: Mapping[str, FieldType]
) -> Iterator[tuple[str, str | float]]:
    for name, value in attributes.items():
        field = field_name(name)
        if field not in types:
            continue
        parts = value if isinstance(value, list) else [value]
        kept = dict.fromkeys(_value(part, types[field]) for part in parts)
        filled = [one for one in kept if one is not None][:SLOTS]
        for place, one in enumerate(filled):
            yield slot(field, place), one


def _value(part: object, kind: FieldType) -> str | float | None:
    if kind == "number":
        return number_of(part)
    key = key_of(text_of(part), kind)
    return letters(key) if key else None
