"""Operations on listings, done: what each changes in the catalogue, inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from indexer.catalog import DONE, Catalog
from indexer.errors import ListingNotFound
from indexer.operations import FIELDS, Patch, Put, Ready, Remove, Written


def write_put(
    catalog: Catalog, put: Put, pictures: Sequence[tuple[Ready, int]], change: int
) -> Written:
    """Write a listing with its pictures, each with the row of its features; in a transaction.

    Where the catalogue says so already, nothing is told anew to who follows it, but it is noted
    that a service said so: a sync that read its source before does not take it back.
    """
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
        _confirm(db, row, change)
        return Written(listing.id, "unchanged")
    catalog.learn_types(listing.attributes)
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


def _confirm(db: sqlite3.Connection, row: sqlite3.Row, change: int) -> None:
    """Note that a service wrote a listing, and leave what it says as it is."""
    db.execute("UPDATE listings SET written = ? WHERE number = ?", (change, row["number"]))


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

    What it says already is confirmed, as by `write_put`.

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
        if patch.fields or patch.attributes:  # else it confirms nothing
            _confirm(catalog.db, row, change)
        return Written(patch.id, "unchanged")
    catalog.learn_types({name: said[name] for name in patch.attributes if name in said})
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
