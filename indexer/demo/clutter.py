"""Where customers take their photos: tables, beds and floors, and what lies about on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from indexer.demo.canvas import Canvas
from indexer.demo.light import Colour, across, darker
from indexer.demo.shapes import (
    Array,
    Point,
    ellipse,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
    turned,
    vector,
)

Surface: TypeAlias = Callable[[int, int, np.random.Generator], Array]
CONTRAST, PALER = 0.45, 0.22
SKINS: tuple[Colour, ...] = (
    (0.93, 0.76, 0.65),
    (0.8, 0.6, 0.47),
    (0.58, 0.4, 0.29),
    (0.4, 0.27, 0.2),
)


def cloud(
    width: int, height: int, across_cells: int, down_cells: int, rng: np.random.Generator
) -> Array:
    """Return smooth noise about nought, with so many cells each way."""
    seed = rng.standard_normal((max(down_cells, 2), max(across_cells, 2)), dtype=np.float32)
    image = Image.fromarray(seed).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _tinted(tone: Array, tint: tuple[float, float, float]) -> Array:
    return tone[..., None] * vector(tint)


def wood(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a table or a floor of planks."""
    tints = ((186, 142, 100), (138, 100, 72), (212, 182, 144), (168, 150, 130), (196, 168, 138))
    planks = int(rng.integers(3, 8))
    tone = 1 + 0.04 * cloud(width, height, 5, 90, rng) + 0.05 * cloud(width, height, 3, 26, rng)
    rows = np.arange(height) * planks / height
    tone = tone * (1 + 0.06 * rng.standard_normal(planks + 1)[rows.astype(int)])[:, None]
    gap = np.abs(rows % 1 - 0.5) > 0.5 - planks * 1.6 / height
    tone = tone * np.where(gap, 0.65, 1)[:, None]
    return _tinted(tone.astype(np.float32), tints[int(rng.integers(len(tints)))])


