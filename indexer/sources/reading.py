"""The encoded bytes of a picture, wherever it is."""

from __future__ import annotations

from indexer.errors import PictureError, PictureTooLarge
from indexer.listing import Picture
from indexer.sources.files import opened
from indexer.sources.tfrecord import fetch_record_picture

CHUNK = 1 << 18
"""Bytes read at once: memory is taken for so many, however few there are."""


def read_picture(picture: Picture, *, max_bytes: int) -> bytes:
    """Read a picture's file.

    Parameters
    ----------
    picture : Picture
        Its `data` is taken where it has any; else `uri` is read: a path, a URL, or a record of a
        TFRecord file, which is read whole.
    max_bytes : int
        The most that is accepted; of a file, one byte more than that is read at most.

    Returns
    -------
    bytes
        At least one.

    Raises
    ------
    PictureTooLarge
        There are more than `max_bytes`.
    PictureError
        It does not exist, cannot be reached or is empty. The message says why in a few words.
    MissingExtra
        The packages for this kind of URL are not installed.
    """
    data = picture.data
    if data is None:
        data = fetch_record_picture(picture.uri)
    if data is None:
        data = _file(picture.uri, max_bytes)
    if not data:
        raise PictureError("The picture is empty.")
    if len(data) > max_bytes:
        raise PictureTooLarge(f"The picture has more than {max_bytes:,} bytes.")
    return data


def _file(uri: str, max_bytes: int) -> bytes:
    data = bytearray()
    with opened(uri, PictureError, "The picture") as file:
        # A network file may give less than it is asked for, and nothing only at its end.
        while (left := max_bytes + 1 - len(data)) > 0 and (chunk := file.read(min(CHUNK, left))):
            data += chunk
    return bytes(data)
