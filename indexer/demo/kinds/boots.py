"""Boots, seen from the side."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    GUM,
    RUBBER,
    laces,
)
from indexer.demo.light import darker, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    ellipse,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
)


def draw_boot(canvas: Canvas, look: Look) -> None:
    """Draw a boot with its toe to the right."""
    tall = {"Chelsea boot": 0.3, "hiking boot": 0.24, "rain boot": 0.08, "ankle boot": 0.32}[
        look.form
    ]
    top = tall + look.between(0, -0.03, 0.05)
    slim = look.between(1, -0.02, 0.02)
    toe = look.between(2, 0.66, 0.71)
    back, front = 0.15 + slim, 0.46 - slim
    canvas.fill(
        ellipse((back + front) / 2, top + 0.01, (front - back) / 2, 0.022), darker(look.second, 0.5)
    )
    outline = smooth(
        [
            (0.125, 0.82),
            (0.13, 0.7),
            (0.165, 0.56),
            (back, (top + 0.5) / 2),
            (back - 0.004, top + 0.01),
            ((back + front) / 2, top + 0.03),
            (front, top + 0.005),
            (front + 0.005, (top + 0.5) / 2),
            (0.475, 0.55),
            (0.6, 0.62),
            (0.76, toe - 0.025),
            (0.865, toe + 0.045),
            (0.895, 0.8),
            (0.87, 0.83),
            (0.5, 0.84),
        ]
    )
    shiny = 0.5 if look.form == "rain boot" else 0.15
    material = "" if look.form == "rain boot" else look.material
    cloth = look.cloth(scale=0.9) if look.form == "rain boot" else look.stuff(look.main, material)
    shaft = canvas.fill(outline, cloth, bevel=0.06, depth=0.55, gloss=shiny)
    canvas.tone(
        ribbon(smooth([(0.2, top + 0.08), (0.21, 0.5), (0.2, 0.7)], closed=False), 0.03),
        0.25,
        blur=0.02,
        clip=shaft,
    )
    for i in range(3):
        crease = smooth(
            [(0.5 + i * 0.02, 0.58 + i * 0.035), (0.42, 0.6 + i * 0.03), (0.36, 0.6 + i * 0.03)],
            closed=False,
        )
        canvas.tone(ribbon(crease, 0.014, 0.003), -0.25, blur=0.006, clip=shaft)
    _finish_boot(canvas, look, shaft, top, back, front)
    heel = look.between(3, 0.03, 0.06)
    tint = (RUBBER, GUM, darker(look.main, 0.5), look.trim)[look.choice(4, 4)]
    line = smooth(
        [(0.115, 0.805), (0.3, 0.815), (0.5, 0.815), (0.75, 0.815), (0.905, 0.79)], closed=False
    )
    under = [
        (0.92, 0.81),
        (0.91, 0.84),
        (0.86, 0.862),
        (0.78, 0.868 + heel * 0.4),
        (0.5, 0.868 + heel * 0.4),
        (0.4, 0.865),
        (0.37, 0.868 + heel),
        (0.125, 0.868 + heel),
        (0.105, 0.83),
    ]
    base = np.vstack([line, points(under)])
    canvas.fill(base, tint, bevel=0.012, depth=0.45, cast=0.2)
    canvas.stitch(moved(line, 0, 0.012), look.second, width=0.005)


def _finish_boot(
    canvas: Canvas, look: Look, shaft: Mask, top: float, back: float, front: float
) -> None:
    if look.form == "Chelsea boot":
        gore = smooth(
            [(0.255, top + 0.02), (0.365, top + 0.02), (0.36, 0.52), (0.31, 0.58), (0.26, 0.52)]
        )
        elastic = canvas.fill(gore, look.trim, clip=shaft, bevel=0.008)
        for i in range(9):
            rib = ribbon([(0.255 + i * 0.0135, top), (0.26 + i * 0.0125, 0.6)], 0.005)
            canvas.tone(rib, -0.3, blur=0.002, clip=elastic)
        loop = smooth(
            [
                (back + 0.01, top + 0.05),
                (back - 0.01, top - 0.04),
                (back + 0.03, top - 0.045),
                (back + 0.035, top + 0.05),
            ],
            closed=False,
        )
        canvas.line(loop, 0.02, look.trim, cast=0.2)
    elif look.form == "rain boot":
        canvas.fill(
            rounded(back - 0.02, top + 0.015, front + 0.02, top + 0.055, 0),
            look.trim,
            clip=shaft,
            gloss=0.3,
        )
        canvas.fill(ellipse(0.3, top + 0.16, 0.05, 0.05), look.trim, bevel=0.006, cast=0.2)
        canvas.text(look.brand[0], 0.3, top + 0.16, 0.065, legible(look.second, look.trim))
    else:
        _laced_boot(canvas, look, shaft, top, back, front)


def _laced_boot(
    canvas: Canvas, look: Look, shaft: Mask, top: float, back: float, front: float
) -> None:
    hiking = look.form == "hiking boot"
    contrast = look.stuff(look.second, look.material)
    collar = rounded(back - 0.03, top - 0.01, front + 0.03, top + (0.1 if hiking else 0.05), 0.02)
    canvas.fill(collar, contrast, clip=shaft, bevel=0.02, depth=0.4)
    toe = smooth([(0.68, 0.86), (0.7, 0.72), (0.8, 0.66), (0.95, 0.7), (0.95, 0.86)])
    heel = smooth([(0.08, 0.85), (0.1, 0.62), (0.25, 0.68), (0.29, 0.85)])
    for patch in (toe, heel):
        canvas.fill(
            patch,
            contrast if hiking else look.stuff(darker(look.main, 0.75), look.material),
            clip=shaft,
            bevel=0.012,
            depth=0.35,
        )
    if hiking or look.numbers[5] > 0.5:
        placket = smooth(
            [
                (front - 0.07, top + 0.02),
                (front + 0.02, top + 0.02),
                (0.5, 0.53),
                (0.62, 0.64),
                (0.57, 0.69),
                (0.42, 0.58),
            ]
        )
        canvas.fill(
            placket, look.stuff(look.trim, look.material), clip=shaft, bevel=0.012, cast=0.15
        )
        laces(
            canvas,
            look,
            [(front - 0.055, top + 0.07), (0.44, 0.57)],
            [(front - 0.005, top + 0.06), (0.49, 0.55)],
            5,
        )
        laces(canvas, look, [(0.475, 0.605), (0.545, 0.66)], [(0.52, 0.575), (0.6, 0.63)], 3)
    else:
        strap = smooth([(0.14, 0.56), (0.3, 0.53), (0.49, 0.56)], closed=False)
        canvas.line(strap, 0.045, look.trim, clip=shaft, cast=0.3)
        canvas.fill(
            rounded(0.3, 0.5, 0.36, 0.57, 0.01),
            (0.83, 0.7, 0.4),
            holes=[rounded(0.312, 0.513, 0.348, 0.557, 0.006)],
            gloss=0.6,
            bevel=0.005,
        )


KINDS = (
    Kind(
        "boot",
        "boots",
        ("Chelsea boot", "hiking boot", "rain boot", "ankle boot"),
        draw_boot,
        "standing",
        ("plain", "dotted", "floral", "striped", "camouflage", "gingham", "leaf-print"),
        ("leather", "suede", "nubuck"),
        (65, 260),
    ),
)
