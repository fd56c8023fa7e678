"""Whether Milvus is there, and says something new beside its listings."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from indexer.errors import IndexNotReady, LookalikeError
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import CARD, Fields
from indexer.milvus.store import Store

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks."""

LOOKING = 3.0
"""Seconds that Milvus may take for an answer before it is taken for lost."""

BOUNDED, WITHOUT_WAITING = "Bounded", "Eventually"


class Watch:
    """Looks after Milvus, at most once in `LOOK` seconds. Safe to use from several threads.

    Parameters
    ----------
    address : Address
        Of the index.
    take_up : callable
        Is given the stamp of the index's card and the attributes there are, at every look.
    """

    def __init__(self, address: Address, take_up: Callable[[str, Fields], None]) -> None:
        self._address = address
        self._store = Store(Milvus(address, timeout=LOOKING))
        self._take_up = take_up
        self._looking = threading.Lock()
        self._lost: LookalikeError | None = None
        self._next = time.monotonic() + LOOK

    def look(self) -> None:
        """Look whether Milvus is there; where another thread does so just now, what it saw last.

        Raises
        ------
        StoreUnavailable
            If it is not there.
        IndexNotReady
            If it does not have the index any more.
        NetworkMismatch
            If the index was made anew with another network.
        """
        if time.monotonic() >= self._next and self._looking.acquire(blocking=False):
            try:
                self._ask()
                if self._lost is not None:
                    log.info("Milvus at %s is there again.", self._address)
                self._lost = None
            except LookalikeError as error:
                if self._lost is None:
                    log.warning("%s", error)
                self._lost = error
            finally:
                self._next = time.monotonic() + LOOK
                self._looking.release()
        lost = self._lost
        if lost is not None:
            raise type(lost)(lost.message, hint=lost.hint)

    def close(self) -> None:
        """Disconnect."""
        self._store.milvus.close()

    def _ask(self) -> None:
        stamp = self._store.meta.stamp(CARD, BOUNDED)
        if stamp is None:
            raise IndexNotReady(f"The index in {self._address} is gone.")
        # A collection that is not loaded yet, after a restart, does not answer.
        self._store.vectors([0], WITHOUT_WAITING)
        if self._lost is not None:
            self._store.documents([0], WITHOUT_WAITING)
            self._store.thumbnails(["0"], WITHOUT_WAITING)
        self._take_up(stamp, self._store.meta.fields(BOUNDED))
