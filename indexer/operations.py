"""What can be written to a catalogue listing by listing: put, patch, remove."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import DONE, Catalog
from indexer.errors import ListingNotFound, UsageError
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


def write_put(
    catalog: Catalog, put: Put, pictures: Sequence[tuple[Ready, int]], change: int
) -> Written:
    """Write a listing with its pictures, each with the row of its features; in a transaction."""
    listing, db = put.listing, catalog.db
    fields = (
        listing.title,
        listing.category,
        listing.price,
        listing.currency,
        listing.url,
        json.dumps(dict(listing.attributes), ensure_ascii=False, sort_keys=True),
    )
    row = db.execute("SELECT * FROM listings WHERE id = ?", (listing.id,)).fetchone()
    if row is not None and _says(db, row, fields, pictures):
        return Written(listing.id, "unchanged")
    if row is None:
        number = int(
            db.execute(
                "INSERT INTO listings (title, category, price, currency, url, attributes, id,"
                " origin, digest, change, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, x'', ?, ?)",
                (*fields, listing.id, listing.origin, change, change),
            ).lastrowid
            or 0
        )
    else:
        number = int(row["number"])
        db.execute(
            "UPDATE listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
            " attributes = ?, change = ?, written = ? WHERE number = ?",
            (*fields, change, change, number),
        )
    _write_pictures(db, number, pictures, change)
    return Written(listing.id, "created" if row is None else "replaced")


def _says(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    fields: tuple[Any, ...],
    pictures: Sequence[tuple[Ready, int]],
) -> bool:
    """Tell whether a listing already is what it is put to be."""
    names = (*FIELDS, "attributes")
    known = db.execute(
        "SELECT uri, region, embedding, state FROM pictures WHERE listing = ? ORDER BY position",
        (row["number"],),
    ).fetchall()
    wanted = [(ready.uri, ready.region, embedding, DONE) for ready, embedding in pictures]
    return tuple(row[name] for name in names) == fields and list(map(tuple, known)) == wanted


def _write_pictures(
    db: sqlite3.Connection, listing: int, pictures: Sequence[tuple[Ready, int]], change: int
) -> None:
    """Replace a listing's pictures. One that stays what it was keeps its number."""
    known = {
        row["position"]: row
        for row in db.execute("SELECT * FROM pictures WHERE listing = ?", (listing,))
    }
    for position, (ready, embedding) in enumerate(pictures):
        row = known.pop(position, None)
        new = (ready.uri, ready.region, embedding, DONE)
        if row is not None:
            if tuple(row[name] for name in ("uri", "region", "embedding", "state")) == new:
                continue
            db.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))
        db.execute(
            "INSERT INTO pictures (listing, position, uri, region, embedding, state, version,"
            " change) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (listing, position, *new, ready.content, change),
        )
    for row in known.values():
        db.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))


def write_patch(catalog: Catalog, patch: Patch, change: int) -> Written:
    """Change fields of a listing; in a transaction.

    Raises
    ------
    ListingNotFound
        If there is none of this id.
    """
    row = catalog.db.execute("SELECT * FROM listings WHERE id = ?", (patch.id,)).fetchone()
    if row is None:
        raise not_found(patch.id)
    attributes = {**json.loads(row["attributes"]), **patch.attributes}
    said = {name: value for name, value in attributes.items() if value is not None}
    new = {name: patch.fields.get(name, row[name]) for name in FIELDS}
    new["attributes"] = json.dumps(said, ensure_ascii=False, sort_keys=True)
    if all(row[name] == value for name, value in new.items()):
        return Written(patch.id, "unchanged")
    catalog.db.execute(
        "UPDATE listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
        " attributes = ?, change = ?, written = ? WHERE number = ?",
        (*(new[name] for name in (*FIELDS, "attributes")), change, change, row["number"]),
    )
    return Written(patch.id, "patched")


def write_removal(catalog: Catalog, remove: Remove) -> Written:
    """Take a listing out; in a transaction whose change number was drawn.

    Raises
    ------
    ListingNotFound
        If there is none of this id.
    """
    gone = catalog.db.execute("DELETE FROM listings WHERE id = ?", (remove.id,)).rowcount
    if not gone:
        raise not_found(remove.id)
    return Written(remove.id, "removed")


def not_found(listing_id: str) -> ListingNotFound:
    """Return the error that there is no such listing."""
    return ListingNotFound(
        f"There is no listing {listing_id!r}.",
        hint="Ids are those of the catalogue; they are case-sensitive.",
    )
