"""A folder of pictures: every picture is a listing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from indexer.errors import SourceError
from indexer.listing import Listing, Picture
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source
from indexer.sources.files import (
    PICTURE_ENDINGS,
    as_text,
    explained,
    file_system,
    is_url,
    local_path,
    shown,
)
from indexer.sources.values import clean_id


class FolderSource(Source):
    """The pictures in a folder and the folders below it.

    A listing's id is its path in the folder with ``/`` written as ``:``; its title is the file's
    name without the ending; its category is the folder at the first level; where it lies deeper,
    the attribute ``folder`` holds the whole path. Hidden files and folders are left out. A name
    that is not UTF-8 is written so that it can be stored; reading that picture says what to do.

    Parameters
    ----------
    location : str
        A path, or the URL of a folder.

    Raises
    ------
    SourceError
        There is no picture in it, or the path to it is not UTF-8.
    """

    format = "folder"

    def __init__(self, location: str) -> None:
        self.location = location
        if as_text(location) != location:
            raise SourceError(
                f"The path of the folder {as_text(location)} is not UTF-8.",
                hint="Rename that folder, or the one above it.",
            )
        if next(self._paths(), None) is None:
            raise SourceError(
                f"There is no picture in the folder {shown(location)}.",
                hint=f"Looked for: {' '.join(sorted(PICTURE_ENDINGS))}.",
            )

    def listings(self) -> Iterator[Listing]:
        """Read the folder, sorted by name."""
        root = local_path(self.location)
        base = self.location if root is None else str(root.absolute())
        with BadRows() as bad:
            for path in map(as_text, self._paths()):
                if (listing := bad.read(_listing, base, path)) is not None:
                    yield listing

    def count(self) -> int | None:
        """Count the pictures of a local folder; walking a remote one twice may cost much."""
        return None if is_url(self.location) else sum(1 for _ in self._paths())

    def _paths(self) -> Iterator[str]:
        """Yield the pictures' paths inside the folder, with ``/``."""
        root = local_path(self.location)
        found = _remote(self.location) if root is None else _local(root, "", set())
        for path in found:
            if PurePosixPath(path).suffix.lower() in PICTURE_ENDINGS:
                yield path


def _listing(base: str, path: str) -> Listing:
    inside = PurePosixPath(path)
    folders = inside.parts[:-1]
    return Listing(
        id=clean_id(path, path),
        pictures=(Picture(f"{base.rstrip('/')}/{path}"),),
        title=" ".join(inside.stem.replace("-", " ").replace("_", " ").split()),
        category=folders[0] if folders else "",
        attributes={"folder": "/".join(folders)} if len(folders) > 1 else {},
        origin=path,
    )


def _local(folder: Path, prefix: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    with explained(str(folder)):
        place = folder.stat()
        # A link to a folder above would never end; a folder is walked once, by its first name.
        if (place.st_dev, place.st_ino) in seen:
            return
        seen.add((place.st_dev, place.st_ino))
        with os.scandir(folder) as entries:
            visible = sorted((e for e in entries if e.name[0] != "."), key=lambda e: e.name)
    for entry in visible:
        if entry.is_dir():
            yield from _local(Path(entry.path), f"{prefix}{entry.name}/", seen)
        elif entry.is_file():
            yield f"{prefix}{entry.name}"


def _remote(location: str) -> Iterator[str]:
    system, root = file_system(location)
    with explained(location):
        for folder, folders, files in system.walk(root):
            # The walk goes on with what is left in this list, in its order.
            folders[:] = sorted(name for name in folders if name[0] != ".")
            prefix = str(folder)[len(root.rstrip("/")) :].strip("/")
            for name in sorted(name for name in files if name and name[0] != "."):
                yield f"{prefix}/{name}" if prefix else name
