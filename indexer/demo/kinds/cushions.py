"""Cushions and wall clocks."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.light import ball
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    ellipse,
    moved,
    ribbon,
    ring,
    rounded,
    turned,
    vector,
)


def draw_cushion(canvas: Canvas, look: Look) -> None:
    """Draw a cushion."""
    half = look.between(0, 0.33, 0.39)
    high = half if look.form != "bolster cushion" else half * 0.55
    if look.form == "round cushion":
        outline = ellipse(0.5, 0.5, half, half, steps=90)
    else:
        edge = np.linspace(-1, 1, 24, endpoint=False)
        pinch = look.between(1, 0.05, 0.13) * (1 - edge**2)
        top = np.stack([edge * half, -high * (1 - pinch * 0.6)], axis=1)
        right = np.stack([half * (1 - pinch), edge * high], axis=1)
        outline = moved(np.vstack([top, right, -top, -right]), 0.5, 0.5)
    if look.numbers[2] > 0.6 and look.form != "round cushion":
        _tassels(canvas, look, half, high)
    if look.numbers[3] > 0.4:
        canvas.fill(ring(outline, 0.024), look.trim, bevel=0.008)
    body = canvas.fill(
        outline,
        look.cloth(scale=look.between(4, 0.9, 1.35)),
        bevel=0.09,
        depth=0.5,
        light=ball(0.46, 0.45, 0.75, 0.16),
    )
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = (0.5 + sx * half * 0.95, 0.5 + sy * high * 0.95)
        for spread in (0.55, 0.8):
            inner = (0.5 + sx * half * spread, 0.5 + sy * high * (1.2 - spread))
            canvas.tone(ribbon([corner, inner], 0.02, 0.004), -0.14, blur=0.012, clip=body)
    what = look.choice(5, 4)
    if look.form == "round cushion" or what == 0:
        for turn in range(0, 360, 30):
            canvas.tone(
                turned(ribbon([(0.5, 0.5), (0.5, 0.42)], 0.014, 0.003), turn),
                -0.3,
                blur=0.006,
                clip=body,
            )
        canvas.fill(ellipse(0.5, 0.5, 0.03, 0.03), look.trim, bevel=0.012, cast=0.4)
    elif what == 1:
        frame = rounded(
            0.5 - half * 0.7, 0.5 - high * 0.7, 0.5 + half * 0.7, 0.5 + high * 0.7, 0.01
        )
        canvas.fill(
            ring(frame, 0.022),
            look.second if look.pattern == "plain" else look.trim,
            clip=body,
            depth=0,
        )


def _tassels(canvas: Canvas, look: Look, half: float, high: float) -> None:
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = vector([0.5 + sx * half, 0.5 + sy * high])
        for i in range(-2, 3):
            tip = corner + vector([sx * 0.055 + i * 0.012, sy * 0.055 - i * 0.012 * sx * sy])
            canvas.line(np.linspace(corner, tip, 4), 0.013, look.second, depth=0.4)
        canvas.fill(ellipse(float(corner[0]), float(corner[1]), 0.018, 0.018), look.trim)


def draw_clock(canvas: Canvas, look: Look) -> None:
    """Draw a wall clock."""
    radius = look.between(0, 0.34, 0.41)
    sides = {
        "round wall clock": 0,
        "hexagon wall clock": 6,
        "sunburst wall clock": 0,
        "square wall clock": 4,
    }[look.form]
    frame = ellipse(0.5, 0.5, radius, radius, steps=120)
    if sides:
        corners = ellipse(
            0.5,
            0.5,
            radius * 1.1,
            radius * 1.1,
            45 if sides == 4 else 0,
            405 if sides == 4 else 360,
            sides,
        )
        frame = (
            rounded(0.5 - radius, 0.5 - radius, 0.5 + radius, 0.5 + radius, 0.06)
            if sides == 4
            else corners
        )
    if look.form == "sunburst wall clock":
        radius *= 0.72
        frame = ellipse(0.5, 0.5, radius, radius, steps=120)
        rays = 16 + 4 * look.choice(1, 4)
        for i in range(rays):
            reach = 0.45 if i % 2 else 0.39
            ray = ribbon([(0.5, 0.5 - radius * 0.9), (0.5, 0.5 - reach)], 0.032, 0.006)
            canvas.fill(
                turned(ray, i * 360 / rays),
                look.stuff(look.second, look.material),
                bevel=0.008,
                depth=0.45,
            )
    canvas.fill(frame, look.stuff(look.second, look.material), bevel=0.018, depth=0.5, gloss=0.3)
    inner = radius * look.between(2, 0.84, 0.92)
    face = frame * vector(inner / radius) + vector(0.5 - 0.5 * inner / radius)
    dial = canvas.fill(face, look.cloth(scale=1.1), bevel=0.012, depth=-0.35)
    _dial(canvas, look, inner if sides != 6 else inner * 0.95)
    canvas.tone(
        turned(ellipse(0.38, 0.34, inner * 0.5, inner * 0.2), -40), 0.14, blur=0.04, clip=dial
    )


def _dial(canvas: Canvas, look: Look, radius: float) -> None:
    ink = (0.97, 0.96, 0.92) if sum(look.main) < 1.6 else (0.13, 0.13, 0.15)
    if look.pattern != "plain":
        canvas.fill(ellipse(0.5, 0.5, radius * 0.62, radius * 0.62), look.trim, depth=0.1)
        ink = (0.97, 0.96, 0.92) if sum(look.trim) < 1.6 else (0.13, 0.13, 0.15)
        radius *= 0.62
    numerals = look.choice(3, 3)
    for hour in range(12):
        angle = np.radians(hour * 30 - 90)
        x, y = (
            0.5 + radius * 0.82 * float(np.cos(angle)),
            0.5 + radius * 0.82 * float(np.sin(angle)),
        )
        if numerals == 0:
            canvas.text(str(hour or 12), x, y, radius * 0.2, ink)
        elif numerals == 1:
            mark = ribbon(
                [
                    (0.5, 0.5 - radius * 0.92),
                    (0.5, 0.5 - radius * (0.72 if hour % 3 == 0 else 0.82)),
                ],
                radius * 0.05,
            )
            canvas.fill(turned(mark, hour * 30), ink, depth=0)
        else:
            canvas.fill(ellipse(x, y, radius * 0.045, radius * 0.045), ink, depth=0)
    for degrees, length, width in (
        (look.between(4, 0, 360), 0.5, 0.07),
        (look.between(5, 0, 360), 0.74, 0.045),
    ):
        hand = ribbon(
            [(0.5, 0.5 + radius * 0.12), (0.5, 0.5 - radius * length)],
            radius * width,
            radius * width * 0.5,
        )
        canvas.fill(turned(hand, degrees), ink, cast=0.25, depth=0)
    canvas.fill(ellipse(0.5, 0.5, radius * 0.06, radius * 0.06), look.second, cast=0.2, bevel=0.006)


KINDS = (
    Kind(
        "cushion",
        "cushions",
        ("cushion", "round cushion", "bolster cushion"),
        draw_cushion,
        "flat",
        (
            "plain",
            "striped",
            "floral",
            "leaf-print",
            "geometric",
            "zigzag",
            "tartan",
            "dotted",
            "argyle",
            "scalloped",
            "gingham",
            "wave-print",
            "big-dot",
            "diagonal-striped",
            "star-print",
            "banded",
            "windowpane",
        ),
        ("linen", "velvet", "cotton", "bouclé", "wool", "corduroy"),
        (15, 80),
    ),
    Kind(
        "clock",
        "clocks",
        ("round wall clock", "hexagon wall clock", "sunburst wall clock", "square wall clock"),
        draw_clock,
        "flat",
        ("plain", "marbled", "terrazzo", "plain", "geometric", "scalloped", "speckled"),
        ("oak", "walnut", "brass", "steel"),
        (25, 130),
    ),
)
