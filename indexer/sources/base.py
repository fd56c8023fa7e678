"""What every source of listings has in common: its options and its interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from indexer.listing import Listing

FIELDS = ("id", "image", "title", "category", "price", "currency", "url")
"""The fields of a listing that a column can be named for."""

FORMATS = (
    "folder",
    "csv",
    "tsv",
    "jsonl",
    "parquet",
    "tfrecord",
    "google-product-search",
    "shopify",
    "merchant",
)
"""The kinds of catalogue, as `SourceOptions.format` names them."""


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How to read a catalogue.

    Attributes
    ----------
    columns : mapping of str to str
        Field (one of `FIELDS`) to the column that holds it, where the column's name does not say
        so by itself: ``{"id": "sku", "image": "photo"}``.
    format : str or None
        One of `FORMATS`; None to tell it from the name and the content.
    encoding : str
        Of CSV, TSV and JSONL files. A byte order mark is believed over the default.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None
    encoding: str = "utf-8-sig"


class Source(ABC):
    """A catalogue that can be read from the start as often as wanted.

    Attributes
    ----------
    location : str
        The path or URL, as it was given.
    format : str
        One of `FORMATS`.
    """

    location: str
    format: str

    @abstractmethod
    def listings(self) -> Iterator[Listing]:
        """Read the catalogue from the start.

        Yields
        ------
        Listing
            In the order of the catalogue. A listing without a picture has no `pictures`.

        Raises
        ------
        SourceError
            A line is wrong; the message names it.
        """

    def count(self) -> int | None:
        """Return the number of listings where it costs little to know, else None."""
        return None

    def left_out(self) -> str:
        """Say in one line what `listings` left out when it last was read; empty for nothing."""
        return ""
