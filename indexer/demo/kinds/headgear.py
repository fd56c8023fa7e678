"""Headphones and bicycle helmets."""

from __future__ import annotations

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    INK,
    METALS,
)
from indexer.demo.light import ball, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    arc,
    ellipse,
    moved,
    points,
    rounded,
    smooth,
    star,
    turned,
)


def draw_headphones(canvas: Canvas, look: Look) -> None:
    """Draw headphones from the front."""
    reach, top = look.between(0, 0.26, 0.31), look.between(1, 0.12, 0.19)
    metal = METALS[look.choice(2, 4)]
    band = arc(0.5, 0.52, reach, 0.52 - top, 180, 360, 48)
    canvas.line(
        band,
        look.between(3, 0.045, 0.075),
        look.cloth(scale=0.6),
        bevel=0.016,
        depth=0.5,
        gloss=0.15,
    )
    pad = arc(0.5, 0.53, reach - 0.035, 0.5 - top, 215, 325, 32)
    canvas.line(pad, 0.036, look.stuff(look.second, "leather"), bevel=0.014, depth=0.5)
    long, wide = look.between(4, 0.13, 0.18), look.between(5, 0.085, 0.12)
    for flip in (False, True):
        side = 1 if not flip else -1
        x = 0.5 + side * reach
        canvas.fill(rounded(x - 0.014, 0.44, x + 0.014, 0.58, 0.006), metal, gloss=0.7, bevel=0.006)
        ear = ellipse(x - side * 0.035, 0.65, wide * 0.7, long)
        canvas.fill(ear, look.stuff(look.second, "leather"), bevel=0.03, depth=0.55)
        cup = (
            rounded(
                x - wide * 0.62,
                0.65 - long * 0.92,
                x + wide * 0.62,
                0.65 + long * 0.92,
                look.between(6, 0.03, 0.08),
            )
            if look.form == "on-ear headphones"
            else ellipse(x + side * 0.012, 0.65, wide * 0.72, long * 0.94)
        )
        canvas.fill(cup, look.cloth(scale=0.6), bevel=0.035, depth=0.6, gloss=0.35, cast=0.3)
        plate = ellipse(x + side * 0.02, 0.65, wide * 0.4, long * 0.6)
        plate_tint = look.trim if look.numbers[7] > 0.4 else metal
        canvas.fill(plate, plate_tint, bevel=0.014, depth=0.45, gloss=0.4, cast=0.2)
        canvas.text(look.brand[0], x + side * 0.02, 0.65, 0.05, legible(look.second, plate_tint))
    if look.form == "gaming headset":
        boom = smooth(
            [(0.5 - reach, 0.72), (0.5 - reach + 0.03, 0.84), (0.42, 0.9), (0.5, 0.9)], closed=False
        )
        canvas.line(boom, 0.018, INK, gloss=0.3)
        canvas.fill(rounded(0.47, 0.875, 0.56, 0.925, 0.025), look.trim, bevel=0.014, depth=0.5)
    elif look.form == "studio headphones":
        cable = smooth(
            [
                (0.5 + reach, 0.8),
                (0.5 + reach - 0.02, 0.9),
                (0.55, 0.93),
                (0.42, 0.88),
                (0.36, 0.95),
            ],
            closed=False,
        )
        canvas.line(cable, 0.012, look.second)


