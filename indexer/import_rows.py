"""Listings of an export, read in batches and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from indexer.errors import SourceError
from indexer.export_schema import STATES, arrow, read_metadata
from indexer.field_values import FieldType
from indexer.sources.files import base_name
from indexer.sources.values import clean_id

AT_ONCE = 500
"""Listings that are taken over in one transaction."""

NUMBERS = {word: number for number, word in STATES.items()}

TEXTS = ("id", "title", "category", "currency", "url", "attributes", "origin")

NONSENSE = (OSError, KeyError, ValueError, TypeError, AttributeError)
"""What a file raises whose columns are others, or of another kind, than an export's."""


@dataclass(slots=True)
class PictureRow:
    """A picture of an export, as the catalogue keeps it.

    Attributes
    ----------
    said : tuple
        uri, region, version, state, reason, content, width, height; the last three None without
        features.
    features : ndarray of float16, shape (F,), or None
        None for a picture that was not embedded.
    thumbnail : bytes or None
        A JPEG.
    """

    said: tuple[Any, ...]
    features: NDArray[np.float16] | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """Content and region: what names its features in the catalogue."""
        return self.said[5], self.said[1]


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A listing of an export, as the catalogue keeps it.

    Attributes
    ----------
    id : str
        The listing's.
    said : tuple
        title, category, price, currency, url, attributes, origin, digest.
    written : bool
        Whether its last write was no sync's.
    pictures : list of PictureRow
        In their order.
    """

    id: str
    said: tuple[Any, ...]
    written: bool
    pictures: list[PictureRow]


class Export:
    """An exported file, opened.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    count : int
        Its listings.
    said : dict
        What it says of itself.
    types : dict of str to FieldType
        Of the attributes, as they were recorded where it was made.

    Raises
    ------
    SourceError
        If it is no export, is damaged, or was written by a newer Lookalike.
    MissingExtra
        If pyarrow is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrow = arrow()
        try:
            with self._arrow.parquet.ParquetFile(path) as file:
                self.count = int(file.metadata.num_rows)
                metadata = file.schema_arrow.metadata
        except (OSError, self._arrow.ArrowException) as error:
            raise SourceError(f"{path} cannot be read ({error}).") from error
        self.said = read_metadata(path, metadata)
        self.types = _types(path, self.said)

    def batches(self) -> Iterator[list[ListingRow]]:
        """Yield listings in their order, `AT_ONCE` at a time.

        Raises
        ------
        SourceError
            If a row makes no sense, or the file is damaged.
        """
        try:
            with self._arrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=AT_ONCE):
                    yield self._listings(batch)
        except (*NONSENSE, self._arrow.ArrowException) as error:
            raise SourceError(f"{base_name(str(self.path))} is damaged ({error}).") from error

    def _listings(self, batch: Any) -> list[ListingRow]:
        column = batch.column("pictures")
        flat = column.flatten()
        ends = np.concatenate([[0], np.cumsum(column.value_lengths().to_numpy())])
        pictures = self._pictures(flat)
        names = (*TEXTS, "price", "digest", "written")
        columns = {name: batch.column(name).to_pylist() for name in names}
        if len(set(columns["id"])) < len(batch):
            raise ValueError("an id is there twice")
        listings = []
        for n in range(len(batch)):
            one = {name: values[n] for name, values in columns.items()}
            _check(one)
            said = tuple(
                one[name]
                for name in ("title", "category", "price", "currency", "url", "attributes")
            )
            listings.append(
                ListingRow(
                    one["id"],
                    (*said, one["origin"], one["digest"]),
                    bool(one["written"]),
                    pictures[ends[n] : ends[n + 1]],
                )
            )
        return listings

    def _pictures(self, flat: Any) -> list[PictureRow]:
        names = ("uri", "region", "version", "state", "reason", "content", "width", "height")
        columns = {name: flat.field(name).to_pylist() for name in names}
        columns["state"] = [NUMBERS[word] for word in columns["state"]]
        rows = [PictureRow(said) for said in zip(*(columns[name] for name in names), strict=True)]
        kind = {field.name for field in flat.type}
        width = int(self.said["feature_width"])
        lists = flat.field("features")
        values = lists.flatten().to_numpy(zero_copy_only=False)
        there = np.flatnonzero(lists.is_valid().to_numpy(zero_copy_only=False))
        if values.size != len(there) * width or not np.isfinite(values).all():
            raise ValueError(f"features are not {width} numbers a picture")
        for place, features in zip(there, values.reshape(len(there), width), strict=True):
            if not rows[place].said[5]:
                raise ValueError("a picture has features and no content hash")
            rows[place].features = features
        if "thumbnail" in kind:
            for row, jpeg in zip(rows, flat.field("thumbnail").to_pylist(), strict=True):
                row.thumbnail = jpeg
        return rows


def _types(path: Path, said: Mapping[str, Any]) -> dict[str, FieldType]:
    types = said.get("fields", {})
    known = get_args(FieldType)
    if not isinstance(types, dict) or not all(kind in known for kind in types.values()):
        raise SourceError(f"{base_name(str(path))} is damaged (its fields have no types).")
    return types


def _check(listing: dict[str, Any]) -> None:
    dict(json.loads(listing["attributes"]).items())  # an object, or an error
    if clean_id(listing["id"], "A listing") != listing["id"]:
        raise ValueError(f"the id {listing['id']!r} holds a slash")
