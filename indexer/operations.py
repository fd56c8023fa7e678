"""What can be written to a catalogue listing by listing: put, patch, remove."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.listing import Attribute, Listing
from indexer.sources.values import clean_id

FIELDS = ("title", "category", "price", "currency", "url")
"""What a patch may change, beside attributes."""

MAX_PICTURES = 20
"""Of one listing."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A picture that is ready to be written.

    Attributes
    ----------
    uri, content, region : str
        Where it is, the SHA-256 of its bytes, and its region as the catalogue keeps it.
    width, height : int
        Upright, in pixels.
    thumbnail : bytes or None
        A JPEG; None where there is one already.
    features : ndarray of float32, shape (F,), or None
        None where the catalogue has those of the same picture.
    """

    uri: str
    content: str
    region: str
    width: int = 0
    height: int = 0
    thumbnail: bytes | None = field(default=None, repr=False)
    features: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Put:
    """Make a listing what is said here, whatever it was.

    Attributes
    ----------
    listing : Listing
        With at least one picture. Bytes that its pictures carry are kept in the index.
    """

    listing: Listing

    @property
    def id(self) -> str:
        """The listing's id."""
        return self.listing.id


@dataclass(frozen=True, slots=True)
class Patch:
    """Change fields of a listing and nothing else.

    Attributes
    ----------
    id : str
        The listing's.
    fields : mapping
        Of `FIELDS`.
    attributes : mapping
        Are added to those that it has, or take their place; None takes one away.
    """

    id: str
    fields: Mapping[str, Any]
    attributes: Mapping[str, Attribute | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.fields) - set(FIELDS)
        if unknown:
            raise UsageError(
                f"A patch cannot change {min(unknown)!r}.",
                hint=f"It can change {', '.join(FIELDS)} and attributes.",
            )
        _require_values(self.fields, self.attributes, removing=True)


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a listing out of the catalogue.

    Attributes
    ----------
    id : str
        The listing's.
    """

    id: str


Operation = Put | Patch | Remove


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an operation.

    Attributes
    ----------
    id : str
        The listing's.
    outcome : str
        ``created``, ``replaced``, ``patched``, ``removed``, or ``unchanged`` where the catalogue
        said so already.
    """

    id: str
    outcome: str


def require_writable(listing: Listing) -> None:
    """Raise UsageError unless a listing can be put: its id, and how many pictures it has."""
    cleaned = clean_id(listing.id, "The listing")
    if cleaned != listing.id:
        raise UsageError(
            f"The id {listing.id!r} holds a slash, or space around it.",
            hint=f"Write it as {cleaned!r}.",
        )
    if not listing.pictures:
        raise UsageError(
            f"The listing {listing.id!r} has no picture.",
            hint="Give at least one; to change fields alone, patch it.",
        )
    if len(listing.pictures) > MAX_PICTURES:
        raise UsageError(f"A listing has at most {MAX_PICTURES} pictures.")
    _require_values({name: getattr(listing, name) for name in FIELDS}, listing.attributes)


def _require_values(
    fields: Mapping[str, Any], attributes: Mapping[str, Any], *, removing: bool = False
) -> None:
    """Raise UsageError unless all values are of kinds that can be kept and found."""
    for name, value in fields.items():
        if name != "price" and not isinstance(value, str):
            raise UsageError(f"The {name} is {value!r}, and must be a text.")
    price = fields.get("price")
    if price is not None and not (_is_number(price) and price >= 0):
        raise UsageError(f"The price is {price!r}, and must be a number of at least 0, or None.")
    for name, value in attributes.items():
        kept = isinstance(value, str | bool) or _is_number(value) or (removing and value is None)
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not name or not isinstance(name, str) or not (kept or texts):
            raise UsageError(
                f"The attribute {name!r} is {value!r}.",
                hint="It can be a text, a finite number, true or false, or a list of texts.",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
