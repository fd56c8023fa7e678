"""Explanations as pictures: the places that two pictures have in common, laid over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from indexer.errors import UsageError
from indexer.listing import Region
from indexer.pictures import LIMITS, PictureLimits, open_picture
from search.explain import Explanation, Shown

PLASMA = "0d0887 4c02a1 7e03a8 aa2395 cc4778 e66c5c f89540 fdc527 f0f921"  # equal steps from 0 to 1
"""The colour map "plasma" of Smith and van der Walt (CC0): even steps look even, and brighter is
more to colour-blind eyes and in print too."""

STRIDE = 16
"""Pixels from one cell of the network's maps to the next."""

MARGIN = 13.5
"""Pixels of the network's input before the first cell begins: its first convolutions pad
nothing, so the maps do not reach the edges."""

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

PAD = 2
STRONGEST = 0.78
"""How much of the picture the strongest place hides."""

PANEL, GAP, HEAD, FOOT = 460, 24, 74, 92
PAPER, SUNKEN, INK, FAINT, ACCENT = "#ffffff", "#f1efeb", "#1b1d1c", "#5d605d", "#0d6b5e"


def overlay(
    picture: Image.Image, cells: NDArray[np.float32], region: Region | None = None
) -> Image.Image:
    """Lay a map over a picture: the more a place adds, the brighter; what adds nothing is clear.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright, of mode RGB. It is shown in muted colours, so that those of the map stand out.
    cells : ndarray of float32, shape (rows, columns)
        What each place adds; values below zero are not drawn. The largest is drawn brightest.
    region : Region, optional
        The part of the picture that the map is of; what lies outside is faded.

    Returns
    -------
    PIL.Image.Image
        Of the size of `picture`.
    """
    muted = Image.blend(picture, picture.convert("L").convert("RGB"), 0.6)
    x, y, width, height = region or (0.0, 0.0, 1.0, 1.0)
    left, top = round(x * picture.width), round(y * picture.height)
    right = max(left + 1, round(min(1.0, x + width) * picture.width))
    bottom = max(top + 1, round(min(1.0, y + height) * picture.height))
    strength = _enlarged(cells, (right - left, bottom - top))
    ground = np.asarray(muted.crop((left, top, right, bottom)), np.float32)
    # Weak places are as good as clear: a veil over everything would hide the picture.
    cover = (STRONGEST * strength**2 * (3 - 2 * strength))[..., np.newaxis]
    mixed = ground * (1 - cover) + _coloured(strength) * cover
    drawn = (
        muted if region is None else Image.blend(muted, Image.new("RGB", muted.size, SUNKEN), 0.6)
    )
    drawn.paste(Image.fromarray(np.rint(mixed).astype(np.uint8)), (left, top))
    if region is not None:
        ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline=PAPER, width=2)
    return drawn


def draw(
    shown: Shown, cells: NDArray[np.float32], side: int, limits: PictureLimits = LIMITS
) -> Image.Image:
    """Open a picture of an explanation and lay its map over it.

    Parameters
    ----------
    shown : Shown
        `Explanation.query` or `Explanation.hit`.
    cells : ndarray of float32, shape (rows, columns)
        Its map.
    side : int
        The longer side of what is drawn, in pixels; smaller pictures are enlarged.
    limits : PictureLimits, optional
        What the picture may cost.

    Raises
    ------
    PictureError
        If it cannot be opened.
    """
    data = shown.data if isinstance(shown.data, bytes) else shown.data.read_bytes()
    picture = open_picture(data, at_least=side, limits=limits)
    factor = side / max(picture.size)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return overlay(picture.resize(size, Image.Resampling.LANCZOS), cells, shown.region)


