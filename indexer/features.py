"""The feature file: one row of float16 per distinct picture, appended to.

SQLite knows how many rows are valid. What lies beyond was written by a run that died before its
transaction committed, and is overwritten by the next. A file of checksums beside it, four bytes a
row, is written in the same way; it is only read to find damage.

Rows of pictures that are gone are filled up with the last ones (`indexer.tidying`). `moves` in the
catalogue tells a reader whether that happened while it read.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import IndexDamaged
from indexer.files import sync_file, sync_folder
from indexer.storing import storing

BLOCK = 1024
"""Rows read at once."""


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

        Raises
        ------
        StorageError
            If the disk is full, or may not be written to. The first `after` rows are as they
            were.
        """
        data = np.ascontiguousarray(rows, dtype=np.float16)
        with storing(self.path):
            sums = _sums(data)
            _append(self.sums_path, sums, after * sums.itemsize)
            _append(self.path, data, after * self.width * 2)
        return after + len(data)

    def move(self, rows: NDArray[np.integer], places: NDArray[np.integer]) -> None:
        """Copy rows to places that nothing refers to, and make them durable.

        Parameters
        ----------
        rows, places : ndarray of int, shape (M,)
            Numbers of rows.

        Raises
        ------
        StorageError
            If the disk may not be written to.
        """
        data = self.read(rows)
        written = zip(places.tolist(), data, _sums(data), strict=True)
        with storing(self.path), self.path.open("rb+") as file, _made(self.sums_path) as sums:
            for place, row, checksum in written:
                _write_at(file.fileno(), row.tobytes(), place * self.width * 2)
                _write_at(sums.fileno(), checksum.tobytes(), place * 4)
            os.fsync(sums.fileno())
            os.fsync(file.fileno())

    def shorten(self, count: int) -> None:
        """Cut off what lies behind the first `count` rows; inside a transaction that says so.

        Raises
        ------
        StorageError
            If the disk may not be written to.
        """
        with storing(self.path):
            for path, size in ((self.path, 2 * self.width), (self.sums_path, 4)):
                if path.exists() and path.stat().st_size > count * size:
                    os.truncate(path, count * size)
                    sync_file(path)

    def open(self, count: int) -> NDArray[np.float16]:
        """Map the first `count` rows; for who holds the writer's lease, lest they are moved.

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
        self.require(count)
        return np.memmap(self.path, np.float16, "r", shape=(count, self.width))

    def require(self, count: int) -> None:
        """Raise IndexDamaged if the file holds fewer than `count` rows."""
        have = self.path.stat().st_size // (2 * self.width) if self.path.exists() else 0
        if have < count:
            raise IndexDamaged(
                f"{self.path} holds {have:,} of {count:,} pictures' features.",
                hint="Restore it from a backup, or index again into another folder.",
            )

    def read(self, rows: NDArray[np.integer]) -> NDArray[np.float16]:
        """Read some rows, for a reader that holds no lease: rows may be moved while it reads.

        Parameters
        ----------
        rows : ndarray of int, shape (M,)
            Numbers of rows.

        Returns
        -------
        ndarray of float16, shape (M, width)
            Zeros for a row that is not there any more; `moves` in the catalogue tells of that.
        """
        found = np.zeros((len(rows), self.width), np.float16)
        if not len(rows):
            return found
        size = 2 * self.width
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            ends = np.flatnonzero(np.diff(rows) != 1) + 1
            for run in np.split(np.arange(len(rows)), ends):  # of neighbours, at once
                data = os.pread(descriptor, len(run) * size, int(rows[run[0]]) * size)
                whole = len(data) // size
                there = np.frombuffer(data[: whole * size], np.float16)
                found[run[:whole]] = there.reshape(whole, self.width)
        finally:
            os.close(descriptor)
        return found

    def check(self, count: int) -> Iterator[bool | None]:
        """Say of each of the first `count` rows whether it is as it was written.

        None where its checksum is lost, and the row itself does not look damaged: some number in
        it is not zero, and none is infinite.
        """
        self.require(count)
        sums = np.zeros(count, np.uint32)
        if self.sums_path.exists():
            known = np.fromfile(self.sums_path, np.uint32, count)
            sums[: len(known)] = known
        for start in range(0, count, BLOCK):
            # Not mapped: who shortens the file meanwhile must not kill this process.
            rows = self.read(np.arange(start, min(count, start + BLOCK)))
            for row, written in zip(rows, sums[start : start + BLOCK], strict=True):
                # A file that was cut short is filled up with zeros when the next checksum is
                # written behind it.
                same = zlib.crc32(row) == written
                yield None if not written and not same and _plausible(row) else same


def feature_file(index: Path, catalog: Catalog) -> FeatureFile:
    """Return the feature file of an index; its width is kept in the catalogue."""
    return FeatureFile(index / "features.f16", int(catalog.meta("feature_width") or 0))


def _plausible(row: NDArray[np.float16]) -> bool:
    return bool(np.isfinite(row).all() and row.any())


def _sums(rows: NDArray[np.float16]) -> NDArray[np.uint32]:
    return np.array([zlib.crc32(row) for row in rows], np.uint32)


def _made(path: Path) -> BinaryIO:
    """Open a file to write into it anywhere; made where there is none."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "rb+")


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _append(path: Path, data: NDArray[np.generic], after: int) -> None:
    """Write behind the first `after` bytes of a file, in place of what lies there, durably."""
    new = not path.exists()
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
    if new:  # its name, too
        sync_folder(path.parent)