def sheet(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a crumpled bed sheet."""
    tints = ((226, 224, 220), (196, 208, 220), (226, 206, 198), (176, 184, 170), (120, 130, 150))
    hills = cloud(width, height, 4, 5, rng) + 0.55 * cloud(width, height, 9, 5, rng)
    hills = hills + 0.25 * cloud(width, height, 7, 18, rng)
    slope = np.gradient(hills, axis=0) * height / 22 + np.gradient(hills, axis=1) * width / 30
    tone = 1 + 0.18 * np.tanh(slope)
    return _tinted(tone.astype(np.float32), tints[int(rng.integers(len(tints)))])


def carpet(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a carpet, with or without a border."""
    tints = ((160, 148, 132), (150, 98, 90), (112, 126, 146), (182, 172, 158), (134, 140, 120))
    tint = tints[int(rng.integers(len(tints)))]
    pile = 1 + 0.1 * cloud(width, height, width // 3, height // 3, rng)
    pile = pile + 0.05 * cloud(width, height, 14, 18, rng)
    ground = _tinted(pile, tint)
    if rng.random() < 0.5:
        x0 = int(width * rng.uniform(0.05, 0.2))
        stripe = vector(tints[int(rng.integers(len(tints)))])
        for offset, wide in ((0, 26), (40, 9)):
            here = ground[:, x0 + offset : x0 + offset + wide]
            here += (stripe * pile[:, x0 + offset : x0 + offset + wide, None] - here) * 0.85
    return ground


def tiles(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a tiled floor or kitchen wall."""
    tints = ((214, 210, 202), (150, 160, 165), (190, 150, 120), (232, 230, 226), (110, 120, 118))
    size = int(rng.integers(90, 210))
    x, y = np.arange(width), np.arange(height)
    tone = rng.normal(1, 0.035, (height // size + 2, width // size + 2))[y // size][:, x // size]
    tone = tone + 0.03 * cloud(width, height, 20, 24, rng)
    grout = np.maximum((x % size < 5)[None, :], (y % size < 5)[:, None])
    tone = np.where(grout, 0.82, tone)
    return _tinted(tone.astype(np.float32), tints[int(rng.integers(len(tints)))])


def stone(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a worktop of stone or a floor of concrete."""
    tints = ((184, 182, 178), (104, 106, 110), (218, 210, 200), (154, 154, 150))
    tone = 1 + 0.05 * cloud(width, height, 6, 8, rng) + 0.03 * cloud(width, height, 30, 36, rng)
    tone = tone + 0.035 * cloud(width, height, width // 3, height // 3, rng)
    vein = np.abs(cloud(width, height, 4, 5, rng) + 0.3 * cloud(width, height, 14, 16, rng))
    tone = tone + 0.14 * np.exp(-vein * 14) * rng.choice([-1, 1])
    return _tinted(tone.astype(np.float32), tints[int(rng.integers(len(tints)))])


def tablecloth(width: int, height: int, rng: np.random.Generator) -> Array:
    """Return a linen tablecloth, ironed but not well."""
    tints = ((222, 212, 196), (190, 200, 196), (204, 186, 172), (226, 222, 214))
    tone = 1 + 0.03 * cloud(width, height, width // 3, 60, rng)
    tone = tone + 0.03 * cloud(width, height, 60, height // 3, rng)
    tone = tone + 0.04 * cloud(width, height, 3, 4, rng)
    for edge in (width * rng.uniform(0.2, 0.8), -width):
        tone = tone + 0.1 * np.exp(-(((np.arange(width) - edge) / 5) ** 2))[None, :]
    return _tinted(tone.astype(np.float32), tints[int(rng.integers(len(tints)))])


SURFACES: tuple[Surface, ...] = (wood, wood, sheet, sheet, carpet, tiles, stone, tablecloth)


def surface(width: int, height: int, rng: np.random.Generator, *, blur: float) -> Array:
    """Return one of the surfaces, at any angle, as far out of focus as `blur` says."""
    make = SURFACES[int(rng.integers(len(SURFACES)))]
    wide, high = int(width * 1.3), int(height * 1.3)
    ground = np.clip(make(wide, high, rng), 0, 255).astype(np.uint8)
    image = Image.fromarray(ground)
    if rng.random() < 0.4:
        image = image.transpose(Image.Transpose.ROTATE_90).resize((wide, high))
    image = image.rotate(float(rng.uniform(-11, 11)), resample=Image.Resampling.BILINEAR)
    left, top = (wide - width) // 2, (high - height) // 2
    cropped = image.crop((left, top, left + width, top + height))
    cropped = cropped.filter(ImageFilter.GaussianBlur(blur))
    # A lens focused on the product leaves the ground paler and flatter than it is.
    ground = np.asarray(cropped).astype(np.float32)
    mean = ground.mean(axis=(0, 1))
    return vector((ground - mean) * CONTRAST + mean * (1 - PALER) + 240 * PALER)


def _any_colour(rng: np.random.Generator) -> Colour:
    red, green, blue = (float(c) for c in rng.uniform(0.2, 0.92, 3))
    return red, green, blue


def _book(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    x, y = at
    wide, high = rng.uniform(0.12, 0.18), rng.uniform(0.18, 0.26)
    angle, tint = float(rng.uniform(0, 180)), _any_colour(rng)
    cover = rounded(x - wide, y - high, x + wide, y + high, 0.008)
    canvas.fill(turned(moved(cover, 0.008, 0.01), angle, at), (0.94, 0.92, 0.86), bevel=0.005)
    body = canvas.fill(turned(cover, angle, at), tint, bevel=0.008, cast=0.3)
    for dy, thick in ((-0.5, 0.05), (-0.3, 0.02), (0.6, 0.015)):
        bar = rounded(x - wide * 0.7, y + dy * high, x + wide * 0.7, y + dy * high + thick, 0)
        canvas.fill(turned(bar, angle, at), darker(_any_colour(rng), 0.9), clip=body, depth=0)


def _cup(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    x, y = at
    size, tint = float(rng.uniform(0.07, 0.1)), _any_colour(rng)
    handle = ribbon(np.array([(x, y), (x + size * 1.5, y + size * 0.1)]), size * 0.35)
    canvas.fill(turned(handle, float(rng.uniform(0, 360)), at), tint, bevel=0.01)
    canvas.fill(ellipse(x, y, size, size), tint, bevel=0.015, depth=0.5)
    canvas.fill(ellipse(x, y, size * 0.84, size * 0.84), (0.3, 0.18, 0.1), bevel=0.012, depth=-0.5)


def _phone(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    x, y = at
    angle = float(rng.uniform(0, 180))
    body = rounded(x - 0.07, y - 0.14, x + 0.07, y + 0.14, 0.02)
    canvas.fill(turned(body, angle, at), (0.09, 0.09, 0.1), bevel=0.006, gloss=0.5)
    screen = rounded(x - 0.063, y - 0.132, x + 0.063, y + 0.132, 0.014)
    shape = canvas.fill(turned(screen, angle, at), (0.14, 0.15, 0.18), depth=0)
    canvas.tone(
        turned(ribbon([(x - 0.05, y - 0.2), (x + 0.05, y + 0.2)], 0.04), angle, at),
        0.16,
        blur=0.006,
        clip=shape,
    )


def _pens(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 4))):
        x, y = at[0] + float(rng.normal(0, 0.03)), at[1] + float(rng.normal(0, 0.03))
        angle, tint = float(rng.uniform(0, 180)), _any_colour(rng)
        shaft = turned(rounded(x - 0.011, y - 0.13, x + 0.011, y + 0.1, 0.004), angle, (x, y))
        tip = turned(
            points([(x - 0.011, y + 0.1), (x + 0.011, y + 0.1), (x, y + 0.135)]), angle, (x, y)
        )
        canvas.fill(tip, (0.9, 0.77, 0.58), bevel=0.004)
        canvas.fill(shaft, tint, bevel=0.005, depth=0.5, cast=0.2)


def _cable(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    steps = np.cumsum(rng.normal(0, 0.08, (7, 2)), axis=0) + at
    canvas.line(smooth(steps, closed=False), 0.011, (0.92, 0.92, 0.9), depth=0.4)


def _paper(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    x, y = at
    angle = float(rng.uniform(0, 180))
    page = canvas.fill(
        turned(rounded(x - 0.16, y - 0.22, x + 0.16, y + 0.22, 0.002), angle, at),
        (0.95, 0.94, 0.92),
        bevel=0.004,
    )
    for i in range(9):
        line = turned(
            points(
                [
                    (x - 0.12, y - 0.16 + i * 0.036),
                    (x + float(rng.uniform(0, 0.12)), y - 0.16 + i * 0.036),
                ]
            ),
            angle,
            at,
        )
        canvas.line(line, 0.007, (0.45, 0.46, 0.52), clip=page, depth=0)


def _coins(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(2, 5))):
        x, y = at[0] + float(rng.normal(0, 0.05)), at[1] + float(rng.normal(0, 0.05))
        metal: Colour = (0.78, 0.6, 0.32) if rng.random() < 0.5 else (0.72, 0.72, 0.74)
        canvas.fill(ellipse(x, y, 0.022, 0.022), metal, bevel=0.005, gloss=0.5, cast=0.25)
        canvas.fill(ellipse(x, y, 0.015, 0.015), metal, bevel=0.004, depth=-0.5)


def _cloth(canvas: Canvas, at: Point, rng: np.random.Generator) -> None:
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radius = rng.uniform(0.1, 0.2, 9)
    outline = np.stack([at[0] + radius * np.cos(angles), at[1] + radius * np.sin(angles)], axis=1)
    shape = canvas.fill(smooth(outline), _any_colour(rng), bevel=0.03, depth=0.5)
    for _ in range(4):
        crease = smooth(rng.normal(0, 0.08, (3, 2)) + at, closed=False)
        canvas.tone(ribbon(crease, 0.03, 0.005), -0.3, blur=0.012, clip=shape)


THINGS = (_book, _cup, _phone, _pens, _cable, _paper, _coins, _cloth)


def _edge(rng: np.random.Generator, inset: float) -> Point:
    """Return a place near an edge of the photo."""
    along, side = float(rng.uniform(0.05, 0.95)), int(rng.integers(4))
    near = inset * float(rng.uniform(-0.6, 1))
    return ((along, near), (along, 1 - near), (near, along), (1 - near, along))[side]


def things(size: int, count: int, rng: np.random.Generator) -> Image.Image:
    """Return what lies about at the edges, on a transparent square."""
    canvas = Canvas(size)
    for which in rng.permutation(len(THINGS))[:count]:
        THINGS[which](canvas, _edge(rng, 0.1), rng)
    return canvas.image()


def hand(size: int, rng: np.random.Generator) -> Image.Image:
    """Return fingers that come in from one edge, on a transparent square."""
    canvas = Canvas(size)
    skin = SKINS[int(rng.integers(len(SKINS)))]
    x, turn = float(rng.uniform(0.25, 0.75)), float(rng.choice([0, 90, 270, 0]))
    reach = float(rng.uniform(0.13, 0.2))
    canvas.fill(
        turned(rounded(x - 0.13, 1 - reach * 0.45, x + 0.13, 1.1, 0.06), turn), skin, bevel=0.04
    )
    for i in range(4):
        cx = x - 0.093 + i * 0.062
        tip = 1 - reach * (0.86, 1.0, 0.97, 0.8)[i]
        finger = turned(rounded(cx - 0.027, tip, cx + 0.027, 1.05, 0.027), turn)
        light = across(cx, 0.03, 0.12) if turn == 0 else None
        canvas.fill(finger, skin, bevel=0.014, depth=0.4, cast=0.2, light=light)
        nail = turned(rounded(cx - 0.016, tip + 0.008, cx + 0.016, tip + 0.04, 0.014), turn)
        canvas.fill(
            nail, (min(skin[0] * 1.08, 1), skin[1] * 1.0, skin[2] * 1.02), bevel=0.005, gloss=0.3
        )
    return canvas.image()
