"""The map as pictures: one to look at, and sheets of small tiles for the page."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont, ImageOps

from indexer.errors import UsageError
from search.catalogue_map import CatalogueMap, Place

PAPER, INK, FAINT, EMPTY = "#ffffff", "#16181d", "#5d605d", "#f1efeb"

COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#6a3d9a",
)
"""The largest categories', told apart by most colour-blind people too (Okabe and Ito, violet)."""

LEAST_TILE = 30
"""Pixels below which a product cannot be made out: fewer listings are shown instead."""

SHEET_SIDE, SHEET_TILE = 12, 80
"""Tiles along a sheet's side, and the pixels of one."""

LINE = 20


class HasThumbnails(Protocol):
    """What pictures ask of `search.engine.Engine`."""

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG, None where there is none."""


def colours_of(categories: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return each category's count and colour, the largest first.

    No category comes last; it, and what comes after the colours are used up, has the colour "".
    """
    counts = Counter(categories)
    ordered = sorted(counts, key=lambda name: (not name, -counts[name], name))
    colours = {name: COLOURS[n] for n, name in enumerate(ordered[: len(COLOURS)]) if name}
    return {name: (counts[name], colours.get(name, "")) for name in ordered}


def draw_map(
    engine: HasThumbnails, drawn: CatalogueMap, shown: Sequence[Place], size: int
) -> Image.Image:
    """Draw a map `size` pixels wide, with its legend below.

    Where a cell would be smaller than `LEAST_TILE`, squares of several show one listing each.
    """
    colours = colours_of(place.category for place in shown)
    cell = size / drawn.columns
    level = max(0, math.ceil(math.log2(LEAST_TILE / cell)))
    tile = cell * 2**level
    high = math.ceil(cell * drawn.rows)
    legend = _legend(colours, size)
    sheet = Image.new("RGB", (size, high + legend.height), PAPER)
    pen = ImageDraw.Draw(sheet)
    strip = max(2, round(tile / 14))
    for place in shown:
        if place.level < level:
            continue
        column, row = (int(n) >> level for n in drawn.cells[place.tile])
        left, top = round(column * tile), round(row * tile)
        # Whole pixels, so that the gaps between tiles are all the same.
        side = max(4, math.floor(tile) - 2)
        sheet.paste(_square(engine, place.key, side), (left + 1, top + 1))
        if not (colour := colours[place.category][1]):
            continue
        below = top + 1 + side
        box = (left + 1, below - strip, left + side, below - 1)
        pen.rectangle(box, fill=colour)
    sheet.paste(legend, (0, high))
    return sheet


def save_picture(sheet: Image.Image, path: Path) -> None:
    """Write a picture.

    Raises
    ------
    UsageError
        If Pillow does not write files of this ending.
    """
    try:
        sheet.save(path)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"Pillow cannot write {path}.", hint="Use a name that ends in .png or .jpg."
        ) from error


def draw_sheet(engine: HasThumbnails, keys: Sequence[str]) -> bytes:
    """Return up to `SHEET_SIDE` squared thumbnails as one JPEG, row by row.

    A page that shows hundreds of small tiles asks for a few of these, not for hundreds of
    thumbnails five times as large.
    """
    sheet = Image.new("RGB", (SHEET_SIDE * SHEET_TILE, SHEET_SIDE * SHEET_TILE), EMPTY)
    for n, key in enumerate(keys[: SHEET_SIDE**2]):
        row, column = divmod(n, SHEET_SIDE)
        sheet.paste(_square(engine, key, SHEET_TILE), (column * SHEET_TILE, row * SHEET_TILE))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80)
    return out.getvalue()


def _square(engine: HasThumbnails, key: str, side: int) -> Image.Image:
    """Return a thumbnail that fills a square, its middle kept."""
    jpeg = engine.thumbnail(key) if key else None
    if jpeg is None:
        return Image.new("RGB", (side, side), EMPTY)
    picture = Image.open(io.BytesIO(jpeg))
    picture.draft("RGB", (side, side))  # decodes no more pixels than are needed
    return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def _legend(colours: dict[str, tuple[int, str]], width: int) -> Image.Image:
    """Return the categories with their colours, in as many lines as it takes."""
    font = ImageFont.load_default(LINE * 0.8)
    words = [
        (f"{name or 'no category'} {count:,}", colour) for name, (count, colour) in colours.items()
    ]
    gap = LINE // 2
    places: list[tuple[float, int]] = []
    left, top = float(gap), gap
    for text, _ in words:
        wide = LINE + font.getlength(text) + LINE
        if left + wide > width and left > gap:
            left, top = float(gap), top + round(LINE * 1.5)
        places.append((left, top))
        left += wide
    legend = Image.new("RGB", (width, top + LINE + gap), PAPER)
    pen = ImageDraw.Draw(legend)
    for (x, y), (text, colour) in zip(places, words, strict=True):
        box = (x, y + 3, x + LINE * 0.7, y + 3 + LINE * 0.7)
        pen.rectangle(box, fill=colour or None, outline=colour or FAINT)
        pen.text((x + LINE, y), text, INK, font)
    return legend
