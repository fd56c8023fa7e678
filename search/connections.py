"""Connections to an index's databases: one of each a thread, as SQLite's are not shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from indexer.catalog import DATABASE, Catalog
from indexer.thumbnails import THUMBNAILS, Thumbnails

Connected = TypeVar("Connected", Catalog, Thumbnails)


class Connections:
    """Connections of the threads that search an index.

    Parameters
    ----------
    path : Path
        The index's folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        """Lend this thread's connection to the catalogue."""
        yield self._connected("catalog", DATABASE, Catalog)

    @contextmanager
    def thumbnails(self) -> Iterator[Thumbnails]:
        """Lend this thread's connection to the thumbnails."""
        yield self._connected("thumbnails", THUMBNAILS, Thumbnails)

    def close(self) -> None:
        """Close this thread's connections; other threads' go with them."""
        for name in ("catalog", "thumbnails"):
            opened = self._local.__dict__.pop(name, None)
            if opened is not None:
                opened.close()

    def _connected(self, name: str, file: str, kind: Callable[[Path], Connected]) -> Connected:
        """Return this thread's connection to a database, made anew where the file is another."""
        try:
            found = (self.path / file).stat()
            stamp: object = (found.st_dev, found.st_ino)
        except OSError:
            stamp = None
        held = self._local.__dict__
        if held.get(f"{name}_stamp") != stamp or name not in held:
            if name in held:
                held.pop(name).close()
            held[name] = kind(self.path)
            held[f"{name}_stamp"] = stamp
        opened: Connected = held[name]
        return opened
