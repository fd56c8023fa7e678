"""Following the catalogue ahead of the searches, so that they need not do it themselves.

A search still looks whether the catalogue has changed, and follows it if it has: what was
acknowledged is found, with or without this.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from indexer.errors import LookalikeError

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
BUSY_SECONDS = 0.002
"""Between two looks, without and with changes in the last while: a look takes 20 µs."""

WHILE = 500
"""How many looks without a change it takes to be idle again: a second of them."""


class KeepingUp:
    """A thread that follows the catalogue of an engine.

    Parameters
    ----------
    engine : callable
        Returns the `search.engine.Engine` that is in use now, or None.
    """

    def __init__(self, engine: Callable[[], Any]) -> None:
        self._engine = engine
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeping up", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        change, still, engine = None, WHILE, None
        while not self._stopping.wait(BUSY_SECONDS if still < WHILE else IDLE_SECONDS):
            engine = self._engine()
            view = getattr(engine, "view", None)
            if view is None:
                continue
            try:
                now = view().change
            except LookalikeError as error:  # it is just being replaced, say: searches tell of it
                log.debug("The catalogue cannot be followed: %s", error)
                still = WHILE
                continue
            still = 0 if now != change else still + 1
            change = now
        if engine is not None:
            engine.close()  # this thread's connections
