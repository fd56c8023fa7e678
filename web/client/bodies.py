"""What the Python client sends: photos, examples and batches as the API takes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

Photo = bytes | Path | str
"""The bytes of a picture, the path of its file, or its URL (``https://...``)."""

Region = tuple[float, float, float, float]

MOST_LINES, MOST_BYTES = 500, 8 * 2**20
"""Of one request of a batch."""


class Like(Protocol):
    """One of several pictures that a question is made of; `lookalike.Example` is one."""

    @property
    def photo(self) -> bytes | Path | None:
        """The photo, or None for a listing."""

    @property
    def listing_id(self) -> str | None:
        """The listing, or None for a photo."""

    @property
    def region(self) -> Region | None:
        """The part of the photo that matters."""

    @property
    def weight(self) -> float:
        """How much it counts beside the others."""


def portions_of(lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for line in lines:
        written = json.dumps(_line(line)).encode() + b"\n"
        if kept and (len(kept) >= MOST_LINES or size + len(written) > MOST_BYTES):
            yield b"".join(kept)
            kept, size = [], 0
        kept.append(written)
        size += len(written)
    if kept:
        yield b"".join(kept)


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    said = dict(line)
    if "photos" in said:
        said["images_base64"] = [_base64(photo) for photo in said.pop("photos")]
    return said


def example_of(one: Like) -> dict[str, Any]:
    said = {
        "image_base64": None if one.photo is None else _base64(one.photo),
        "listing_id": one.listing_id,
        "region": one.region,
        "weight": one.weight,
    }
    return {name: value for name, value in said.items() if value is not None}


def bytes_of(photo: Photo) -> bytes:
    return photo if isinstance(photo, bytes) else Path(photo).read_bytes()


def _base64(photo: Photo) -> str:
    return base64.b64encode(bytes_of(photo)).decode()
