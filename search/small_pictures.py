"""Small pictures of a catalogue's pictures, for telling copies."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

from indexer.catalog import parse_region
from indexer.listing import Region
from search.near_duplicates import Small, small_thumbnail

KEPT = 20_000
"""Small pictures kept in memory, 7 KB each; others are read again when they are met again."""


KEPT_WHILE_SERVING = 2000
"""The same while serving: 14 MB. Making one again takes half a millisecond."""


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


class SmallThumbnails:
    """Small pictures by the keys of thumbnails; the last used are kept. Safe in several threads.

    Parameters
    ----------
    thumbnail : callable
        Returns a thumbnail's JPEG by its key, which stands for its bytes; None where there is none.
    """

    def __init__(self, thumbnail: Callable[[str], bytes | None]) -> None:
        self._thumbnail = thumbnail
        self._kept: OrderedDict[tuple[str, Region | None], Small] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, region: Region | None) -> Small | None:
        """Return the small picture of a thumbnail, or of a region of it; None without one."""
        with self._lock:
            small = self._kept.get((key, region))
            if small is not None:
                self._kept.move_to_end((key, region))
                return small
        jpeg = self._thumbnail(key)
        small = None if jpeg is None else small_thumbnail(jpeg, region)
        if small is not None:
            small.flags.writeable = False  # it is shared
            with self._lock:
                self._kept[key, region] = small
                if len(self._kept) > KEPT_WHILE_SERVING:
                    self._kept.popitem(last=False)
        return small
