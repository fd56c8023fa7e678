"""The one loader of catalogue pictures and query photos.

A picture and a photo of it can only meet in the index if both came the same way, so every picture
goes through `prepare`: decoded (at reduced scale where it is large), flattened on white, turned
upright, cropped, resized, brought to sRGB. Whatever the bytes are, the outcome is a picture or a
`PictureError`.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.colour import flatten, to_srgb
from indexer.decoder import LIMITS, PictureLimits, decode
from indexer.errors import PictureError
from indexer.listing import Region

__all__ = [
    "LIMITS",
    "THUMBNAIL_SIDE",
    "PictureLimits",
    "Prepared",
    "content_hash",
    "open_picture",
    "prepare",
    "to_jpeg",
]

THUMBNAIL_SIDE = 400
"""The longest side of a thumbnail, in pixels."""

THUMBNAIL_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready for the network.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (size, size, 3)
        sRGB, what the network sees. Read-only.
    thumbnail : bytes
        JPEG of the whole picture, longest side at most `THUMBNAIL_SIDE`, without metadata;
        empty when it was not asked for.
    width, height : int
        Of the upright picture as stored, in pixels, before any crop or reduction.
    content_hash : str
        See the function of that name.
    """

    pixels: NDArray[np.uint8]
    thumbnail: bytes
    width: int
    height: int
    content_hash: str


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of the encoded bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def prepare(
    data: bytes,
    size: int = 299,
    *,
    region: Region | None = None,
    thumbnail: bool = False,
    limits: PictureLimits = LIMITS,
) -> Prepared:
    """Decode a picture and bring it to what the network sees, with one decoding for everything.

    Parameters
    ----------
    data : bytes
        The encoded picture: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, or HEIC with its extra. Of
        several frames, the first.
    size : int, optional
        Side of the square that the picture, or the region of it, is squashed into, in pixels.
    region : tuple of four float, optional
        x, y, width, height of the part that matters, each as a share (0 to 1) of the upright
        picture; what reaches over the edge is cut off.
    thumbnail : bool, optional
        Whether to make a thumbnail too.
    limits : PictureLimits, optional
        What the picture may cost.

    Returns
    -------
    Prepared
        The same for the same bytes, always.

    Raises
    ------
    PictureTooLarge
        If it is over a limit.
    PictureTypeError
        If it is no picture, or of a kind that is not supported.
    PictureError
        If it is damaged or cut short, or the region lies outside it.
    """
    left, top, right, bottom = _corners(region)

    def scale(width: int, height: int) -> int:
        """Find by how much the picture may shrink and still fill the square and a thumbnail.

        Whether a thumbnail is wanted makes no difference: a picture and a photo that is the same
        file must come out the same.
        """
        enough = int(min((right - left) * width, (bottom - top) * height) / size)
        return min(enough, max(width, height) // THUMBNAIL_SIDE)

    decoded = decode(data, limits, scale)
    image, profile = decoded.image, decoded.profile
    x0, x1 = _span(left, right, image.width)
    y0, y1 = _span(top, bottom, image.height)
    square = image.resize((size, size), Image.Resampling.BILINEAR, box=(x0, y0, x1, y1))
    return Prepared(
        pixels=np.asarray(to_srgb(square, profile)),
        thumbnail=(
            _encode(to_srgb(_shrink(image, THUMBNAIL_SIDE), profile), THUMBNAIL_QUALITY)
            if thumbnail
            else b""
        ),
        width=decoded.width,
        height=decoded.height,
        content_hash=content_hash(data),
    )


def open_picture(
    data: bytes, *, at_least: int | None = None, limits: PictureLimits = LIMITS
) -> Image.Image:
    """Decode a picture: upright, sRGB, transparency flattened on white, without metadata.

    Parameters
    ----------
    data : bytes
        The encoded picture, as for `prepare`.
    at_least : int, optional
        Allows a large picture to come smaller, as long as its shorter side keeps this many
        pixels: much faster for JPEG.
    limits : PictureLimits, optional
        What the picture may cost.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB.

    Raises
    ------
    PictureError
        Of the same kinds as from `prepare`.
    """

    def scale(width: int, height: int) -> int:
        return min(width, height) // max(1, at_least) if at_least is not None else 1

    decoded = decode(data, limits, scale)
    image = to_srgb(decoded.image, decoded.profile)
    image.info = {}
    return image


def to_jpeg(
    image: Image.Image, longest_side: int, quality: int, *, progressive: bool = False
) -> bytes:
    """Encode a picture for showing: no larger than need be, and without metadata.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright; of any mode, taken for sRGB.
    longest_side : int
        What the longer side is reduced to, in pixels; a smaller picture keeps its size.
    quality : int
        Of the JPEG, 1 to 95.
    progressive : bool, optional
        Whether a browser can show all of it, coarsely, before the last of it has come; it takes
        longer to make.

    Returns
    -------
    bytes
        A JPEG file.
    """
    return _encode(to_srgb(_shrink(flatten(image), longest_side)), quality, progressive=progressive)


def _corners(region: Region | None) -> tuple[float, float, float, float]:
    if region is None:
        return 0.0, 0.0, 1.0, 1.0
    x, y, width, height = region
    left, top, right, bottom = max(0.0, x), max(0.0, y), min(1.0, x + width), min(1.0, y + height)
    if not all(map(math.isfinite, region)) or left >= right or top >= bottom:
        raise PictureError(f"The region {x:g},{y:g},{width:g},{height:g} lies outside the picture.")
    return left, top, right, bottom


def _span(start: float, end: float, length: int) -> tuple[float, float]:
    """Turn shares of a side into pixels, not less than one, which Pillow could not enlarge."""
    first, last = start * length, end * length
    if last - first < 1:
        first = min(first, length - 1)
        last = first + 1
    return first, last


def _shrink(image: Image.Image, longest_side: int) -> Image.Image:
    factor = longest_side / max(image.size)
    if factor >= 1:
        return image
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    # As sharp as bicubic where a picture is made smaller, at half its cost: see Pillow's "Filters
    # comparison table". Thumbnails were half of what the loader costs.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)


def _encode(image: Image.Image, quality: int, *, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    # Pillow would carry the comment of the file that the picture came from.
    image.save(out, "JPEG", quality=quality, comment=b"", progressive=progressive)
    return out.getvalue()
