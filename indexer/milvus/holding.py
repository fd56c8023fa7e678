"""The features in Milvus' memory, for as long as something reads them.

Of two exports at a time, the one that ends first must not take from the other what it reads. So
each notes in the index that it holds the features, and until when; the last one lets go of them.
"""

from __future__ import annotations

import time

from indexer.milvus.connection import LONG, Milvus, StoreUnavailable
from indexer.milvus.meta import Meta
from indexer.milvus.schema import FEATURES, load_features

HELD = 600.0
"""Seconds that a hold lasts after it was last renewed: one that was killed holds no longer."""

AGAIN = HELD / 5


class Hold:
    """Holds the features of an index while it is entered.

    Parameters
    ----------
    milvus : Milvus
        Where they are.
    name : str
        Of the hold. Another one of the same name is taken over.
    """

    def __init__(self, milvus: Milvus, name: str) -> None:
        self._milvus, self._meta, self._name = milvus, Meta(milvus), name
        self._next = 0.0

    def renew(self) -> None:
        """Go on holding; between any two calls may pass less than `HELD` seconds."""
        if time.monotonic() < self._next:
            return
        self._meta.hold(self._name, time.time() + HELD)
        # Also where it ran out while this process was asleep, and another let go.
        load_features(self._milvus)
        self._next = time.monotonic() + AGAIN

    def __enter__(self) -> Hold:
        self.renew()
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if isinstance(problem, StoreUnavailable):
            return  # it runs out by itself: whoever waited for Milvus need not do so once more
        now = time.time()
        over = [name for name, until in self._meta.holds().items() if until < now]
        self._meta.let_go([self._name, *over])
        if self._meta.holds():
            return
        self._milvus.release_collection(self._milvus.address.named(FEATURES), timeout=LONG)
        if self._meta.holds():  # one that began just now may have found them loaded still
            load_features(self._milvus)
