"""Looking listings and their pictures up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from indexer.errors import ListingNotFound
from indexer.listing import Listing
from indexer.pictures import PictureLimits
from indexer.stored import read_any
from search.connections import Connections
from search.small_pictures import SmallThumbnails


class Lookup(Connections):
    """What an index knows of its listings.

    Parameters
    ----------
    path : Path
        The index's folder.
    limits : PictureLimits
        What a picture may weigh.
    """

    def __init__(self, path: Path, limits: PictureLimits) -> None:
        super().__init__(path)
        self.limits = limits

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """Return a listing and its pictures' thumbnail keys ('' for a rejected picture).

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        """
        with self.catalog() as catalog:
            return catalog.listing(listing_id)

    def sample(self, count: int) -> list[tuple[Listing, tuple[str, ...]]]:
        """Return some listings to look at, spread over the categories; the same each time."""
        with self.catalog() as catalog:
            rows = catalog.db.execute(
                "SELECT number FROM (SELECT number, row_number() OVER"
                " (PARTITION BY category ORDER BY number) AS turn FROM (SELECT * FROM listings"
                " LIMIT 5000) l WHERE EXISTS (SELECT 1 FROM pictures p WHERE"
                " p.listing = l.number AND p.embedding IS NOT NULL)) ORDER BY turn, number LIMIT ?",
                (count,),
            ).fetchall()
            numbers = [int(row["number"]) for row in rows]
            found = catalog.listings(numbers)
        return [found[number] for number in numbers if number in found]

    def made_of(self, pictures: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return content hash and region of pictures, by number; those that are gone are left out.

        Two of the same are one picture to the network.
        """
        with self.catalog() as catalog:
            rows = catalog.db.execute(
                "SELECT p.number, e.content, e.region FROM pictures p JOIN embeddings e"
                " ON e.number = p.embedding WHERE p.number IN (SELECT value FROM json_each(?))",
                (json.dumps(list(pictures)),),
            ).fetchall()
        return {row["number"]: (row["content"], row["region"]) for row in rows}

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG; None where there is none of this key."""
        with self.thumbnails() as thumbnails:
            return thumbnails.get(key)

    @cached_property
    def smalls(self) -> SmallThumbnails:
        """The thumbnails as what copies are told by."""
        return SmallThumbnails(self.thumbnail)

    def picture(self, listing_id: str, position: int) -> bytes:
        """Return a catalogue picture as it was given, encoded.

        Raises
        ------
        ListingNotFound
            If there is no such listing, or it has no such picture.
        PictureError
            If the file is gone or its host does not answer.
        """
        listing, _ = self.listing(listing_id)
        if not 0 <= position < len(listing.pictures):
            raise ListingNotFound(
                f"The listing {listing_id!r} has no picture number {position}.",
                hint=f"It has {len(listing.pictures)}, counted from 0.",
            )
        return read_any(self.path, listing.pictures[position], max_bytes=self.limits.max_bytes)
