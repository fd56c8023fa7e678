"""Handbags, seen from the front."""

from __future__ import annotations

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import (
    METALS,
    badge,
    fold,
)
from indexer.demo.light import Colour, across, darker
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    arc,
    ellipse,
    lathe,
    moved,
    points,
    rounded,
    smooth,
)


def draw_handbag(canvas: Canvas, look: Look) -> None:
    """Draw a tote, a shoulder bag, a bucket bag or a satchel."""
    {"tote": _tote, "shoulder bag": _shoulder, "bucket bag": _bucket, "satchel": _satchel}[
        look.form
    ](canvas, look)


def _tote(canvas: Canvas, look: Look) -> None:
    top, wide, base = (
        look.between(0, 0.34, 0.44),
        look.between(1, 0.27, 0.36),
        look.between(2, 0.24, 0.33),
    )
    reach, spread = look.between(3, 0.07, 0.17), look.between(4, 0.1, 0.15)
    strap = look.trim
    back = smooth(
        [
            (0.5 - spread + 0.02, top + 0.05),
            (0.5 - spread + 0.04, reach + 0.04),
            (0.5, reach - 0.01),
            (0.5 + spread - 0.02, reach + 0.04),
            (0.5 + spread, top + 0.05),
        ],
        closed=False,
    )
    canvas.line(back, 0.03, darker(strap, 0.65))
    canvas.fill(ellipse(0.5, top + 0.004, wide, 0.02), darker(look.main, 0.5))
    body = points(
        [
            (0.5 - wide, top),
            (0.5 + wide, top),
            (0.5 + base, 0.9),
            (0.5 + base - 0.03, 0.925),
            (0.5 - base + 0.03, 0.925),
            (0.5 - base, 0.9),
        ]
    )
    bag = canvas.fill(body, look.cloth(), bevel=0.035, depth=0.4)
    fold(canvas, [(0.5 - wide * 0.7, top + 0.1), (0.5 - base * 0.8, 0.7)], 0.12, bag, 0.04)
    fold(canvas, [(0.5 + wide * 0.5, top + 0.15), (0.5 + base * 0.8, 0.85)], 0.14, bag, 0.04)
    if look.numbers[5] > 0.45:
        canvas.fill(
            rounded(0, 0.79, 1, 1, 0), look.stuff(strap, look.material), clip=bag, bevel=0.008
        )
        canvas.stitch([(0.5 - base, 0.8), (0.5 + base, 0.8)], look.second)
    canvas.stitch([(0.5 - wide + 0.01, top + 0.03), (0.5 + wide - 0.01, top + 0.03)], look.second)
    front = smooth(
        [
            (0.5 - spread, top + 0.14),
            (0.5 - spread, top),
            (0.5 - spread + 0.03, reach + 0.08),
            (0.5, reach + 0.03),
            (0.5 + spread - 0.03, reach + 0.08),
            (0.5 + spread, top),
            (0.5 + spread, top + 0.14),
        ],
        closed=False,
    )
    canvas.line(front, 0.034, look.stuff(strap, look.material), cast=0.3)
    for dx in (-spread, spread):
        canvas.stitch([(0.5 + dx, top + 0.02), (0.5 + dx, top + 0.13)], look.second)
    if look.pattern == "plain" or look.numbers[6] > 0.6:
        badge(canvas, look, 0.5, look.between(7, top + 0.12, 0.7))


def _shoulder(canvas: Canvas, look: Look) -> None:
    metal = METALS[look.choice(8, 4)]
    top, wide = look.between(0, 0.48, 0.54), look.between(1, 0.32, 0.4)
    loop = arc(0.5, top + 0.04, wide * 0.82, top - look.between(2, 0.06, 0.2), 180, 360)
    if look.numbers[3] > 0.5:
        for x, y in loop:
            canvas.fill(
                ellipse(x, y, 0.017, 0.017),
                metal,
                holes=[ellipse(x, y, 0.007, 0.007)],
                gloss=0.6,
                bevel=0.006,
            )
    else:
        canvas.line(loop, 0.034, look.stuff(look.trim, look.material))
    body = smooth(
        [
            (0.5 - wide * 0.95, top),
            (0.5, top - 0.015),
            (0.5 + wide * 0.95, top),
            (0.5 + wide, 0.7),
            (0.5 + wide * 0.88, 0.86),
            (0.5, 0.885),
            (0.5 - wide * 0.88, 0.86),
            (0.5 - wide, 0.7),
        ]
    )
    canvas.fill(body, look.stuff(darker(look.main, 0.85), look.material), bevel=0.05, depth=0.5)
    drop = look.between(4, 0.66, 0.78)
    flap = smooth(
        [
            (0.5 - wide * 0.97, top),
            (0.5, top - 0.02),
            (0.5 + wide * 0.97, top),
            (0.5 + wide * 0.93, drop - 0.05),
            (0.5 + wide * 0.45, drop),
            (0.5, drop + 0.03),
            (0.5 - wide * 0.45, drop),
            (0.5 - wide * 0.93, drop - 0.05),
        ]
    )
    canvas.fill(flap, look.cloth(), bevel=0.035, depth=0.45, cast=0.45, gloss=0.1)
    seam = smooth(
        [
            (0.5 - wide * 0.89, drop - 0.065),
            (0.5 - wide * 0.43, drop - 0.02),
            (0.5, drop + 0.01),
            (0.5 + wide * 0.43, drop - 0.02),
            (0.5 + wide * 0.89, drop - 0.065),
        ],
        closed=False,
    )
    canvas.stitch(seam, look.second)
    _clasp(canvas, look, drop, metal)


