"""Sneakers and boots, seen from the side."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask, darker
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import Array, Points, ellipse, moved, points, ribbon, rounded, smooth, star

WHITE = (0.95, 0.94, 0.91)
GUM = (0.72, 0.5, 0.3)
RUBBER = (0.16, 0.16, 0.17)


def _laces(canvas: Canvas, look: Look, start: Points, end: Points, rows: int) -> None:
    """Cross the laces between two edges given by their ends."""
    near, far = points(start), points(end)
    lace = look.second if look.numbers[9] > 0.5 else WHITE
    for i in range(rows):
        t = i / max(rows - 1, 1)
        a, b = near[0] + (near[1] - near[0]) * t, far[0] + (far[1] - far[0]) * t
        for end_point in (a, b):
            canvas.fill(ellipse(*end_point, 0.008, 0.008), darker(look.main, 0.4), bevel=0.003)
        canvas.line(np.stack([a, (a + b) / 2 + np.float32([0.004, -0.008]), b]), 0.017, lace, cast=0.35)


def _sole(canvas: Canvas, look: Look, line: Array, thick: float) -> None:
    """Lay a sole under the line that runs from heel to toe."""
    style = look.choice(8, 4)
    tint = (WHITE, GUM, RUBBER, look.trim)[style]
    top = line[:, 1]
    ground = float(top.max()) + thick
    toe, heel = line[-1], line[0]
    under = smooth(
        [(toe[0] + 0.012, toe[1] + 0.02), (toe[0] - 0.02, ground - 0.018), (toe[0] - 0.12, ground),
         (0.5, ground), (0.14, ground), (heel[0] + 0.012, ground - 0.012), (heel[0] - 0.012, heel[1] + 0.02)],
        closed=False,
    )  # fmt: skip
    sole = canvas.fill(np.vstack([line, under]), tint, bevel=0.014, depth=0.4, cast=0.2)
    stripe = np.stack([line[:, 0], top * 0.3 + ground * 0.7], axis=1)
    if style in (0, 3):
        canvas.line(moved(stripe, 0, -0.008), 0.01, look.second, clip=sole, bevel=0.002)
    for x in np.arange(0.1, 0.9, 0.03):
        canvas.tone(rounded(x, ground - 0.012, x + 0.012, ground, 0.002), -0.4, blur=0.003, clip=sole)


def _mark(canvas: Canvas, look: Look, upper: Mask) -> None:
    """Put the maker's mark on the side."""
    what = look.choice(7, 5)
    if what == 0:
        for i in range(3):
            bar = [(0.40 + i * 0.055, 0.6), (0.46 + i * 0.055, 0.72)]
            canvas.line(bar, 0.024, look.trim, clip=upper, bevel=0.004)
    elif what == 1:
        swoosh = smooth([(0.27, 0.55), (0.34, 0.66), (0.47, 0.66), (0.66, 0.57), (0.48, 0.7), (0.31, 0.7)])
        canvas.fill(swoosh, look.trim, clip=upper, bevel=0.005, cast=0.15)
    elif what == 2:
        canvas.fill(star(0.42, 0.62, 0.065, 0.027), look.trim, bevel=0.004, cast=0.2)
    elif what == 3:
        path = smooth([(0.25, 0.6), (0.36, 0.69), (0.44, 0.6), (0.55, 0.7), (0.68, 0.66)], closed=False)
        canvas.line(path, 0.032, look.trim, clip=upper, bevel=0.006)
        canvas.line(moved(path, 0, 0.035), 0.01, look.second, clip=upper)
    else:
        canvas.fill(ellipse(0.42, 0.63, 0.05, 0.05), look.trim, bevel=0.006, cast=0.2)
        canvas.text(look.brand[0], 0.42, 0.63, 0.07, look.second)


