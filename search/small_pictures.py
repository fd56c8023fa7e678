"""Small pictures of a catalogue's pictures, for telling copies."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from indexer.catalog import Catalog, parse_region
from search.near_duplicates import Small, small_thumbnail

KEPT = 20_000
"""Small pictures kept in memory, 7 KB each; others are read again when they are met again."""


class Pictured(Protocol):
    """What has a catalogue and thumbnails."""

    def catalog(self) -> AbstractContextManager[Catalog]:
        """Lend a connection to the catalogue."""

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG; None where there is none."""


class SmallPictures:
    """The small pictures of a catalogue's pictures, by number; the last used ones are kept."""

    def __init__(self, engine: Pictured) -> None:
        self._engine = engine
        self._kept: OrderedDict[int, Small | None] = OrderedDict()

    def load(self, numbers: Iterable[int]) -> dict[int, Small]:
        """Return small pictures by number; those without a thumbnail are left out."""
        wanted = sorted(set(numbers))
        for number, key, region in self._keys([n for n in wanted if n not in self._kept]):
            jpeg = self._engine.thumbnail(key)
            self._kept[number] = small_thumbnail(jpeg, parse_region(region)) if jpeg else None
        loaded: dict[int, Small] = {}
        for number in wanted:
            small = self._kept.get(number)
            if small is not None:
                loaded[number] = small
                self._kept.move_to_end(number)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return loaded

    def _keys(self, numbers: list[int]) -> Iterator[tuple[int, str, str]]:
        """Yield each one's thumbnail key and region, of the pictures that still are there."""
        with self._engine.catalog() as catalog:
            for number in numbers:
                row = catalog.db.execute(
                    "SELECT e.content, e.region FROM pictures p JOIN embeddings e"
                    " ON e.number = p.embedding WHERE p.number = ?",
                    (number,),
                ).fetchone()
                if row is not None:
                    yield number, row["content"], row["region"]
