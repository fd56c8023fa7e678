"""A catalogue that was uploaded, into the index: a process of its own, which says where it is.

    python -m web.admin.job FOLDER INDEX plan|sync|sync-with-removals [PICTURES]

FOLDER holds the catalogue; what is done is told in its ``status.json``. The process ends when a
file ``stop`` appears there, or its standard input is closed, as when the server ends: what is
embedded by then is kept.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from indexer.errors import LookalikeError, SourceError
from indexer.listing import Listing, Picture
from indexer.options import IndexOptions
from indexer.progress import Advance
from indexer.sources import Source, SourceOptions, open_source
from indexer.sync import index_catalogue
from web.admin.uploads import CATALOGUE, ENCODING, STATUS, STOP, write_status

log = logging.getLogger(__name__)

EVERY = 0.3
"""Seconds between two notes of how far it is."""

CHOOSE = "Choose the encoding that it is in, and then the file once more."
"""What the page has in place of an option of the command line."""

WEB = ("http://", "https://")


class Told:
    """Progress that is written into a file, for whoever asks."""

    def __init__(self, path: Path, **said: Any) -> None:
        self._path = path
        self._said = said
        self._next = 0.0
        self._lock = threading.Lock()

    def tell(self, **said: Any) -> None:
        """Write what has come to be, beside what was told before."""
        with self._lock:
            self._said.update(said)
            self._next = time.monotonic() + EVERY
            write_status(self._path, self._said)

    @contextmanager
    def track(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Tell of a stretch of work."""
        began, done = time.monotonic(), 0
        self.tell(what=what, total=total, unit=unit, done=0, rate=None)

        def advance(count: int) -> None:
            nonlocal done
            done += count
            now = time.monotonic()
            if now >= self._next:
                self.tell(done=done, rate=round(done / max(now - began, 1e-9), 1))

        yield advance
        self.tell(done=done)

    def say(self, line: str) -> None:
        """Tell a line."""
        self.tell(line=line)


class Confined(Source):
    """A catalogue whose pictures are on the web, or in one folder: no other file of this machine.

    Parameters
    ----------
    source : Source
        As it was uploaded.
    folder : Path
        Where it lies, which its relative names are relative to.
    pictures : Path or None
        Where these are looked for.
    """

    def __init__(self, source: Source, folder: Path, pictures: Path | None) -> None:
        self.location, self.format = source.location, source.format
        self._source, self._folder, self._pictures = source, folder, pictures

    def listings(self) -> Iterator[Listing]:
        """Read the catalogue from the start.

        Raises
        ------
        SourceError
            A picture is elsewhere.
        """
        for listing in self._source.listings():
            pictures = tuple(self._confined(listing.id, one) for one in listing.pictures)
            yield replace(listing, pictures=pictures)

    def count(self) -> int | None:
        """Return the number of listings where it costs little to know."""
        return self._source.count()

    def left_out(self) -> str:
        """Say what the catalogue itself left out."""
        return self._source.left_out()

    def _confined(self, listing_id: str, picture: Picture) -> Picture:
        if picture.data is not None or picture.uri.lower().startswith(WEB):
            return picture
        path = Path(os.path.normpath(picture.uri))
        if self._pictures is None:
            raise SourceError(
                f"Listing {listing_id!r}: a picture of an uploaded catalogue is named by its"
                " http(s) address.",
                hint="To name files, set LOOKALIKE_CATALOGUE_PICTURES to the folder that they are"
                " in, or run lookalike index on the server.",
            )
        try:
            inside = path.relative_to(self._folder)
            found = (self._pictures / inside).resolve()
            found.relative_to(self._pictures.resolve())
        except (ValueError, OSError) as error:
            raise SourceError(
                f"Listing {listing_id!r}: a picture lies outside of the folder for pictures.",
                hint="Name pictures by paths relative to it, or by their http(s) addresses.",
            ) from error
        return replace(picture, uri=str(found))


def run(folder: Path, index: Path, work: str, pictures: Path | None) -> None:
    """Do the work, and tell what became of it."""
    told = Told(folder / STATUS, state="running", work=work, began=time.time())
    told.tell()
    options = IndexOptions(
        dry_run=work == "plan", allow_removals=work == "sync-with-removals", retry_failed=True
    )
    try:
        (file,) = folder.glob(f"{CATALOGUE}.*")
        source = Confined(open_source(file, _options(folder)), folder, pictures)
        report = index_catalogue(index, source, options, told)
    except KeyboardInterrupt:
        told.tell(state="stopped")
    except LookalikeError as error:
        hint = CHOOSE if "--encoding" in error.hint else error.hint
        told.tell(state="failed", error={"message": error.message, "hint": hint})
    except Exception:
        # Whoever waits for this process reads its status, not its traceback.
        log.exception("Indexing an uploaded catalogue failed.")
        told.tell(state="failed", error={"message": "Something went wrong.", "hint": ""})
        raise
    else:
        said = asdict(report)
        state = "planned" if work == "plan" else "done"
        told.tell(state=state, report=said, took=round(time.time() - told._said["began"], 1))


def _options(folder: Path) -> SourceOptions:
    said = folder / ENCODING  # not there of a catalogue that an earlier version received
    return SourceOptions(encoding=said.read_text()) if said.exists() else SourceOptions()


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever written: it returns when the other end closes
    os.kill(os.getpid(), signal.SIGINT)


def _end_when_asked(stop: Path) -> None:
    while not stop.exists():
        time.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """Run as a process."""
    logging.basicConfig(level=logging.WARNING)
    folder, index, work, *rest = sys.argv[1:]
    place = Path(folder).resolve()
    try:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        threading.Thread(target=_end_when_asked, args=(place / STOP,), daemon=True).start()
        with suppress(OSError):
            os.nice(10)  # searches go first
        run(place, Path(index), work, Path(rest[0]) if rest else None)
    except KeyboardInterrupt:  # before the run could take it
        write_status(place / STATUS, {"state": "stopped", "work": work})


if __name__ == "__main__":
    main()
