"""Tops: T-shirts, jumpers, polo shirts, hoodies."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    FABRIC_PATTERNS,
    fold,
    inside_neck,
)
from indexer.demo.light import darker, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    ellipse,
    lathe,
    mirrored,
    points,
    ribbon,
    rounded,
    smooth,
    star,
    vector,
)


def _sleeve(form: str, shoulder: float, bust: float, length: float) -> Array:
    """Return the right sleeve."""
    if form in ("T-shirt", "polo shirt"):
        out = 0.10 + 0.1 * length
        return points(
            [
                (0.5 + shoulder - 0.06, 0.155),
                (0.5 + shoulder, 0.18),
                (0.5 + shoulder + out, 0.36 + 0.06 * length),
                (0.5 + shoulder + out - 0.115, 0.43 + 0.06 * length),
                (0.5 + bust - 0.03, 0.36),
                (0.5 + shoulder - 0.1, 0.25),
            ]
        )
    return np.vstack(
        [
            smooth(
                [
                    (0.5 + shoulder - 0.06, 0.155),
                    (0.5 + shoulder + 0.015, 0.19),
                    (0.5 + shoulder + 0.10, 0.42),
                    (0.5 + shoulder + 0.145, 0.79),
                ],
                closed=False,
            ),
            smooth(
                [
                    (0.5 + shoulder + 0.055, 0.81),
                    (0.5 + shoulder + 0.01, 0.55),
                    (0.5 + bust - 0.03, 0.36),
                ],
                closed=False,
            ),
            points([(0.5 + shoulder - 0.1, 0.25)]),
        ]
    )


def _print(canvas: Canvas, look: Look, body: Mask) -> None:
    """Put something on the chest: a badge, a word, a pocket or a disc."""
    what = look.choice(5, 6)
    size = look.between(6, 0.07, 0.11)
    if what == 0:
        pocket = rounded(0.55, 0.33, 0.55 + size * 1.15, 0.33 + size * 1.3, 0.012)
        canvas.fill(pocket, look.cloth(degrees=8), bevel=0.006, cast=0.2)
        canvas.stitch(pocket, look.second)
    elif what == 1:
        canvas.text(
            look.brand.split()[0].upper(),
            0.5,
            0.42,
            0.075,
            legible(look.trim, look.main),
            clip=body,
            width=0.3,
        )
    elif what == 2:
        canvas.fill(ellipse(0.5, 0.44, size * 1.15, size * 1.15), look.trim, depth=0, clip=body)
        canvas.fill(star(0.5, 0.44, size, size * 0.42), look.second, depth=0, clip=body)
    elif what == 3:
        canvas.fill(rounded(0.37, 0.37, 0.63, 0.5, 0.01), look.trim, depth=0, clip=body)
        canvas.text(
            look.brand.split()[0],
            0.5,
            0.435,
            0.06,
            legible(look.second, look.trim),
            clip=body,
            width=0.22,
        )
    elif what == 4:
        for i, radius in enumerate((1.3, 0.95, 0.6)):
            ink = (look.trim, look.second, look.trim)[i]
            sun = arc(0.5, 0.48, size * radius, size * radius, 180, 360)
            canvas.fill(sun, ink, depth=0, clip=body)


def draw_top(canvas: Canvas, look: Look) -> None:
    """Draw a T-shirt, a polo shirt, a jumper, a hoodie or a tank top."""
    shoulder, bust = look.between(0, 0.20, 0.235), look.between(1, 0.2, 0.225)
    hem, neck = look.between(2, 0.205, 0.25), look.between(3, 0.075, 0.1)
    deep = look.between(4, 0.19, 0.25)
    cloth = look.cloth()
    if look.form == "tank top":
        shoulder -= 0.05
    else:
        for side in (0, 1):
            sleeve = _sleeve(look.form, shoulder, bust, look.numbers[7])
            paint = look.cloth(degrees=-24 if side else 24)
            if look.pattern == "colour-block":
                paint = look.stuff(look.trim, look.material)
            arm = canvas.fill(mirrored(sleeve) if side else sleeve, paint, depth=0.3)
            long = look.form in ("jumper", "hoodie", "sweatshirt")
            ends = [(0.5 + shoulder + 0.05, 0.785), (0.5 + shoulder + 0.16, 0.765)]
            if long:
                cuff = ribbon(mirrored(ends) if side else ends, 0.05)
                canvas.fill(cuff, look.stuff(look.trim, look.material), clip=arm, bevel=0.008)
    inside_neck(canvas, look, neck, 0.125, deep)
    half = [
        (neck, 0.125),
        (shoulder, 0.165),
        (bust - (0.03 if look.form == "tank top" else 0), 0.34),
        (bust + 0.002, 0.42),
        ((bust + hem) / 2 - 0.004, 0.62),
        (hem, 0.87),
    ]
    edge = smooth(half, closed=False)
    bottom = [(0.1, 0.886), (-0.1, 0.886)]
    scoop = arc(0, 0.125, neck, deep - 0.125, 180, 0)
    outline = np.vstack([edge, points(bottom), edge[::-1] * vector([-1, 1]), scoop])
    body = canvas.fill(outline + vector([0.5, 0]), cloth, bevel=0.03, depth=0.34, cast=0.25)
    collar = arc(0.5, 0.125, neck + 0.004, deep - 0.125 + 0.004, 180, 0)
    canvas.line(
        collar, 0.026, look.stuff(look.trim, look.material), clip=None, bevel=0.007, cast=0.2
    )
    for dx in (-1, 1):
        fold(canvas, [(0.5 + dx * bust * 0.9, 0.4), (0.5 + dx * 0.1, 0.52)], 0.16, body, 0.03)
        fold(canvas, [(0.5 + dx * hem * 0.5, 0.84), (0.5 + dx * hem * 0.35, 0.6)], 0.12, body, 0.03)
    _finish_top(canvas, look, body, neck, deep, hem)


def _finish_top(
    canvas: Canvas, look: Look, body: Mask, neck: float, deep: float, hem: float
) -> None:
    rib = look.stuff(look.trim, look.material)
    if look.form in ("jumper", "sweatshirt", "hoodie"):
        canvas.fill(rounded(0.2, 0.835, 0.8, 0.9, 0), rib, clip=body, bevel=0.006)
    else:
        canvas.stitch([(0.5 - hem, 0.862), (0.5 + hem, 0.862)], look.second, width=0.004)
    if look.form == "hoodie":
        hood = lathe(
            [(0.02, 0.065), (neck + 0.05, 0.085), (neck + 0.06, 0.16), (0.03, deep + 0.05)]
        )
        canvas.fill(hood, look.cloth(plain=True), bevel=0.03, cast=0.3)
        lining = lathe([(0.01, 0.085), (neck, 0.11), (neck + 0.005, 0.16), (0.02, deep + 0.02)])
        canvas.fill(lining, darker(look.second, 0.6), bevel=0.02, depth=-0.25)
        for dx in (-0.035, 0.035):
            canvas.line(
                [(0.5 + dx, deep), (0.5 + dx * 1.2, deep + 0.17)], 0.012, look.trim, cast=0.3
            )
        pouch = [(0.41, 0.62), (0.59, 0.62), (0.66, 0.78), (0.34, 0.78)]
        canvas.fill(points(pouch), look.cloth(plain=True), bevel=0.01, cast=0.25)
        return
    if look.form == "polo shirt":
        for flip in (False, True):
            flap = points(
                [(0.5, deep + 0.01), (0.5 + neck, 0.12), (0.54 + neck, 0.2), (0.55, deep + 0.05)]
            )
            canvas.fill(mirrored(flap) if flip else flap, rib, bevel=0.008, cast=0.25)
        canvas.fill(rounded(0.482, deep, 0.518, deep + 0.15, 0.006), rib, bevel=0.005, cast=0.15)
        for i in range(3):
            canvas.fill(
                ellipse(0.5, deep + 0.03 + i * 0.045, 0.008, 0.008), (0.96, 0.95, 0.9), cast=0.3
            )
    if look.pattern in ("plain", "striped", "ombré", "pinstriped", "dotted"):
        _print(canvas, look, body)


KINDS = (
    Kind(
        "top",
        "tops",
        ("T-shirt", "jumper", "polo shirt", "hoodie", "tank top", "sweatshirt"),
        draw_top,
        "flat",
        FABRIC_PATTERNS,
        ("cotton", "merino", "linen", "lambswool", "organic cotton"),
        (15, 95),
    ),
)
