"""Small pictures of a catalogue's pictures, for telling copies."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from indexer.catalog import parse_region
from search.near_duplicates import Small, small_thumbnail

KEPT = 20_000
"""Small pictures kept in memory, 7 KB each; others are read again when they are met again."""


class Pictured(Protocol):
    """What knows pictures and has thumbnails."""

    def made_of(self, pictures: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return content hash and region of pictures that still are there, by number."""

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
        made_of = self._engine.made_of(n for n in wanted if n not in self._kept)
        for number, (key, region) in sorted(made_of.items()):
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
