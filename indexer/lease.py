"""Locks: the writer's lease, one sync or compaction at a time, and short ones on a file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from indexer.errors import IndexBusy
from indexer.storing import storing


@contextmanager
def writer_lease(folder: Path) -> Iterator[None]:
    """Hold the lease on an index for the length of a block.

    The lock is the kernel's: it is gone when its process is, however that ended.

    Raises
    ------
    IndexBusy
        If another process holds it.
    StorageError
        If the folder may not be written to.
    """
    path = folder / "writer.lock"
    with ExitStack() as held:
        with storing(path):
            file = held.enter_context(path.open("a+"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise IndexBusy(
                f"Another process (number {holder}) is writing to the index in {folder}.",
                hint="Wait until it has finished, or stop it; searches go on meanwhile.",
            ) from error
        with storing(path):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file for the length of a block, waiting while another process does."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
