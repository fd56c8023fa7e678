"""Backpacks, seen from the front."""

from __future__ import annotations

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    METALS,
    badge,
)
from indexer.demo.light import across, darker
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    arc,
    ellipse,
    mirrored,
    moved,
    rounded,
    smooth,
)


def draw_backpack(canvas: Canvas, look: Look) -> None:
    """Draw a backpack or a rolltop."""
    wide, top = look.between(0, 0.24, 0.3), look.between(1, 0.13, 0.18)
    cloth, contrast = look.cloth(), look.stuff(look.second, look.material)
    strap = smooth(
        [
            (0.5 + wide * 0.75, top + 0.1),
            (0.5 + wide + 0.07, 0.4),
            (0.5 + wide + 0.06, 0.68),
            (0.5 + wide * 0.9, 0.84),
        ],
        closed=False,
    )
    for flip in (False, True):
        canvas.line(mirrored(strap) if flip else strap, 0.045, darker(look.trim, 0.8), bevel=0.014)
    canvas.line(arc(0.5, top + 0.015, 0.07, 0.07, 180, 360), 0.026, look.trim)
    rolltop = look.form == "rolltop backpack"
    shape = (
        rounded(0.5 - wide, top, 0.5 + wide, 0.92, 0.06)
        if rolltop
        else smooth(
            [
                (0.5 - wide * 0.7, top + 0.02),
                (0.5, top - 0.01),
                (0.5 + wide * 0.7, top + 0.02),
                (0.5 + wide, 0.34),
                (0.5 + wide * 1.04, 0.7),
                (0.5 + wide * 0.93, 0.9),
                (0.5, 0.925),
                (0.5 - wide * 0.93, 0.9),
                (0.5 - wide * 1.04, 0.7),
                (0.5 - wide, 0.34),
            ]
        )
    )
    for dx in (-1, 1):
        side = ellipse(0.5 + dx * wide * 1.02, 0.74, 0.05, 0.14)
        canvas.fill(side, contrast, bevel=0.02, depth=0.4)
    body = canvas.fill(
        shape, cloth, bevel=0.06, depth=0.5, light=across(0.5, wide * 1.1, 0.18), cast=0.3
    )
    _closure(canvas, look, body, top, wide)
    _pocket(canvas, look, body, wide)


def _closure(canvas: Canvas, look: Look, body: Mask, top: float, wide: float) -> None:
    if look.form == "rolltop backpack":
        canvas.fill(
            rounded(0.5 - wide - 0.01, top - 0.02, 0.5 + wide + 0.01, top + 0.07, 0.02),
            look.stuff(look.second, look.material),
            bevel=0.02,
            depth=0.5,
            cast=0.35,
        )
        for offset in (-0.55, 0.55):
            x = 0.5 + offset * wide
            canvas.fill(
                rounded(x - 0.018, top, x + 0.018, 0.62, 0.004), look.trim, bevel=0.006, cast=0.3
            )
            canvas.fill(
                rounded(x - 0.032, 0.4, x + 0.032, 0.46, 0.01),
                METALS[look.choice(8, 4)],
                gloss=0.6,
                bevel=0.008,
                cast=0.3,
            )
    else:
        zip_line = smooth(
            [
                (0.5 - wide * 0.95, 0.46),
                (0.5 - wide * 0.75, top + 0.1),
                (0.5, top + 0.05),
                (0.5 + wide * 0.75, top + 0.1),
                (0.5 + wide * 0.95, 0.46),
            ],
            closed=False,
        )
        canvas.line(zip_line, 0.014, darker(look.main, 0.5), clip=body)
        canvas.stitch(moved(zip_line, 0, 0.018), look.second)
        canvas.fill(
            rounded(0.5 + wide * 0.7, top + 0.1, 0.5 + wide * 0.7 + 0.02, top + 0.16, 0.008),
            look.trim,
            cast=0.3,
        )


def _pocket(canvas: Canvas, look: Look, body: Mask, wide: float) -> None:
    head = look.between(2, 0.5, 0.6)
    style = look.choice(3, 3)
    paint = look.stuff(look.second if style != 1 else look.main, look.material)
    shape = rounded(0.5 - wide * 0.78, head, 0.5 + wide * 0.78, 0.87, look.between(4, 0.02, 0.08))
    canvas.fill(shape, paint, clip=body, bevel=0.03, depth=0.45, cast=0.35)
    if style == 2:
        flap = smooth(
            [
                (0.5 - wide * 0.8, head),
                (0.5 + wide * 0.8, head),
                (0.5 + wide * 0.75, head + 0.1),
                (0.5, head + 0.15),
                (0.5 - wide * 0.75, head + 0.1),
            ]
        )
        canvas.fill(flap, look.cloth(), bevel=0.02, cast=0.4)
        canvas.fill(
            ellipse(0.5, head + 0.11, 0.016, 0.016), METALS[look.choice(8, 4)], gloss=0.6, cast=0.3
        )
    else:
        line = arc(0.5, head + 0.11, wide * 0.66, 0.05, 190, 350)
        canvas.line(line, 0.013, darker(look.second, 0.45))
        canvas.fill(
            rounded(0.5 + wide * 0.5, head + 0.09, 0.5 + wide * 0.5 + 0.016, head + 0.145, 0.006),
            look.trim,
            cast=0.3,
        )
    badge(canvas, look, 0.5, look.between(5, 0.3, 0.4))


KINDS = (
    Kind(
        "backpack",
        "backpacks",
        ("backpack", "rolltop backpack", "daypack"),
        draw_backpack,
        "standing",
        (
            "plain",
            "colour-block",
            "camouflage",
            "geometric",
            "striped",
            "dotted",
            "tartan",
            "leaf-print",
            "zigzag",
            "ombré",
            "windowpane",
            "star-print",
        ),
        ("canvas", "nylon", "leather", "corduroy", "recycled polyester"),
        (39, 170),
    ),
)
