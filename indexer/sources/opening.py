"""Which kind of catalogue a location is, and the source that reads it."""

from __future__ import annotations

import glob
from pathlib import Path

from indexer.errors import SourceError, UsageError
from indexer.sources.base import FORMATS, Source, SourceOptions
from indexer.sources.columns import check_mapping
from indexer.sources.delimited import DelimitedSource, Table
from indexer.sources.files import (
    PICTURE_ENDINGS,
    base_name,
    ending,
    explained,
    file_system,
    local_path,
    opened,
    shown,
)
from indexer.sources.folder import FolderSource
from indexer.sources.jsonl import JsonLinesSource
from indexer.sources.merchant import MerchantSource, is_merchant_table
from indexer.sources.parquet import ParquetSource
from indexer.sources.product_search import ProductSearchSource, is_product_search
from indexer.sources.records import is_record_file
from indexer.sources.shopify import ShopifySource, is_shopify
from indexer.sources.tfrecord import TFRecordSource

_ENDINGS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xml": "merchant",
    ".rss": "merchant",
    ".atom": "merchant",
}
_DEFAULTS = SourceOptions()


def open_source(location: str | Path, options: SourceOptions = _DEFAULTS) -> Source:
    """Open a catalogue and check its start: its columns, and that it has a listing.

    Parameters
    ----------
    location : str or Path
        A folder of pictures, a file of listings, or a pattern of TFRecord files; a path or a URL.
    options : SourceOptions, optional

    Returns
    -------
    Source

    Raises
    ------
    SourceError
        It does not exist, is of no known kind, lacks a column or has no listing.
    UsageError
        The options name an unknown field, format or encoding.
    MissingExtra
        Optional packages are needed for this kind of catalogue or URL.
    """
    location = str(location)
    check_mapping(options.columns)
    if options.format is not None and options.format not in FORMATS:
        raise UsageError(
            f"There is no catalogue format '{options.format}'.",
            hint=f"One of {', '.join(FORMATS)}.",
        )
    match options.format or _guess(location):
        case "folder":
            return FolderSource(location)
        case "tfrecord":
            return TFRecordSource(location, options)
        case "jsonl":
            return JsonLinesSource(location, options)
        case "parquet":
            return ParquetSource(location, options)
        case "merchant" if options.format is None or _starts_as_xml(location):
            return MerchantSource(location, options)
        case format:
            return _table(location, format, options)


def _table(location: str, format: str, options: SourceOptions) -> Source:
    usual = "\t" if format == "tsv" or ending(location) in (".tsv", ".tab") else ","
    table = Table(location, options, usual)
    # Whoever names columns or the format has looked into the file.
    guessing = options.format is None
    if format == "google-product-search" or (guessing and is_product_search(table.first)):
        return ProductSearchSource(table)
    if format == "shopify" or (guessing and is_shopify(table.first)):
        return ShopifySource(table, options)
    if guessing and is_merchant_table(table.first):
        format = "merchant"
    return DelimitedSource(table, options, format)


def _guess(location: str) -> str:
    """Tell the format by the name, and where that says nothing by the first bytes."""
    path = local_path(location)
    if path is not None and path.is_dir():
        return _guess_folder(path)
    if is_record_file(base_name(location)) or _is_pattern(location, path):
        return "tfrecord"
    if path is not None and not path.exists():
        raise SourceError(f"{location} does not exist.")
    if ending(location) in PICTURE_ENDINGS:
        raise SourceError(
            f"{shown(location)} is a picture, not a catalogue.",
            hint="Name the folder that it lies in, or search with it: lookalike search PHOTO.",
        )
    return _ENDINGS.get(ending(location)) or _guess_content(location, path)


def _guess_content(location: str, path: Path | None) -> str:
    if path is None and _is_remote_folder(location):
        return "folder"
    head = _head(location).lstrip()
    for start, format in ((b"PAR1", "parquet"), (b"{", "jsonl"), (b"<", "merchant")):
        if head.startswith(start):
            return format
    raise SourceError(
        f"It cannot be told what kind of catalogue {shown(location)} is.",
        hint=f"Say it with --format: {', '.join(FORMATS)}.",
    )


def _guess_folder(path: Path) -> str:
    """Take a folder for one of TFRecord files where these, and no pictures, lie in it."""
    with explained(str(path)):
        names = [entry.name for entry in path.iterdir()]
    if any(ending(name) in PICTURE_ENDINGS for name in names):
        return "folder"
    return "tfrecord" if any(map(is_record_file, names)) else "folder"


def _is_pattern(location: str, path: Path | None) -> bool:
    return glob.has_magic(location) and "*" in location and (path is None or not path.exists())


def _is_remote_folder(location: str) -> bool:
    if location.endswith("/"):
        return True
    system, inside = file_system(location)
    with explained(location):
        return bool(system.isdir(inside))


def _starts_as_xml(location: str) -> bool:
    head = _head(location)
    # UTF-16's mark, or UTF-8's, may come first.
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def _head(location: str) -> bytes:
    with opened(location) as file:
        return file.read(64)
