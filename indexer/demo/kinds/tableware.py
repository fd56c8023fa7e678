"""Mugs, cups and bottles."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    GLAZES,
    gleam,
    inside_rim,
)
from indexer.demo.light import across, darker, legible, lighter
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    arc,
    below,
    ellipse,
    lathe,
    moved,
    points,
    rounded,
    smooth,
    star,
    turned,
    vector,
)


def draw_mug(canvas: Canvas, look: Look) -> None:
    """Draw a mug or a cup with its handle to the right."""
    cup = look.form == "cup and saucer"
    wide = look.between(0, 0.2, 0.25) + (0.03 if cup else 0)
    top = look.between(1, 0.42, 0.5) if cup else look.between(1, 0.2, 0.34)
    base = 0.8 if cup else 0.85
    foot = wide * (0.55 if cup else look.between(2, 0.78, 1.02))
    cx = 0.44
    if cup:
        canvas.fill(
            ellipse(0.46, 0.82, 0.37, 0.075), look.stuff(look.second), bevel=0.02, gloss=0.2
        )
        canvas.fill(
            ellipse(0.46, 0.812, 0.27, 0.045), darker(look.second, 0.9), bevel=0.012, depth=-0.3
        )
    loop = look.between(3, 0.10, 0.15)
    mid = (top + base) / 2 - (0.03 if cup else 0)
    high = (base - top) * (0.26 if cup else 0.3)
    handle = arc(cx + wide * 0.85, mid, loop + wide * 0.15, high, -95, 95)
    handle[:, 0] -= np.clip(handle[:, 1] - mid, 0, 1) * (wide - foot) * 0.9
    grip = look.trim if look.numbers[4] > 0.5 else look.main
    canvas.line(handle, 0.048, look.stuff(grip, look.material), gloss=0.35, bevel=0.014)
    bulge = look.between(5, -0.01, 0.03)
    profile = [
        (wide, top),
        (wide + bulge, (top + base) / 2),
        (foot, base - 0.03),
        (foot * 0.93, base),
    ]
    if cup:
        profile = [
            (wide, top),
            (wide * 0.97, top + 0.1),
            (wide * 0.8, base - 0.09),
            (foot, base - 0.02),
            (foot, base),
        ]
    bowl = arc(0, base, foot * 0.93, 0.03, 0, 180)
    side = smooth(profile, closed=False)
    outline = np.vstack([side, bowl, side[::-1] * vector([-1, 1])]) + vector([cx, 0])
    body = canvas.fill(outline, look.cloth(scale=0.9), depth=0.12, light=across(cx, wide, 0.4))
    if look.numbers[6] > 0.55:
        dip = below(cx, base - look.between(11, 0.1, 0.22), wide * 1.3, 0.04)
        canvas.fill(
            dip,
            look.stuff(look.trim, look.material),
            clip=body,
            depth=0,
            light=across(cx, wide, 0.4),
        )
    if look.pattern in ("plain", "speckled", "ombré") and look.numbers[7] > 0.35:
        _motif(canvas, look, cx - 0.02, (top + base) / 2)
    inside_rim(
        canvas,
        cx,
        top,
        wide,
        wide * 0.2,
        look.second if look.numbers[8] > 0.5 else (0.93, 0.91, 0.87),
    )
    gleam(canvas, cx - wide * 0.68, top + 0.1, base - 0.1, body)


def _motif(canvas: Canvas, look: Look, cx: float, cy: float) -> None:
    size = look.between(9, 0.07, 0.1)
    what = look.choice(10, 4)
    if what == 0:
        canvas.fill(star(cx, cy, size, size * 0.42), look.trim, depth=0)
    elif what == 1:
        canvas.text(look.brand.split()[0], cx, cy, 0.07, legible(look.trim, look.main), width=0.26)
    elif what == 2:
        for i in range(6):
            petal = turned(ellipse(cx, cy - size * 0.62, size * 0.3, size * 0.5), i * 60, (cx, cy))
            canvas.fill(petal, look.trim, depth=0)
        canvas.fill(ellipse(cx, cy, size * 0.3, size * 0.3), look.second, depth=0)
    else:
        for dx in (-1, 1):
            canvas.fill(
                ellipse(cx + dx * size * 0.42, cy - size * 0.2, size * 0.5, size * 0.5),
                look.trim,
                depth=0,
            )
        canvas.fill(
            points(
                [(cx - size * 0.87, cy + 0.005), (cx + size * 0.87, cy + 0.005), (cx, cy + size)]
            ),
            look.trim,
            depth=0,
        )


def draw_bottle(canvas: Canvas, look: Look) -> None:
    """Draw a drinking bottle, a flask or a dispenser."""
    wide, top = look.between(0, 0.12, 0.18), look.between(1, 0.2, 0.28)
    shoulder = look.between(2, 0.03, 0.12)
    neck = wide * look.between(3, 0.4, 0.75)
    profile = [
        (neck, top),
        (neck, top + 0.04),
        (wide, top + 0.06 + shoulder),
        (wide, 0.6),
        (wide, 0.88),
        (wide * 0.9, 0.925),
    ]
    if look.form == "tumbler":
        wide += 0.03
        profile = [(wide, top), (wide * 0.95, 0.5), (wide * 0.78, 0.9), (wide * 0.74, 0.925)]
        neck = wide
    _lid(canvas, look, top, neck)
    body = canvas.fill(
        lathe(profile), look.cloth(scale=0.8), bevel=0.02, depth=0.2, light=across(0.5, wide, 0.5)
    )
    if look.numbers[6] > 0.5:
        canvas.fill(
            rounded(0.2, 0.84, 0.8, 1, 0),
            look.stuff(look.trim),
            clip=body,
            depth=0.1,
            light=across(0.5, wide, 0.5),
        )
    _label(canvas, look, body, wide)
    gleam(canvas, 0.5 - wide * 0.72, top + 0.12 + shoulder, 0.86, body, 0.45)


def _label(canvas: Canvas, look: Look, body: Mask, wide: float) -> None:
    style = look.choice(7, 3)
    y = look.between(8, 0.5, 0.68)
    if style == 0:
        canvas.fill(
            rounded(0.2, y - 0.08, 0.8, y + 0.08, 0),
            lighter(look.second, 0.2),
            clip=body,
            depth=0,
            light=across(0.5, wide, 0.4),
        )
        canvas.text(
            look.brand.split()[0],
            0.5,
            y,
            0.05,
            legible(look.main, lighter(look.second, 0.2)),
            clip=body,
            width=wide * 1.6,
        )
    elif style == 1:
        canvas.text(
            look.brand.split()[0].upper(),
            0.5,
            0.62,
            0.085,
            legible(look.trim, look.main),
            clip=body,
            width=0.36,
            degrees=90,
        )
    else:
        canvas.fill(
            ellipse(0.5, y, wide * 0.6, wide * 0.6),
            look.trim,
            clip=body,
            depth=0,
            light=across(0.5, wide, 0.4),
        )
        canvas.text(look.brand[0], 0.5, y, wide * 0.8, legible(look.second, look.trim), clip=body)


def _lid(canvas: Canvas, look: Look, top: float, neck: float) -> None:
    cap = look.stuff(look.second, "steel" if look.numbers[5] > 0.5 else "")
    if look.form == "soap dispenser":
        canvas.fill(
            rounded(0.49, top - 0.12, 0.51, top, 0.003), look.trim, light=across(0.5, 0.02, 0.4)
        )
        spout = smooth([(0.47, top - 0.14), (0.6, top - 0.15), (0.64, top - 0.11)], closed=False)
        canvas.line(spout, 0.032, look.trim, gloss=0.4)
    elif look.form == "water bottle":
        canvas.line(
            arc(0.5, top - 0.05, neck * 0.9, look.between(4, 0.06, 0.11), 180, 360),
            0.022,
            look.trim,
            gloss=0.2,
        )
    elif look.form == "tumbler":
        canvas.line(moved([(0.53, top), (0.55, top - 0.17)], 0.02), 0.018, look.trim, gloss=0.4)
    high = look.between(4, 0.03, 0.07)
    canvas.fill(
        rounded(0.5 - neck - 0.008, top - high, 0.5 + neck + 0.008, top + 0.02, 0.012),
        cap,
        bevel=0.01,
        light=across(0.5, neck, 0.5),
    )


KINDS = (
    Kind(
        "mug",
        "mugs",
        ("mug", "cup and saucer", "coffee mug"),
        draw_mug,
        "standing",
        GLAZES,
        ("stoneware", "porcelain", "enamel", "earthenware"),
        (9, 38),
    ),
    Kind(
        "bottle",
        "bottles",
        ("water bottle", "flask", "soap dispenser", "tumbler"),
        draw_bottle,
        "standing",
        (
            "plain",
            "speckled",
            "ombré",
            "striped",
            "camouflage",
            "marbled",
            "dotted",
            "floral",
            "colour-block",
            "terrazzo",
            "wave-print",
            "leaf-print",
        ),
        ("steel", "glass", "aluminium", "tritan"),
        (12, 49),
    ),
)
