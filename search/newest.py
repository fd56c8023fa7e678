"""The newest that an index says: its snapshot with every change since, taken up before a search."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from indexer.catalog import DATABASE
from indexer.connecting import file_at
from indexer.errors import IndexBusy, IndexReplaced, NetworkMismatch
from indexer.features import feature_file
from indexer.fields import FieldType
from indexer.model import CARD_FILE, MODEL_FILE, Network, installed_network, missing_network
from indexer.pictures import PictureLimits
from indexer.snapshot import CURRENT, Snapshot, current_name, open_current
from search.following import Outrun, follow
from search.index import VectorIndex
from search.live import View
from search.lookup import Lookup

Stamp = tuple[str, int, int, tuple[int, int] | None]
"""What changes with every publication; last, which file the catalogue is."""

TRIES = 5
"""Times that a snapshot is opened anew where the one before cannot be followed."""


class Newest(Lookup):
    """Holds the newest view of an index. Safe to use from several threads.

    Parameters
    ----------
    path : Path
        The index's folder.
    limits : PictureLimits
        What a picture may weigh.

    Raises
    ------
    IndexNotReady, IndexDamaged, IndexVersionError
        As `search.engine.Engine.open`.
    """

    def __init__(self, path: Path, limits: PictureLimits) -> None:
        super().__init__(path, limits)
        self._following = threading.Lock()
        with self.catalog():
            pass  # a database that is missing, damaged or too new is said now
        self.network = self._installed_network()
        self._view, self._stamp = self._opened()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is searched now; `refresh` may change it."""
        return self._view.snapshot

    @property
    def index(self) -> VectorIndex:
        """The FAISS index of `snapshot`."""
        return self._view.index

    def view(self) -> View:
        """Return the snapshot with all that changed since: every write that was acknowledged.

        Raises
        ------
        IndexReplaced
            If another index, made with another network, has taken the place of this one.
        """
        with self.catalog() as catalog:
            view = self._view
            if catalog.change() == view.change and self._is_in_place(self._stamp):
                return view
        # Who waits here waits for the change that it saw.
        with self._following:
            if not self._follow(self._view, self._stamp):
                self._open_anew()
            return self._view

    def _open_anew(self) -> None:
        """Leave the snapshot in use, whose changes are not known any more."""
        for _ in range(TRIES):
            try:
                opened = self._opened()
            except NetworkMismatch as error:
                # Not answered from what is open: the catalogue that lies there now may know
                # other listings by the same numbers.
                raise IndexReplaced(
                    f"The index in {self.path} was made anew with another network.",
                    hint="Open it again.",
                ) from error
            if self._follow(*opened):
                return
        raise IndexBusy(f"{self.path} is being replaced.", hint="Try again.")

    def _follow(self, view: View, stamp: Stamp) -> bool:
        """Take up a view with what changed since; False where its catalogue cannot tell that."""
        try:
            with self.catalog() as catalog:
                if self._is_in_place(stamp):
                    view = follow(view, catalog, feature_file(self.path, catalog))
        except Outrun:
            return False
        # Another index that took its place, now or before, counts its changes in its own way.
        if not self._is_in_place(stamp):
            return False
        self._view, self._stamp = view, stamp
        return True

    def in_place(self) -> tuple[int, int] | None:
        """Return which file the catalogue in the folder is: another once an index is replaced."""
        return file_at(self.path / DATABASE)

    def outdated(self) -> bool:
        """Tell whether another index has taken the place of this one; takes microseconds."""
        return not self._is_in_place(self._stamp)

    def _is_in_place(self, stamp: Stamp) -> bool:
        return self.in_place() == stamp[-1]

    def refresh(self) -> bool:
        """Take up a newer snapshot if there is one; return whether there was.

        Searches go on with the one in use until the newer one is ready.

        Raises
        ------
        NetworkMismatch
            If it was made with another network.
        """
        if self._published() == self._stamp:
            return False
        opened = self._opened()
        with self._following:
            if not self._follow(*opened):
                self._open_anew()
        return True

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
        return name, found.st_ino, found.st_mtime_ns, self.in_place()

    def _installed_network(self) -> Network:
        network = installed_network(self.path)
        if network is None or not (self.path / MODEL_FILE).is_file():
            # A snapshot without its network can never have been published.
            current_name(self.path)
            raise missing_network(self.path, MODEL_FILE if network else CARD_FILE)
        return network
