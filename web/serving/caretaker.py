"""Looking after an index while it is served, so that no request has to.

One thread follows the catalogue, one takes up newer snapshots and removes old ones, one compares a
photo now and then with every vector, and once enough has changed, a process of its own and of the
lowest priority builds a new snapshot. (A process, not a thread: it takes minutes of all that Python
has; and a fresh one, not a fork: FAISS can hang after that.)
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.catalog import Catalog
from indexer.changes import changes_since, current_manifest
from indexer.errors import IndexUnusable, LookalikeError
from indexer.snapshot import remove_old
from indexer.tidying import tidy_emptied
from search.keeping_up import KeepingUp
from web.engine import EngineHolder
from web.monitoring.metrics import Metrics
from web.pages.sharing import Shares

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at whether there is a newer snapshot."""

DUE_SECONDS = 5.0
"""Between two looks at whether enough has changed for one."""

TIDY_SECONDS = 60.0
"""Between two looks for snapshots that nobody reads any more."""

FIRST_WAIT, LONGEST_WAIT = 60.0, 3600.0
"""Before trying again where a compaction failed: at first, and at most."""


class Caretaker:
    """Looks after the index of an application.

    Parameters
    ----------
    holder : EngineHolder
        Holds the engine; requests leave taking up newer snapshots to this from now on.
    metrics : Metrics
        Is told of compactions.
    compacting : bool, optional
        Whether to build new snapshots; of several workers, one does.
    shares : Shares, optional
        Photos that are shared; those whose time is over are deleted.
    look_seconds, due_seconds, first_wait : float, optional
        As the constants.
    """

    def __init__(
        self,
        holder: EngineHolder,
        metrics: Metrics,
        *,
        compacting: bool = True,
        shares: Shares | None = None,
        look_seconds: float = LOOK_SECONDS,
        due_seconds: float = DUE_SECONDS,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._holder = holder
        self._metrics = metrics
        self._compacting = compacting
        self._shares = shares
        self._look_seconds, self._due_seconds = look_seconds, due_seconds
        self._first_wait = self._wait = first_wait
        self._next_due = self._next_tidy = 0.0
        self._seen = -1
        self._complaint = ""
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
            for name, work in (("caretaker", self.look), ("recall", self.compare))
        ]
        self._keeping_up = KeepingUp(lambda: self._holder.engine)
        self._compaction: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin."""
        self._holder.attended = True
        self._keeping_up.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop. A compaction that is under way is ended, which loses nothing."""
        self._stopping.set()
        self._keeping_up.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._holder.attended = False
        if self._compaction is not None:
            self._compaction.terminate()
            self._compaction.communicate()
            self._compaction = None

    # What it does, each time in a thread of its own

    def look(self) -> None:
        """Take up a newer snapshot, remove old ones, see to it that there will be a new one."""
        if self._holder.look():
            self._metrics.snapshots.inc()
            self._next_tidy = 0.0
        now = time.monotonic()
        if now >= self._next_tidy:
            self._next_tidy = now + TIDY_SECONDS
            with suppress(IndexUnusable, OSError):  # none yet, or not to be written to
                remove_old(self._holder.path)
                if self._compacting:
                    tidy_emptied(self._holder.path)
            if self._shares is not None:
                with suppress(IndexUnusable):
                    self._shares.forget_expired()
        if self._compaction is not None:
            self._follow_compaction(self._compaction)
        elif self._compacting and now >= self._next_due:
            self._next_due = now + self._due_seconds
            if self._due():
                self._compaction = start_compaction(self._holder.path)

    def compare(self) -> None:
        """Compare a photo that somebody searched with, if one waits."""
        engine: Any = self._holder.engine
        recall = getattr(engine, "recall", None)
        if recall is not None:
            with suppress(LookalikeError):  # the index is just being replaced, say
                recall.check(engine, self._stopping.is_set)

    def _due(self) -> bool:
        try:
            manifest = current_manifest(self._holder.path)
            if manifest is None:
                return False
            with Catalog(self._holder.path) as catalog:
                return changes_since(catalog, manifest).due
        except LookalikeError as error:
            self._complain(f"Whether a new snapshot is due cannot be told: {error}")
            return False

    def _follow_compaction(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            return
        out, said = process.communicate()
        self._compaction = None
        outcome = _outcome(process.returncode, out)
        self._metrics.compacted(outcome)
        if outcome == "failed":
            lines = said.strip().splitlines() or [f"it ended with {process.returncode}"]
            self._complain(f"A new snapshot cannot be built: {' '.join(lines[-2:])}")
            self._next_due = time.monotonic() + self._wait
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            return
        self._wait, self._complaint = self._first_wait, ""
        # A sync or somebody's compaction takes a while, and may have left too few changes.
        if outcome in ("busy", "needless"):
            self._next_due = time.monotonic() + self._first_wait

    def _complain(self, words: str) -> None:
        """Log a warning once, and not each time that it is tried again."""
        if words != self._complaint:
            log.warning("%s", words)
        self._complaint = words

    def _run(self, work: Callable[[], None]) -> None:
        while not self._stopping.wait(self._look_seconds):
            try:
                work()
            except Exception:
                # It must not end before the server does: nothing else would take its place.
                log.exception("Looking after the index failed.")


def start_compaction(index: Path) -> subprocess.Popen[str]:
    """Begin to build a new snapshot, if enough has changed, at the lowest priority."""
    # -P: not what lies where one stands, which may be called as our packages are.
    command = [sys.executable, "-P", "-m", "lookalike", "compact", "--index", str(index)]
    return subprocess.Popen(  # noqa: S603 - no word of it is a client's
        [*command, "--background", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the server, which ends it
    )


def _outcome(code: int, out: str) -> str:
    """Return what became of a compaction: built, busy, needless or failed."""
    try:
        said = json.loads(out)
    except ValueError:
        return "failed"
    if code != 0:
        return "failed"
    if said.get("busy"):
        return "busy"
    return "built" if said["built"] else "needless"
