"""Listings and their pictures as a batch of an export."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.export_schema import STATES, arrow, picture_type


class Keeper(Protocol):
    """Keeps thumbnails."""

    def get(self, content: str) -> bytes | None:
        """Return a JPEG; None where there is none."""


def batch_of(
    listings: list[Any],
    pictures: list[Any],
    rows: NDArray[np.float16],
    vectors: NDArray[np.float16],
    *,
    features: bool,
    thumbnails: Keeper | None,
) -> Any:
    """Return listings as an Arrow record batch.

    Parameters
    ----------
    listings, pictures : list of mapping
        Rows of the catalogue, the pictures by their listings.
    rows : ndarray of float16, shape (P, F)
        Features of those pictures that have some, in their order.
    vectors : ndarray of float16, shape (P, dims)
        Of the same.
    features : bool
        Whether the features are exported.
    thumbnails : Keeper or None
        Gives JPEGs by content hash, where they are exported.

    Raises
    ------
    IndexDamaged
        If features are no numbers.
    """
    pa = arrow()
    if not np.isfinite(rows).all():
        raise IndexDamaged("Some features are no numbers.", hint="Run `lookalike verify`.")
    kind = picture_type(features=features, thumbnails=thumbnails is not None)
    done = np.array([row["embedding"] is not None for row in pictures], bool)
    names = ("uri", "region", "version", "state", "reason", "content", "width", "height")
    columns = {name: [row[name] for row in pictures] for name in names}
    columns["state"] = [STATES[state] for state in columns["state"]]
    arrays = [pa.array(columns[name], kind.field(name).type) for name in names]
    arrays.append(_lists(vectors, done))
    if features:
        arrays.append(_lists(rows, done))
    if thumbnails is not None:
        jpegs = [None if key is None else thumbnails.get(key) for key in columns["content"]]
        arrays.append(pa.array(jpegs, pa.binary()))
    values = pa.StructArray.from_arrays(arrays, fields=list(kind))
    counted = {row["number"]: 0 for row in listings}
    for row in pictures:
        counted[row["listing"]] += 1
    offsets = np.concatenate([[0], np.cumsum(list(counted.values()))]).astype(np.int32)
    texts = ("id", "title", "category", "price", "currency", "url", "attributes", "origin")
    plain = {name: [row[name] for row in listings] for name in (*texts, "digest")}
    return pa.RecordBatch.from_pydict(
        {
            **{name: pa.array(plain[name]) for name in texts},
            "digest": pa.array(plain["digest"], pa.binary()),
            "written": pa.array([bool(row["written"]) for row in listings]),
            "pictures": pa.ListArray.from_arrays(offsets, values),
        }
    )


def _lists(rows: NDArray[np.float16], there: NDArray[np.bool_]) -> Any:
    """Return an Arrow list per picture; null where there is no row."""
    pa = arrow()
    offsets = np.concatenate([[0], np.cumsum(there)]) * rows.shape[1]
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)),
        pa.array(np.ascontiguousarray(rows).ravel()),
        mask=pa.array(~there),
    )
