"""The tables of the catalogue database, and how those of older versions become them."""

from __future__ import annotations

import json
import sqlite3

from indexer.field_values import Inference

VERSION = 2

RANDOM_HEX = "lower(hex(randomblob(32)))"

LIVING = (
    # For readers who ask what happened since.
    "CREATE INDEX listings_by_change ON listings (change)",
    "CREATE INDEX pictures_by_change ON pictures (change)",
    # For finding what services wrote, when another index is to take this one's place.
    "CREATE INDEX listings_by_written ON listings (written) WHERE written > 0",
    # For finding features that no picture uses any more.
    "CREATE INDEX pictures_by_embedding ON pictures (embedding)",
    """CREATE TABLE removed (               -- what is gone, until no reader can ask for it
    picture   INTEGER PRIMARY KEY,
    listing   INTEGER NOT NULL,
    change    INTEGER NOT NULL
)""",
    "CREATE INDEX removed_by_change ON removed (change)",
    # A trigger, so that no way of deleting can forget it. It fires for cascades too.
    """CREATE TRIGGER picture_removed AFTER DELETE ON pictures BEGIN
    INSERT INTO removed
    SELECT old.number, old.listing, value FROM meta WHERE key = 'change';
END""",
    """CREATE TABLE fields (                -- the type that each attribute was first seen with
    name      TEXT PRIMARY KEY,
    type      TEXT NOT NULL
) WITHOUT ROWID""",
)
"""What version 2 brought."""

SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('change', '0'), ('rows', '0'), ('pruned', '0'), ('moves', '0')",
    f"INSERT INTO meta VALUES ('secret', {RANDOM_HEX})",  # noqa: S608 - a constant
    """CREATE TABLE listings (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    category   TEXT NOT NULL,
    price      REAL,
    currency   TEXT NOT NULL,
    url        TEXT NOT NULL,
    attributes TEXT NOT NULL,            -- JSON object
    origin     TEXT NOT NULL,            -- where it was read, for messages
    digest     BLOB NOT NULL,            -- of what the source says of it; may be empty
    change     INTEGER NOT NULL,
    written    INTEGER NOT NULL DEFAULT 0  -- its last change that was no sync's; 0 without one
)""",
    "CREATE INDEX listings_by_category ON listings (category, number)",
    """CREATE TABLE embeddings (            -- one row per distinct picture and region
    number    INTEGER PRIMARY KEY,       -- its row in the feature file
    content   TEXT NOT NULL,             -- SHA-256 of the encoded bytes
    region    TEXT NOT NULL,             -- 'x,y,w,h' or ''
    width     INTEGER NOT NULL,
    height    INTEGER NOT NULL,
    UNIQUE (content, region)
)""",
    """CREATE TABLE pictures (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    listing   INTEGER NOT NULL REFERENCES listings (number) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    uri       TEXT NOT NULL,
    region    TEXT NOT NULL,
    version   TEXT NOT NULL,             -- size and time of a file; what shows that it changed
    state     INTEGER NOT NULL,
    embedding INTEGER REFERENCES embeddings (number),
    reason    TEXT NOT NULL DEFAULT '',
    change    INTEGER NOT NULL,
    UNIQUE (listing, position)
)""",
    "CREATE INDEX pictures_by_state ON pictures (state, number) WHERE state <> 1",
    *LIVING,
)
"""The statements that make an empty database."""


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Turn the tables of an older version into those of `VERSION`, inside a transaction."""
    if version < 2:
        db.execute("ALTER TABLE listings ADD COLUMN written INTEGER NOT NULL DEFAULT 0")
        for statement in LIVING:
            db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('pruned', '0'), ('moves', '0')")
        db.execute(f"INSERT INTO meta VALUES ('secret', {RANDOM_HEX})")  # noqa: S608 - a constant
        _infer_types(db)


def _infer_types(db: sqlite3.Connection) -> None:
    """Record the types of all attributes, from all their values."""
    inference = Inference()
    for row in db.execute("SELECT attributes FROM listings"):
        inference.add_attributes(json.loads(row[0]))
    db.executemany("INSERT INTO fields VALUES (?, ?)", inference.types().items())
