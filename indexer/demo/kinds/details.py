"""What products of several kinds share: metals, patterns, laces, labels, folds, gleams."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.light import Colour, darker, legible, lighter
from indexer.demo.products import Look
from indexer.demo.shapes import (
    Points,
    arc,
    ellipse,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
    vector,
)

METALS = ((0.83, 0.7, 0.4), (0.78, 0.79, 0.8), (0.72, 0.5, 0.4), (0.2, 0.2, 0.22))
WHITE = (0.95, 0.94, 0.91)
GUM = (0.72, 0.5, 0.3)
RUBBER = (0.16, 0.16, 0.17)
INK = (0.12, 0.12, 0.14)
PAPER = (0.97, 0.96, 0.92)
FABRIC_PATTERNS = (
    "plain",
    "striped",
    "floral",
    "gingham",
    "colour-block",
    "dotted",
    "banded",
    "leaf-print",
    "argyle",
    "zigzag",
    "tartan",
    "star-print",
    "pinstriped",
    "camouflage",
    "big-dot",
    "heart-print",
    "wave-print",
    "diagonal-striped",
    "ombré",
    "windowpane",
    "geometric",
)
GLAZES = (
    "plain",
    "speckled",
    "striped",
    "banded",
    "dotted",
    "floral",
    "marbled",
    "terrazzo",
    "ombré",
    "leaf-print",
    "zigzag",
    "colour-block",
    "wave-print",
    "scalloped",
    "geometric",
    "deckchair-striped",
    "heart-print",
)


def fold(canvas: Canvas, path: Points, strength: float, clip: Mask, width: float = 0.02) -> None:
    """Lay a soft crease on a cloth: shade, with a gleam beside it."""
    line = smooth(path, closed=False)
    canvas.tone(ribbon(line, width, width / 4), -strength, blur=0.012, clip=clip)
    canvas.tone(
        ribbon(moved(line, -width * 0.9, -width * 0.3), width, width / 4),
        strength * 0.55,
        blur=0.012,
        clip=clip,
    )


def laces(canvas: Canvas, look: Look, start: Points, end: Points, rows: int) -> None:
    """Cross the laces between two edges given by their ends."""
    near, far = points(start), points(end)
    lace = look.second if look.numbers[9] > 0.5 else WHITE
    for i in range(rows):
        t = i / max(rows - 1, 1)
        a, b = near[0] + (near[1] - near[0]) * t, far[0] + (far[1] - far[0]) * t
        for end_point in (a, b):
            canvas.fill(
                ellipse(float(end_point[0]), float(end_point[1]), 0.008, 0.008),
                darker(look.main, 0.4),
                bevel=0.003,
            )
        canvas.line(np.stack([a, (a + b) / 2 + vector([0.004, -0.008]), b]), 0.017, lace, cast=0.35)


def badge(canvas: Canvas, look: Look, cx: float, cy: float) -> None:
    """Sew on a small label with the maker's name."""
    wide = look.between(9, 0.06, 0.09)
    canvas.fill(
        rounded(cx - wide, cy - 0.026, cx + wide, cy + 0.026, 0.008),
        look.trim,
        bevel=0.005,
        cast=0.25,
    )
    ink = legible(look.trim, look.trim)
    canvas.text(look.brand.split()[0], cx, cy, 0.036, ink, width=wide * 1.7)


def gleam(
    canvas: Canvas, x: float, y0: float, y1: float, clip: Mask, strength: float = 0.5
) -> None:
    """Put the reflection of a studio window on glaze or glass."""
    canvas.tone(rounded(x, y0, x + 0.022, y1, 0.011), strength, blur=0.006, clip=clip)
    canvas.tone(
        rounded(x + 0.034, y0 + 0.02, x + 0.042, y1 - 0.05, 0.004),
        strength * 0.7,
        blur=0.004,
        clip=clip,
    )


def inside_rim(canvas: Canvas, cx: float, y: float, rx: float, ry: float, tint: Colour) -> None:
    """Show the dark inside of a vessel within its rim."""
    canvas.fill(ellipse(cx, y, rx, ry), lighter(tint, 0.25), bevel=0.006)
    canvas.fill(
        ellipse(cx, y + ry * 0.08, rx * 0.93, ry * 0.84), darker(tint, 0.5), bevel=0.02, depth=-0.4
    )


def inside_neck(canvas: Canvas, look: Look, neck: float, top: float, dip: float) -> None:
    """Draw the inside of the back, seen through the neck."""
    upper = arc(0.5, top, neck + 0.004, 0.022, 180, 360)
    lower = arc(0.5, top, neck + 0.004, dip - top + 0.006, 0, 180)
    back = canvas.fill(np.vstack([upper, lower]), darker(look.main, 0.6), bevel=0.012)
    canvas.fill(rounded(0.475, top, 0.525, top + 0.028, 0.004), look.trim, clip=back, depth=0)
