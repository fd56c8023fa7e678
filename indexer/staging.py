"""A catalogue as it reads now, laid beside the one that is indexed, before anything is changed.

Reading into a database of its own finds every error and every duplicate first, and does not
grow in memory with the catalogue. Its table is `lines`, which no other database has, so that the
same queries serve a sync, where it is attached to the catalogue, and a dry run, where the catalogue
is attached to it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from indexer.catalog import Catalog, region_text
from indexer.errors import DuplicateListing, SourceError
from indexer.field_values import FieldType, Inference
from indexer.listing import Listing
from indexer.progress import Progress
from indexer.sources import Source
from indexer.sources.bad_rows import BadRows
from indexer.storing import storing
from indexer.versions import picture_version

STAGING = "staging.db"

COLUMNS = """(
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    category   TEXT NOT NULL,
    price      REAL,
    currency   TEXT NOT NULL,
    url        TEXT NOT NULL,
    attributes TEXT NOT NULL,
    origin     TEXT NOT NULL,
    digest     BLOB NOT NULL,
    pictures   TEXT NOT NULL   -- JSON: [[uri, region, version], ...]
)"""

ADDED = "FROM lines s WHERE s.id NOT IN (SELECT id FROM listings)"
CHANGED = "FROM lines s JOIN listings l ON l.id = s.id WHERE l.digest <> s.digest"
# What no catalogue ever brought has no digest, and no catalogue can take it away.
REMOVED = "FROM listings l WHERE l.digest <> x'' AND l.id NOT IN (SELECT id FROM lines)"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do, in listings."""

    added: int
    changed: int
    removed: int
    unchanged: int

    @property
    def empty(self) -> bool:
        """Whether the index already says what the catalogue says."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Staged:
    """A catalogue that was read.

    Attributes
    ----------
    plan : Plan
        How it differs from the index.
    since : int
        The index's change number when reading began. What was written to a listing later is newer
        than what the catalogue says of it.
    removable : int
        Listings of the index that a sync may remove.
    types : mapping of str to FieldType
        Of attributes that no listing of the index had, from all values of the catalogue.
    """

    plan: Plan
    since: int
    removable: int
    types: Mapping[str, FieldType]


def stage(catalog: Catalog, folder: Path, source: Source, progress: Progress) -> Staged:
    """Read the whole source into `lines` and compare it with the catalogue.

    Raises
    ------
    SourceError
        If a line is wrong, or there is no listing at all. Nothing has been changed then.
    DuplicateListing
        If two lines have one id.
    """
    discard(catalog, folder)
    catalog.db.execute("ATTACH ? AS staged", (str(folder / STAGING),))
    _unkept(catalog.db, "staged")
    with catalog.reading():
        since = catalog.change()
        # What services remove while the source is read stays removed.
        catalog.db.execute("CREATE TABLE staged.before (id TEXT PRIMARY KEY) WITHOUT ROWID")
        catalog.db.execute("INSERT INTO staged.before SELECT id FROM main.listings ORDER BY id")
    known = cast("Mapping[str, FieldType]", catalog.field_types())
    types = read_lines(catalog.db, "staged", source, progress, known)
    with catalog.reading():
        plan = compare(catalog.db, source)
        removable = catalog.count("listings", "digest <> x''")
    return Staged(plan, since, removable, types)


def read_lines(
    db: sqlite3.Connection,
    schema: str,
    source: Source,
    progress: Progress,
    known: Mapping[str, FieldType] | None = None,
) -> dict[str, FieldType]:
    """Read the whole source into `lines` in a fresh database that is attached as `schema`.

    Returns
    -------
    dict of str to FieldType
        The types of its attributes, from all their values, without those that are `known`.
    """
    inference = Inference(known)
    _unkept(db, schema)
    db.execute(f"CREATE TABLE {schema}.lines {COLUMNS}")
    db.execute("BEGIN")
    try:
        with (
            progress.track("Reading the catalogue", source.count(), "listings") as advance,
            BadRows() as bad,
        ):
            for listing in source.listings():
                bad.read(_insert, db, listing)
                inference.add_attributes(listing.attributes)
                advance(1)
        if left_out := source.left_out():
            progress.say(left_out)
    finally:
        db.execute("COMMIT")
    return inference.types()


def _unkept(db: sqlite3.Connection, schema: str) -> None:
    """Spend nothing on keeping a database that is thrown away after a crash."""
    db.execute(f"PRAGMA {schema}.journal_mode = OFF")
    db.execute(f"PRAGMA {schema}.synchronous = OFF")


def discard(catalog: Catalog, folder: Path) -> None:
    """Throw the staged catalogue away."""
    attached = {row["name"] for row in catalog.db.execute("PRAGMA database_list")}
    if "staged" in attached:
        catalog.db.execute("DETACH staged")
    with storing(folder / STAGING):
        (folder / STAGING).unlink(missing_ok=True)


def compare(db: sqlite3.Connection, source: Source) -> Plan:
    """Compare `lines` with `listings`.

    Raises
    ------
    SourceError
        If there is no line.
    """

    def count(rows: str) -> int:
        return int(db.execute(f"SELECT count(*) {rows}").fetchone()[0])

    total = count("FROM lines")
    if total == 0:
        raise SourceError(
            f"{source.location} holds no listing.", hint="Check that it is the right file."
        )
    added, changed, removed = count(ADDED), count(CHANGED), count(REMOVED)
    return Plan(added, changed, removed, total - added - changed)


HALF = 16
"""Bytes of a digest that tell of a line's fields; as many after them tell of its pictures."""


def half(text: str) -> bytes:
    """Return half a digest."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:HALF]


def _insert(db: sqlite3.Connection, listing: Listing) -> None:
    pictures = json.dumps(
        [[p.uri, region_text(p), picture_version(p)] for p in listing.pictures], ensure_ascii=False
    )
    attributes = json.dumps(dict(listing.attributes), ensure_ascii=False, sort_keys=True)
    fields = (
        listing.id,
        listing.title,
        listing.category,
        listing.price,
        listing.currency,
        listing.url,
        attributes,
    )
    digest = half(repr(fields)) + half(pictures)
    try:
        db.execute(
            "INSERT INTO lines (id, title, category, price, currency, url, attributes, origin,"
            " digest, pictures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, listing.origin, digest, pictures),
        )
    except sqlite3.IntegrityError as error:
        first = db.execute("SELECT origin FROM lines WHERE id = ?", (listing.id,)).fetchone()
        raise DuplicateListing(
            f"{listing.origin}: the id {listing.id!r} stands already at {first['origin']}.",
            hint="Give each listing an id of its own; several pictures of one listing go into"
            " one line, separated by '|'.",
        ) from error