def draw_sneaker(canvas: Canvas, look: Look) -> None:
    """Draw a sneaker with its toe to the right."""
    high = look.form == "high-top sneaker"
    slip = look.form == "slip-on sneaker"
    collar = look.between(0, 0.25, 0.3) if high else look.between(0, 0.4, 0.45)
    toe = look.between(1, 0.63, 0.67)
    tongue = collar - (0.03 if slip else 0.06)
    runner = look.form == "running shoe"
    line = smooth([(0.06, 0.73), (0.2, 0.745), (0.45, 0.75), (0.7, 0.745), (0.86, 0.745), (0.945, 0.72)], closed=False)
    if not slip:
        flap = smooth([(0.31, collar + 0.05), (0.35, tongue), (0.4, tongue - 0.012), (0.45, tongue + 0.03), (0.57, 0.565), (0.5, 0.62)])
        canvas.fill(flap, look.stuff(look.trim, look.material), bevel=0.015, depth=0.45)
    opening = smooth([(0.12, collar + 0.02), (0.25, collar - 0.012), (0.37, collar + 0.01), (0.3, collar + 0.06)])
    canvas.fill(opening, darker(look.second, 0.55), bevel=0.02)
    outline = smooth(
        [(0.065, 0.75), (0.072, 0.62), (0.095, 0.5), (0.085, collar + 0.02), (0.125, collar - 0.005),
         (0.22, collar + 0.045), (0.34, collar + 0.035), (0.41, collar + 0.06 + (0.07 if high else 0)),
         (0.55, 0.555), (0.68, 0.595), (0.82, toe - 0.03), (0.915, toe + 0.03), (0.945, 0.74), (0.9, 0.76), (0.5, 0.77)]
    )  # fmt: skip
    upper = canvas.fill(outline, look.cloth(scale=0.85, degrees=-8), bevel=0.045, depth=0.5)
    heel = smooth([(0.03, 0.8), (0.05, 0.5), (0.2, 0.56), (0.24, 0.7), (0.24, 0.8)])
    canvas.fill(heel, look.stuff(look.second, look.material), clip=upper, bevel=0.012, depth=0.35)
    cap = smooth([(0.72, 0.8), (0.75, 0.66), (0.84, 0.6), (1, 0.62), (1, 0.8)])
    cap_tint = WHITE if high else look.second
    canvas.fill(cap, cap_tint, clip=upper, bevel=0.025, depth=0.4)
    canvas.stitch(smooth([(0.73, 0.745), (0.755, 0.66), (0.83, 0.62)], closed=False), look.trim, width=0.004)
    canvas.line(smooth([(0.1, collar + 0.02), (0.22, collar + 0.055), (0.36, collar + 0.05)], closed=False),
                0.026, look.trim, clip=upper, bevel=0.008)  # fmt: skip
    if slip:
        gore = points([(0.36, collar + 0.03), (0.46, 0.5), (0.42, 0.6), (0.34, 0.52)])
        canvas.fill(gore, look.trim, clip=upper, bevel=0.006)
    else:
        guard = smooth([(0.36, collar + 0.04), (0.62, 0.585), (0.57, 0.64), (0.42, 0.6 if not high else 0.5),
                        (0.32, collar + 0.09)])  # fmt: skip
        canvas.fill(guard, look.stuff(look.second, look.material), clip=upper, bevel=0.01, cast=0.15)
        _laces(canvas, look, [(0.385, collar + 0.085), (0.56, 0.605)], [(0.435, collar + 0.05), (0.625, 0.585)],
               6 if high else 5)  # fmt: skip
    _mark(canvas, look, upper)
    _sole(canvas, look, line, look.between(2, 0.055, 0.085) + (0.03 if runner else 0))


def draw_boot(canvas: Canvas, look: Look) -> None:
    """Draw a boot with its toe to the right."""
    tall = {"Chelsea boot": 0.3, "hiking boot": 0.24, "rain boot": 0.08, "ankle boot": 0.32}[look.form]
    top = tall + look.between(0, -0.03, 0.05)
    slim = look.between(1, -0.02, 0.02)
    toe = look.between(2, 0.66, 0.71)
    back, front = 0.15 + slim, 0.46 - slim
    canvas.fill(ellipse((back + front) / 2, top + 0.01, (front - back) / 2, 0.022), darker(look.second, 0.5))
    outline = smooth(
        [(0.125, 0.82), (0.13, 0.7), (0.165, 0.56), (back, (top + 0.5) / 2), (back - 0.004, top + 0.01),
         ((back + front) / 2, top + 0.03), (front, top + 0.005), (front + 0.005, (top + 0.5) / 2), (0.475, 0.55),
         (0.6, 0.62), (0.76, toe - 0.025), (0.865, toe + 0.045), (0.895, 0.8), (0.87, 0.83), (0.5, 0.84)]
    )  # fmt: skip
    shiny = 0.5 if look.form == "rain boot" else 0.15
    material = "" if look.form == "rain boot" else look.material
    cloth = look.cloth(scale=0.9) if look.form == "rain boot" else look.stuff(look.main, material)
    shaft = canvas.fill(outline, cloth, bevel=0.06, depth=0.55, gloss=shiny)
    canvas.tone(ribbon(smooth([(0.2, top + 0.08), (0.21, 0.5), (0.2, 0.7)], closed=False), 0.03), 0.25, blur=0.02, clip=shaft)
    for i in range(3):
        crease = smooth([(0.5 + i * 0.02, 0.58 + i * 0.035), (0.42, 0.6 + i * 0.03), (0.36, 0.6 + i * 0.03)], closed=False)
        canvas.tone(ribbon(crease, 0.014, 0.003), -0.25, blur=0.006, clip=shaft)
    _finish_boot(canvas, look, shaft, top, back, front)
    heel = look.between(3, 0.03, 0.06)
    tint = (RUBBER, GUM, darker(look.main, 0.5), look.trim)[look.choice(4, 4)]
    line = smooth([(0.115, 0.805), (0.3, 0.815), (0.5, 0.815), (0.75, 0.815), (0.905, 0.79)], closed=False)
    under = [(0.92, 0.81), (0.91, 0.84), (0.86, 0.862), (0.78, 0.868 + heel * 0.4), (0.5, 0.868 + heel * 0.4),
             (0.4, 0.865), (0.37, 0.868 + heel), (0.125, 0.868 + heel), (0.105, 0.83)]  # fmt: skip
    base = np.vstack([line, points(under)])
    canvas.fill(base, tint, bevel=0.012, depth=0.45, cast=0.2)
    canvas.stitch(moved(line, 0, 0.012), look.second, width=0.005)


