"""Listings of an export into the catalogue, a batch in a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.catalog import Catalog
from indexer.features import FeatureFile
from indexer.import_rows import ListingRow, PictureRow

PICTURES = """
SELECT p.number, p.position, p.embedding, p.uri, p.region, p.version, p.state, p.reason,
    e.content, e.width, e.height
FROM pictures p LEFT JOIN embeddings e ON e.number = p.embedding
WHERE p.listing = ? ORDER BY p.position
"""


@dataclass(slots=True)
class Imported:
    """What an import did, in listings.

    Attributes
    ----------
    added, changed, unchanged : int
        How many of each.
    features : int
        Pictures whose features were new.
    snapshot : str
        The snapshot that serves now.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    features: int = 0
    snapshot: str = ""


class Batch:
    """Takes listings over, each batch in one transaction.

    Parameters
    ----------
    catalog : Catalog
        To write to; its lease is held.
    file : FeatureFile
        The catalogue's.
    done : Imported
        Is told what was done.
    """

    def __init__(self, catalog: Catalog, file: FeatureFile, done: Imported) -> None:
        self._catalog = catalog
        self._db = catalog.db
        self._file = file
        self._done = done

    def take_over(self, listings: list[ListingRow]) -> None:
        """Make the catalogue say of these listings what the export says."""
        with self._catalog.writing():
            self._give_sizes([picture for one in listings for picture in one.pictures])
            known = {one.id: self._known(one.id) for one in listings}
            changed = [one for one in listings if self._differs(one, known[one.id])]
            if changed:
                change = self._catalog.next_change()
                rows = self._rows(changed)
                for one in changed:
                    self._write(one, known[one.id], rows, change)
        self._done.unchanged += len(listings) - len(changed)
        added = sum(known[one.id] is None for one in changed)
        self._done.added += added
        self._done.changed += len(changed) - added

    def _give_sizes(self, pictures: list[PictureRow]) -> None:
        """Give a picture of unknown size that of a copy of it, or none: 0 by 0.

        An index in Milvus may know the size of one copy alone.
        """
        sizes = {one.key: one.said[6:] for one in pictures if None not in one.said[6:]}
        for one in pictures:
            if one.features is not None and None in one.said[6:]:
                known = self._db.execute(
                    "SELECT width, height FROM embeddings WHERE content = ? AND region = ?", one.key
                ).fetchone()
                size = sizes.get(one.key, (0, 0)) if known is None else tuple(known)
                one.said = (*one.said[:6], *size)

    def _known(self, listing_id: str) -> Any:
        return self._db.execute("SELECT * FROM listings WHERE id = ?", (listing_id,)).fetchone()

    def _differs(self, one: ListingRow, known: Any) -> bool:
        if known is None:
            return True
        names = ("title", "category", "price", "currency", "url", "attributes", "origin", "digest")
        if tuple(known[name] for name in names) != one.said:
            return True
        if bool(known["written"]) != one.written:
            return True
        pictures = self._db.execute(PICTURES, (known["number"],)).fetchall()
        return [tuple(row)[3:] for row in pictures] != [picture.said for picture in one.pictures]

    def _rows(self, listings: list[ListingRow]) -> dict[tuple[str, str], int]:
        """Return the row of every picture's features, appending those that are new."""
        rows = int(self._catalog.meta("rows") or 0)
        found: dict[tuple[str, str], int] = {}
        fresh: list[PictureRow] = []
        for picture in (picture for one in listings for picture in one.pictures):
            if picture.features is None or picture.key in found:
                continue
            known = self._db.execute(
                "SELECT number FROM embeddings WHERE content = ? AND region = ?", picture.key
            ).fetchone()
            if known is None:
                found[picture.key] = rows + len(fresh)
                fresh.append(picture)
            else:
                found[picture.key] = int(known[0])
        if fresh:
            width = self._file.width
            kept = np.stack([p.features[:width] for p in fresh if p.features is not None])
            self._catalog.set_meta("rows", str(self._file.append(kept, rows)))
            self._db.executemany(
                "INSERT INTO embeddings VALUES (?, ?, ?, ?, ?)",
                [(found[p.key], *p.key, p.said[6], p.said[7]) for p in fresh],
            )
            self._done.features += len(fresh)
        return found

    def _write(
        self, one: ListingRow, known: Any, rows: dict[tuple[str, str], int], change: int
    ) -> None:
        values = (*one.said, change, change if one.written else 0)
        if known is None:
            number = self._db.execute(
                "INSERT INTO listings (title, category, price, currency, url, attributes, origin,"
                " digest, change, written, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, one.id),
            ).lastrowid
        else:
            number = known["number"]
            self._db.execute(
                "UPDATE listings SET title = ?, category = ?, price = ?, currency = ?, url = ?,"
                " attributes = ?, origin = ?, digest = ?, change = ?, written = ?"
                " WHERE number = ?",
                (*values, number),
            )
        self._write_pictures(int(number or 0), one.pictures, rows, change)

    def _write_pictures(
        self,
        listing: int,
        pictures: list[PictureRow],
        rows: dict[tuple[str, str], int],
        change: int,
    ) -> None:
        """Replace a listing's pictures. One that stays what it was keeps its number."""
        there = {row["position"]: row for row in self._db.execute(PICTURES, (listing,)).fetchall()}
        for position, picture in enumerate(pictures):
            row = there.pop(position, None)
            if row is not None:
                if tuple(row)[3:] == picture.said:
                    continue
                self._db.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))
            embedding = None if picture.features is None else rows[picture.key]
            self._db.execute(
                "INSERT INTO pictures (listing, position, uri, region, version, state, reason,"
                " embedding, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (listing, position, *picture.said[:5], embedding, change),
            )
        for row in there.values():
            self._db.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))
