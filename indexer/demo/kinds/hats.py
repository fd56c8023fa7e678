"""Caps, beanies and hats."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas
from indexer.demo.kinds.details import (
    fold,
)
from indexer.demo.light import ball, darker, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    ellipse,
    lathe,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
    turned,
)


def draw_hat(canvas: Canvas, look: Look) -> None:
    """Draw a cap, a beanie, a bucket hat or a brimmed hat."""
    {
        "baseball cap": _cap,
        "beanie": _beanie,
        "bucket hat": _bucket_hat,
        "sun hat": _brimmed,
    }[look.form](canvas, look)


def _cap(canvas: Canvas, look: Look) -> None:
    top = look.between(0, 0.22, 0.29)
    crown = smooth(
        [
            (0.13, 0.62),
            (0.15, 0.42),
            (0.28, top + 0.03),
            (0.45, top),
            (0.62, top + 0.06),
            (0.72, 0.45),
            (0.75, 0.63),
            (0.45, 0.68),
        ]
    )
    paint = look.cloth()
    dome = canvas.fill(crown, paint, bevel=0.07, depth=0.55, light=ball(0.42, 0.45, 0.42, 0.25))
    panel = [(0.45, top), (0.54, top + 0.16), (0.56, 0.68)]
    for path in (panel, [(0.45, top), (0.3, top + 0.15), (0.24, 0.66)]):
        seam = smooth(path, closed=False)
        canvas.line(seam, 0.006, darker(look.main, 0.75), clip=dome, depth=0)
        canvas.stitch(moved(seam, 0.014), look.second, width=0.004)
    canvas.fill(ellipse(0.45, top, 0.024, 0.014), look.trim, bevel=0.008, cast=0.2)
    long = look.between(1, 0.9, 0.97)
    peak = smooth(
        [
            (0.42, 0.62),
            (0.6, 0.57),
            (0.74, 0.58),
            (long - 0.06, 0.64),
            (long, 0.71),
            (0.8, 0.705),
            (0.6, 0.69),
            (0.46, 0.7),
        ]
    )
    brim = look.trim if look.numbers[2] > 0.45 else look.main
    canvas.fill(peak, look.stuff(brim, look.material), bevel=0.025, depth=0.45, cast=0.4)
    for i in range(3):
        edge = smooth(
            [(0.48, 0.675 - i * 0.02), (0.7, 0.64 - i * 0.017), (long - 0.06, 0.69 - i * 0.02)],
            closed=False,
        )
        canvas.stitch(edge, look.second, width=0.003)
    if look.numbers[3] > 0.3:
        canvas.fill(ellipse(0.62, 0.47, 0.07, 0.075), look.second, bevel=0.008, cast=0.2)
        letter = look.brand[0].upper()
        canvas.text(letter, 0.62, 0.47, 0.1, legible(look.trim, look.second))


def _beanie(canvas: Canvas, look: Look) -> None:
    top = look.between(0, 0.2, 0.3)
    half = look.between(1, 0.25, 0.31)
    crown = lathe(
        [
            (0.03, top),
            (half * 0.65, top + 0.06),
            (half * 0.98, 0.46),
            (half, 0.72),
            (half * 0.9, 0.75),
        ]
    )
    dome = canvas.fill(crown, look.cloth(), bevel=0.07, depth=0.6)
    for i in range(-3, 4):
        gather = [(0.5 + i * half * 0.27, 0.66), (0.5 + i * half * 0.2, 0.42), (0.5, top)]
        fold(canvas, gather, 0.14, dome, 0.022)
    cuff = rounded(0.5 - half - 0.02, 0.6, 0.5 + half + 0.02, 0.78, 0.05)
    band = look.trim if look.numbers[2] > 0.4 else look.main
    rim = canvas.fill(cuff, look.stuff(band, look.material), bevel=0.03, depth=0.5, cast=0.3)
    for i in range(15):
        x = 0.5 + (i - 7) * half / 7.2
        canvas.tone(ribbon([(x, 0.61), (x, 0.77)], 0.012), -0.22, blur=0.005, clip=rim)
    if look.numbers[3] > 0.45:
        rng = np.random.default_rng(look.seed)
        angles, lengths = np.linspace(0, 6.28, 90), rng.uniform(0.066, 0.082, 90)
        tuft = np.stack([0.5 + lengths * np.cos(angles), top - 0.015 + lengths * np.sin(angles)], 1)
        fluff = look.stuff(look.second, "bouclé")
        canvas.fill(points(tuft), fluff, bevel=0.03, depth=0.6, cast=0.25)
    else:
        canvas.fill(rounded(0.56, 0.66, 0.66, 0.73, 0.008), look.second, bevel=0.005, cast=0.25)


def _bucket_hat(canvas: Canvas, look: Look) -> None:
    top = look.between(0, 0.24, 0.32)
    wide = look.between(1, 0.34, 0.42)
    crown = lathe([(0.17, top), (0.2, top + 0.03), (0.25, 0.56), (0.25, 0.6)])
    cloth = look.cloth()
    canvas.fill(crown, cloth, bevel=0.05, depth=0.5)
    canvas.fill(
        ellipse(0.5, top + 0.02, 0.185, 0.035),
        cloth,
        bevel=0.01,
        light=lambda x, y: 0.12 + 0 * x * y,
    )
    brim = lathe([(0.24, 0.52), (0.3, 0.6), (wide, 0.72), (wide - 0.03, 0.755), (0.12, 0.79)])
    rim = canvas.fill(brim, look.cloth(degrees=4), bevel=0.04, depth=0.5, cast=0.25)
    band = smooth([(0.26, 0.53), (0.5, 0.585), (0.74, 0.53)], closed=False)
    canvas.line(band, 0.032 if look.numbers[2] > 0.5 else 0.01, look.trim, cast=0.3)
    for i in range(5):
        drop = 0.035 * i
        ring = [(0.26 - drop, 0.6 + drop), (0.5, 0.64 + drop), (0.74 + drop, 0.6 + drop)]
        canvas.stitch(smooth(ring, closed=False), look.second, width=0.0035)
    canvas.tone(ellipse(0.42, 0.7, 0.1, 0.03), 0.15, blur=0.03, clip=rim)


def _brimmed(canvas: Canvas, look: Look) -> None:
    top, wide = look.between(0, 0.25, 0.34), look.between(1, 0.38, 0.46)
    straw = look.stuff(look.main, "straw")
    under = canvas.fill(ellipse(0.5, 0.68, wide, 0.15), straw, bevel=0.03, depth=0.4)
    canvas.tone(ellipse(0.53, 0.68, 0.27, 0.08), -0.4, blur=0.03, clip=under)
    dent = look.between(2, 0, 0.05)
    crown = smooth(
        [
            (0.27, 0.66),
            (0.29, 0.45),
            (0.35, top + 0.02),
            (0.5, top + dent),
            (0.65, top + 0.02),
            (0.71, 0.45),
            (0.73, 0.66),
            (0.5, 0.72),
        ]
    )
    dome = canvas.fill(crown, look.cloth(scale=1.2), bevel=0.06, depth=0.55, cast=0.2)
    band = smooth([(0.265, 0.6), (0.5, 0.665), (0.735, 0.6)], closed=False)
    canvas.line(band, look.between(3, 0.04, 0.09), look.trim, clip=dome, bevel=0.008)
    if look.numbers[4] > 0.5:
        for dx in (-1, 1):
            bow = smooth([(0.68, 0.61), (0.68 + dx * 0.06, 0.57), (0.68 + dx * 0.065, 0.66)])
            canvas.fill(bow, look.second, bevel=0.01, cast=0.25)
    else:
        feather = turned(
            lathe([(0.0, 0.33), (0.025, 0.42), (0.02, 0.54), (0.004, 0.62)], cx=0.68),
            14,
            (0.68, 0.6),
        )
        canvas.fill(feather, look.second, bevel=0.01, cast=0.3)
    canvas.line(ellipse(0.5, 0.68, wide - 0.008, 0.143, 5, 175), 0.012, look.trim, bevel=0.004)


KINDS = (
    Kind(
        "hat",
        "hats",
        ("baseball cap", "beanie", "bucket hat", "sun hat"),
        draw_hat,
        "flat",
        (
            "plain",
            "striped",
            "tartan",
            "colour-block",
            "dotted",
            "floral",
            "camouflage",
            "zigzag",
            "gingham",
            "argyle",
            "banded",
        ),
        ("cotton", "wool", "linen", "corduroy", "canvas"),
        (12, 60),
    ),
)
