"""A catalogue as it reads now, laid beside the one that is indexed, before anything is changed.

Reading into a database of its own finds every error and every duplicate first, and does not
grow in memory with the catalogue.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import Catalog, region_text
from indexer.errors import DuplicateListing, SourceError
from indexer.listing import Listing, Picture
from indexer.progress import Progress
from indexer.sources import Source

STAGING = "staging.db"

SCHEMA = """
CREATE TABLE staged.listings (
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
)
"""


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


def stage(catalog: Catalog, folder: Path, source: Source, progress: Progress) -> Plan:
    """Read the whole source into `staged.listings` and compare it with the catalogue.

    Raises
    ------
    SourceError
        If a line is wrong, or there is no listing at all. Nothing has been changed then.
    DuplicateListing
        If two lines have one id.
    """
    discard(catalog, folder)
    catalog.db.execute("ATTACH ? AS staged", (str(folder / STAGING),))
    # It is thrown away after a crash, so nothing is spent on keeping it.
    catalog.db.execute("PRAGMA staged.journal_mode = OFF")
    catalog.db.execute("PRAGMA staged.synchronous = OFF")
    catalog.db.execute(SCHEMA)
    catalog.db.execute("BEGIN")
    try:
        with progress.track("Reading the catalogue", source.count(), "listings") as advance:
            for listing in source.listings():
                _insert(catalog.db, listing)
                advance(1)
    finally:
        catalog.db.execute("COMMIT")
    return _compare(catalog, source)


def discard(catalog: Catalog, folder: Path) -> None:
    """Throw the staged catalogue away."""
    attached = {row["name"] for row in catalog.db.execute("PRAGMA database_list")}
    if "staged" in attached:
        catalog.db.execute("DETACH staged")
    (folder / STAGING).unlink(missing_ok=True)


def picture_version(picture: Picture) -> str:
    """Return what shows whether a picture changed, without reading it: size and time of a file.

    Empty for a URL, which says nothing about itself until it is asked.
    """
    if picture.data is not None:
        return hashlib.sha256(picture.data).hexdigest()
    if "://" in picture.uri:
        return ""
    try:
        found = Path(picture.uri).stat()
    except OSError:
        return "missing"  # loading it will say so, in a row that people can list
    return f"{found.st_size}:{found.st_mtime_ns}"


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
    digest = hashlib.sha256(repr((fields, pictures)).encode()).digest()
    try:
        db.execute(
            "INSERT INTO staged.listings (id, title, category, price, currency, url, attributes,"
            " origin, digest, pictures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, listing.origin, digest, pictures),
        )
    except sqlite3.IntegrityError as error:
        first = db.execute(
            "SELECT origin FROM staged.listings WHERE id = ?", (listing.id,)
        ).fetchone()
        raise DuplicateListing(
            f"{listing.origin}: the id {listing.id!r} stands already at {first['origin']}.",
            hint="Give each listing an id of its own; several pictures of one listing go into"
            " one line, separated by '|'.",
        ) from error


def _compare(catalog: Catalog, source: Source) -> Plan:
    def count(sql: str) -> int:
        return int(catalog.db.execute(f"SELECT count(*) FROM {sql}").fetchone()[0])  # noqa: S608

    total = count("staged.listings")
    if total == 0:
        raise SourceError(
            f"{source.location} holds no listing.", hint="Check that it is the right file."
        )
    added = count("staged.listings WHERE id NOT IN (SELECT id FROM main.listings)")
    changed = count(
        "staged.listings s JOIN main.listings l ON l.id = s.id WHERE l.digest <> s.digest"
    )
    removed = count("main.listings WHERE id NOT IN (SELECT id FROM staged.listings)")
    return Plan(added, changed, removed, total - added - changed)
