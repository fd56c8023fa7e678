"""Dresses."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    FABRIC_PATTERNS,
    fold,
    inside_neck,
)
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    ellipse,
    mirrored,
    moved,
    points,
    rounded,
    smooth,
    vector,
)


def draw_dress(canvas: Canvas, look: Look) -> None:
    """Draw a dress: bodice, waist and a skirt in folds."""
    waist, flare = look.between(0, 0.105, 0.135), look.between(1, 0.24, 0.37)
    if look.form in ("slip dress", "shirt dress"):
        flare = look.between(1, 0.18, 0.22)
    hem = look.between(2, 0.8, 0.94)
    line = look.between(3, 0.36, 0.42)
    neck = look.between(4, 0.07, 0.1)
    dip = look.between(5, 0.16, 0.25)
    strap = look.form in ("slip dress", "sundress")
    cloth = look.cloth()
    top = 0.17 if strap else 0.085
    if strap:
        for dx in (-1, 1):
            canvas.line(
                [(0.5 + dx * 0.1, 0.05), (0.5 + dx * 0.115, 0.19)], 0.02, cloth, bevel=0.006
            )
    else:
        _dress_sleeves(canvas, look)
        inside_neck(canvas, look, neck, 0.085, dip)
    bodice = [(neck, top), (0.15, top + 0.025)] if not strap else [(0.118, top), (0.13, top + 0.03)]
    bodice += [(0.148, 0.24), (waist, line)]
    right = smooth(bodice, closed=False)
    scoop = arc(0, top, 0.118, 0.05, 180, 0) if strap else arc(0, top, neck, dip - top, 180, 0)
    outline = np.vstack([right, right[::-1] * vector([-1, 1]), scoop]) + vector([0.5, 0])
    skirt = _skirt(look, waist, flare, line, hem)
    lower = canvas.fill(skirt, cloth, bevel=0.03, depth=0.35)
    for i in range(7):
        at = (i - 3) / 3.4
        fold(
            canvas,
            [
                (0.5 + at * flare * 0.95, hem),
                (0.5 + at * waist * 0.9, line + 0.03 + 0.02 * (i % 2)),
            ],
            0.2,
            lower,
            0.035,
        )
    upper = canvas.fill(outline, cloth, bevel=0.03, depth=0.35, cast=0.15)
    fold(canvas, [(0.5 + waist, line - 0.02), (0.53, line - 0.09)], 0.14, upper)
    fold(canvas, [(0.5 - waist, line - 0.02), (0.47, line - 0.09)], 0.14, upper)
    _finish_dress(canvas, look, lower, waist, line, hem)


def _skirt(look: Look, waist: float, flare: float, line: float, hem: float) -> Array:
    side = smooth(
        [(waist, line), (waist + (flare - waist) * 0.45, line + (hem - line) * 0.35), (flare, hem)],
        closed=False,
    )
    t = np.linspace(1, -1, 40)
    ripple = 0.011 * np.sin(t * np.pi * look.between(6, 3, 6))
    edge = np.stack([t * flare, hem + ripple + 0.025 * (1 - t * t)], axis=1)
    return moved(np.vstack([side, edge, side[::-1] * vector([-1, 1])]), 0.5)


def _dress_sleeves(canvas: Canvas, look: Look) -> None:
    length = look.between(7, 0.2, 0.42) + (0.1 if look.form == "shirt dress" else 0)
    puff = look.between(8, 0.05, 0.11)
    sleeve = smooth(
        [
            (0.61, 0.09),
            (0.66, 0.105),
            (0.68 + puff, 0.1 + length * 0.6),
            (0.67 + puff * 0.6, 0.1 + length),
            (0.61 + puff * 0.5, 0.11 + length),
            (0.63, 0.26),
        ]
    )
    for flip in (False, True):
        canvas.fill(mirrored(sleeve) if flip else sleeve, look.cloth(degrees=-15 if flip else 15))


def _finish_dress(
    canvas: Canvas, look: Look, skirt: Mask, waist: float, line: float, hem: float
) -> None:
    if look.form in ("shirt dress",):
        canvas.fill(
            rounded(0.485, 0.15, 0.515, hem + 0.05, 0), look.cloth(), clip=None, bevel=0.004
        )
        for i in range(8):
            y = 0.2 + i * (hem - 0.24) / 7
            canvas.fill(ellipse(0.5, y, 0.009, 0.009), (0.95, 0.93, 0.88), cast=0.35, bevel=0.004)
        for flip in (False, True):
            flap = points([(0.5, 0.2), (0.58, 0.08), (0.635, 0.14), (0.555, 0.235)])
            canvas.fill(mirrored(flap) if flip else flap, look.cloth(), bevel=0.008, cast=0.3)
    style = look.choice(9, 3)
    if style == 0 or look.form == "shirt dress":
        belt = [(0.5 - waist - 0.004, line), (0.5, line + 0.008), (0.5 + waist + 0.004, line)]
        canvas.line(smooth(belt, closed=False), 0.03, look.trim, gloss=0.2, cast=0.3)
        canvas.fill(
            rounded(0.48, line - 0.015, 0.52, line + 0.03, 0.006),
            (0.85, 0.7, 0.35),
            holes=[rounded(0.488, line - 0.006, 0.512, line + 0.021, 0.003)],
            gloss=0.5,
            bevel=0.004,
        )
    elif style == 1:
        for dx in (-1, 1):
            bow = smooth(
                [(0.5, line), (0.5 + dx * 0.07, line - 0.035), (0.5 + dx * 0.075, line + 0.03)]
            )
            canvas.fill(bow, look.trim, bevel=0.012, cast=0.25)
            tail = [(0.5, line), (0.5 + dx * 0.02, line + 0.07), (0.5 + dx * 0.035, line + 0.14)]
            canvas.line(smooth(tail, closed=False), 0.014, look.trim, cast=0.2)
        canvas.fill(ellipse(0.5, line, 0.014, 0.016), look.trim, cast=0.3)
    if look.numbers[10] > 0.55:
        canvas.fill(rounded(0.05, hem - 0.05, 0.95, hem - 0.015, 0), look.trim, clip=skirt, depth=0)


KINDS = (
    Kind(
        "dress",
        "dresses",
        ("sundress", "shirt dress", "tea dress", "slip dress"),
        draw_dress,
        "flat",
        FABRIC_PATTERNS,
        ("cotton", "linen", "viscose", "velvet", "denim"),
        (39, 180),
    ),
)