def draw_helmet(canvas: Canvas, look: Look) -> None:
    """Draw a bicycle helmet from the side, its front to the right."""
    top, long = look.between(0, 0.2, 0.27), look.between(1, 0.4, 0.44)
    strap = smooth(
        [(0.36, 0.6), (0.46, 0.74), (0.54, 0.86), (0.6, 0.74), (0.68, 0.6)], closed=False
    )
    canvas.line(strap, 0.022, look.trim)
    canvas.fill(rounded(0.515, 0.83, 0.565, 0.88, 0.01), INK, bevel=0.008)
    canvas.line(smooth([(0.3, 0.6), (0.42, 0.7), (0.46, 0.745)], closed=False), 0.018, look.trim)
    shell = smooth(
        [
            (0.5 - long, 0.6),
            (0.5 - long + 0.02, 0.42),
            (0.32, top + 0.04),
            (0.5, top),
            (0.68, top + 0.05),
            (0.5 + long - 0.02, 0.43),
            (0.5 + long, 0.56),
            (0.82, 0.6),
            (0.62, 0.57),
            (0.38, 0.64),
            (0.18, 0.66),
        ]
    )
    canvas.fill(moved(shell, 0, 0.018), INK, bevel=0.02)
    dome = canvas.fill(
        shell,
        look.cloth(degrees=-6),
        bevel=0.09,
        depth=0.55,
        gloss=0.3,
        light=ball(0.42, 0.4, 0.5, 0.3),
    )
    _vents(canvas, look, dome)
    _graphics(canvas, look, dome)
    if look.form == "helmet with visor":
        visor = smooth([(0.72, 0.46), (0.84, 0.44), (0.97, 0.53), (0.95, 0.57), (0.84, 0.53)])
        canvas.fill(visor, look.trim, bevel=0.014, depth=0.5, gloss=0.3, cast=0.35)
    canvas.tone(ellipse(0.36, top + 0.09, 0.1, 0.03), 0.5, blur=0.02, clip=dome)


def _graphics(canvas: Canvas, look: Look, dome: Mask) -> None:
    what = look.choice(3, 4)
    if what == 0:
        stripe = smooth([(0.05, 0.56), (0.3, 0.5), (0.6, 0.47), (0.96, 0.52)], closed=False)
        canvas.line(stripe, 0.05, look.second, clip=dome, bevel=0, light=ball(0.42, 0.4, 0.5, 0.25))
    elif what == 1:
        bolt = points(
            [
                (0.5, 0.36),
                (0.4, 0.5),
                (0.48, 0.49),
                (0.42, 0.6),
                (0.6, 0.45),
                (0.51, 0.46),
                (0.58, 0.36),
            ]
        )
        canvas.fill(moved(bolt, look.between(5, -0.12, 0.12)), look.trim, clip=dome, bevel=0.004)
    elif what == 2:
        for i in range(3):
            canvas.fill(
                star(0.3 + i * 0.17, 0.52 - 0.02 * i, 0.055, 0.023),
                look.trim,
                clip=dome,
                bevel=0.003,
            )
    else:
        canvas.text(
            look.brand.split()[0].upper(),
            0.5,
            0.53,
            0.075,
            legible(look.trim, look.main),
            clip=dome,
            width=0.4,
        )


def _vents(canvas: Canvas, look: Look, dome: Mask) -> None:
    if look.form != "urban helmet":
        rows = look.choice(2, 3) + 2
        for row in range(rows):
            for i in range(4):
                x = 0.24 + i * 0.15 + 0.02 * row
                y = 0.33 + row * 0.5 / (rows + 1.6) * 0.6 + 0.35 * (x - 0.5) ** 2
                slot = smooth(
                    [(x - 0.06, y + 0.014), (x, y - 0.018), (x + 0.065, y), (x, y + 0.026)]
                )
                canvas.fill(
                    turned(slot, (x - 0.5) * 60, (x, y)),
                    (0.07, 0.07, 0.08),
                    clip=dome,
                    bevel=0.008,
                    depth=-0.5,
                )
    else:
        for i in range(3):
            canvas.fill(
                rounded(0.36 + i * 0.11, 0.3, 0.43 + i * 0.11, 0.325, 0.012),
                (0.08, 0.08, 0.09),
                clip=dome,
                bevel=0.004,
                depth=-0.4,
            )


KINDS = (
    Kind(
        "headphones",
        "headphones",
        ("over-ear headphones", "on-ear headphones", "studio headphones", "gaming headset"),
        draw_headphones,
        "flat",
        ("plain", "ombré", "camouflage", "marbled", "striped", "speckled", "colour-block"),
        ("aluminium", "walnut", "polycarbonate"),
        (35, 380),
    ),
    Kind(
        "helmet",
        "helmets",
        ("bicycle helmet", "urban helmet", "helmet with visor"),
        draw_helmet,
        "standing",
        (
            "plain",
            "dotted",
            "camouflage",
            "colour-block",
            "diagonal-striped",
            "ombré",
            "star-print",
            "geometric",
            "floral",
            "scalloped",
        ),
        ("polycarbonate", "ABS"),
        (29, 150),
    ),
)
