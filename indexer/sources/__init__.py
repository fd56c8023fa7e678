"""Catalogues: whatever they are written in, listings come out one by one.

    folder                 pictures in a folder and those below it
    csv, tsv               a table with a header; also with semicolons
    jsonl                  one JSON object a line
    parquet                needs the 'parquet' extra
    tfrecord               tf.train.Example with an encoded picture; one file or many
    google-product-search  the bulk-import CSV of Google Cloud Vision Product Search
    shopify                Shopify's product CSV
    merchant               Google Merchant Center's feed, XML or a table

Each may lie on the disk or at a URL that fsspec can read.
"""

from indexer.sources.base import FIELDS, FORMATS, Source, SourceOptions
from indexer.sources.opening import open_source
from indexer.sources.reading import read_picture

__all__ = ["FIELDS", "FORMATS", "Source", "SourceOptions", "open_source", "read_picture"]
