"""The engine: a photo or a listing in, a page of look-alikes out."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.embedder import Embedder
from indexer.errors import QueryError
from indexer.listing import Region
from indexer.milvus.address import is_milvus
from indexer.pictures import LIMITS, PictureLimits, Prepared, prepare
from indexer.runtimes import require_runtime
from search.asking import MS, OnPhoto, ask
from search.cursor import Cursor
from search.describing import described
from search.filters import Condition
from search.live import View
from search.loading import load_network
from search.newest import TRIES, Newest
from search.paging import answer, continued, first_cursor
from search.query import Page, Query
from search.ranking import posterior_of
from search.selection import Within


class Engine(Newest):
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
        self._embedder: Embedder | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        runtime: str = "auto",
        threads: int | None = None,
        limits: PictureLimits = LIMITS,
    ) -> Engine:
        """Open the index in a folder, or in Milvus (``milvus://HOST:PORT/COLLECTION``).

        Raises
        ------
        IndexNotReady
            If there is no index, or nothing in it to search yet.
        IndexDamaged
            If a file is missing, cut short or of another index.
        IndexVersionError
            If a newer Lookalike wrote it.
        """
        if is_milvus(path):
            from search.milvus import MilvusEngine  # noqa: PLC0415 - an extra

            return MilvusEngine(path, runtime=runtime, threads=threads, limits=limits)
        return cls(Path(path), runtime=runtime, threads=threads, limits=limits)

    def warm_up(self) -> None:
        """Load the network now rather than at the first photo."""
        size = self.network.input_size
        self.embedder().embed(np.zeros((size, size, 3), np.uint8))

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
        IndexReplaced
            If the index was made anew with another network since it was opened.
        """
        query = query if query is not None else Query(**options)
        if query.cursor is not None and (query.filter or query.region or query.min_score):
            raise QueryError(
                "A cursor carries what was asked for.", hint="Send nothing but the cursor."
            )
        for _ in range(TRIES):
            before = self.in_place()
            page = self._searched(query, on_photo)
            # Another index that took its place meanwhile knows these listings by other numbers.
            if self.in_place() == before:
                break
        return page

    def _searched(self, query: Query, on_photo: OnPhoto | None) -> Page:
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
