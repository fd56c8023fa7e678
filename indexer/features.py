"""The feature file: one row of float16 per distinct picture, only ever appended to.

SQLite knows how many rows are valid. What lies beyond was written by a run that died before its
transaction committed, and is overwritten by the next.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged


class FeatureFile:
    """Rows of float16 values in a file.

    Parameters
    ----------
    path : Path
        Made when first written to.
    width : int
        Values a row.
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self.width = width

    def append(self, rows: NDArray[np.floating], after: int) -> int:
        """Write rows behind the first `after` ones and make them durable.

        Returns
        -------
        int
            How many rows are valid now.
        """
        data = np.ascontiguousarray(rows, dtype=np.float16)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.truncate(descriptor, after * self.width * 2)
            os.lseek(descriptor, 0, os.SEEK_END)
            view = memoryview(data.tobytes())
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return after + len(data)

    def open(self, count: int) -> NDArray[np.float16]:
        """Map the first `count` rows.

        Returns
        -------
        ndarray of float16, shape (count, width)
            Read from disk as it is touched.

        Raises
        ------
        IndexDamaged
            If the file holds fewer rows.
        """
        if count == 0:
            return np.zeros((0, self.width), np.float16)
        have = self.path.stat().st_size // (2 * self.width) if self.path.exists() else 0
        if have < count:
            raise IndexDamaged(
                f"{self.path} holds {have:,} of {count:,} pictures' features.",
                hint="Restore it from a backup, or index again into another folder.",
            )
        return np.memmap(self.path, np.float16, "r", shape=(count, self.width))
