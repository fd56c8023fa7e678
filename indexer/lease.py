"""Locks: the writer's lease, one sync or compaction at a time, and short ones on a file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import IndexBusy


@contextmanager
def writer_lease(folder: Path) -> Iterator[None]:
    """Hold the lease on an index for the length of a block.

    The lock is the kernel's: it is gone when its process is, however that ended.

    Raises
    ------
    IndexBusy
        If another process holds it.
    """
    path = folder / "writer.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise IndexBusy(
                f"Another process (number {holder}) is writing to the index in {folder}.",
                hint="Wait until it has finished, or stop it; searches go on meanwhile.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file for the length of a block, waiting while another process does."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