def _finish_boot(canvas: Canvas, look: Look, shaft: Mask, top: float, back: float, front: float) -> None:
    contrast = look.stuff(look.second, look.material)
    if look.form == "Chelsea boot":
        gore = smooth([(0.255, top + 0.02), (0.365, top + 0.02), (0.36, 0.52), (0.31, 0.58), (0.26, 0.52)])
        elastic = canvas.fill(gore, look.trim, clip=shaft, bevel=0.008)
        for i in range(9):
            rib = ribbon([(0.255 + i * 0.0135, top), (0.26 + i * 0.0125, 0.6)], 0.005)
            canvas.tone(rib, -0.3, blur=0.002, clip=elastic)
        loop = smooth([(back + 0.01, top + 0.05), (back - 0.01, top - 0.04), (back + 0.03, top - 0.045), (back + 0.035, top + 0.05)], closed=False)
        canvas.line(loop, 0.02, look.trim, cast=0.2)
    elif look.form == "rain boot":
        canvas.fill(rounded(back - 0.02, top + 0.015, front + 0.02, top + 0.055, 0), look.trim, clip=shaft, gloss=0.3)
        canvas.fill(ellipse(0.3, top + 0.16, 0.05, 0.05), look.trim, bevel=0.006, cast=0.2)
        canvas.text(look.brand[0], 0.3, top + 0.16, 0.065, look.second)
    else:
        hiking = look.form == "hiking boot"
        collar = rounded(back - 0.03, top - 0.01, front + 0.03, top + (0.1 if hiking else 0.05), 0.02)
        canvas.fill(collar, contrast, clip=shaft, bevel=0.02, depth=0.4)
        toe = smooth([(0.68, 0.86), (0.7, 0.72), (0.8, 0.66), (0.95, 0.7), (0.95, 0.86)])
        heel = smooth([(0.08, 0.85), (0.1, 0.62), (0.25, 0.68), (0.29, 0.85)])
        for patch in (toe, heel):
            canvas.fill(patch, contrast if hiking else look.stuff(darker(look.main, 0.75), look.material),
                        clip=shaft, bevel=0.012, depth=0.35)  # fmt: skip
        if hiking or look.numbers[5] > 0.5:
            placket = smooth([(front - 0.07, top + 0.02), (front + 0.02, top + 0.02), (0.5, 0.53), (0.62, 0.64),
                              (0.57, 0.69), (0.42, 0.58)])  # fmt: skip
            canvas.fill(placket, look.stuff(look.trim, look.material), clip=shaft, bevel=0.012, cast=0.15)
            _laces(canvas, look, [(front - 0.055, top + 0.07), (0.44, 0.57)], [(front - 0.005, top + 0.06), (0.49, 0.55)], 5)
            _laces(canvas, look, [(0.475, 0.605), (0.545, 0.66)], [(0.52, 0.575), (0.6, 0.63)], 3)
        else:
            strap = smooth([(0.14, 0.56), (0.3, 0.53), (0.49, 0.56)], closed=False)
            canvas.line(strap, 0.045, look.trim, clip=shaft, cast=0.3)
            canvas.fill(rounded(0.3, 0.5, 0.36, 0.57, 0.01), (0.83, 0.7, 0.4),
                        holes=[rounded(0.312, 0.513, 0.348, 0.557, 0.006)], gloss=0.6, bevel=0.005)  # fmt: skip


KINDS = (
    Kind("sneaker", "sneakers", ("low-top sneaker", "high-top sneaker", "running shoe", "slip-on sneaker"), draw_sneaker,
         "standing", ("plain", "striped", "colour-block", "dotted", "gingham", "camouflage", "floral", "zigzag",
                      "ombré", "geometric", "star-print", "leaf-print", "tartan"),
         ("canvas", "suede", "leather", "mesh", "denim"), (45, 160)),
    Kind("boot", "boots", ("Chelsea boot", "hiking boot", "rain boot", "ankle boot"), draw_boot,
         "standing", ("plain", "dotted", "floral", "striped", "camouflage", "gingham", "leaf-print"),
         ("leather", "suede", "nubuck"), (65, 260)),
)  # fmt: skip
