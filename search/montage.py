"""A picture of photos and their hits, a row each."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from indexer.errors import UsageError
from indexer.pictures import open_picture
from search.engine import Engine
from search.query import Hit, Page, Query

TILE, GAP, TEXT = 200, 12, 40
PAPER, INK, FAINT, ACCENT = "#ffffff", "#16181d", "#6b7280", "#2f5fd0"


def write_montage(engine: Engine, answered: list[tuple[Query, Page]], path: Path) -> None:
    """Draw each query and its hits, best first, into one picture.

    Raises
    ------
    UsageError
        If Pillow does not write files of this ending.
    """
    columns = 1 + max((len(page.hits) for _, page in answered), default=0)
    width = GAP + columns * (TILE + GAP)
    sheet = Image.new("RGB", (width, GAP + len(answered) * (TILE + TEXT + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, (query, page) in enumerate(answered):
        top = GAP + row * (TILE + TEXT + GAP)
        _tile(sheet, _query_picture(engine, query), GAP, top)
        draw.rectangle((GAP - 3, top - 3, GAP + TILE + 2, top + TILE + 2), outline=ACCENT, width=3)
        _label(draw, "photo" if query.photo else "listing", query.listing_id or "", GAP, top)
        for column, hit in enumerate(page.hits, start=1):
            left = GAP + column * (TILE + GAP)
            _tile(sheet, _hit_picture(engine, hit), left, top)
            _label(draw, f"{hit.rank}.  {hit.similarity:.3f}", hit.listing.title, left, top)
    try:
        sheet.save(path)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"Pillow cannot write {path}.", hint="Use a name that ends in .png or .jpg."
        ) from error


def _query_picture(engine: Engine, query: Query) -> Image.Image | None:
    if isinstance(query.photo, Path):
        return open_picture(query.photo.read_bytes(), at_least=TILE, limits=engine.limits)
    if isinstance(query.photo, bytes):
        return open_picture(query.photo, at_least=TILE, limits=engine.limits)
    if query.positives:
        first = query.positives[0]
        return _query_picture(engine, Query(photo=first.photo, listing_id=first.listing_id))
    if query.listing_id is None:  # a cursor carries no picture
        return None
    keys = engine.listing(query.listing_id)[1]
    return _thumbnail(engine, keys[0] if keys else "")


def _hit_picture(engine: Engine, hit: Hit) -> Image.Image | None:
    return _thumbnail(engine, hit.thumbnails[hit.picture] if hit.thumbnails else "")


def _thumbnail(engine: Engine, key: str) -> Image.Image | None:
    jpeg = engine.thumbnail(key)
    return Image.open(io.BytesIO(jpeg)).convert("RGB") if jpeg else None


def _tile(sheet: Image.Image, picture: Image.Image | None, left: int, top: int) -> None:
    """Paste a picture into its square, whole and centred."""
    tile = Image.new("RGB", (TILE, TILE), "#f3f4f6")
    if picture is not None:
        picture.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
        tile.paste(picture, ((TILE - picture.width) // 2, (TILE - picture.height) // 2))
    sheet.paste(tile, (left, top))


def _label(draw: ImageDraw.ImageDraw, first: str, second: str, left: int, top: int) -> None:
    font = ImageFont.load_default(14)
    draw.text((left, top + TILE + 4), first, INK, font)
    while second and draw.textlength(second, font) > TILE:
        second = second[:-2].rstrip() + "…" if len(second) > 2 else ""
    draw.text((left, top + TILE + 21), second, FAINT, font)
