"""Vases, jugs and plants in their pots."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import (
    GLAZES,
    gleam,
    inside_rim,
)
from indexer.demo.light import Colour, across, darker, lighter
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    below,
    ellipse,
    points,
    ring,
    rounded,
    smooth,
    turned,
    vector,
)


def _vessel(look: Look) -> tuple[list[tuple[float, float]], float]:
    """Return the profile of a vase, and the half width of its mouth."""
    mouth, belly = look.between(0, 0.06, 0.12), look.between(1, 0.16, 0.27)
    top, at = look.between(2, 0.12, 0.24), look.between(3, 0.5, 0.68)
    foot = look.between(4, 0.09, 0.15)
    if look.form == "bud vase":
        mouth, belly = mouth * 0.45, belly * 0.85
        neck = at - 0.16
        return [
            (mouth * 1.25, top),
            (mouth, top + 0.06),
            (mouth, neck),
            (belly, at + 0.06),
            (foot, 0.9),
            (foot * 0.9, 0.92),
        ], mouth * 1.25
    if look.form == "cylinder vase":
        wide = look.between(1, 0.12, 0.19)
        return [
            (wide, top),
            (wide * look.between(3, 0.85, 1.05), 0.5),
            (wide, 0.86),
            (wide * 0.95, 0.92),
        ], wide
    return [
        (mouth * 1.2, top),
        (mouth, top + 0.07),
        (belly * 0.8, at - 0.14),
        (belly, at),
        (foot, 0.89),
        (foot, 0.92),
    ], mouth * 1.2


def draw_vase(canvas: Canvas, look: Look) -> None:
    """Draw a vase or a jug."""
    profile, mouth = _vessel(look)
    top = profile[0][1]
    widest = max(half for half, _ in profile)
    if look.form == "jug" or (look.form == "amphora" and look.numbers[5] > 0.3):
        for dx in (-1, 1) if look.form == "amphora" else (1,):
            ear = [
                (0.5 + dx * mouth * 0.8, top + 0.04),
                (0.5 + dx * (mouth + 0.12), top + 0.05),
                (0.5 + dx * (widest + 0.05), top + 0.2),
                (0.5 + dx * widest * 0.85, top + 0.33),
            ]
            canvas.line(
                smooth(ear, closed=False), 0.034, look.stuff(look.trim, look.material), gloss=0.3
            )
    half = smooth(profile, closed=False)
    foot, base = half[-1]
    bottom = arc(0, float(base), float(foot), 0.02, 0, 180)
    outline = np.vstack([half, bottom, half[::-1] * vector([-1, 1])]) + vector([0.5, 0])
    body = canvas.fill(
        outline, look.cloth(), bevel=0.05, depth=0.3, light=across(0.5, widest, 0.38)
    )
    if look.numbers[6] > 0.5:
        y = look.between(7, 0.32, 0.72)
        for i, (dy, thick) in enumerate(((0, 0.05), (0.05, 0.014))):
            band = arc(0.5, y + dy, widest * 1.1, 0.03, 0, 180)
            canvas.line(
                band,
                thick,
                (look.trim, look.second)[i],
                clip=body,
                bevel=0,
                light=across(0.5, widest, 0.38),
            )
    if look.numbers[8] > 0.6:
        dipped = below(0.5, look.between(9, 0.66, 0.8), widest * 1.3, 0.04)
        canvas.fill(
            dipped,
            look.stuff(look.second, look.material),
            clip=body,
            bevel=0.01,
            light=across(0.5, widest, 0.38),
        )
    inside_rim(canvas, 0.5, top, mouth, mouth * 0.22, look.main)
    gleam(canvas, 0.5 - widest * 0.62, 0.48, 0.74, body, 0.35)


def _blade(cx: float, cy: float, length: float, width: float, degrees: float) -> Array:
    leaf = smooth(
        [
            (cx, cy),
            (cx + width, cy - length * 0.45),
            (cx, cy - length),
            (cx - width, cy - length * 0.45),
        ]
    )
    return turned(leaf, degrees, (cx, cy))


def draw_planter(canvas: Canvas, look: Look) -> None:
    """Draw a plant in its pot."""
    rng = np.random.default_rng(look.seed)
    rim, wide = look.between(0, 0.56, 0.64), look.between(1, 0.16, 0.22)
    _plant(canvas, look, rng, rim)
    foot = wide * look.between(2, 0.62, 0.95)
    profile = [(wide, rim), (wide * 0.98, rim + 0.1), (foot, 0.9), (foot * 0.9, 0.92)]
    half = smooth(profile, closed=False)
    bottom = arc(0, 0.92, foot * 0.9, 0.02, 0, 180)
    front = arc(0, rim, wide, 0.026, 180, 0)
    outline = np.vstack([half, bottom, half[::-1] * vector([-1, 1]), front]) + vector([0.5, 0])
    body = canvas.fill(
        outline, look.cloth(), bevel=0.03, depth=0.3, light=across(0.5, wide, 0.38), cast=0.3
    )
    if look.numbers[3] > 0.5:
        lip = np.vstack(
            [
                arc(0.5, rim, wide * 1.05, 0.028, 180, 0),
                arc(0.5, rim + 0.055, wide * 1.04, 0.028, 0, 180),
            ]
        )
        canvas.fill(
            lip,
            look.stuff(look.trim, look.material),
            bevel=0.012,
            light=across(0.5, wide, 0.38),
            cast=0.25,
        )
    if look.numbers[4] > 0.6:
        for dx in (-0.75, 0.75):
            leg = points(
                [
                    (0.5 + dx * wide, rim + 0.14),
                    (0.5 + dx * wide * 1.35, 0.96),
                    (0.5 + dx * wide * 1.35 - 0.028, 0.96),
                    (0.5 + dx * wide - 0.014, rim + 0.14),
                ]
            )
            canvas.fill(leg, look.stuff((0.72, 0.53, 0.34), "oak"), bevel=0.008, cast=0.2)
    gleam(canvas, 0.5 - wide * 0.66, rim + 0.1, 0.82, body, 0.3)


def _plant(canvas: Canvas, look: Look, rng: np.random.Generator, rim: float) -> None:
    greens: list[Colour] = [
        (0.22, 0.45, 0.27),
        (0.33, 0.55, 0.3),
        (0.16, 0.36, 0.24),
        (0.45, 0.62, 0.36),
        (0.38, 0.52, 0.44),
    ]
    first = look.choice(5, 5)
    green, other = greens[first], greens[(first + 1) % 5]
    base = (0.5, rim + 0.01)
    canvas.fill(ellipse(0.5, rim, 0.15, 0.024), (0.25, 0.18, 0.13))
    if look.form == "potted cactus":
        high, wide = look.between(6, 0.25, 0.42), look.between(7, 0.07, 0.12)
        for dx, dy, scale in ((0, 0, 1), (0.13, 0.02, 0.55), (-0.13, -0.06, 0.45)):
            stem = rounded(
                0.5 + dx - wide * scale,
                rim - high * scale + dy,
                0.5 + dx + wide * scale,
                rim + 0.03,
                wide,
            )
            body = canvas.fill(
                stem,
                green,
                bevel=0.03,
                depth=0.5,
                light=across(0.5 + dx, wide * scale, 0.25),
                cast=0.2,
            )
            for i in range(-2, 3):
                rib = [
                    (0.5 + dx + i * wide * scale * 0.38, rim - high * scale + dy + 0.02),
                    (0.5 + dx + i * wide * scale * 0.38, rim),
                ]
                canvas.stitch(rib, (0.93, 0.92, 0.8), width=0.004, dash=0.03)
            if scale == 1 or look.numbers[8] > 0.5:
                for turn in range(0, 360, 60):
                    top = (0.5 + dx, rim - high * scale + dy)
                    canvas.fill(
                        turned(ellipse(top[0], top[1] - 0.018, 0.011, 0.02), turn, top),
                        look.second,
                        depth=0.2,
                        bevel=0.005,
                    )
        canvas.tone(ellipse(0.45, rim - high * 0.6, 0.02, 0.1), 0.2, blur=0.02, clip=body)
        return
    count, spread = 9 + look.choice(6, 6), look.between(7, 42, 75)
    slim = {"potted snake plant": 0.028, "potted rubber plant": 0.085, "potted fern": 0.03}[
        look.form
    ]
    for i in range(count):
        angle = (i / (count - 1) * 2 - 1) * spread * (0.45 if slim == 0.028 else 1)
        angle += rng.normal() * 6
        length = look.between(8, 0.36, 0.5) * (1 - 0.25 * abs(angle) / 90) * rng.uniform(0.75, 1.05)
        tint = green if i % 2 else other
        if look.form == "potted rubber plant":
            stem = points([base, turned([(0.5, rim - length * 0.55)], angle, base)[0]])
            canvas.line(np.linspace(stem[0], stem[1], 6), 0.013, darker(tint, 0.8))
            leaf = _blade(float(stem[1][0]), float(stem[1][1]), length * 0.55, slim, angle * 1.25)
        else:
            leaf = _blade(0.5, rim + 0.01, length, slim, angle)
        shape = canvas.fill(leaf, tint, bevel=0.014, depth=0.5, cast=0.25)
        vein = np.linspace(leaf[0], leaf[16], 6)
        canvas.line(vein, 0.006, lighter(tint, 0.35), clip=shape, depth=0)
        if slim == 0.028:
            canvas.fill(ring(leaf, 0.01), (0.86, 0.83, 0.5), clip=shape, depth=0)


KINDS = (
    Kind(
        "vase",
        "vases",
        ("vase", "bud vase", "jug", "amphora", "cylinder vase"),
        draw_vase,
        "standing",
        GLAZES,
        ("stoneware", "porcelain", "terracotta", "glass"),
        (16, 120),
    ),
    Kind(
        "plant",
        "plants",
        ("potted snake plant", "potted rubber plant", "potted cactus", "potted fern"),
        draw_planter,
        "standing",
        GLAZES,
        ("stoneware", "terracotta", "ceramic"),
        (14, 75),
    ),
)
