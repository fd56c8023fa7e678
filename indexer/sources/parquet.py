"""Parquet, read in batches of rows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from indexer.errors import MissingExtra, SourceError
from indexer.listing import Listing
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import require
from indexer.sources.files import base_name, opened
from indexer.sources.rows import RowReader
from indexer.sources.values import flattened

_BATCH = 500


class ParquetSource(Source):
    """A catalogue in a Parquet file; nested columns are flattened as in JSON.

    Parameters
    ----------
    location : str
        A path or a URL.
    options : SourceOptions

    Raises
    ------
    SourceError
        It is not a Parquet file, it lacks the column for the id or for the picture, or it has no
        rows.
    MissingExtra
        pyarrow is not installed.
    """

    format = "parquet"

    def __init__(self, location: str, options: SourceOptions) -> None:
        self.location = location
        self._name = base_name(location)
        self._reader = RowReader(location, options.columns)
        with self._file() as file:
            self._rows = int(file.metadata.num_rows)
            names = [name for field in file.schema_arrow for name in _flat_names(field)]
        if not self._rows:
            raise SourceError(f"{self._name} has no listings.")
        require(names, options.columns, self._name)

    def listings(self) -> Iterator[Listing]:
        """Read the rows in their order."""
        number = 0
        with BadRows() as bad, self._file() as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    origin = f"{self._name}, row {number}"
                    listing = bad.read(self._reader.listing, flattened(row), origin)
                    if listing is not None:
                        yield listing

    def count(self) -> int | None:
        """Return the number of rows, which the file's end says."""
        return self._rows

    @contextmanager
    def _file(self) -> Iterator[Any]:
        try:
            arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as problem:
            raise MissingExtra("Parquet catalogues", "parquet") from problem
        with opened(self.location) as raw:
            try:
                with parquet.ParquetFile(raw) as file:
                    yield file
            except (arrow.ArrowException, UnicodeDecodeError) as problem:  # text that is no UTF-8
                raise SourceError(
                    f"{self._name} is not a Parquet file, or it is damaged."
                ) from problem


def _flat_names(field: Any, prefix: str = "") -> Iterator[str]:
    arrow = importlib.import_module("pyarrow")
    if arrow.types.is_struct(field.type):
        for part in field.type:
            yield from _flat_names(part, f"{prefix}{field.name}.")
    else:
        yield prefix + str(field.name)
