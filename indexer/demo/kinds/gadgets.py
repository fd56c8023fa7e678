"""Watches, sunglasses, headphones, helmets, toy cars and guitars."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Colour, across, ball, darker, lighter
from indexer.demo.kinds.bags import METALS
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    ellipse,
    lathe,
    mirrored,
    moved,
    points,
    ribbon,
    ring,
    rounded,
    smooth,
    star,
    turned,
)

INK = (0.12, 0.12, 0.14)
PAPER = (0.97, 0.96, 0.92)


def draw_watch(canvas: Canvas, look: Look) -> None:
    """Draw a wristwatch, its strap laid out straight."""
    metal = METALS[look.choice(0, 4)]
    radius = look.between(1, 0.17, 0.215)
    wide = radius * look.between(2, 0.55, 0.72)
    for y0, y1 in ((0.03, 0.45), (0.55, 0.97)):
        taper = 0.8
        outer, inner = (y0, y1) if y0 < 0.3 else (y1, y0)
        strap = points([(0.5 - wide * taper, outer), (0.5 + wide * taper, outer), (0.5 + wide, inner), (0.5 - wide, inner)])
        if look.form == "bracelet watch":
            shape = canvas.fill(strap, look.stuff(metal, "steel"), bevel=0.015, depth=0.4, light=across(0.5, wide, 0.35))
            for i in range(12):
                y = y0 + i * 0.036
                canvas.tone(rounded(0.5 - wide, y, 0.5 + wide, y + 0.008, 0), -0.5, blur=0.002, clip=shape)
            for dx in (-0.4, 0.4):
                canvas.tone(ribbon([(0.5 + dx * wide, y0), (0.5 + dx * wide, y1)], 0.008), -0.35, blur=0.002, clip=shape)
        else:
            canvas.fill(strap, look.cloth(scale=0.6), bevel=0.02, depth=0.45)
            for side in (-0.86, 0.86):
                canvas.stitch([(0.5 + side * wide * taper, outer), (0.5 + side * wide, inner)], look.second, width=0.005)
    if look.form != "bracelet watch":
        buckle = rounded(0.5 - wide * 0.98, 0.025, 0.5 + wide * 0.98, 0.085, 0.014)
        canvas.fill(buckle, metal, holes=[rounded(0.5 - wide * 0.76, 0.042, 0.5 + wide * 0.76, 0.07, 0.008)], gloss=0.7, bevel=0.008)
        for i in range(4):
            canvas.fill(ellipse(0.5, 0.78 + i * 0.04, 0.008, 0.008), darker(look.main, 0.35), bevel=0.004, depth=-0.3)
    square = look.form == "square watch"
    canvas.fill(rounded(0.5 + radius, 0.475, 0.5 + radius + 0.035, 0.525, 0.01), metal, gloss=0.6, bevel=0.01)
    if look.form == "chronograph":
        for y in (0.39, 0.59):
            canvas.fill(rounded(0.48 + radius, y, 0.51 + radius, y + 0.03, 0.006), metal, gloss=0.6, bevel=0.008)
    case = rounded(0.5 - radius, 0.5 - radius, 0.5 + radius, 0.5 + radius, 0.05) if square else ellipse(0.5, 0.5, radius, radius)
    canvas.fill(case, metal, bevel=0.016, depth=0.6, gloss=0.7, cast=0.35)
    face = look.trim if look.numbers[3] > 0.4 else (PAPER, INK)[look.choice(4, 2)]
    inner = radius * look.between(5, 0.8, 0.88)
    dial = rounded(0.5 - inner, 0.5 - inner, 0.5 + inner, 0.5 + inner, 0.035) if square else ellipse(0.5, 0.5, inner, inner)
    glass = canvas.fill(dial, face, bevel=0.012, depth=-0.4)
    _watch_dial(canvas, look, inner, face)
    canvas.tone(turned(rounded(0.3, 0.36, 0.7, 0.42, 0.03), -35), 0.22, blur=0.012, clip=glass)


def _watch_dial(canvas: Canvas, look: Look, radius: float, face: Colour) -> None:
    ink = PAPER if sum(face) < 1.6 else INK
    if look.form == "chronograph":
        for dx, dy in ((-0.42, 0), (0.42, 0), (0, 0.42)):
            x, y = 0.5 + dx * radius, 0.5 + dy * radius
            canvas.fill(ellipse(x, y, radius * 0.24, radius * 0.24), look.second, bevel=0.006, depth=-0.4)
            canvas.line([(x, y), (x + radius * 0.1, y - radius * 0.16)], 0.006, ink, depth=0)
    long = look.between(6, 0.72, 0.84)
    for hour in range(12):
        mark = ribbon([(0.5, 0.5 - radius * 0.95), (0.5, 0.5 - radius * long)], 0.017 if hour % 3 == 0 else 0.008)
        canvas.fill(turned(mark, hour * 30), ink, depth=0)
    canvas.text(look.brand.split()[0].upper(), 0.5, 0.5 - radius * 0.42, 0.026, ink, width=radius)
    for degrees, length, width in ((look.between(7, 0, 360), 0.52, 0.02), (look.between(8, 0, 360), 0.78, 0.013)):
        hand = ribbon([(0.5, 0.5 + radius * 0.14), (0.5, 0.5 - radius * length)], width, width * 0.5)
        canvas.fill(turned(hand, degrees), ink, cast=0.3, depth=0)
    second = ribbon([(0.5, 0.5 + radius * 0.2), (0.5, 0.5 - radius * 0.85)], 0.006)
    canvas.fill(turned(second, look.between(9, 0, 360)), look.second, depth=0, cast=0.2)
    canvas.fill(ellipse(0.5, 0.5, 0.012, 0.012), look.second, bevel=0.004)


def _lens(look: Look) -> Array:
    """Return the outline of the right lens."""
    cx, wide, high = 0.7, look.between(0, 0.135, 0.17), look.between(1, 0.1, 0.14)
    if look.form == "round sunglasses":
        return ellipse(cx, 0.5, wide * 0.95, wide * 0.95)
    if look.form == "aviator sunglasses":
        return smooth([(cx - wide * 0.85, 0.42), (cx, 0.395), (cx + wide, 0.42), (cx + wide * 0.95, 0.53), (cx + wide * 0.3, 0.5 + high * 1.25),
                       (cx - wide * 0.5, 0.5 + high), (cx - wide, 0.5)])  # fmt: skip
    if look.form == "cat-eye sunglasses":
        return smooth([(cx - wide * 0.9, 0.44), (cx, 0.42), (cx + wide * 1.05, 0.37), (cx + wide, 0.5), (cx + wide * 0.35, 0.5 + high * 0.9),
                       (cx - wide * 0.5, 0.5 + high * 0.85), (cx - wide * 0.9, 0.53)])  # fmt: skip
    return smooth([(cx - wide * 0.95, 0.42), (cx, 0.405), (cx + wide, 0.42), (cx + wide * 0.92, 0.5 + high * 0.7), (cx + wide * 0.5, 0.5 + high),
                   (cx - wide * 0.4, 0.5 + high), (cx - wide * 0.85, 0.5 + high * 0.55)], steps=8)  # fmt: skip


def draw_sunglasses(canvas: Canvas, look: Look) -> None:
    """Draw sunglasses from the front, folded."""
    lens = _lens(look)
    wire = look.form in ("aviator sunglasses", "round sunglasses") and look.numbers[2] > 0.4
    thick = 0.014 if wire else look.between(3, 0.03, 0.048)
    frame = look.stuff(METALS[look.choice(4, 4)]) if wire else look.cloth(scale=0.5)
    middle = lens.mean(axis=0)
    temple = smooth([(float(lens[:, 0].max()), 0.43), (0.88, 0.5), (0.62, 0.63), (0.3, 0.665)], closed=False)
    for flip in (False, True):
        path = moved(mirrored(temple) if flip else temple, 0, 0.012 if flip else 0)
        canvas.line(path, thick * 0.8, darker(look.second if wire else look.main, 0.75), bevel=0.006)
    bridge = look.between(5, 0.42, 0.48)
    nose = arc(0.5, bridge + 0.03, 0.07, 0.045, 180, 360)
    canvas.line(nose, thick * 0.95, frame, gloss=0.3)
    if look.form == "aviator sunglasses":
        canvas.line([(0.42, 0.405), (0.5, 0.4), (0.58, 0.405)], thick * 0.8, frame, gloss=0.4)
    tints = (darker(look.trim, 0.45), (0.1, 0.1, 0.12), lighter(look.trim, 0.1), (0.3, 0.2, 0.12))
    tint = tints[look.choice(6, 4)]
    fade = look.between(7, 0.0, 0.65)

    def glass(x: Array, y: Array, px: float) -> Array:
        t = np.clip((y - 0.4) / 0.22, 0, 1)[..., None] * fade
        return np.float32(tint) * (1 - t) + np.float32(lighter(tint, 0.75)) * t + 0 * x[..., None]

    for flip in (False, True):
        shape = mirrored(lens) if flip else lens
        rim = (shape - shape.mean(axis=0)) * np.float32(1 + thick / 0.14) + shape.mean(axis=0)
        if not wire:
            canvas.fill(rim, frame, bevel=0.014, depth=0.5, gloss=0.45, cast=0.25)
        eye = canvas.fill(shape, glass, bevel=0.01, depth=-0.25, opacity=0.93)
        if wire:
            canvas.fill(ring(shape, thick), frame, bevel=0.005, gloss=0.5, depth=0.5)
        cx = float(shape[:, 0].mean())
        for dx in (-0.045, 0.0):
            canvas.tone(ribbon([(cx + dx + 0.05, 0.4), (cx + dx - 0.03, 0.6)], 0.022), 0.3, blur=0.006, clip=eye)
    for flip in (False, True):
        x = float(middle[0] + (lens[:, 0].max() - middle[0]) * (1 + thick / 0.17))
        dot = ellipse(x - thick / 2, 0.435, 0.008, 0.008)
        canvas.fill(mirrored(dot) if flip else dot, METALS[look.choice(8, 3)], gloss=0.6, bevel=0.004)


def draw_headphones(canvas: Canvas, look: Look) -> None:
    """Draw headphones from the front."""
    reach, top = look.between(0, 0.26, 0.31), look.between(1, 0.12, 0.19)
    metal = METALS[look.choice(2, 4)]
    band = arc(0.5, 0.52, reach, 0.52 - top, 180, 360, 48)
    canvas.line(band, look.between(3, 0.045, 0.075), look.cloth(scale=0.6), bevel=0.016, depth=0.5, gloss=0.15)
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
            rounded(x - wide * 0.62, 0.65 - long * 0.92, x + wide * 0.62, 0.65 + long * 0.92, look.between(6, 0.03, 0.08))
            if look.form == "on-ear headphones"
            else ellipse(x + side * 0.012, 0.65, wide * 0.72, long * 0.94)
        )
        canvas.fill(cup, look.cloth(scale=0.6), bevel=0.035, depth=0.6, gloss=0.35, cast=0.3)
        plate = ellipse(x + side * 0.02, 0.65, wide * 0.4, long * 0.6)
        canvas.fill(plate, look.trim if look.numbers[7] > 0.4 else metal, bevel=0.014, depth=0.45, gloss=0.4, cast=0.2)
        canvas.text(look.brand[0], x + side * 0.02, 0.65, 0.05, look.second)
    if look.form == "gaming headset":
        boom = smooth([(0.5 - reach, 0.72), (0.5 - reach + 0.03, 0.84), (0.42, 0.9), (0.5, 0.9)], closed=False)
        canvas.line(boom, 0.018, INK, gloss=0.3)
        canvas.fill(rounded(0.47, 0.875, 0.56, 0.925, 0.025), look.trim, bevel=0.014, depth=0.5)
    elif look.form == "studio headphones":
        cable = smooth([(0.5 + reach, 0.8), (0.5 + reach - 0.02, 0.9), (0.55, 0.93), (0.42, 0.88), (0.36, 0.95)], closed=False)
        canvas.line(cable, 0.012, look.second)


def draw_helmet(canvas: Canvas, look: Look) -> None:
    """Draw a bicycle helmet from the side, its front to the right."""
    top, long = look.between(0, 0.2, 0.27), look.between(1, 0.4, 0.44)
    strap = smooth([(0.36, 0.6), (0.46, 0.74), (0.54, 0.86), (0.6, 0.74), (0.68, 0.6)], closed=False)
    canvas.line(strap, 0.022, look.trim)
    canvas.fill(rounded(0.515, 0.83, 0.565, 0.88, 0.01), INK, bevel=0.008)
    canvas.line(smooth([(0.3, 0.6), (0.42, 0.7), (0.46, 0.745)], closed=False), 0.018, look.trim)
    urban = look.form == "urban helmet"
    shell = smooth([(0.5 - long, 0.6), (0.5 - long + 0.02, 0.42), (0.32, top + 0.04), (0.5, top), (0.68, top + 0.05),
                    (0.5 + long - 0.02, 0.43), (0.5 + long, 0.56), (0.82, 0.6), (0.62, 0.57), (0.38, 0.64), (0.18, 0.66)])  # fmt: skip
    rim = canvas.fill(moved(shell, 0, 0.018), INK, bevel=0.02)
    dome = canvas.fill(shell, look.cloth(degrees=-6), bevel=0.09, depth=0.55, gloss=0.3, light=ball(0.42, 0.4, 0.5, 0.3))
    del rim
    if not urban:
        rows = look.choice(2, 3) + 2
        for row in range(rows):
            for i in range(4):
                x = 0.24 + i * 0.15 + 0.02 * row
                y = 0.33 + row * 0.5 / (rows + 1.6) * 0.6 + 0.35 * (x - 0.5) ** 2
                slot = smooth([(x - 0.06, y + 0.014), (x, y - 0.018), (x + 0.065, y), (x, y + 0.026)])
                canvas.fill(turned(slot, (x - 0.5) * 60, (x, y)), (0.07, 0.07, 0.08), clip=dome, bevel=0.008, depth=-0.5)
    else:
        for i in range(3):
            canvas.fill(rounded(0.36 + i * 0.11, 0.3, 0.43 + i * 0.11, 0.325, 0.012), (0.08, 0.08, 0.09), clip=dome, bevel=0.004, depth=-0.4)
    what = look.choice(3, 4)
    if what == 0:
        stripe = smooth([(0.05, 0.56), (0.3, 0.5), (0.6, 0.47), (0.96, 0.52)], closed=False)
        canvas.line(stripe, 0.05, look.second, clip=dome, bevel=0, light=ball(0.42, 0.4, 0.5, 0.25))
    elif what == 1:
        bolt = points([(0.5, 0.36), (0.4, 0.5), (0.48, 0.49), (0.42, 0.6), (0.6, 0.45), (0.51, 0.46), (0.58, 0.36)])
        canvas.fill(moved(bolt, look.between(5, -0.12, 0.12)), look.trim, clip=dome, bevel=0.004)
    elif what == 2:
        for i in range(3):
            canvas.fill(star(0.3 + i * 0.17, 0.52 - 0.02 * i, 0.055, 0.023), look.trim, clip=dome, bevel=0.003)
    else:
        canvas.text(look.brand.split()[0].upper(), 0.5, 0.53, 0.075, look.trim, clip=dome, width=0.4)
    if look.form == "helmet with visor":
        visor = smooth([(0.72, 0.46), (0.84, 0.44), (0.97, 0.53), (0.95, 0.57), (0.84, 0.53)])
        canvas.fill(visor, look.trim, bevel=0.014, depth=0.5, gloss=0.3, cast=0.35)
    canvas.tone(ellipse(0.36, top + 0.09, 0.1, 0.03), 0.5, blur=0.02, clip=dome)


def _wheel(canvas: Canvas, look: Look, x: float, radius: float) -> None:
    y = 0.76
    canvas.fill(ellipse(x, y, radius, radius), (0.13, 0.13, 0.14), bevel=0.018, depth=0.5, cast=0.3)
    canvas.fill(ellipse(x, y, radius * 0.62, radius * 0.62), look.trim, bevel=0.012, depth=0.5, gloss=0.4)
    if look.numbers[9] > 0.5:
        for i in range(5):
            spoke = ribbon([(x, y), (x, y - radius * 0.56)], radius * 0.14)
            canvas.fill(turned(spoke, i * 72, (x, y)), darker(look.trim, 0.6), depth=0)
    canvas.fill(ellipse(x, y, radius * 0.2, radius * 0.2), look.second, bevel=0.006)


def draw_toy(canvas: Canvas, look: Look) -> None:
    """Draw a toy car, van, lorry or bus, driving to the right."""
    window = (0.72, 0.85, 0.92)
    paint = look.cloth(scale=0.8)
    radius = look.between(0, 0.075, 0.1)
    top = look.between(1, 0.38, 0.45)
    rear, front = 0.25, 0.75
    if look.form == "toy car":
        nose = look.between(2, 0.54, 0.6)
        body = smooth([(0.07, 0.74), (0.07, nose), (0.2, nose - 0.03), (0.33, top), (0.5, top - 0.012), (0.63, top + 0.02),
                       (0.74, nose - 0.02), (0.9, nose + 0.02), (0.94, 0.68), (0.93, 0.76), (0.5, 0.77)])  # fmt: skip
        panes = [smooth([(0.28, nose - 0.02), (0.35, top + 0.03), (0.47, top + 0.025), (0.47, nose - 0.02)], steps=4),
                 smooth([(0.5, nose - 0.02), (0.5, top + 0.025), (0.6, top + 0.045), (0.68, nose - 0.02)], steps=4)]  # fmt: skip
    elif look.form == "toy lorry":
        body = points([(0.66, 0.77), (0.66, top), (0.82, top), (0.9, 0.55), (0.94, 0.58), (0.94, 0.77)])
        panes = [points([(0.72, top + 0.03), (0.81, top + 0.03), (0.865, 0.55), (0.72, 0.55)])]
        load = rounded(0.06, look.between(2, 0.26, 0.4), 0.64, 0.72, 0.02)
        canvas.fill(rounded(0.06, 0.7, 0.7, 0.77, 0.01), INK, bevel=0.01)
        canvas.fill(load, look.stuff(look.second), bevel=0.025, depth=0.45, gloss=0.2)
        canvas.text(look.brand.split()[0].upper(), 0.35, 0.55, 0.09, look.trim, width=0.46)
    else:
        high = top - (0.16 if look.form == "toy bus" else 0.06)
        body = np.vstack([rounded(0.06, high, 0.94, 0.78, look.between(2, 0.04, 0.1))])
        rows = (high + 0.05, high + 0.2) if look.form == "toy bus" else (high + 0.06,)
        panes = [rounded(0.11 + i * 0.16, y, 0.235 + i * 0.16, y + 0.1, 0.015) for y in rows for i in range(5)]
    shape = canvas.fill(body, paint, bevel=0.04, depth=0.5, gloss=0.4)
    for pane in panes:
        glass = canvas.fill(pane, window, bevel=0.01, depth=-0.35)
        canvas.tone(ribbon([(float(pane[:, 0].min()) + 0.08, 0.2), (float(pane[:, 0].min()), 0.6)], 0.02), 0.5, blur=0.004, clip=glass)
    stripe = look.between(3, 0.63, 0.69)
    canvas.fill(rounded(0.0, stripe, 1, stripe + look.between(4, 0.015, 0.05), 0), look.trim, clip=shape, bevel=0, depth=0)
    if look.numbers[5] > 0.5 and look.form != "toy lorry":
        canvas.fill(ellipse(0.5, 0.65, 0.06, 0.06), PAPER, bevel=0.004)
        canvas.text(str(1 + look.choice(6, 9)), 0.5, 0.65, 0.08, INK)
    canvas.fill(rounded(0.9, 0.61, 0.945, 0.66, 0.02), (1, 0.93, 0.66), bevel=0.01, gloss=0.3)
    canvas.fill(rounded(0.055, 0.61, 0.085, 0.65, 0.01), (0.85, 0.2, 0.2), bevel=0.008)
    for x in (rear, front) if look.form != "toy lorry" else (0.2, 0.38, 0.8):
        canvas.fill(ellipse(x, 0.76, radius * 1.16, radius * 1.16), (0.1, 0.1, 0.11), clip=shape, depth=0)
        _wheel(canvas, look, x, radius)


def draw_guitar(canvas: Canvas, look: Look) -> None:
    """Draw a guitar or a ukulele, upright."""
    upper, waist, lower = look.between(0, 0.13, 0.16), look.between(1, 0.1, 0.13), look.between(2, 0.17, 0.21)
    head = 0.05 if look.form != "ukulele" else 0.14
    fret = look.stuff((0.3, 0.2, 0.14), "walnut")
    if look.form == "electric guitar":
        horn, cut = look.between(3, 0.02, 0.08), look.between(4, 0.02, 0.07)
        body = smooth([(0.5, 0.6), (0.56, 0.56), (0.5 + upper, 0.51 + cut), (0.5 + waist, 0.68), (0.5 + lower * 1.02, 0.8), (0.5 + lower * 0.6, 0.94),
                       (0.5, 0.955), (0.5 - lower * 0.75, 0.93), (0.5 - lower * 1.02, 0.8), (0.5 - waist, 0.67),
                       (0.5 - upper - 0.01, 0.53 - horn), (0.43, 0.55)])  # fmt: skip
    else:
        start = 0.5 if look.form == "acoustic guitar" else 0.55
        body = lathe([(0.04, start), (upper, start + 0.05), (waist, start + 0.17), (lower, 0.82), (lower * 0.55, 0.945), (0.01, 0.955)])
    edge = look.stuff(darker(look.trim, 0.7))
    canvas.fill((body - np.float32([0.5, 0.75])) * np.float32(1.03) + np.float32([0.5, 0.75]), edge, bevel=0.01)
    wood = canvas.fill(body, look.cloth(), bevel=0.045, depth=0.4, gloss=0.35)
    if look.form == "electric guitar":
        guard = smooth([(0.46, 0.6), (0.56, 0.58), (0.5 + waist * 0.8, 0.68), (0.5 + lower * 0.7, 0.82), (0.53, 0.85), (0.44, 0.74)])
        canvas.fill(guard, look.second, clip=wood, bevel=0.006, cast=0.2)
        for y in (0.66, 0.73, 0.8)[: 2 + look.choice(5, 2)]:
            canvas.fill(rounded(0.455, y, 0.545, y + 0.028, 0.012), INK, bevel=0.008, depth=0.5, cast=0.2)
        for i in range(2):
            canvas.fill(ellipse(0.5 + lower * 0.6, 0.8 + i * 0.06, 0.016, 0.016), look.trim, gloss=0.5, cast=0.3)
        canvas.fill(rounded(0.45, 0.855, 0.55, 0.885, 0.006), METALS[1], gloss=0.6, bevel=0.006, cast=0.25)
        saddle = 0.86
    else:
        saddle = 0.84
        hole = 0.7 if look.form == "acoustic guitar" else 0.72
        canvas.fill(ellipse(0.5, hole, 0.068, 0.068), look.trim, depth=0.2)
        canvas.fill(ellipse(0.5, hole, 0.055, 0.055), (0.1, 0.07, 0.05), bevel=0.015, depth=-0.5)
        if look.numbers[5] > 0.4:
            guard = smooth([(0.56, hole - 0.03), (0.62, hole + 0.02), (0.61, hole + 0.09), (0.55, hole + 0.07)])
            canvas.fill(guard, look.second, clip=wood, bevel=0.004)
        canvas.fill(rounded(0.42, saddle - 0.012, 0.58, saddle + 0.018, 0.008), fret, bevel=0.008, cast=0.3)
    _neck(canvas, look, head, saddle)


def _neck(canvas: Canvas, look: Look, head: float, saddle: float) -> None:
    end = {"electric guitar": 0.62, "acoustic guitar": 0.62, "ukulele": 0.66}[look.form]
    nut = head + 0.13
    wood = (0.78, 0.6, 0.4) if look.numbers[6] > 0.5 else (0.42, 0.27, 0.18)
    style = look.choice(7, 3)
    top = [(0.47, nut), (0.445, head + 0.08), (0.44, head + 0.01), (0.47, head), (0.5, head + 0.015 * style), (0.53, head), (0.56, head + 0.01),
           (0.555, head + 0.08), (0.53, nut)]  # fmt: skip
    if look.form == "electric guitar" and style:
        top = [(0.475, nut), (0.44, nut - 0.02), (0.45, head), (0.49, head - 0.015), (0.54, head + 0.04), (0.53, nut)]
    canvas.fill(points(top), look.stuff(look.trim if look.numbers[8] > 0.5 else wood, "walnut"), bevel=0.01, depth=0.4)
    for i in range(3):
        for dx in (-1, 1):
            canvas.fill(ellipse(0.5 + dx * 0.068, head + 0.025 + i * 0.034, 0.016, 0.011), METALS[1], gloss=0.6, bevel=0.005)
    canvas.fill(points([(0.473, nut), (0.527, nut), (0.533, end), (0.467, end)]), look.stuff(darker(wood, 0.7), "walnut"), bevel=0.01, cast=0.35)
    for i in range(12):
        y = nut + (end - nut) * (1 - 0.9**i) / (1 - 0.9**12)
        canvas.line([(0.47, y), (0.53, y)], 0.005, METALS[1], depth=0)
        if i in (3, 5, 7, 9):
            canvas.fill(ellipse(0.5, y - 0.014, 0.007, 0.007), PAPER, depth=0)
    strings = 4 if look.form == "ukulele" else 6
    for i in range(strings):
        t = i / (strings - 1) * 2 - 1
        canvas.line([(0.5 + t * 0.022, nut), (0.5 + t * 0.032, saddle)], 0.0035, (0.9, 0.89, 0.85), depth=0)


KINDS = (
    Kind("watch", "watches", ("watch", "chronograph", "bracelet watch", "square watch"), draw_watch, "flat",
         ("plain", "striped", "deckchair-striped", "camouflage", "dotted", "zigzag", "plain"),
         ("leather", "nylon", "suede", "silicone"), (49, 420)),
    Kind("sunglasses", "sunglasses", ("round sunglasses", "aviator sunglasses", "cat-eye sunglasses", "square sunglasses"), draw_sunglasses,
         "flat", ("plain", "marbled", "speckled", "ombré", "plain", "terrazzo", "striped"), ("acetate", "bio-acetate", "metal"), (25, 190)),
    Kind("headphones", "headphones", ("over-ear headphones", "on-ear headphones", "studio headphones", "gaming headset"), draw_headphones,
         "flat", ("plain", "ombré", "camouflage", "marbled", "striped", "speckled", "colour-block"), ("aluminium", "walnut", "polycarbonate"), (35, 380)),
    Kind("helmet", "helmets", ("bicycle helmet", "urban helmet", "helmet with visor"), draw_helmet, "standing",
         ("plain", "dotted", "camouflage", "colour-block", "diagonal-striped", "ombré", "star-print", "geometric", "floral", "scalloped"),
         ("polycarbonate", "ABS"), (29, 150)),
    Kind("toy", "toys", ("toy car", "toy lorry", "toy bus", "toy van"), draw_toy, "standing",
         ("plain", "colour-block", "dotted", "star-print", "diagonal-striped", "zigzag", "geometric", "floral", "deckchair-striped"),
         ("beech", "tin", "recycled plastic"), (9, 49)),
    Kind("guitar", "guitars", ("acoustic guitar", "electric guitar", "ukulele"), draw_guitar, "flat",
         ("plain", "ombré", "plain", "marbled", "floral", "star-print", "geometric"), ("spruce", "mahogany", "walnut"), (69, 890)),
)  # fmt: skip
