"""Sneakers, seen from the side."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    GUM,
    RUBBER,
    WHITE,
    laces,
)
from indexer.demo.light import darker, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    ellipse,
    moved,
    points,
    rounded,
    smooth,
    star,
)


def _sole(canvas: Canvas, look: Look, line: Array, thick: float) -> None:
    """Lay a sole under the line that runs from heel to toe."""
    style = look.choice(8, 4)
    tint = (WHITE, GUM, RUBBER, look.trim)[style]
    top = line[:, 1]
    ground = float(top.max()) + thick
    toe, heel = line[-1], line[0]
    under = smooth(
        [
            (toe[0] + 0.012, toe[1] + 0.02),
            (toe[0] - 0.02, ground - 0.018),
            (toe[0] - 0.12, ground),
            (0.5, ground),
            (0.14, ground),
            (heel[0] + 0.012, ground - 0.012),
            (heel[0] - 0.012, heel[1] + 0.02),
        ],
        closed=False,
    )
    sole = canvas.fill(np.vstack([line, under]), tint, bevel=0.014, depth=0.4, cast=0.2)
    stripe = np.stack([line[:, 0], top * 0.3 + ground * 0.7], axis=1)
    if style in (0, 3):
        canvas.line(moved(stripe, 0, -0.008), 0.01, look.second, clip=sole, bevel=0.002)
    for x in np.arange(0.1, 0.9, 0.03):
        canvas.tone(
            rounded(x, ground - 0.012, x + 0.012, ground, 0.002), -0.4, blur=0.003, clip=sole
        )


def _mark(canvas: Canvas, look: Look, upper: Mask) -> None:
    """Put the maker's mark on the side."""
    what = look.choice(7, 5)
    if what == 0:
        for i in range(3):
            bar = [(0.40 + i * 0.055, 0.6), (0.46 + i * 0.055, 0.72)]
            canvas.line(bar, 0.024, look.trim, clip=upper, bevel=0.004)
    elif what == 1:
        swoosh = smooth(
            [(0.27, 0.55), (0.34, 0.66), (0.47, 0.66), (0.66, 0.57), (0.48, 0.7), (0.31, 0.7)]
        )
        canvas.fill(swoosh, look.trim, clip=upper, bevel=0.005, cast=0.15)
    elif what == 2:
        canvas.fill(star(0.42, 0.62, 0.065, 0.027), look.trim, bevel=0.004, cast=0.2)
    elif what == 3:
        path = smooth(
            [(0.25, 0.6), (0.36, 0.69), (0.44, 0.6), (0.55, 0.7), (0.68, 0.66)], closed=False
        )
        canvas.line(path, 0.032, look.trim, clip=upper, bevel=0.006)
        canvas.line(moved(path, 0, 0.035), 0.01, look.second, clip=upper)
    else:
        canvas.fill(ellipse(0.42, 0.63, 0.05, 0.05), look.trim, bevel=0.006, cast=0.2)
        canvas.text(look.brand[0], 0.42, 0.63, 0.07, legible(look.second, look.trim))


def draw_sneaker(canvas: Canvas, look: Look) -> None:
    """Draw a sneaker with its toe to the right."""
    high = look.form == "high-top sneaker"
    slip = look.form == "slip-on sneaker"
    collar = look.between(0, 0.25, 0.3) if high else look.between(0, 0.4, 0.45)
    toe = look.between(1, 0.63, 0.67)
    tongue = collar - (0.03 if slip else 0.06)
    runner = look.form == "running shoe"
    line = smooth(
        [(0.06, 0.73), (0.2, 0.745), (0.45, 0.75), (0.7, 0.745), (0.86, 0.745), (0.945, 0.72)],
        closed=False,
    )
    if not slip:
        flap = smooth(
            [
                (0.31, collar + 0.05),
                (0.35, tongue),
                (0.4, tongue - 0.012),
                (0.45, tongue + 0.03),
                (0.57, 0.565),
                (0.5, 0.62),
            ]
        )
        canvas.fill(flap, look.stuff(look.trim, look.material), bevel=0.015, depth=0.45)
    opening = smooth(
        [(0.12, collar + 0.02), (0.25, collar - 0.012), (0.37, collar + 0.01), (0.3, collar + 0.06)]
    )
    canvas.fill(opening, darker(look.second, 0.55), bevel=0.02)
    outline = smooth(
        [
            (0.065, 0.75),
            (0.072, 0.62),
            (0.095, 0.5),
            (0.085, collar + 0.02),
            (0.125, collar - 0.005),
            (0.22, collar + 0.045),
            (0.34, collar + 0.035),
            (0.41, collar + 0.06 + (0.07 if high else 0)),
            (0.55, 0.555),
            (0.68, 0.595),
            (0.82, toe - 0.03),
            (0.915, toe + 0.03),
            (0.945, 0.74),
            (0.9, 0.76),
            (0.5, 0.77),
        ]
    )
    upper = canvas.fill(outline, look.cloth(scale=0.85, degrees=-8), bevel=0.045, depth=0.5)
    _panels(canvas, look, upper, collar)
    if slip:
        gore = points([(0.36, collar + 0.03), (0.46, 0.5), (0.42, 0.6), (0.34, 0.52)])
        canvas.fill(gore, look.trim, clip=upper, bevel=0.006)
    else:
        guard = smooth(
            [
                (0.36, collar + 0.04),
                (0.62, 0.585),
                (0.57, 0.64),
                (0.42, 0.6 if not high else 0.5),
                (0.32, collar + 0.09),
            ]
        )
        canvas.fill(
            guard, look.stuff(look.second, look.material), clip=upper, bevel=0.01, cast=0.15
        )
        laces(
            canvas,
            look,
            [(0.385, collar + 0.085), (0.56, 0.605)],
            [(0.435, collar + 0.05), (0.625, 0.585)],
            6 if high else 5,
        )
    _mark(canvas, look, upper)
    _sole(canvas, look, line, look.between(2, 0.055, 0.085) + (0.03 if runner else 0))


def _panels(canvas: Canvas, look: Look, upper: Mask, collar: float) -> None:
    heel = smooth([(0.03, 0.8), (0.05, 0.5), (0.2, 0.56), (0.24, 0.7), (0.24, 0.8)])
    canvas.fill(heel, look.stuff(look.second, look.material), clip=upper, bevel=0.012, depth=0.35)
    cap = smooth([(0.72, 0.8), (0.75, 0.66), (0.84, 0.6), (1, 0.62), (1, 0.8)])
    cap_tint = WHITE if look.form == "high-top sneaker" else look.second
    canvas.fill(cap, cap_tint, clip=upper, bevel=0.025, depth=0.4)
    canvas.stitch(
        smooth([(0.73, 0.745), (0.755, 0.66), (0.83, 0.62)], closed=False), look.trim, width=0.004
    )
    canvas.line(
        smooth([(0.1, collar + 0.02), (0.22, collar + 0.055), (0.36, collar + 0.05)], closed=False),
        0.026,
        look.trim,
        clip=upper,
        bevel=0.008,
    )


KINDS = (
    Kind(
        "sneaker",
        "sneakers",
        ("low-top sneaker", "high-top sneaker", "running shoe", "slip-on sneaker"),
        draw_sneaker,
        "standing",
        (
            "plain",
            "striped",
            "colour-block",
            "dotted",
            "gingham",
            "camouflage",
            "floral",
            "zigzag",
            "ombré",
            "geometric",
            "star-print",
            "leaf-print",
            "tartan",
        ),
        ("canvas", "suede", "leather", "mesh", "denim"),
        (45, 160),
    ),
)
