"""What listings' fields are called, what types they have, and how their values compare."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from indexer.listing import NO_ATTRIBUTES, Attribute, Listing

if TYPE_CHECKING:
    from indexer.catalog import Catalog

FieldType = Literal["text", "number", "boolean"]

CORE_TYPES: Mapping[str, FieldType] = {
    "category": "text",
    "price": "number",
    "currency": "text",
    "title": "text",
    "id": "text",
    "url": "text",
}
"""The fields that every listing has a place for; all others are attributes."""

HASHED = frozenset(("title", "id", "url"))
"""Fields that are of another value in nearly every listing: the hashes of their texts are kept."""

ATTRIBUTES = "attributes."
"""What stands before the name of an attribute that is called like one of those."""

MAX_FIELDS = 1000
"""Attributes that get a type; those that come after so many cannot be filtered by."""

PAGE = 5000
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CODE = re.compile(r"[+-]?(?:0\d.*|\d{16,})", re.ASCII)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ListingFields:
    """What a listing says, without its pictures."""

    id: str
    title: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    url: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: NO_ATTRIBUTES)

    @classmethod
    def of(cls, listing: Listing) -> ListingFields:
        """Return the fields of a listing."""
        return cls(
            listing.id,
            listing.title,
            listing.category,
            listing.price,
            listing.currency,
            listing.url,
            listing.attributes,
        )

    def values(self) -> Iterator[tuple[str, Any]]:
        """Yield each field that is filled in with its value; an attribute's may be a list."""
        if self.category:
            yield "category", self.category
        if self.price is not None:
            yield "price", self.price
        if self.currency:
            yield "currency", self.currency
        if self.title:
            yield "title", self.title
        yield "id", self.id
        if self.url:
            yield "url", self.url
        for name, value in self.attributes.items():
            yield field_name(name), value


class Row(NamedTuple):
    """A listing's number in the catalogue and its fields."""

    number: int
    fields: ListingFields


def field_name(attribute: str) -> str:
    """Return the name by which an attribute is filtered."""
    return ATTRIBUTES + attribute if attribute in CORE_TYPES else attribute


def catalogue_rows(catalog: Catalog, *, since: int = 0) -> Iterator[Row]:
    """Yield the fields of all listings, by number, without holding a transaction open.

    Parameters
    ----------
    catalog : Catalog
        Opened.
    since : int, optional
        Only listings that changed after this change number.
    """
    last = 0
    while page := catalog.db.execute(
        "SELECT number, id, title, category, price, currency, url, attributes FROM listings"
        " WHERE number > ? AND change > ? ORDER BY number LIMIT ?",
        (last, since, PAGE),
    ).fetchall():
        for row in page:
            number, name, title, category, price, currency, url, attributes = row
            yield Row(
                number,
                ListingFields(name, title, category, price, currency, url, json.loads(attributes)),
            )
        last = page[-1][0]


def normal(text: str) -> str:
    """Return a text as it is compared: NFKC, without case, without space around it.

    Repeated until nothing changes, so that the normal form of a normal form is itself.
    """
    if text.isascii():
        return text.strip().lower()
    while True:
        folded = unicodedata.normalize("NFKC", text).casefold().strip()
        if folded == text:
            return text
        text = folded


def number_of(value: object) -> float | None:
    """Return a finite number, or a text that is one, as a number; None for anything else."""
    match value:
        case bool():
            return None
        case int() | float():
            number = float(value)
        case str():
            text = value.strip()
            if not _NUMBER.fullmatch(text):
                return None
            number = float(text)
        case _:
            return None
    return number if math.isfinite(number) else None


def boolean_of(value: object) -> bool | None:
    """Return true or false, or what says one of them (yes, 1); None for anything else."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(normal(text_of(value)))


def text_of(value: object) -> str:
    """Return a single value as text: a whole number without ``.0``, a boolean in small letters."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case _:
            return str(value)


def number_text(number: float) -> str:
    """Return the shortest text that `number_of` reads as this number."""
    return text_of(float(number))


class Inference:
    """Finds the types of fields from their values.

    A field is a number if all its values are numbers, a boolean if all are booleans, else text.
    What says nothing (empty text, an empty list) counts for nothing.

    Parameters
    ----------
    known : mapping of str to FieldType, optional
        Fields that have a type already; they keep it.
    texts : bool, optional
        Whether texts that read as numbers, or as true and false, count as such: CSV knows no other
        kind of value. Numbers with leading zeros or above 15 digits are codes, and stay text.
        For values that come as JSON, one by one, give False.
    """

    def __init__(self, known: Mapping[str, FieldType] | None = None, *, texts: bool = True) -> None:
        self._known = {**CORE_TYPES, **(known or {})}
        self._texts = texts
        self._kinds: dict[str, FieldType] = {}

    def add(self, fields: ListingFields) -> None:
        """Take one more listing into account."""
        self.add_attributes(fields.attributes)

    def add_attributes(self, attributes: Mapping[str, Attribute]) -> None:
        """Take the attributes of one more listing into account."""
        for attribute, value in attributes.items():
            name = field_name(attribute)
            if name in self._known or self._kinds.get(name) == "text":
                continue
            for part in value if isinstance(value, list) else (value,):
                kind = self._kind(part)
                if kind is None:
                    continue
                if name not in self._kinds and len(self._kinds) + len(self._known) > MAX_FIELDS:
                    break
                self._kinds[name] = kind if self._kinds.get(name, kind) == kind else "text"

    def _kind(self, value: object) -> FieldType | None:
        match value:
            case bool():
                return "boolean"
            case int() | float():
                return "number"
            case str() if not value.strip():
                return None
            case str() if self._texts:
                if number_of(value) is not None and not _CODE.fullmatch(value.strip()):
                    return "number"
                return "boolean" if normal(value) in ("true", "false") else "text"
            case _:
                return "text"

    def types(self) -> dict[str, FieldType]:
        """Return the types found, without those that were known."""
        return dict(self._kinds)


def infer_types(
    listings: Iterable[ListingFields],
    known: Mapping[str, FieldType] | None = None,
    *,
    texts: bool = True,
) -> dict[str, FieldType]:
    """Return the types of the attributes that are not `known`; see `Inference`."""
    inference = Inference(known, texts=texts)
    for fields in listings:
        inference.add(fields)
    return inference.types()


def hash_of(key: str) -> int:
    """Return 64 bits that stand for a text in a field with many different ones."""
    return int.from_bytes(blake2b(encoded(key), digest_size=8).digest(), "little")


def encoded(key: str) -> bytes:
    """Return a text as bytes that sort as they compare; half a surrogate pair is no mistake."""
    return key.encode("utf-8", "surrogatepass")
