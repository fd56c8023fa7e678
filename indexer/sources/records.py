"""The framing of TFRecord files, read without TensorFlow.

A record is its length (uint64, little-endian), the length's checksum, the bytes, and their
checksum; checksums are masked CRC-32C. A whole file may be compressed with gzip.

References
----------
https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import google_crc32c

from indexer.errors import LookalikeError, SourceError
from indexer.sources.files import base_name, is_url, opened

HEADER = 12
FOOTER = 4
_GZIP = b"\x1f\x8b"
# "photos.tfrecord", "photos.tfrecords.gz", "train-00003-of-00010", "x.tfrecord-00003-of-00010"
_NAME = re.compile(r".*(?:\.tfrecords?(?:\.gz)?|-\d{5}-of-\d{5}(?:\.gz)?)", re.IGNORECASE)


def is_record_file(name: str) -> bool:
    """Tell by its name whether a file holds TFRecords."""
    return _NAME.fullmatch(name) is not None


def read_records(
    location: str, *, at: int = 0, first: int = 1, error: type[LookalikeError] = SourceError
) -> Iterator[tuple[int, int, bytes]]:
    """Read the records of a file.

    Parameters
    ----------
    location : str
        A path or a URL.
    at : int, optional
        Where to start, in bytes of the uncompressed file: a record's offset.
    first : int, optional
        That record's number.
    error : type, optional
        What to raise.

    Yields
    ------
    number : int
        Counted from 1.
    offset : int
        Of the record, in bytes of the uncompressed file.
    record : bytes

    Raises
    ------
    SourceError
        The file is damaged, cut short or no TFRecord file. The message names the record.
    """
    number, offset, name = first, at, base_name(location)
    with _uncompressed(location, error) as file:
        try:
            file.seek(at)
            while header := _exactly(file, HEADER):
                record = _exactly(file, _length(header)) if len(header) == HEADER else b""
                footer = _exactly(file, FOOTER)
                if len(header) < HEADER or len(footer) < FOOTER or len(record) < _length(header):
                    raise error(f"{name}, record {number} is cut short: the file is not complete.")
                if _masked(record) != struct.unpack("<I", footer)[0]:
                    raise error(f"{name}, record {number} is damaged: its checksum is wrong.")
                yield number, offset, record
                number += 1
                offset += HEADER + len(record) + FOOTER
        except ValueError as problem:
            raise error(
                f"{name}, record {number} is damaged, or the file holds no TFRecords: {problem}."
            ) from problem
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise error(
                f"{name}, record {number}: the compressed file is damaged or cut short."
            ) from problem


def count_records(location: str) -> int | None:
    """Count the records of a local, uncompressed file by their headers; None for any other."""
    if is_url(location):
        return None
    count = 0
    with opened(location) as file:
        if file.read(2) == _GZIP:
            return None
        file.seek(0)
        while header := file.read(HEADER):
            try:
                file.seek(_length(header) + FOOTER, 1)
            except ValueError:
                return None
            count += 1
    return count


def _length(header: bytes) -> int:
    """Return the length of a record.

    Raises
    ------
    ValueError
        The checksum is wrong: these bytes are no header.
    """
    if len(header) < HEADER:
        raise ValueError("it is cut short")
    length, checksum = struct.unpack("<QI", header)
    if _masked(header[:8]) != checksum:
        raise ValueError("the length's checksum is wrong")
    if length >= 1 << 31:
        raise ValueError("it is longer than an Example can be")
    return int(length)


def _masked(data: bytes) -> int:
    """Return the CRC-32C, rotated and shifted so that checksums of checksums stay useful."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF


@contextmanager
def _uncompressed(location: str, error: type[LookalikeError]) -> Iterator[BinaryIO]:
    with opened(location, error) as file:
        head = file.read(HEADER)
        try:
            file.seek(0)
        except ValueError as problem:
            raise error(
                f"{base_name(location)} comes from a server that cannot give parts of a file.",
                hint="Download it, and name the copy.",
            ) from problem
        # A length may start with gzip's two bytes by chance, but not with a right checksum too.
        if head.startswith(_GZIP) and not _is_header(head):
            with gzip.GzipFile(fileobj=file) as plain:
                yield cast(BinaryIO, plain)
        else:
            yield file


def _is_header(head: bytes) -> bool:
    try:
        _length(head)
    except ValueError:
        return False
    return True


def _exactly(file: BinaryIO, size: int) -> bytes:
    """Read until there are `size` bytes or the file ends; a remote file may give fewer at once."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data
