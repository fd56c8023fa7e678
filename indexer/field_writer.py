"""Writing the fields of a snapshot's documents, in one pass over the catalogue's listings.

The file: sections of numbers, each at a multiple of 64 bytes; a directory of them as JSON; where
that begins (uint64) and `MAGIC`. What was read waits in an unnamed file beside it, column by
column, so that memory holds one column at a time.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.field_values import CORE_TYPES, HASHED, FieldType, Row
from indexer.field_waiting import WaitingColumn

MAGIC = b"LKFIELD1"
ALIGNED = 64
DIGESTED = 1 << 10
"""Listings whose values are looked up together."""


def write_fields(
    path: Path,
    rows: Iterable[Row],
    listings: NDArray[np.int64],
    types: Mapping[str, FieldType],
) -> dict[str, int]:
    """Write the fields of a snapshot's documents.

    Parameters
    ----------
    path : Path
        The file to write; it is not synced.
    rows : iterable of Row
        The fields of listings, each number greater than the one before; those that have no document
        are passed over.
    listings : ndarray of int64, shape (N,)
        The listing of each document.
    types : mapping of str to FieldType
        Of attributes; those that are not named are not written.

    Returns
    -------
    dict of str to int
        Per field, how many values were not of its type, where there were any.
    """
    total = len(listings)
    order = np.argsort(listings, kind="stable").astype(np.uint32)
    with tempfile.TemporaryFile(dir=path.parent) as waiting, path.open("wb") as file:
        columns = {
            name: WaitingColumn(kind, waiting, name in HASHED)
            for name, kind in {**types, **CORE_TYPES}.items()
        }
        for at, (documents, row) in enumerate(_matched(rows, listings, order)):
            for name, value in row.fields.values():
                if (column := columns.get(name)) is not None:
                    column.add(documents, value)
            if at % DIGESTED == 0:
                for column in columns.values():
                    column.digest()
        directory = {name: _put(file, columns.pop(name), total) for name in list(columns)}
        start = file.tell()
        said = {"total": total, "fields": directory}
        file.write(json.dumps(said, separators=(",", ":")).encode())
        file.write(start.to_bytes(8, "little") + MAGIC)
    return {name: said["mismatched"] for name, said in directory.items() if said["mismatched"]}


def _matched(
    rows: Iterable[Row], listings: NDArray[np.int64], order: NDArray[np.uint32]
) -> Iterator[tuple[list[int], Row]]:
    """Yield each listing that has documents, with them."""
    at, total = 0, len(listings)
    number = int(listings[order[0]]) if total else 0
    for row in rows:
        while at < total and number < row.number:
            at += 1
            number = int(listings[order[at]]) if at < total else 0
        documents = []
        while at < total and number == row.number:
            documents.append(int(order[at]))
            at += 1
            number = int(listings[order[at]]) if at < total else 0
        if documents:
            yield documents, row


def _put(file: BinaryIO, column: WaitingColumn, total: int) -> dict[str, Any]:
    """Write a column's sections and return its entry in the directory."""
    kind, parts = column.parts(total)
    sections = {}
    for name, part in parts.items():
        file.write(bytes(-file.tell() % ALIGNED))
        sections[name] = [part.dtype.str, list(part.shape), file.tell()]
        np.ascontiguousarray(part).tofile(file)
    return {
        "type": column.type,
        "kind": kind,
        "mismatched": column.mismatched,
        "documents": int(np.bitwise_count(parts["having"]).sum(dtype=np.int64)),
        "parts": sections,
    }