def write_sheet(
    explanation: Explanation,
    names: tuple[str, str],
    path: Path,
    limits: PictureLimits = LIMITS,
) -> None:
    """Draw the query and the hit side by side, with what they have in common and the numbers.

    Parameters
    ----------
    explanation : Explanation
        What is drawn.
    names : tuple of two str
        What the query and the hit are called.
    path : Path
        The file to write.
    limits : PictureLimits, optional
        What each picture may cost.

    Raises
    ------
    UsageError
        If Pillow does not write files of this ending.
    """
    sides = (
        ("Query", explanation.query, explanation.query_map, explanation.query_constant),
        ("Hit", explanation.hit, explanation.hit_map, explanation.hit_constant),
    )
    drawn = [draw(shown, cells, PANEL, limits) for _, shown, cells, _ in sides]
    tallest = max(picture.height for picture in drawn)
    size = GAP + 2 * (PANEL + GAP), HEAD + tallest + FOOT
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 16), f"Similarity {explanation.similarity:.3f}", INK, ImageFont.load_default(24))
    pen.text((GAP, 46), "Bright: what the two have in common", FAINT, ImageFont.load_default(14))
    _legend(sheet, pen, size[0] - GAP)
    for place, ((role, _, cells, constant), picture, name) in enumerate(
        zip(sides, drawn, names, strict=True)
    ):
        left = GAP + place * (PANEL + GAP)
        pen.rectangle((left, HEAD, left + PANEL - 1, HEAD + tallest - 1), fill=SUNKEN)
        sheet.paste(
            picture,
            (left + (PANEL - picture.width) // 2, HEAD + (tallest - picture.height) // 2),
        )
        below = HEAD + tallest + 12
        pen.text((left, below), role, ACCENT, ImageFont.load_default(14))
        pen.text(
            (left, below + 20),
            _shortened(pen, name, PANEL, ImageFont.load_default(17)),
            INK,
            ImageFont.load_default(17),
        )
        sums = (
            f"{explanation.similarity:.3f} = places {cells.sum():.3f} {_signed(constant)} constant"
        )
        pen.text((left, below + 46), sums, FAINT, ImageFont.load_default(14))
    try:
        sheet.save(path)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"Pillow cannot write {path}.", hint="Use a name that ends in .png or .jpg."
        ) from error


def _enlarged(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return how strong each pixel is, 0 to 1: smooth, and placed where the network looked."""
    rows, columns = cells.shape
    padded: NDArray[np.floating] = np.pad(cells, PAD, mode="edge")
    # A cell looks at far more than its sixteen pixels: steps between cells are no real edges.
    for axis in (0, 1):
        padded = (np.roll(padded, 1, axis) + 2 * padded + np.roll(padded, -1, axis)) / 4
    before = PAD - MARGIN / STRIDE
    box = (before, before, 2 * PAD + columns - before, 2 * PAD + rows - before)
    image = Image.fromarray(padded.astype(np.float32))
    large = np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=box))
    strongest = float(large.max())
    if strongest <= 0:
        return np.zeros_like(large)
    strength: NDArray[np.float32] = np.clip(large / strongest, 0, 1)
    return strength


def _coloured(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the colour of each strength, as (..., 3) from 0 to 255."""
    table = np.array([list(bytes.fromhex(colour)) for colour in PLASMA.split()])
    steps = np.linspace(0, 1, len(table))
    return np.stack([np.interp(strength, steps, table[:, band]) for band in range(3)], axis=-1)


def _legend(sheet: Image.Image, pen: ImageDraw.ImageDraw, right: int) -> None:
    """Draw the colours from little to much, up to a right edge."""
    width, height, top = 150, 12, 50
    font = ImageFont.load_default(14)
    right -= round(pen.textlength("much", font))
    pen.text((right, top - 4), "much", FAINT, font)
    ramp = np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32), (height, width))
    left = right - width - 8
    sheet.paste(Image.fromarray(np.rint(_coloured(ramp)).astype(np.uint8)), (left, top))
    pen.text((left - 8 - pen.textlength("little", font), top - 4), "little", FAINT, font)


def _shortened(pen: ImageDraw.ImageDraw, text: str, width: int, font: Font) -> str:
    while text and pen.textlength(text, font) > width:
        text = text[:-2].rstrip() + "…" if len(text) > 2 else ""
    return text


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'} {abs(value):.3f}"
