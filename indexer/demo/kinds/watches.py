"""Wristwatches and sunglasses."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import (
    INK,
    METALS,
    PAPER,
)
from indexer.demo.light import Colour, across, darker, legible, lighter
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    ellipse,
    mirrored,
    moved,
    points,
    ribbon,
    ring,
    rounded,
    smooth,
    turned,
    vector,
)


def draw_watch(canvas: Canvas, look: Look) -> None:
    """Draw a wristwatch, its strap laid out straight."""
    metal = METALS[look.choice(0, 4)]
    radius = look.between(1, 0.17, 0.215)
    wide = radius * look.between(2, 0.55, 0.72)
    _strap(canvas, look, metal, wide)
    square = look.form == "square watch"
    canvas.fill(
        rounded(0.5 + radius, 0.475, 0.5 + radius + 0.035, 0.525, 0.01),
        metal,
        gloss=0.6,
        bevel=0.01,
    )
    if look.form == "chronograph":
        for y in (0.39, 0.59):
            canvas.fill(
                rounded(0.48 + radius, y, 0.51 + radius, y + 0.03, 0.006),
                metal,
                gloss=0.6,
                bevel=0.008,
            )
    case = (
        rounded(0.5 - radius, 0.5 - radius, 0.5 + radius, 0.5 + radius, 0.05)
        if square
        else ellipse(0.5, 0.5, radius, radius)
    )
    canvas.fill(case, metal, bevel=0.016, depth=0.6, gloss=0.7, cast=0.35)
    face = look.trim if look.numbers[3] > 0.4 else (PAPER, INK)[look.choice(4, 2)]
    inner = radius * look.between(5, 0.8, 0.88)
    dial = (
        rounded(0.5 - inner, 0.5 - inner, 0.5 + inner, 0.5 + inner, 0.035)
        if square
        else ellipse(0.5, 0.5, inner, inner)
    )
    glass = canvas.fill(dial, face, bevel=0.012, depth=-0.4)
    _watch_dial(canvas, look, inner, face)
    canvas.tone(turned(rounded(0.3, 0.36, 0.7, 0.42, 0.03), -35), 0.22, blur=0.012, clip=glass)


def _strap(canvas: Canvas, look: Look, metal: Colour, wide: float) -> None:
    for y0, y1 in ((0.03, 0.45), (0.55, 0.97)):
        taper = 0.8
        outer, inner = (y0, y1) if y0 < 0.3 else (y1, y0)
        strap = points(
            [
                (0.5 - wide * taper, outer),
                (0.5 + wide * taper, outer),
                (0.5 + wide, inner),
                (0.5 - wide, inner),
            ]
        )
        if look.form == "bracelet watch":
            shape = canvas.fill(
                strap,
                look.stuff(metal, "steel"),
                bevel=0.015,
                depth=0.4,
                light=across(0.5, wide, 0.35),
            )
            for i in range(12):
                y = y0 + i * 0.036
                canvas.tone(
                    rounded(0.5 - wide, y, 0.5 + wide, y + 0.008, 0), -0.5, blur=0.002, clip=shape
                )
            for dx in (-0.4, 0.4):
                canvas.tone(
                    ribbon([(0.5 + dx * wide, y0), (0.5 + dx * wide, y1)], 0.008),
                    -0.35,
                    blur=0.002,
                    clip=shape,
                )
        else:
            canvas.fill(strap, look.cloth(scale=0.6), bevel=0.02, depth=0.45)
            for side in (-0.86, 0.86):
                canvas.stitch(
                    [(0.5 + side * wide * taper, outer), (0.5 + side * wide, inner)],
                    look.second,
                    width=0.005,
                )
    if look.form != "bracelet watch":
        buckle = rounded(0.5 - wide * 0.98, 0.025, 0.5 + wide * 0.98, 0.085, 0.014)
        canvas.fill(
            buckle,
            metal,
            holes=[rounded(0.5 - wide * 0.76, 0.042, 0.5 + wide * 0.76, 0.07, 0.008)],
            gloss=0.7,
            bevel=0.008,
        )
        for i in range(4):
            canvas.fill(
                ellipse(0.5, 0.78 + i * 0.04, 0.008, 0.008),
                darker(look.main, 0.35),
                bevel=0.004,
                depth=-0.3,
            )


def _watch_dial(canvas: Canvas, look: Look, radius: float, face: Colour) -> None:
    ink = legible(face, face)
    if look.form == "chronograph":
        for dx, dy in ((-0.42, 0), (0.42, 0), (0, 0.42)):
            x, y = 0.5 + dx * radius, 0.5 + dy * radius
            canvas.fill(
                ellipse(x, y, radius * 0.24, radius * 0.24), look.second, bevel=0.006, depth=-0.4
            )
            canvas.line([(x, y), (x + radius * 0.1, y - radius * 0.16)], 0.006, ink, depth=0)
    long = look.between(6, 0.72, 0.84)
    for hour in range(12):
        mark = ribbon(
            [(0.5, 0.5 - radius * 0.95), (0.5, 0.5 - radius * long)],
            0.017 if hour % 3 == 0 else 0.008,
        )
        canvas.fill(turned(mark, hour * 30), ink, depth=0)
    canvas.text(look.brand.split()[0].upper(), 0.5, 0.5 - radius * 0.42, 0.026, ink, width=radius)
    for degrees, length, width in (
        (look.between(7, 0, 360), 0.52, 0.02),
        (look.between(8, 0, 360), 0.78, 0.013),
    ):
        hand = ribbon(
            [(0.5, 0.5 + radius * 0.14), (0.5, 0.5 - radius * length)], width, width * 0.5
        )
        canvas.fill(turned(hand, degrees), ink, cast=0.3, depth=0)
    second = ribbon([(0.5, 0.5 + radius * 0.2), (0.5, 0.5 - radius * 0.85)], 0.006)
    canvas.fill(turned(second, look.between(9, 0, 360)), look.second, depth=0, cast=0.2)
    canvas.fill(ellipse(0.5, 0.5, 0.012, 0.012), look.second, bevel=0.004)


def _lens(look: Look) -> Array:
    """Return the outline of the right lens."""
    cx, wide, high = 0.7, look.between(0, 0.135, 0.17), look.between(1, 0.1, 0.14)
    if look.form == "round sunglasses":
        return ellipse(cx, 0.5, wide * 0.95, wide * 0.95)
    if look.form == "aviator sunglasses":
        return smooth(
            [
                (cx - wide * 0.85, 0.42),
                (cx, 0.395),
                (cx + wide, 0.42),
                (cx + wide * 0.95, 0.53),
                (cx + wide * 0.3, 0.5 + high * 1.25),
                (cx - wide * 0.5, 0.5 + high),
                (cx - wide, 0.5),
            ]
        )
    if look.form == "cat-eye sunglasses":
        return smooth(
            [
                (cx - wide * 0.9, 0.44),
                (cx, 0.42),
                (cx + wide * 1.05, 0.37),
                (cx + wide, 0.5),
                (cx + wide * 0.35, 0.5 + high * 0.9),
                (cx - wide * 0.5, 0.5 + high * 0.85),
                (cx - wide * 0.9, 0.53),
            ]
        )
    return smooth(
        [
            (cx - wide * 0.95, 0.42),
            (cx, 0.405),
            (cx + wide, 0.42),
            (cx + wide * 0.92, 0.5 + high * 0.7),
            (cx + wide * 0.5, 0.5 + high),
            (cx - wide * 0.4, 0.5 + high),
            (cx - wide * 0.85, 0.5 + high * 0.55),
        ],
        steps=8,
    )


def draw_sunglasses(canvas: Canvas, look: Look) -> None:
    """Draw sunglasses from the front, folded."""
    lens = _lens(look)
    wire = look.form in ("aviator sunglasses", "round sunglasses") and look.numbers[2] > 0.4
    thick = 0.014 if wire else look.between(3, 0.03, 0.048)
    frame = look.stuff(METALS[look.choice(4, 4)]) if wire else look.cloth(scale=0.5)
    middle = lens.mean(axis=0)
    temple = smooth(
        [(float(lens[:, 0].max()), 0.43), (0.88, 0.5), (0.62, 0.63), (0.3, 0.665)], closed=False
    )
    for flip in (False, True):
        path = moved(mirrored(temple) if flip else temple, 0, 0.012 if flip else 0)
        canvas.line(
            path, thick * 0.8, darker(look.second if wire else look.main, 0.75), bevel=0.006
        )
    bridge = look.between(5, 0.42, 0.48)
    nose = arc(0.5, bridge + 0.03, 0.07, 0.045, 180, 360)
    canvas.line(nose, thick * 0.95, frame, gloss=0.3)
    if look.form == "aviator sunglasses":
        canvas.line([(0.42, 0.405), (0.5, 0.4), (0.58, 0.405)], thick * 0.8, frame, gloss=0.4)
    tints = (darker(look.trim, 0.45), (0.1, 0.1, 0.12), lighter(look.trim, 0.1), (0.3, 0.2, 0.12))
    tint = tints[look.choice(6, 4)]
    fade = look.between(7, 0.0, 0.65)

    def glass(x: Array, y: Array, px: float) -> Array:
        t = np.clip((y - 0.4) / 0.22, 0, 1)[..., None] * fade
        return vector(vector(tint) * (1 - t) + vector(lighter(tint, 0.75)) * t + 0 * x[..., None])

    for flip in (False, True):
        shape = mirrored(lens) if flip else lens
        rim = (shape - shape.mean(axis=0)) * vector(1 + thick / 0.14) + shape.mean(axis=0)
        if not wire:
            canvas.fill(rim, frame, bevel=0.014, depth=0.5, gloss=0.45, cast=0.25)
        eye = canvas.fill(shape, glass, bevel=0.01, depth=-0.25, opacity=0.93)
        if wire:
            canvas.fill(ring(shape, thick), frame, bevel=0.005, gloss=0.5, depth=0.5)
        cx = float(shape[:, 0].mean())
        for dx in (-0.045, 0.0):
            canvas.tone(
                ribbon([(cx + dx + 0.05, 0.4), (cx + dx - 0.03, 0.6)], 0.022),
                0.3,
                blur=0.006,
                clip=eye,
            )
    for flip in (False, True):
        x = float(middle[0] + (lens[:, 0].max() - middle[0]) * (1 + thick / 0.17))
        dot = ellipse(x - thick / 2, 0.435, 0.008, 0.008)
        canvas.fill(
            mirrored(dot) if flip else dot, METALS[look.choice(8, 3)], gloss=0.6, bevel=0.004
        )


KINDS = (
    Kind(
        "watch",
        "watches",
        ("watch", "chronograph", "bracelet watch", "square watch"),
        draw_watch,
        "flat",
        ("plain", "striped", "deckchair-striped", "camouflage", "dotted", "zigzag", "plain"),
        ("leather", "nylon", "suede", "silicone"),
        (49, 420),
    ),
    Kind(
        "sunglasses",
        "sunglasses",
        ("round sunglasses", "aviator sunglasses", "cat-eye sunglasses", "square sunglasses"),
        draw_sunglasses,
        "flat",
        ("plain", "marbled", "speckled", "ombré", "plain", "terrazzo", "striped"),
        ("acetate", "bio-acetate", "metal"),
        (25, 190),
    ),
)
