"""What shows that a picture changed, without reading it: a file's size and time, a URL's ETag."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import DONE, FAILED, PENDING, Catalog
from indexer.errors import LookalikeError
from indexer.flights import ordered_map
from indexer.listing import Picture
from indexer.progress import Progress
from indexer.sources.fetching import has_url_version, is_gone, same_version, url_version

ASKERS = 32
"""Threads that wait for hosts' answers, which are short."""

PAGE = 1000
"""URLs whose answers are noted in one transaction."""

MISSING = "missing"
"""The version of a picture that could not be had."""

UNTOLD = "untold"
"""The version of a picture that was had, from a host that tells nothing of it, while it is read
again."""

_URLS = """
FROM pictures p JOIN listings l ON l.number = p.listing
WHERE p.number > ? AND p.uri LIKE '%:%' AND p.state <> 0 AND l.digest <> x''
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of asking hosts whether their pictures changed, in pictures.

    Attributes
    ----------
    asked : int
        URLs that were looked at, all others included.
    changed : int
        Those that are downloaded again.
    silent : int
        Those whose host did not answer, or refused: they stay as they are.
    """

    asked: int = 0
    changed: int = 0
    silent: int = 0


@dataclass(slots=True)
class _Url:
    number: int
    uri: str
    state: int
    version: str
    told: str | None = None


def picture_version(picture: Picture) -> str:
    """Return what shows whether a picture changed, without reading it: size and time of a file.

    Empty for a URL, which says nothing about itself until its host is asked.
    """
    if picture.data is not None:
        return hashlib.sha256(picture.data).hexdigest()
    if has_url_version(picture.uri):
        return ""
    try:
        found = Path(picture.uri).stat()
    except (OSError, ValueError):
        return MISSING  # loading it will say so, in a row that people can list
    return f"{found.st_size}:{found.st_mtime_ns}"


def is_of_url(version: str) -> bool:
    """Tell whether a version is one of a URL's, and not the mark of whoever else wrote it."""
    return version in ("", MISSING, UNTOLD) or version.startswith(("etag:", "modified:"))


def count_urls(db: sqlite3.Connection, where: str = "") -> int:
    """Return how many pictures `check_urls` would ask for, of those that a condition leaves."""
    return sum(len(page) for page in _pages(db, where))


def check_urls(catalog: Catalog, progress: Progress, *, reread: bool = False) -> Checked:
    """Ask for every picture at a URL whether it changed, and make those pending that did.

    Only what a sync brought is asked for. Nothing is downloaded here.

    Parameters
    ----------
    catalog : Catalog
        Nothing in it is pending that should be asked for.
    progress : Progress
    reread : bool
        Ask nobody, and make all of them pending, so that their contents are compared.
    """
    asked = changed = silent = 0
    total = count_urls(catalog.db)
    if not total:
        return Checked()
    with (
        ThreadPoolExecutor(ASKERS) as pool,
        progress.track("Checking URLs", total, "URLs") as advance,
    ):
        for page in _pages(catalog.db):
            found: Iterator[_Url] = iter(page)
            if not reread:
                found = ordered_map(pool, _ask, page, 2 * ASKERS)
            again, adopted = [], []
            for url in found:
                advance(1)
                asked += 1
                if url.told is None and not reread:
                    # A picture that could not be had before is no news.
                    silent += url.state == DONE
                elif reread or _differs(url):
                    again.append((url.version or UNTOLD, url.number, url.uri, url.version))
                elif url.told and url.told != url.version:
                    adopted.append((url.told, url.number, url.uri, url.version))
            changed += _note(catalog, again, adopted)
    return Checked(asked, changed, silent)


def _pages(db: sqlite3.Connection, where: str = "") -> Iterator[list[_Url]]:
    last = 0
    while rows := db.execute(
        f"SELECT p.number, p.uri, p.state, p.version {_URLS} {where} ORDER BY p.number LIMIT ?",
        (last, PAGE),
    ).fetchall():
        last = rows[-1]["number"]
        yield [
            _Url(*row) for row in rows if has_url_version(row["uri"]) and is_of_url(row["version"])
        ]


def _ask(url: _Url) -> _Url:
    try:
        url.told = url_version(url.uri)
    except LookalikeError as error:
        if is_gone(error) and url.state == DONE:
            url.told = MISSING
    return url


def _differs(url: _Url) -> bool:
    """Tell whether a picture is to be downloaded again, for what its host said of it."""
    if url.state == FAILED and url.version in ("", MISSING):
        # It could not be had, and now its host answers.
        return url.version == MISSING or bool(url.told)
    if url.told == MISSING:
        return True
    # Who told nothing before, or was never asked, gives no reason to think that it changed.
    known = url.version not in ("", UNTOLD)
    return bool(url.told) and known and not same_version(url.version, url.told or "")


def _note(
    catalog: Catalog,
    again: list[tuple[str, int, str, str]],
    adopted: list[tuple[str, int, str, str]],
) -> int:
    """Write down what a page of URLs said, except of pictures that are others by now."""
    marked = 0
    if again:
        with catalog.writing():
            change = catalog.next_change()
            # What it has of the picture stays until it is read again.
            marked = catalog.db.executemany(
                "UPDATE pictures SET state = ?, version = ?, change = ?"
                " WHERE number = ? AND uri = ? AND version = ?",
                [(PENDING, kept, change, *same) for kept, *same in again],
            ).rowcount
    if adopted:
        with catalog.writing():
            catalog.db.executemany(
                "UPDATE pictures SET version = ? WHERE number = ? AND uri = ? AND version = ?",
                adopted,
            )
    return marked
