"""Chairs and sofas, seen from the front."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import fold
from indexer.demo.light import Colour, darker
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import arc, ellipse, mirrored, moved, points, ribbon, rounded, smooth

TIMBER: dict[str, Colour] = {
    "oak": (0.76, 0.59, 0.39),
    "walnut": (0.42, 0.28, 0.19),
    "beech": (0.85, 0.69, 0.5),
    "steel": (0.68, 0.7, 0.72),
    "brass": (0.8, 0.64, 0.34),
}
COVERS = (
    "plain",
    "striped",
    "tartan",
    "floral",
    "geometric",
    "zigzag",
    "dotted",
    "scalloped",
    "leaf-print",
    "windowpane",
    "deckchair-striped",
    "gingham",
    "argyle",
)


def _frame(look: Look) -> tuple[Colour, str]:
    name = list(TIMBER)[look.choice(11, len(TIMBER))]
    return TIMBER[name], name


def _legs(
    canvas: Canvas, look: Look, top: float, spread: float, *, slant: float, ground: float = 0.94
) -> None:
    """Stand a seat on four legs."""
    tint, name = _frame(look)
    thick = look.between(10, 0.018, 0.034)
    for dx, length, shade in ((0.62, 0.94, 0.65), (1.0, 1.0, 1.0)):
        foot = top + (ground - top) * length
        leg = ribbon(
            [(0.5 + spread * dx, top), (0.5 + spread * dx + slant, foot)], thick * 1.3, thick * 0.8
        )
        for outline in (leg, mirrored(leg)):
            canvas.fill(outline, look.stuff(darker(tint, shade), name), bevel=0.008, depth=0.5)


def draw_chair(canvas: Canvas, look: Look) -> None:
    """Draw a dining chair, an armchair, a stool or a deckchair."""
    {"dining chair": _dining, "armchair": _armchair, "bar stool": _stool, "spindle chair": _dining}[
        look.form
    ](canvas, look)


def _dining(canvas: Canvas, look: Look) -> None:
    tint, name = _frame(look)
    wood = look.stuff(tint, name)
    wide, seat = look.between(0, 0.19, 0.23), look.between(1, 0.56, 0.61)
    top = look.between(2, 0.08, 0.16)
    lean = look.between(3, -0.03, 0.03)
    _legs(canvas, look, seat + 0.02, wide * 0.92, slant=look.between(4, 0.0, 0.05))
    for flip in (False, True):
        post = smooth(
            [
                (0.5 + wide * 0.9, seat + 0.02),
                (0.5 + wide * 0.93, 0.35),
                (0.5 + wide * 0.93 + lean, top),
            ],
            closed=False,
        )
        canvas.line(mirrored(post) if flip else post, 0.03, wood, bevel=0.01, depth=0.5)
    _back(canvas, look, top, seat, wide, lean)
    cushion = smooth(
        [
            (0.5 - wide, seat - 0.045),
            (0.5 + wide, seat - 0.045),
            (0.5 + wide + 0.035, seat + 0.01),
            (0.5 + wide + 0.02, seat + 0.05),
            (0.5 - wide - 0.02, seat + 0.05),
            (0.5 - wide - 0.035, seat + 0.01),
        ],
        steps=6,
    )
    canvas.fill(cushion, look.cloth(degrees=3), bevel=0.025, depth=0.5, cast=0.35)


def _back(canvas: Canvas, look: Look, top: float, seat: float, wide: float, lean: float) -> None:
    tint, name = _frame(look)
    wood = look.stuff(tint, name)
    if look.form == "spindle chair":
        count = 4 + look.choice(5, 4)
        for i in range(count):
            x = 0.5 + (i / (count - 1) * 2 - 1) * wide * 0.7
            canvas.line([(x, seat), (0.5 + (x - 0.5) * 1.05, top + 0.03)], 0.016, wood, depth=0.5)
        rail = arc(0.5, top + 0.06, wide + 0.03 + abs(lean), look.between(6, 0.05, 0.09), 180, 360)
        canvas.line(
            rail,
            look.between(7, 0.04, 0.08),
            look.stuff(look.second, name),
            bevel=0.014,
            depth=0.45,
            cast=0.2,
        )
    else:
        style = look.choice(5, 3)
        back = rounded(
            0.5 - wide - 0.012,
            top,
            0.5 + wide + 0.012,
            top + look.between(6, 0.2, 0.36),
            look.between(7, 0.02, 0.14),
        )
        if style == 0:
            for i in range(3):
                y = top + 0.02 + i * 0.12
                slat = smooth([(0.5 - wide, y), (0.5, y - 0.016), (0.5 + wide, y)], closed=False)
                canvas.line(slat, 0.06, look.cloth(), bevel=0.012, depth=0.4, cast=0.2)
        else:
            pad = canvas.fill(back, look.cloth(), bevel=0.03, depth=0.5, cast=0.25)
            if style == 2:
                for dx, dy in (
                    (-0.09, 0.07),
                    (0, 0.07),
                    (0.09, 0.07),
                    (-0.045, 0.15),
                    (0.045, 0.15),
                ):
                    canvas.tone(
                        ellipse(0.5 + dx, top + dy, 0.02, 0.02), -0.35, blur=0.012, clip=pad
                    )
                    canvas.fill(ellipse(0.5 + dx, top + dy, 0.009, 0.009), look.trim)


def _armchair(canvas: Canvas, look: Look) -> None:
    wide, top = look.between(0, 0.25, 0.31), look.between(1, 0.17, 0.27)
    _legs(canvas, look, 0.78, wide * 0.85, slant=look.between(4, 0.0, 0.06))
    crown = look.between(2, 0.02, 0.2)
    back = canvas.fill(
        rounded(0.5 - wide, top, 0.5 + wide, 0.72, crown), look.cloth(), bevel=0.06, depth=0.5
    )
    if look.numbers[5] > 0.5:
        for i in range(-3, 4):
            fold(
                canvas,
                [(0.5 + i * wide * 0.25, 0.6), (0.5 + i * wide * 0.27, top + 0.04)],
                0.18,
                back,
                0.02,
            )
    canvas.fill(
        rounded(0.5 - wide - 0.03, 0.66, 0.5 + wide + 0.03, 0.81, 0.03),
        look.cloth(degrees=2),
        bevel=0.03,
        depth=0.45,
    )
    canvas.fill(
        rounded(0.5 - wide + 0.02, 0.56, 0.5 + wide - 0.02, 0.69, 0.05),
        look.cloth(degrees=-3),
        bevel=0.04,
        depth=0.5,
        cast=0.35,
    )
    arm = rounded(
        0.5 + wide - 0.03,
        look.between(6, 0.43, 0.5),
        0.5 + wide + 0.085,
        0.81,
        look.between(7, 0.02, 0.06),
    )
    for flip in (False, True):
        canvas.fill(
            mirrored(arm) if flip else arm, look.cloth(degrees=1), bevel=0.035, depth=0.5, cast=0.35
        )
    if look.numbers[8] > 0.45:
        _throw_cushion(canvas, look, 0.5, 0.5, 0.11, look.between(9, -12, 12))


def _throw_cushion(
    canvas: Canvas, look: Look, cx: float, cy: float, half: float, degrees: float
) -> None:
    tilt = np.radians(degrees)
    pinch = [(-1, -1), (0, -0.88), (1, -1), (0.88, 0), (1, 1), (0, 0.88), (-1, 1), (-0.88, 0)]
    outline = smooth(
        [
            (
                cx + half * (a * np.cos(tilt) - b * np.sin(tilt)),
                cy + half * (a * np.sin(tilt) + b * np.cos(tilt)),
            )
            for a, b in pinch
        ]
    )
    tint = look.second if look.pattern == "plain" else look.trim
    canvas.fill(outline, look.stuff(tint, "linen"), bevel=0.035, depth=0.5, cast=0.4)


def _stool(canvas: Canvas, look: Look) -> None:
    tint, name = _frame(look)
    wide, seat = look.between(0, 0.15, 0.21), look.between(1, 0.26, 0.38)
    slant = look.between(4, 0.02, 0.08)
    _legs(canvas, look, seat, wide * 0.8, slant=slant)
    y = look.between(2, 0.68, 0.8)
    reach = wide * 0.8 + slant * (y - seat) / (0.94 - seat)
    canvas.line(
        [(0.5 - reach, y), (0.5, y + 0.012), (0.5 + reach, y)],
        0.024,
        look.stuff(tint, name),
        depth=0.5,
        cast=0.2,
    )
    if look.numbers[3] > 0.4:
        rest = rounded(0.5 - wide * 0.95, seat - 0.2, 0.5 + wide * 0.95, seat - 0.06, 0.05)
        for dx in (-0.6, 0.6):
            canvas.line(
                [(0.5 + wide * dx, seat), (0.5 + wide * dx, seat - 0.12)],
                0.022,
                look.stuff(tint, name),
            )
        canvas.fill(rest, look.cloth(), bevel=0.03, depth=0.5, cast=0.2)
    canvas.fill(
        ellipse(0.5, seat + 0.03, wide + 0.015, 0.05),
        look.stuff(darker(tint, 0.9), name),
        bevel=0.015,
        depth=0.5,
    )
    canvas.fill(
        ellipse(0.5, seat, wide + 0.01, 0.062), look.cloth(scale=0.8), bevel=0.03, depth=0.5
    )


def draw_sofa(canvas: Canvas, look: Look) -> None:
    """Draw a sofa with its cushions."""
    seats = 3 if look.form == "three-seat sofa" else 2
    wide, top = look.between(0, 0.38, 0.43) - (0.03 if seats == 2 else 0), look.between(1, 0.3, 0.4)
    round_arms = look.between(2, 0.015, 0.07)
    arm_top = look.between(3, 0.46, 0.53)
    arm = look.between(4, 0.055, 0.1)
    _legs(canvas, look, 0.76, wide * 0.9, slant=look.between(5, 0.0, 0.03), ground=0.85)
    canvas.fill(
        rounded(0.5 - wide, top, 0.5 + wide, 0.72, look.between(6, 0.03, 0.12)),
        look.cloth(),
        bevel=0.05,
        depth=0.45,
    )
    inner = (wide - arm + 0.02) * 2
    each = inner / seats
    for i in range(seats):
        x = 0.5 - inner / 2 + i * each
        if look.numbers[7] > 0.35:
            pad = canvas.fill(
                rounded(x + 0.003, top + 0.03, x + each - 0.003, 0.64, 0.04),
                look.cloth(degrees=2),
                bevel=0.04,
                depth=0.45,
                cast=0.3,
            )
            if look.numbers[8] > 0.6:
                canvas.fill(ellipse(x + each / 2, top + 0.14, 0.012, 0.012), look.trim, cast=0.3)
                canvas.tone(
                    ellipse(x + each / 2, top + 0.14, 0.03, 0.03), -0.25, blur=0.015, clip=pad
                )
    canvas.fill(
        rounded(0.5 - wide, 0.67, 0.5 + wide, 0.785, 0.02),
        look.cloth(degrees=1),
        bevel=0.025,
        depth=0.4,
    )
    for i in range(seats):
        x = 0.5 - inner / 2 + i * each
        canvas.fill(
            rounded(x + 0.002, 0.585, x + each - 0.002, 0.69, 0.03),
            look.cloth(degrees=-2),
            bevel=0.03,
            depth=0.5,
            cast=0.35,
        )
    side = rounded(0.5 + wide - arm, arm_top, 0.5 + wide + 0.025, 0.785, round_arms)
    for flip in (False, True):
        canvas.fill(
            mirrored(side) if flip else side, look.cloth(), bevel=0.03, depth=0.5, cast=0.35
        )
    if look.numbers[9] > 0.3:
        _throw_cushion(canvas, look, 0.5 - inner / 2 + 0.1, 0.53, 0.075, -10)
    if look.numbers[9] > 0.65:
        _throw_cushion(canvas, look, 0.5 + inner / 2 - 0.1, 0.535, 0.07, 12)
    if look.form == "chesterfield sofa":
        for row in range(2):
            for i in range(9):
                x = 0.5 + (i - 4 + 0.5 * (row % 2)) * inner / 9.5
                canvas.tone(ellipse(x, top + 0.07 + row * 0.09, 0.018, 0.018), -0.4, blur=0.01)
                canvas.fill(ellipse(x, top + 0.07 + row * 0.09, 0.006, 0.006), look.trim)
    tint, _ = _frame(look)
    if look.pattern == "plain":
        canvas.stitch(
            moved(points([(0.5 - wide + 0.02, 0.76), (0.5 + wide - 0.02, 0.76)]), 0, 0),
            tint,
            width=0.004,
        )


KINDS = (
    Kind(
        "chair",
        "chairs",
        ("dining chair", "armchair", "bar stool", "spindle chair"),
        draw_chair,
        "standing",
        COVERS,
        ("linen", "velvet", "leather", "bouclé", "wool"),
        (79, 590),
    ),
    Kind(
        "sofa",
        "sofas",
        ("two-seat sofa", "three-seat sofa", "chesterfield sofa"),
        draw_sofa,
        "standing",
        COVERS,
        ("linen", "velvet", "leather", "bouclé", "corduroy", "wool"),
        (390, 2400),
    ),
)