def _clasp(canvas: Canvas, look: Look, drop: float, metal: Colour) -> None:
    style = look.choice(5, 3)
    if style == 0:
        canvas.fill(ellipse(0.5, drop, 0.035, 0.035), metal, gloss=0.7, bevel=0.012, cast=0.4)
    elif style == 1:
        canvas.fill(
            rounded(0.455, drop - 0.035, 0.545, drop + 0.045, 0.012),
            metal,
            holes=[rounded(0.472, drop - 0.018, 0.528, drop + 0.028, 0.008)],
            gloss=0.7,
            bevel=0.007,
            cast=0.4,
        )
    else:
        for dx in (-0.02, 0, 0.02):
            tassel = smooth(
                [(0.5, drop - 0.01), (0.5 + dx, drop + 0.06), (0.5 + dx * 1.6, drop + 0.13)],
                closed=False,
            )
            canvas.line(tassel, 0.022, look.trim, cast=0.25)
        canvas.fill(ellipse(0.5, drop, 0.022, 0.022), metal, gloss=0.6, bevel=0.008)


def _bucket(canvas: Canvas, look: Look) -> None:
    top, wide = look.between(0, 0.38, 0.46), look.between(1, 0.21, 0.27)
    base = wide + look.between(2, 0.01, 0.07)
    strap = arc(0.5, top + 0.06, wide, top - look.between(3, 0.04, 0.14), 180, 360)
    canvas.line(strap, 0.03, look.stuff(look.trim, look.material))
    body = lathe(
        [
            (wide * 0.9, top),
            (wide * 0.96, top + 0.08),
            (wide, top + 0.16),
            (base, 0.78),
            (base, 0.9),
            (base * 0.9, 0.925),
        ]
    )
    bag = canvas.fill(body, look.cloth(), bevel=0.05, depth=0.5, light=across(0.5, base, 0.3))
    for i in range(-4, 5):
        x = 0.5 + i * wide * 0.22
        fold(
            canvas,
            [(x, top), (0.5 + i * wide * 0.2, top + 0.09), (0.5 + i * base * 0.21, top + 0.2)],
            0.22,
            bag,
            0.018,
        )
    canvas.fill(
        rounded(0, 0.8, 1, 1, 0),
        look.stuff(look.trim, look.material),
        clip=bag,
        bevel=0.01,
        light=across(0.5, base, 0.3),
    )
    canvas.line(
        [(0.5 - wide * 1.02, top + 0.1), (0.5, top + 0.112), (0.5 + wide * 1.02, top + 0.1)],
        0.016,
        look.second,
        cast=0.35,
    )
    for dx in (-0.03, 0.035):
        cord = smooth(
            [
                (0.5, top + 0.11),
                (0.5 + dx, top + 0.2),
                (0.5 + dx * 1.5, top + look.between(4, 0.24, 0.32)),
            ],
            closed=False,
        )
        canvas.line(cord, 0.014, look.second, cast=0.3)
        canvas.fill(moved(ellipse(0, 0, 0.016, 0.022), *cord[-1]), look.trim, cast=0.3)
    badge(canvas, look, 0.5, 0.72)


def _satchel(canvas: Canvas, look: Look) -> None:
    metal = METALS[look.choice(8, 4)]
    top, wide = look.between(0, 0.36, 0.42), look.between(1, 0.34, 0.41)
    handle = arc(0.5, top + 0.02, 0.12, look.between(2, 0.1, 0.2), 180, 360)
    canvas.line(handle, 0.036, look.stuff(look.trim, look.material), gloss=0.1)
    canvas.fill(
        rounded(0.5 - wide, top, 0.5 + wide, 0.88, 0.05),
        look.stuff(darker(look.main, 0.8), look.material),
        bevel=0.04,
        depth=0.5,
    )
    drop = look.between(3, 0.6, 0.7)
    canvas.fill(
        rounded(0.5 - wide - 0.006, top - 0.005, 0.5 + wide + 0.006, drop, 0.06),
        look.cloth(),
        bevel=0.03,
        cast=0.4,
    )
    canvas.stitch(
        rounded(0.5 - wide + 0.018, top + 0.02, 0.5 + wide - 0.018, drop - 0.022, 0.05), look.second
    )
    for dx in (-wide * 0.52, wide * 0.52):
        x = 0.5 + dx
        canvas.fill(
            rounded(x - 0.028, top + 0.02, x + 0.028, drop + 0.1, 0.02),
            look.stuff(look.trim, look.material),
            bevel=0.008,
            cast=0.35,
        )
        canvas.fill(
            rounded(x - 0.042, drop - 0.01, x + 0.042, drop + 0.05, 0.01),
            metal,
            holes=[rounded(x - 0.026, drop + 0.004, x + 0.026, drop + 0.036, 0.005)],
            gloss=0.7,
            bevel=0.006,
            cast=0.3,
        )
    if look.numbers[4] > 0.4:
        badge(canvas, look, 0.5, (top + drop) / 2)


KINDS = (
    Kind(
        "handbag",
        "handbags",
        ("tote", "shoulder bag", "bucket bag", "satchel"),
        draw_handbag,
        "standing",
        (
            "plain",
            "striped",
            "floral",
            "gingham",
            "dotted",
            "colour-block",
            "leaf-print",
            "diagonal-striped",
            "geometric",
            "tartan",
            "wave-print",
            "deckchair-striped",
            "scalloped",
        ),
        ("leather", "canvas", "linen", "suede", "straw"),
        (28, 240),
    ),
)
