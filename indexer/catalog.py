"""The catalogue database: listings, pictures, failures and a change number. The source of truth.

SQLite in WAL mode: one writer at a time, readers never wait. Every change of a listing or picture
gets the next change number, so that a reader can ask what happened since; what was removed leaves
its number behind for as long as a reader may ask.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from indexer.catalog_opening import open_database
from indexer.catalog_rows import Failure, parse_region, region_text
from indexer.connecting import file_at
from indexer.errors import (
    IndexBusy,
    IndexNotReady,
    ListingNotFound,
    StorageError,
)
from indexer.field_values import FieldType, Inference, field_name
from indexer.listing import Attribute, Listing, Picture
from indexer.turns import take_turn

__all__ = ["DATABASE", "DONE", "FAILED", "PENDING", "Catalog", "parse_region", "region_text"]

DATABASE = "catalog.db"


PENDING, DONE, FAILED = 0, 1, 2
"""States of a picture: not embedded yet, embedded, rejected with a reason."""


class Catalog:
    """The database of one index. Not shared between threads; opening one is cheap.

    Parameters
    ----------
    folder : Path
        The index's folder.
    create : bool
        Make the database where there is none; else that is an error.

    Raises
    ------
    IndexNotReady
        If there is no database and `create` is false.
    IndexVersionError
        If a newer Lookalike wrote it.
    IndexDamaged
        If it is no SQLite database.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        path = folder / DATABASE
        if not path.exists() and not create:
            raise IndexNotReady(
                f"There is no index in {folder}.",
                hint=f"Make one with: lookalike index CATALOG --index {folder}",
            )
        self._path, self._file = path, file_at(path)
        self.db = open_database(path)

    def in_place(self) -> bool:
        """Tell whether this still is the database in its folder, and no other took its place."""
        return self._file is None or file_at(self._path) == self._file

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Run a block as one transaction, waiting for other writers first.

        It is durable when the block's end is reached. Whatever happens in it, or to it, the
        database says either all of it or nothing.

        Raises
        ------
        IndexBusy
            If other writers did not let it have its turn in half a minute.
        StorageError
            If the disk is full or may not be written to.
        """
        try:
            try:
                take_turn(self.db, self._path.parent)
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise IndexBusy(
                    "Other writers keep the catalogue busy.",
                    hint="Try again; nothing of this write was kept.",
                ) from error
            if error.sqlite_errorcode & 0xFF in StorageError.SQLITE:
                raise StorageError.of(error) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Run a block that sees one state of the database; keep it short, it pins the WAL."""
        self.db.execute("BEGIN")
        try:
            yield
        finally:
            self.db.execute("COMMIT")

    # Values that stand alone

    def meta(self, key: str) -> str | None:
        """Return a kept value."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def memory(self) -> int | None:
        """Return the bytes that a process which searches may take; None without a limit."""
        kept = self.meta("memory")
        return None if kept is None else int(kept)

    def change(self) -> int:
        """Return the number of the latest change."""
        return int(self.db.execute("SELECT value FROM meta WHERE key = 'change'").fetchone()[0])

    def next_change(self) -> int:
        """Draw the next change number; inside `writing`."""
        self.db.execute("UPDATE meta SET value = value + 1 WHERE key = 'change'")
        return self.change()

    def count(self, table: str, where: str = "1", *parameters: Any) -> int:
        """Count rows of `listings`, `pictures` or `embeddings`."""
        sql = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 - names from this package
        return int(self.db.execute(sql, parameters).fetchone()[0])

    def field_types(self) -> dict[str, str]:
        """Return the recorded types of attributes."""
        return {row[0]: row[1] for row in self.db.execute("SELECT name, type FROM fields")}

    def record_types(self, types: Mapping[str, str]) -> None:
        """Record types of attributes; one that has a type keeps it."""
        self.db.executemany("INSERT OR IGNORE INTO fields VALUES (?, ?)", types.items())

    def learn_types(self, attributes: Mapping[str, Attribute]) -> None:
        """Record the types of attributes that no listing had before; inside `writing`.

        Here, and not by each that reads what was written: all of them are to find one type,
        whenever they look and whatever they see first.

        Parameters
        ----------
        attributes : mapping
            Of a listing that is being written, as JSON has them: `"42"` is a text.
        """
        names = {field_name(name) for name in attributes}
        known = self.db.execute(
            "SELECT count(*) FROM fields WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(list(names)),),
        ).fetchone()[0]
        if known == len(names):
            return
        types = cast("Mapping[str, FieldType]", self.field_types())
        inference = Inference(types, texts=False)
        inference.add_attributes(attributes)
        self.record_types(inference.types())

    # Listings as people know them

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """Return a listing and its pictures' thumbnail keys ('' for a rejected one).

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        """
        number = self.number_of(listing_id)
        found = self.listings([number])
        if number not in found:
            raise ListingNotFound(
                f"There is no listing {listing_id!r}.",
                hint="Ids are those of the catalogue; they are case-sensitive.",
            )
        return found[number]

    def number_of(self, listing_id: str) -> int:
        """Return a listing's number, 0 where there is none of this id."""
        row = self.db.execute("SELECT number FROM listings WHERE id = ?", (listing_id,)).fetchone()
        return 0 if row is None else int(row["number"])

    def pictures_of(self, listing: int) -> list[int]:
        """Return the numbers of a listing's pictures, by its number, in their order."""
        rows = self.db.execute(
            "SELECT number FROM pictures WHERE listing = ? ORDER BY position", (listing,)
        )
        return [int(row[0]) for row in rows]

    def positions(self, pictures: Iterable[int]) -> dict[int, int]:
        """Return the place of each picture, by number, among its listing's pictures."""
        wanted = json.dumps(list(pictures))
        rows = self.db.execute(
            "SELECT number, position FROM pictures"
            " WHERE number IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
        return {row["number"]: row["position"] for row in rows}

    def listings(self, numbers: Iterable[int]) -> dict[int, tuple[Listing, tuple[str, ...]]]:
        """Return listings by number, each as `listing` does; unknown numbers are left out."""
        wanted = json.dumps([int(number) for number in numbers])
        rows = self.db.execute(
            "SELECT * FROM listings WHERE number IN (SELECT value FROM json_each(?))", (wanted,)
        ).fetchall()
        pictures: dict[int, list[sqlite3.Row]] = {row["number"]: [] for row in rows}
        # One question for all of them: of so many, asking costs more than what is asked for.
        for picture in self.db.execute(
            "SELECT p.listing, p.uri, p.region, p.state, e.content FROM pictures p"
            " LEFT JOIN embeddings e ON e.number = p.embedding"
            " WHERE p.listing IN (SELECT value FROM json_each(?)) ORDER BY p.listing, p.position",
            (wanted,),
        ):
            if picture["listing"] in pictures:
                pictures[picture["listing"]].append(picture)
        return {row["number"]: _listing(row, pictures[row["number"]]) for row in rows}

    def contents(self, rows: Iterable[int]) -> list[str]:
        """Return the content hashes of rows of the feature file, in ascending order of rows."""
        found = self.db.execute(
            "SELECT content FROM embeddings WHERE number IN (SELECT value FROM json_each(?))"
            " ORDER BY number",
            (json.dumps(list(rows)),),
        )
        return [str(row[0]) for row in found]

    def rows_of(self, contents: Iterable[str]) -> list[int]:
        """Return a row of the feature file for each content hash that is there."""
        found = self.db.execute(
            "SELECT min(number) FROM embeddings"
            " WHERE content IN (SELECT value FROM json_each(?)) GROUP BY content",
            (json.dumps(list(contents)),),
        )
        return [int(row[0]) for row in found]

    def categories(self) -> dict[str, int]:
        """Return how many listings each category has, largest first."""
        rows = self.db.execute(
            "SELECT category, count(*) FROM listings WHERE category <> ''"
            " GROUP BY category ORDER BY 2 DESC, 1"
        )
        return {str(row[0]): int(row[1]) for row in rows}

    def failures(self) -> Iterator[Failure]:
        """Yield every rejected picture and every listing without a picture."""
        rows = self.db.execute(
            "SELECT l.id, p.uri, p.reason, l.origin FROM pictures p"
            " JOIN listings l ON l.number = p.listing WHERE p.state = ?"
            " UNION ALL SELECT l.id, '', 'The listing has no picture.', l.origin FROM listings l"
            " WHERE NOT EXISTS (SELECT 1 FROM pictures p WHERE p.listing = l.number)"
            " ORDER BY 1, 2",
            (FAILED,),
        )
        for row in rows:
            yield Failure(*row)


def _listing(row: sqlite3.Row, pictures: list[sqlite3.Row]) -> tuple[Listing, tuple[str, ...]]:
    listing = Listing(
        row["id"],
        tuple(Picture(p["uri"], region=parse_region(p["region"])) for p in pictures),
        row["title"],
        row["category"],
        row["price"],
        row["currency"],
        row["url"],
        json.loads(row["attributes"]),
        row["origin"],
    )
    return listing, tuple(p["content"] if p["state"] == DONE else "" for p in pictures)
