"""The feature file: one row of float16 per distinct picture, only ever appended to.

SQLite knows how many rows are valid. What lies beyond was written by a run that died before its
transaction committed, and is overwritten by the next. A file of checksums beside it, four bytes a
row, is written in the same way; it is only read to find damage.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
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
        self.sums_path = path.with_suffix(".crc")
        self.width = width

    def append(self, rows: NDArray[np.floating], after: int) -> int:
        """Write rows behind the first `after` ones and make them durable.

        Returns
        -------
        int
            How many rows are valid now.
        """
        data = np.ascontiguousarray(rows, dtype=np.float16)
        sums = np.array([zlib.crc32(row) for row in data], np.uint32)
        _append(self.sums_path, sums, after * sums.itemsize)
        _append(self.path, data, after * self.width * 2)
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

    def check(self, count: int) -> Iterator[bool]:
        """Say of each of the first `count` rows whether it is as it was written.

        A row of an index from before there were checksums is judged by itself: some number in it
        is not zero, and none is infinite.
        """
        rows, sums = self.open(count), np.zeros(count, np.uint32)
        if self.sums_path.exists():
            known = np.fromfile(self.sums_path, np.uint32, count)
            sums[: len(known)] = known
        for row, written in zip(rows, sums, strict=True):
            # An older file was filled up with zeros when the first checksum was written behind it.
            yield zlib.crc32(row) == written if written else _plausible(row)


def _plausible(row: NDArray[np.float16]) -> bool:
    return bool(np.isfinite(row).all() and row.any())


def _append(path: Path, data: NDArray[np.generic], after: int) -> None:
    """Write behind the first `after` bytes of a file, in place of what lies there, durably."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.truncate(descriptor, after)
        os.lseek(descriptor, 0, os.SEEK_END)
        view = memoryview(data.tobytes())
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
