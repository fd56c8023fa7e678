"""The photo of a search as its answer shows it, and the part of it that was compared."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from indexer.errors import PictureError
from indexer.listing import Region
from indexer.pictures import PictureLimits, open_picture, to_jpeg
from web.api.models import RegionField
from web.errors import InvalidRequest
from web.pages.urls import data_url
from web.settings import current_settings

LONGEST_SIDE = 1024
"""To which a photo is reduced that is sent back, or kept for sharing: what the script sends too."""

SHORTEST_SIDE = 480
"""What of a large photo is decoded at least, in pixels: more than any place on a page shows."""

SEEN_SIDE = 160
"""The side of the square that shows what was compared, in pixels."""

SHOWN_SIDE = 288
"""The longer side of a photo beside its answer, in CSS pixels; static/search.js has it too."""

QUALITY = 85

_REGION: TypeAdapter[Region | None] = TypeAdapter(RegionField)


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo beside its answer.

    Attributes
    ----------
    src : str
        Where the photo is; empty where the browser has it itself.
    size : (int, int)
        Its width and height in pixels, or others of the same ratio; zeros where it cannot be shown.
    region : Region or None
        The part that was compared.
    seen : str
        A small picture of what was compared, as a URL that holds it.
    """

    src: str
    size: tuple[int, int]
    region: Region | None
    seen: str

    @property
    def shown(self) -> tuple[int, int]:
        """The size that it is shown in, in CSS pixels."""
        width, height = self.size
        factor = SHOWN_SIDE / max(width, height, 1)
        return max(1, round(width * factor)), max(1, round(height * factor))


def asked(photo: bytes, region: Region | None, src: str | None = None) -> Asked:
    """Show a photo.

    Parameters
    ----------
    photo : bytes
        Encoded.
    region : Region or None
        The part of it that was compared.
    src : str, optional
        Where the page has it from, empty for from its script; else it is put into the page.
    """
    whole = src is None
    try:
        image = opened(photo, LONGEST_SIDE if whole else SHORTEST_SIDE)
    except PictureError:
        return Asked("", (0, 0), region, "")  # what the engine could read and this cannot
    if whole:
        src = data_url(to_jpeg(image, LONGEST_SIDE, QUALITY))
    return Asked(src or "", image.size, region, data_url(_seen(image, region)))


def opened(photo: bytes, at_least: int) -> Image.Image:
    """Decode a photo, upright, on white and without metadata; a large one reduced.

    Raises
    ------
    PictureError
        If it cannot be read.
    """
    limits = PictureLimits(max_pixels=current_settings().max_pixels)
    return open_picture(photo, at_least=at_least, limits=limits)


def region_from_form() -> Region | None:
    """Read the part of the photo that matters from this request's form.

    Raises
    ------
    InvalidRequest
        If it is not four numbers from 0 to 1.
    """
    try:
        return _REGION.validate_python(request.form.get("region", "").strip() or None)
    except ValidationError as error:
        raise InvalidRequest(
            "The region is not four numbers from 0 to 1.", hint="Mark the part once more."
        ) from error


def _seen(image: Image.Image, region: Region | None) -> bytes:
    """Draw the part that was compared as the network gets it: as a square."""
    x, y, width, height = region or (0.0, 0.0, 1.0, 1.0)
    left, top = int(x * image.width), int(y * image.height)
    right = min(image.width, max(left + 1, round((x + width) * image.width)))
    bottom = min(image.height, max(top + 1, round((y + height) * image.height)))
    square = image.resize(
        (SEEN_SIDE, SEEN_SIDE), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
    )
    return to_jpeg(square, SEEN_SIDE, QUALITY)
