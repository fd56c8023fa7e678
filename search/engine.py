"""The engine: a photo or a listing in, a page of look-alikes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from indexer.embedder import Embedder
from indexer.errors import IndexDamaged, QueryError
from indexer.features import feature_file
from indexer.fields import FieldType
from indexer.listing import Region
from indexer.model import MODEL_FILE, Network, installed_network
from indexer.pictures import LIMITS, PictureLimits, Prepared, prepare
from indexer.runtimes import require_runtime
from indexer.snapshot import AGAIN, CURRENT, Snapshot, current_name, open_current
from search.asking import MS, OnPhoto, ask
from search.cursor import Cursor
from search.describing import described
from search.filters import Condition
from search.following import Outrun, follow
from search.index import VectorIndex
from search.live import View
from search.loading import load_network
from search.lookup import Lookup
from search.paging import answer, continued, first_cursor
from search.query import Page, Query
from search.ranking import posterior_of
from search.selection import Within

Stamp = tuple[str, int, int]
"""What changes with every publication."""


class Engine(Lookup):
    """An opened index. Safe to use from several threads; make one with `open`.

    Parameters
    ----------
    path : Path
        The index's folder.
    runtime : str
        A name of `indexer.runtimes.RUNTIMES`.
    threads : int or None
        Threads of the network; None for as many as there are cores.
    limits : PictureLimits
        What a photo may weigh.
    """

    def __init__(
        self, path: Path, *, runtime: str, threads: int | None, limits: PictureLimits
    ) -> None:
        require_runtime(runtime)
        super().__init__(path, limits)
        self._runtime = runtime
        self._threads = threads
        self._lock = threading.Lock()
        self._following = threading.Lock()
        self._embedder: Embedder | None = None
        with self.catalog():
            pass  # a database that is missing, damaged or too new is said now
        self.network = self._installed_network()
        self._view, self._stamp = self._opened()

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        runtime: str = "auto",
        threads: int | None = None,
        limits: PictureLimits = LIMITS,
    ) -> Engine:
        """Open the index in a folder.

        Raises
        ------
        IndexNotReady
            If there is no index, or nothing in it to search yet.
        IndexDamaged
            If a file is missing, cut short or of another index.
        IndexVersionError
            If a newer Lookalike wrote it.
        """
        return cls(Path(path), runtime=runtime, threads=threads, limits=limits)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is searched now; `refresh` may change it."""
        return self._view.snapshot

    @property
    def index(self) -> VectorIndex:
        """The FAISS index of `snapshot`."""
        return self._view.index

    def warm_up(self) -> None:
        """Load the network now rather than at the first photo."""
        size = self.network.input_size
        self.embedder().embed(np.zeros((size, size, 3), np.uint8))

    def view(self) -> View:
        """Return the snapshot with all that changed since: every write that was acknowledged."""
        with self.catalog() as catalog:
            view = self._view
            if catalog.change() == view.change:
                return view
            # Who waits here waits for the change that it saw.
            with self._following:
                try:
                    self._view = follow(self._view, catalog, feature_file(self.path, catalog))
                except Outrun:
                    self._take_up(*self._opened())
                return self._view

    def refresh(self) -> bool:
        """Take up a newer snapshot if there is one; return whether there was.

        Searches go on with the one in use until the newer one is ready.
        """
        if self._published() == self._stamp:
            return False
        opened = self._opened()
        with self._following:
            self._take_up(*opened)
        return True

    def _take_up(self, view: View, stamp: Stamp) -> None:
        with self.catalog() as catalog:
            self._view = follow(view, catalog, feature_file(self.path, catalog))
        self._stamp = stamp

    def search(
        self, query: Query | None = None, /, *, on_photo: OnPhoto | None = None, **options: Any
    ) -> Page:
        """Find the listings that look like a photo or like another listing.

        Parameters
        ----------
        query : Query, optional
            Or its fields as keywords: ``search(photo=Path("shoe.jpg"), k=5)``.
        on_photo : callable, optional
            Called once one photo was asked with and answered, to learn from it.

        Raises
        ------
        QueryError
            If the query asks for something that cannot be answered.
        ListingNotFound
            If it names a listing that is not there.
        PictureError
            If its photo cannot be used.
        """
        query = query if query is not None else Query(**options)
        started = time.perf_counter()
        view = self.view()
        took: dict[str, float] = {"decode": 0.0, "embed": 0.0}
        if query.cursor is None:
            asked = ask(self, view, query, took)
            cursor = first_cursor(view, query, asked)
        else:
            with self.catalog() as catalog:
                secret = catalog.meta("secret") or ""
            cursor = Cursor.read(query.cursor, secret, view.snapshot.space)
            query, asked = continued(cursor, query.cursor)
        searching = time.perf_counter()
        found = answer(self, view, query, asked, cursor)
        ended = time.perf_counter()
        took["search"] = (ended - searching) * MS
        took["total"] = (ended - started) * MS
        if on_photo is not None and asked.features is not None:
            on_photo(view.snapshot, asked.features)
        return Page(
            found.hits,
            view.snapshot.name,
            took,
            next_cursor=found.next_cursor,
            category=found.category,
            close_match=found.close_match,
        )

    def within(self, view: View, condition: Condition) -> Within | None:
        """Return what of a view meets a condition; None where everything does.

        Raises
        ------
        QueryError
            If the condition names a field that there is not, or compares what cannot be compared.
        """
        return view.within(condition) if condition else None

    def classify(
        self, photo: bytes | Path, region: Region | None = None
    ) -> list[tuple[str, float]]:
        """Predict a photo's category.

        Parameters
        ----------
        photo : bytes or Path
            The encoded photo, or the path of its file.
        region : Region, optional
            The part of it that matters.

        Returns
        -------
        list of (str, float)
            The likeliest categories with their confidences, likeliest first; empty where the
            catalogue has no two categories that can be told apart.

        Raises
        ------
        PictureError
            If the photo cannot be used.
        """
        view = self.view()
        asked = ask(self, view, Query(photo=photo, region=region), {"decode": 0, "embed": 0})
        return posterior_of(view, asked.vectors)

    def status(self) -> dict[str, object]:
        """Return what this index is and holds, fit for JSON."""
        return described(self)

    # What is behind it

    def _opened(self) -> tuple[View, Stamp]:
        # Before it is opened: what is published in between is taken up by the next refresh.
        stamp = self._published()
        snapshot = open_current(self.path)
        self.network.require_same(Network(**snapshot.manifest["network"]))
        with self.catalog() as catalog:
            types = cast("Mapping[str, FieldType]", catalog.field_types())
        return View.of(snapshot, VectorIndex(snapshot), types), stamp

    def _published(self) -> Stamp:
        """Return what changes with every publication: a new index may repeat a snapshot's name."""
        name = current_name(self.path)
        found = (self.path / CURRENT).stat()
        return name, found.st_ino, found.st_mtime_ns

    def _installed_network(self) -> Network:
        network = installed_network(self.path)
        if network is None or not (self.path / MODEL_FILE).is_file():
            # A snapshot without its network can never have been published.
            current_name(self.path)
            raise IndexDamaged(f"{self.path} lacks its network ({MODEL_FILE}).", hint=AGAIN)
        return network

    def embedder(self) -> Embedder:
        """Return the network, loaded on the first call."""
        with self._lock:
            if self._embedder is None:
                self._embedder = load_network(self.path, self.network, self._runtime, self._threads)
            return self._embedder

    def prepared(
        self, photo: bytes | Path | None, region: Region | None = None, *, of: int = 1
    ) -> Prepared:
        """Return a photo as the network sees it; one `of` several that share the limits.

        Raises
        ------
        QueryError
            If its file cannot be read.
        PictureError
            If it is no picture that can be used.
        """
        data = photo if isinstance(photo, bytes) else _read_photo(photo)
        limits = replace(self.limits, max_pixels=max(1, self.limits.max_pixels // of))
        return prepare(data, self.network.input_size, region=region, limits=limits)


def _read_photo(path: Path | None) -> bytes:
    try:
        return Path(path or "").read_bytes()
    except OSError as error:
        raise QueryError(
            f"The photo {path} cannot be read: {error.strerror or error}.",
            hint="Name a picture file.",
        ) from error
