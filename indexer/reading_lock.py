"""A reader's claim on a snapshot's folder: it is not removed while somebody reads it.

The claim is a shared lock of the kernel's on the manifest, gone with whoever holds it. Where the
file system knows no such locks, nothing is claimed, and the snapshot before the one that serves
is kept instead.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from indexer.errors import IndexDamaged
from indexer.manifest import AGAIN, MANIFEST, unreadable

REMOVING = ".removing-"


class ReadingLock:
    """Keeps a snapshot's folder from being removed until `close`, or until it is forgotten.

    Parameters
    ----------
    folder : Path
        The snapshot's.

    Raises
    ------
    IndexDamaged
        If the folder is not there, or is being removed.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        path = folder / MANIFEST
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._claim()
            # Whoever removes it renames the folder first, under a lock that this one waits out.
            there = os.path.samestat(os.fstat(self._descriptor), path.stat())
        except OSError as error:
            self.close()
            raise unreadable(path, error) from error
        if not there:
            self.close()
            raise IndexDamaged(f"{folder} has been removed.", hint=AGAIN)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            return

    def close(self) -> None:
        """Let go of the folder."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def remove_unread(folder: Path, *, spare: bool) -> bool:
    """Remove a snapshot's folder unless somebody reads it; return whether it is gone.

    Parameters
    ----------
    folder : Path
        The snapshot's.
    spare : bool
        Whether to leave it where the file system knows no locks.
    """
    try:
        # Over a network, an exclusive lock takes a file that is open for writing.
        descriptor = os.open(folder / MANIFEST, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # of a run that died, or somebody else has just removed it
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    except OSError:  # not to be written to: it stays
        return False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            if spare:
                return False
        # First out of the way in one step: who opens it meanwhile finds it whole or not at all.
        gone = folder.with_name(f"{REMOVING}{folder.name}-{os.getpid()}")
        try:
            folder.rename(gone)
        except OSError:
            return not folder.exists()
        shutil.rmtree(gone, ignore_errors=True)  # what stays is tried again the next time
        return True
    finally:
        os.close(descriptor)
