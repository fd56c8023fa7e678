"""An engine over an index in Milvus: the reading half (`indexer.milvus` writes).

It answers as `search.engine.Engine` over a folder does, by the same ranking, folding and paging.
Nothing that matters is kept here: any number of servers can read and write one index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from indexer.embedder import Embedder
from indexer.errors import NetworkMismatch, PictureError
from indexer.listing import Listing
from indexer.listing_writes import not_found
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import STRONG, Fields
from indexer.milvus.moving import facts
from indexer.milvus.rows import listing_number
from indexer.milvus.schema import LISTINGS
from indexer.milvus.space import Space, network_folder, read_space
from indexer.milvus.store import Store
from indexer.milvus.writing import MilvusWriter, Turns
from indexer.model import MODEL_FILE
from indexer.pictures import PictureLimits
from indexer.runtimes import require_runtime
from indexer.snapshot import Snapshot
from indexer.stored import is_stored
from search.asking import OnPhoto
from search.engine import Engine
from search.loading import load_network
from search.milvus_catalog import MilvusCatalog
from search.milvus_kept import Kept
from search.milvus_view import MilvusView
from search.milvus_watch import Watch
from search.query import Page, Query

if TYPE_CHECKING:
    from indexer.catalog import Catalog
    from search.live import View

THUMBNAIL_BYTES = 32 << 20
"""Of thumbnails that are kept in memory: telling copies asks for the same ones often."""

BOUNDED, WITHOUT_WAITING = "Bounded", "Eventually"


class MilvusEngine(Engine):
    """An opened index in Milvus. Safe to use from several threads.

    Parameters
    ----------
    path : str or Path
        Its address.
    runtime : str
        A name of `indexer.runtimes.RUNTIMES`.
    threads : int or None
        Threads of the network.
    limits : PictureLimits
        What a photo may weigh.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        runtime: str = "auto",
        threads: int | None = None,
        limits: PictureLimits,
    ) -> None:
        require_runtime(runtime)
        # Not that of a folder's engine, which opens files.
        self.address = Address.parse(path)
        self.path = Path(str(path))
        self.limits = limits
        self.on_page: Callable[[Page], None] = lambda _: None
        self._runtime, self._threads = runtime, threads
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None
        self._local = threading.local()
        self._milvus = Milvus(self.address)
        self._store = Store(self._milvus)
        self._turns = Turns()
        self._thumbnails = Kept(THUMBNAIL_BYTES)
        self._space = read_space(self._milvus)
        self._fields = self._store.meta.fields()
        self._watch = Watch(self.address, self._take_up)
        self.network = self._space.network

    # What is searched

    @property
    def snapshot(self) -> Snapshot:
        """What is known beside the vectors."""
        return self._space.snapshot

    @property
    def space(self) -> Space:
        """The same, with what makes it."""
        return self._space

    def view(self) -> View:
        """Return what the next question is answered from; nothing is asked of Milvus yet."""
        view = MilvusView(self._store, self._space, self._fields, self.address.consistency)
        self._local.view = view
        # It has of a view what ranking, folding and paging ask of one.
        return cast("View", view)

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        """Lend what answers as the catalogue does."""
        view = getattr(self._local, "view", None) or cast("MilvusView", self.view())
        yield cast("Catalog", MilvusCatalog(self._store, view, self._space.secret))

    def search(
        self, query: Query | None = None, /, *, on_photo: OnPhoto | None = None, **options: Any
    ) -> Page:
        """Do what `Engine.search` does, and tell of it."""
        asked = query if query is not None else Query(**options)
        self._local.searching = True
        try:
            page = super().search(asked, on_photo=on_photo)
        finally:
            self._local.searching = False
        self.on_page(page)
        return page

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """See `Engine.listing`."""
        view = getattr(self._local, "view", None)
        if view is not None and getattr(self._local, "searching", False):
            known = view.documents([listing_number(listing_id)])
            for document in known.values():
                found: tuple[Listing, tuple[str, ...]] = document.listing()
                return found
        number = listing_number(listing_id)
        waited = getattr(self._local, "waited", None)
        level = WITHOUT_WAITING if waited else self.address.consistency
        document = self._store.documents([number], level).get(number)
        if waited is not None:
            self._local.waited = True
        if document is None or document.fields.id != listing_id:
            raise not_found(listing_id)
        return document.listing()

    def sample(self, count: int) -> list[tuple[Listing, tuple[str, ...]]]:
        """Return some listings to look at, the ones that Milvus names first."""
        rows = self._milvus.query(
            self.address.collection,
            filter="place == 0",
            output_fields=["listing"],
            limit=max(1, count),
            consistency_level=BOUNDED,
        )
        found = self._store.documents((row["listing"] for row in rows), BOUNDED)
        return [found[number].listing() for number in sorted(found)]

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG; None where there is none of this key."""
        if not key or key.strip("0123456789abcdef"):
            return None
        kept = self._thumbnails.get(key)
        if kept is not None:
            return kept
        together = getattr(self._local, "together", {key})
        wanted = together if key in together else {key}
        # By content: one that is there does not change, so it need not be the newest.
        for level in (BOUNDED, STRONG):
            lacking = [one for one in wanted if self._thumbnails.get(one) is None]
            for one, jpeg in self._store.thumbnails(lacking, level).items():
                self._thumbnails.add(one, jpeg)
            kept = self._thumbnails.get(key)
            if kept is not None:
                break
            wanted = {key}
        return kept

    def picture(self, listing_id: str, position: int) -> bytes:
        """Return a catalogue picture as it was given, encoded, where its source still has it."""
        listing, _ = self.listing(listing_id)
        if position < len(listing.pictures) and is_stored(listing.pictures[position].uri):
            raise PictureError(
                "was given to the index itself, and Milvus keeps the small picture only",
                hint="Give it by a URL to show it large.",
            )
        return super().picture(listing_id, position)

    def made_of(self, pictures: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return content hash and region of pictures that were met in this thread's question."""
        view = cast("MilvusView", self._local.view)
        known = ((number, view.made_of(number)) for number in pictures)
        found = {number: made for number, made in known if made is not None}
        # Whoever asks for the thumbnail of one of them asks for the others' next.
        self._local.together = {content for content, _ in found.values()}
        return found

    def status(self) -> dict[str, object]:
        """Return what this index is and holds, fit for JSON."""
        return {
            **facts(self._store, self._space),
            # What a folder's engine says too, and whoever shows it looks for.
            "failures": 0,
            "recall_at_10": None,
            "categories": {},
            "added": 0,
            "removed": 0,
            "due": False,
            "live_recall": None,
        }

    def figures(self) -> dict[str, float]:
        """Return the few numbers that are looked at all the time."""
        vectors = self._store.count(level=BOUNDED)
        listings = self._store.count(LISTINGS, level=BOUNDED)
        return {"listings": listings, "vectors": vectors, "changed": 0, "change": 0}

    # What is behind it

    def embedder(self) -> Embedder:
        """Return the network, fetched from Milvus and loaded on the first call."""
        with self._lock:
            if self._embedder is None:
                folder = network_folder(self._milvus, self.network, MODEL_FILE)
                self._embedder = load_network(folder, self.network, self._runtime, self._threads)
            return self._embedder

    def writer(self, limits: PictureLimits) -> MilvusWriter:
        """Return what writes to this index."""
        self._local.waited = None  # what is read after that waits for what it wrote
        return MilvusWriter(
            self._milvus,
            self._space,
            self.embedder,
            limits=limits,
            turns=self._turns,
            learned=self._learn,
        )

    def in_place(self) -> tuple[int, int] | None:
        """Return nothing: no other index takes the place of this one unseen."""
        return None

    def outdated(self) -> bool:
        """Return whether another index took the place of this one; see to it that Milvus is there.

        See `search.milvus_watch`.

        Raises
        ------
        StoreUnavailable
            If it is not there. All requests are refused at once then, and none waits for it.
        """
        # A server asks this at the beginning of a request: of what is read in it, the first waits
        # for all that was written before, and what follows need not.
        self._local.waited = False
        try:
            self._watch.look()
        except NetworkMismatch:
            return True
        return False

    def refresh(self) -> bool:
        """Take up what Milvus says that is new beside its listings; return whether there was.

        Raises
        ------
        NetworkMismatch
            If the index was made anew with another network.
        """
        before = self._space
        self._watch.look()
        return self._space is not before

    def close(self) -> None:
        """Disconnect."""
        self._milvus.close()
        self._watch.close()

    def _learn(self, fields: Fields) -> None:
        """Take up what a write of this server's own found of the attributes."""
        self._fields = self._fields.joined(fields)

    def _take_up(self, stamp: str, fields: Fields) -> None:
        """Take up what is new beside the listings."""
        if stamp != self._space.stamp:
            space = read_space(self._milvus)
            self.network.require_same(space.network)
            self._space = space
        self._fields = fields
