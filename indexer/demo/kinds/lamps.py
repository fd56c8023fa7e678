"""Lamps, switched on."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import (
    gleam,
)
from indexer.demo.light import across, ball, darker, lighter
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    arc,
    ellipse,
    lathe,
    points,
    ribbon,
    smooth,
    turned,
    vector,
)


def draw_lamp(canvas: Canvas, look: Look) -> None:
    """Draw a table lamp, a mushroom lamp or a desk lamp, switched on."""
    if look.form == "desk lamp":
        _desk_lamp(canvas, look)
        return
    wide, top, rim = (
        look.between(0, 0.22, 0.31),
        look.between(1, 0.1, 0.16),
        look.between(2, 0.42, 0.5),
    )
    foot = look.between(4, 0.12, 0.17)
    belly = look.between(3, 0.05, 0.16)
    profile = {
        "table lamp": [
            (0.025, rim - 0.03),
            (0.03, rim + 0.07),
            (belly, 0.7),
            (foot * 0.7, 0.86),
            (foot, 0.89),
            (foot, 0.92),
        ],
        "bedside lamp": [
            (0.018, rim - 0.03),
            (0.018, 0.84),
            (foot * 0.5, 0.87),
            (foot, 0.895),
            (foot, 0.92),
        ],
        "mushroom lamp": [(0.06, rim - 0.03), (0.065, 0.6), (0.09, 0.8), (foot, 0.9), (foot, 0.92)],
    }[look.form]
    half = max(h for h, _ in profile)
    stem = canvas.fill(
        lathe(profile), look.cloth(scale=0.8), bevel=0.03, depth=0.3, light=across(0.5, half, 0.4)
    )
    gleam(canvas, 0.5 - half * 0.45, 0.62, 0.8, stem, 0.3)
    _shade(canvas, look, wide, top, rim)


def _shade(canvas: Canvas, look: Look, wide: float, top: float, rim: float) -> None:
    shade_paint = look.stuff(
        look.second if look.pattern != "plain" else lighter(look.second, 0.4), look.material
    )
    if look.form == "mushroom lamp":
        cap = smooth(
            [
                (0.5 - wide, rim),
                (0.5 - wide * 0.8, top + 0.1),
                (0.5, top),
                (0.5 + wide * 0.8, top + 0.1),
                (0.5 + wide, rim),
                (0.5, rim + 0.03),
            ]
        )
        hood = canvas.fill(
            cap, shade_paint, bevel=0.06, depth=0.4, light=ball(0.5, rim, 0.5, 0.2), cast=0.2
        )
    else:
        narrow = wide * look.between(5, 0.45, 0.95)
        cone = np.vstack(
            [points([(0.5 - narrow, top), (0.5 + narrow, top)]), arc(0.5, rim, wide, 0.025, 0, 180)]
        )
        hood = canvas.fill(
            cone, shade_paint, bevel=0.02, depth=0.2, light=across(0.5, wide, 0.25), cast=0.25
        )
        canvas.line(arc(0.5, rim - 0.004, wide, 0.025, 0, 180), 0.014, look.trim, clip=hood)
        canvas.line(
            [(0.5 - narrow, top + 0.005), (0.5 + narrow, top + 0.005)], 0.014, look.trim, clip=hood
        )
        if look.numbers[6] > 0.5:
            for i in range(-9, 10):
                pleat = ribbon(
                    [(0.5 + i * narrow / 9, top), (0.5 + i * wide / 9, rim + 0.02)], 0.008
                )
                canvas.tone(pleat, -0.16, blur=0.003, clip=hood)
    canvas.tone(
        ellipse(0.5, (top + rim * 2) / 3, wide * 0.55, 0.1),
        0.6,
        blur=0.06,
        clip=hood,
        tint=(1, 0.9, 0.66),
    )


def _desk_lamp(canvas: Canvas, look: Look) -> None:
    elbow = (look.between(0, 0.3, 0.4), look.between(1, 0.42, 0.52))
    head = (look.between(2, 0.55, 0.64), look.between(3, 0.18, 0.26))
    foot = look.between(4, 0.15, 0.2)
    paint = look.cloth(scale=0.8)
    canvas.fill(
        ellipse(0.5, 0.89, foot, 0.035), look.stuff(darker(look.trim, 0.8)), bevel=0.012, gloss=0.3
    )
    canvas.fill(ellipse(0.5, 0.877, foot, 0.033), look.stuff(look.trim), bevel=0.012, gloss=0.3)
    for a, b in (((0.5, 0.87), elbow), (elbow, head)):
        canvas.line(np.linspace(a, b, 5), 0.026, look.stuff(look.second, look.material), gloss=0.5)
    for joint in (elbow, (0.5, 0.865)):
        canvas.fill(ellipse(*joint, 0.03, 0.03), look.trim, bevel=0.012, gloss=0.5, cast=0.2)
    size = look.between(5, 0.13, 0.18)
    bell = lathe([(0.035, -0.06), (0.05, 0), (size * 0.85, 0.1), (size, 0.2)], cx=0) + vector(head)
    tilt = -look.between(6, 20, 50)
    glow = turned(ellipse(head[0], head[1] + 0.2, size, 0.03), tilt, head)
    shape = canvas.fill(
        turned(bell, tilt, head), paint, bevel=0.05, depth=0.55, gloss=0.3, cast=0.25
    )
    canvas.fill(glow, (1.0, 0.93, 0.72), bevel=0.008)
    canvas.tone(ellipse(head[0] - 0.03, head[1] + 0.05, 0.03, 0.07), 0.35, blur=0.015, clip=shape)


KINDS = (
    Kind(
        "lamp",
        "lamps",
        ("table lamp", "desk lamp", "mushroom lamp", "bedside lamp"),
        draw_lamp,
        "standing",
        (
            "plain",
            "striped",
            "banded",
            "marbled",
            "speckled",
            "colour-block",
            "ombré",
            "dotted",
            "wave-print",
        ),
        ("ceramic", "linen", "brass", "glass", "steel"),
        (35, 240),
    ),
)
