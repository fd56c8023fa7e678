"""Tableware, vases, plants, lamps, cushions and clocks."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Colour, Mask, across, ball, darker, lighter
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    arc,
    ellipse,
    lathe,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
    star,
    turned,
)

GLAZES = (
    "plain", "speckled", "striped", "banded", "dotted", "floral", "marbled", "terrazzo", "ombré", "leaf-print", "zigzag",
    "colour-block", "wave-print", "scalloped", "geometric", "deckchair-striped", "heart-print",
)  # fmt: skip


def _gleam(canvas: Canvas, x: float, y0: float, y1: float, clip: Mask, strength: float = 0.5) -> None:
    """Put the reflection of a studio window on glaze or glass."""
    canvas.tone(rounded(x, y0, x + 0.022, y1, 0.011), strength, blur=0.006, clip=clip)
    canvas.tone(rounded(x + 0.034, y0 + 0.02, x + 0.042, y1 - 0.05, 0.004), strength * 0.7, blur=0.004, clip=clip)


def _inside_rim(canvas: Canvas, cx: float, y: float, rx: float, ry: float, tint: Colour) -> None:
    """Show the dark inside of a vessel within its rim."""
    canvas.fill(ellipse(cx, y, rx, ry), lighter(tint, 0.25), bevel=0.006)
    canvas.fill(ellipse(cx, y + ry * 0.08, rx * 0.93, ry * 0.84), darker(tint, 0.5), bevel=0.02, depth=-0.4)


def draw_mug(canvas: Canvas, look: Look) -> None:
    """Draw a mug or a cup with its handle to the right."""
    cup = look.form == "cup and saucer"
    wide = look.between(0, 0.2, 0.25) + (0.03 if cup else 0)
    top = look.between(1, 0.42, 0.5) if cup else look.between(1, 0.2, 0.34)
    base = 0.8 if cup else 0.85
    foot = wide * (0.55 if cup else look.between(2, 0.78, 1.02))
    cx = 0.44
    if cup:
        canvas.fill(ellipse(0.46, 0.82, 0.37, 0.075), look.stuff(look.second), bevel=0.02, gloss=0.2)
        canvas.fill(ellipse(0.46, 0.812, 0.27, 0.045), darker(look.second, 0.9), bevel=0.012, depth=-0.3)
    loop = look.between(3, 0.10, 0.15)
    mid = (top + base) / 2 - (0.03 if cup else 0)
    high = (base - top) * (0.26 if cup else 0.3)
    handle = smooth([(cx + wide * 0.9, mid - high), (cx + wide + loop * 0.6, mid - high * 0.95),
                     (cx + wide + loop, mid), (cx + wide + loop * 0.55, mid + high * 0.85),
                     (cx + (wide + foot) / 2 * 0.96, mid + high)], closed=False)  # fmt: skip
    grip = look.trim if look.numbers[4] > 0.5 else look.main
    canvas.line(handle, 0.048, look.stuff(grip, look.material), gloss=0.35, bevel=0.014)
    bulge = look.between(5, -0.01, 0.03)
    profile = [(wide, top), (wide + bulge, (top + base) / 2), (foot, base - 0.03), (foot * 0.93, base)]
    if cup:
        profile = [(wide, top), (wide * 0.97, top + 0.1), (wide * 0.8, base - 0.09), (foot, base - 0.02), (foot, base)]
    bowl = arc(0, base, foot * 0.93, 0.03, 0, 180)
    side = smooth(profile, closed=False)
    outline = np.vstack([side, bowl, side[::-1] * np.float32([-1, 1])]) + np.float32([cx, 0])
    body = canvas.fill(outline, look.cloth(scale=0.9), depth=0.12, light=across(cx, wide, 0.4))
    if look.numbers[6] > 0.55:
        dip = ribbon(arc(cx, base - 0.1, wide * 1.1, 0.03, 0, 180), 0.2)
        canvas.fill(dip, look.stuff(look.trim, look.material), clip=body, depth=0, light=across(cx, wide, 0.4))
    if look.pattern in ("plain", "speckled", "ombré") and look.numbers[7] > 0.35:
        _motif(canvas, look, cx - 0.02, (top + base) / 2)
    _inside_rim(canvas, cx, top, wide, wide * 0.2, look.second if look.numbers[8] > 0.5 else (0.93, 0.91, 0.87))
    _gleam(canvas, cx - wide * 0.68, top + 0.1, base - 0.1, body)


def _motif(canvas: Canvas, look: Look, cx: float, cy: float) -> None:
    size = look.between(9, 0.07, 0.1)
    what = look.choice(10, 4)
    if what == 0:
        canvas.fill(star(cx, cy, size, size * 0.42), look.trim, depth=0)
    elif what == 1:
        canvas.text(look.brand.split()[0], cx, cy, 0.07, look.trim, width=0.26)
    elif what == 2:
        for i in range(6):
            petal = turned(ellipse(cx, cy - size * 0.62, size * 0.3, size * 0.5), i * 60, (cx, cy))
            canvas.fill(petal, look.trim, depth=0)
        canvas.fill(ellipse(cx, cy, size * 0.3, size * 0.3), look.second, depth=0)
    else:
        for dx in (-1, 1):
            canvas.fill(ellipse(cx + dx * size * 0.42, cy - size * 0.2, size * 0.5, size * 0.5), look.trim, depth=0)
        canvas.fill(points([(cx - size * 0.87, cy + 0.005), (cx + size * 0.87, cy + 0.005), (cx, cy + size)]), look.trim, depth=0)


def _vessel(look: Look) -> tuple[list[tuple[float, float]], float]:
    """Return the profile of a vase, and the half width of its mouth."""
    mouth, belly = look.between(0, 0.06, 0.12), look.between(1, 0.16, 0.27)
    top, at = look.between(2, 0.12, 0.24), look.between(3, 0.5, 0.68)
    foot = look.between(4, 0.09, 0.15)
    if look.form == "bud vase":
        mouth, belly = mouth * 0.45, belly * 0.85
        neck = at - 0.16
        return [(mouth * 1.25, top), (mouth, top + 0.06), (mouth, neck), (belly, at + 0.06), (foot, 0.9), (foot * 0.9, 0.92)], mouth * 1.25
    if look.form == "cylinder vase":
        wide = look.between(1, 0.12, 0.19)
        return [(wide, top), (wide * look.between(3, 0.85, 1.05), 0.5), (wide, 0.86), (wide * 0.95, 0.92)], wide
    return [(mouth * 1.2, top), (mouth, top + 0.07), (belly * 0.8, at - 0.14), (belly, at), (foot, 0.89), (foot, 0.92)], mouth * 1.2


def draw_vase(canvas: Canvas, look: Look) -> None:
    """Draw a vase or a jug."""
    profile, mouth = _vessel(look)
    top = profile[0][1]
    widest = max(half for half, _ in profile)
    if look.form == "jug" or (look.form == "amphora" and look.numbers[5] > 0.3):
        for dx in (-1, 1) if look.form == "amphora" else (1,):
            ear = [(0.5 + dx * mouth * 0.8, top + 0.04), (0.5 + dx * (mouth + 0.12), top + 0.05),
                   (0.5 + dx * (widest + 0.05), top + 0.2), (0.5 + dx * widest * 0.85, top + 0.33)]  # fmt: skip
            canvas.line(smooth(ear, closed=False), 0.034, look.stuff(look.trim, look.material), gloss=0.3)
    half = smooth(profile, closed=False)
    foot, base = half[-1]
    bottom = arc(0, float(base), float(foot), 0.02, 0, 180)
    outline = np.vstack([half, bottom, half[::-1] * np.float32([-1, 1])]) + np.float32([0.5, 0])
    body = canvas.fill(outline, look.cloth(), bevel=0.05, depth=0.3, light=across(0.5, widest, 0.38))
    if look.numbers[6] > 0.5:
        y = look.between(7, 0.32, 0.72)
        for i, (dy, thick) in enumerate(((0, 0.05), (0.05, 0.014))):
            band = arc(0.5, y + dy, widest * 1.1, 0.03, 0, 180)
            canvas.line(band, thick, (look.trim, look.second)[i], clip=body, bevel=0, light=across(0.5, widest, 0.38))
    if look.numbers[8] > 0.6:
        dipped = ribbon(arc(0.5, top + 0.02, 0.4, 0.06, 0, 180), 0.16)
        canvas.fill(dipped, look.stuff(look.second, look.material), clip=body, bevel=0.01, light=across(0.5, widest, 0.38))
    _inside_rim(canvas, 0.5, top, mouth, mouth * 0.22, look.main)
    _gleam(canvas, 0.5 - widest * 0.62, 0.48, 0.74, body, 0.35)


def _blade(cx: float, cy: float, length: float, width: float, degrees: float) -> Array:
    leaf = smooth([(cx, cy), (cx + width, cy - length * 0.45), (cx, cy - length), (cx - width, cy - length * 0.45)])
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
    outline = np.vstack([half, bottom, half[::-1] * np.float32([-1, 1]), front]) + np.float32([0.5, 0])
    body = canvas.fill(outline, look.cloth(), bevel=0.03, depth=0.3, light=across(0.5, wide, 0.38), cast=0.3)
    if look.numbers[3] > 0.5:
        lip = ribbon(arc(0.5, rim + 0.02, wide * 1.04, 0.026, 0, 180), 0.055)
        canvas.fill(lip, look.stuff(look.trim, look.material), bevel=0.012, light=across(0.5, wide, 0.38), cast=0.25)
    if look.numbers[4] > 0.6:
        for dx in (-0.75, 0.75):
            leg = points([(0.5 + dx * wide, rim + 0.14), (0.5 + dx * wide * 1.35, 0.96), (0.5 + dx * wide * 1.35 - 0.028, 0.96),
                          (0.5 + dx * wide - 0.014, rim + 0.14)])  # fmt: skip
            canvas.fill(leg, look.stuff((0.72, 0.53, 0.34), "oak"), bevel=0.008, cast=0.2)
    _gleam(canvas, 0.5 - wide * 0.66, rim + 0.1, 0.82, body, 0.3)


def _plant(canvas: Canvas, look: Look, rng: np.random.Generator, rim: float) -> None:
    greens: list[Colour] = [(0.22, 0.45, 0.27), (0.33, 0.55, 0.3), (0.16, 0.36, 0.24), (0.45, 0.62, 0.36), (0.38, 0.52, 0.44)]
    first = look.choice(5, 5)
    green, other = greens[first], greens[(first + 1) % 5]
    base = (0.5, rim + 0.01)
    canvas.fill(ellipse(0.5, rim, 0.15, 0.024), (0.25, 0.18, 0.13))
    if look.form == "potted cactus":
        high, wide = look.between(6, 0.25, 0.42), look.between(7, 0.07, 0.12)
        for dx, dy, scale in ((0, 0, 1), (0.13, 0.02, 0.55), (-0.13, -0.06, 0.45)):
            stem = rounded(0.5 + dx - wide * scale, rim - high * scale + dy, 0.5 + dx + wide * scale, rim + 0.03, wide)
            body = canvas.fill(stem, green, bevel=0.03, depth=0.5, light=across(0.5 + dx, wide * scale, 0.25), cast=0.2)
            for i in range(-2, 3):
                rib = [(0.5 + dx + i * wide * scale * 0.38, rim - high * scale + dy + 0.02), (0.5 + dx + i * wide * scale * 0.38, rim)]
                canvas.stitch(rib, (0.93, 0.92, 0.8), width=0.004, dash=0.03)
            if scale == 1 or look.numbers[8] > 0.5:
                for turn in range(0, 360, 60):
                    top = (0.5 + dx, rim - high * scale + dy)
                    canvas.fill(turned(ellipse(top[0], top[1] - 0.018, 0.011, 0.02), turn, top), look.second, depth=0.2, bevel=0.005)
        canvas.tone(ellipse(0.45, rim - high * 0.6, 0.02, 0.1), 0.2, blur=0.02, clip=body)
        return
    count, spread = 9 + look.choice(6, 6), look.between(7, 42, 75)
    slim = {"potted snake plant": 0.028, "potted rubber plant": 0.085, "potted fern": 0.03}[look.form]
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
        rib = np.linspace(leaf[0], leaf[16], 6)
        canvas.line(rib, 0.006, lighter(tint, 0.35), clip=shape, depth=0)
        if slim == 0.028:
            canvas.line(np.vstack([leaf, leaf[:1]]), 0.01, (0.86, 0.83, 0.5), clip=shape, depth=0)


def draw_lamp(canvas: Canvas, look: Look) -> None:
    """Draw a table lamp, a mushroom lamp or a desk lamp, switched on."""
    if look.form == "desk lamp":
        _desk_lamp(canvas, look)
        return
    wide, top, rim = look.between(0, 0.22, 0.31), look.between(1, 0.1, 0.16), look.between(2, 0.42, 0.5)
    mushroom = look.form == "mushroom lamp"
    foot = look.between(4, 0.12, 0.17)
    belly = look.between(3, 0.05, 0.16)
    profile = {
        "table lamp": [(0.025, rim - 0.03), (0.03, rim + 0.07), (belly, 0.7), (foot * 0.7, 0.86), (foot, 0.89), (foot, 0.92)],
        "bedside lamp": [(0.018, rim - 0.03), (0.018, 0.84), (foot * 0.5, 0.87), (foot, 0.895), (foot, 0.92)],
        "mushroom lamp": [(0.06, rim - 0.03), (0.065, 0.6), (0.09, 0.8), (foot, 0.9), (foot, 0.92)],
    }[look.form]  # fmt: skip
    half = max(h for h, _ in profile)
    stem = canvas.fill(lathe(profile), look.cloth(scale=0.8), bevel=0.03, depth=0.3, light=across(0.5, half, 0.4))
    _gleam(canvas, 0.5 - half * 0.45, 0.62, 0.8, stem, 0.3)
    shade_paint = look.stuff(look.second if look.pattern != "plain" else lighter(look.second, 0.4), look.material)
    if mushroom:
        cap = smooth([(0.5 - wide, rim), (0.5 - wide * 0.8, top + 0.1), (0.5, top), (0.5 + wide * 0.8, top + 0.1), (0.5 + wide, rim),
                      (0.5, rim + 0.03)])  # fmt: skip
        hood = canvas.fill(cap, shade_paint, bevel=0.06, depth=0.4, light=ball(0.5, rim, 0.5, 0.2), cast=0.2)
    else:
        narrow = wide * look.between(5, 0.45, 0.95)
        cone = np.vstack([points([(0.5 - narrow, top), (0.5 + narrow, top)]), arc(0.5, rim, wide, 0.025, 0, 180)])
        hood = canvas.fill(cone, shade_paint, bevel=0.02, depth=0.2, light=across(0.5, wide, 0.25), cast=0.25)
        canvas.line(arc(0.5, rim - 0.004, wide, 0.025, 0, 180), 0.014, look.trim, clip=hood)
        canvas.line([(0.5 - narrow, top + 0.005), (0.5 + narrow, top + 0.005)], 0.014, look.trim, clip=hood)
        if look.numbers[6] > 0.5:
            for i in range(-9, 10):
                pleat = ribbon([(0.5 + i * narrow / 9, top), (0.5 + i * wide / 9, rim + 0.02)], 0.008)
                canvas.tone(pleat, -0.16, blur=0.003, clip=hood)
    canvas.tone(ellipse(0.5, (top + rim * 2) / 3, wide * 0.5, 0.1), 0.55, blur=0.05, clip=hood)


def _desk_lamp(canvas: Canvas, look: Look) -> None:
    elbow = (look.between(0, 0.3, 0.4), look.between(1, 0.42, 0.52))
    head = (look.between(2, 0.55, 0.64), look.between(3, 0.18, 0.26))
    foot = look.between(4, 0.15, 0.2)
    paint = look.cloth(scale=0.8)
    canvas.fill(ellipse(0.5, 0.89, foot, 0.035), look.stuff(darker(look.trim, 0.8)), bevel=0.012, gloss=0.3)
    canvas.fill(ellipse(0.5, 0.877, foot, 0.033), look.stuff(look.trim), bevel=0.012, gloss=0.3)
    for a, b in (((0.5, 0.87), elbow), (elbow, head)):
        canvas.line(np.linspace(a, b, 5), 0.026, look.stuff(look.second, look.material), gloss=0.5)
    for joint in (elbow, (0.5, 0.865)):
        canvas.fill(ellipse(*joint, 0.03, 0.03), look.trim, bevel=0.012, gloss=0.5, cast=0.2)
    size = look.between(5, 0.13, 0.18)
    bell = lathe([(0.035, -0.06), (0.05, 0), (size * 0.85, 0.1), (size, 0.2)], cx=0) + np.float32(head)
    tilt = -look.between(6, 20, 50)
    glow = turned(ellipse(head[0], head[1] + 0.2, size, 0.03), tilt, head)
    shape = canvas.fill(turned(bell, tilt, head), paint, bevel=0.05, depth=0.55, gloss=0.3, cast=0.25)
    canvas.fill(glow, (1.0, 0.93, 0.72), bevel=0.008)
    canvas.tone(ellipse(head[0] - 0.03, head[1] + 0.05, 0.03, 0.07), 0.35, blur=0.015, clip=shape)


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
        outline = points(np.vstack([top, right, -top, -right]) + [0.5, 0.5])
    if look.numbers[2] > 0.6 and look.form != "round cushion":
        _tassels(canvas, look, half, high)
    if look.numbers[3] > 0.4:
        canvas.line(np.vstack([outline, outline[:2]]), 0.024, look.trim, bevel=0.008)
    body = canvas.fill(outline, look.cloth(scale=look.between(4, 0.9, 1.35)), bevel=0.09, depth=0.5,
                       light=ball(0.46, 0.45, 0.75, 0.16))  # fmt: skip
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = (0.5 + sx * half * 0.95, 0.5 + sy * high * 0.95)
        for spread in (0.55, 0.8):
            inner = (0.5 + sx * half * spread, 0.5 + sy * high * (1.2 - spread))
            canvas.tone(ribbon([corner, inner], 0.02, 0.004), -0.14, blur=0.012, clip=body)
    what = look.choice(5, 4)
    if look.form == "round cushion" or what == 0:
        for turn in range(0, 360, 30):
            canvas.tone(turned(ribbon([(0.5, 0.5), (0.5, 0.42)], 0.014, 0.003), turn), -0.3, blur=0.006, clip=body)
        canvas.fill(ellipse(0.5, 0.5, 0.03, 0.03), look.trim, bevel=0.012, cast=0.4)
    elif what == 1:
        frame = rounded(0.5 - half * 0.7, 0.5 - high * 0.7, 0.5 + half * 0.7, 0.5 + high * 0.7, 0.01)
        canvas.line(np.vstack([frame, frame[:2]]), 0.022, look.second if look.pattern == "plain" else look.trim, clip=body, depth=0)


def _tassels(canvas: Canvas, look: Look, half: float, high: float) -> None:
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = np.float32([0.5 + sx * half, 0.5 + sy * high])
        for i in range(-2, 3):
            tip = corner + np.float32([sx * 0.055 + i * 0.012, sy * 0.055 - i * 0.012 * sx * sy])
            canvas.line(np.linspace(corner, tip, 4), 0.013, look.second, depth=0.4)
        canvas.fill(ellipse(float(corner[0]), float(corner[1]), 0.018, 0.018), look.trim)


def draw_clock(canvas: Canvas, look: Look) -> None:
    """Draw a wall clock."""
    radius = look.between(0, 0.34, 0.41)
    sides = {"round wall clock": 0, "hexagon wall clock": 6, "sunburst wall clock": 0, "square wall clock": 4}[look.form]
    frame = ellipse(0.5, 0.5, radius, radius, steps=120)
    if sides:
        corners = ellipse(0.5, 0.5, radius * 1.1, radius * 1.1, 45 if sides == 4 else 0, 405 if sides == 4 else 360, sides)
        frame = rounded(0.5 - radius, 0.5 - radius, 0.5 + radius, 0.5 + radius, 0.06) if sides == 4 else corners
    if look.form == "sunburst wall clock":
        radius *= 0.72
        frame = ellipse(0.5, 0.5, radius, radius, steps=120)
        rays = 16 + 4 * look.choice(1, 4)
        for i in range(rays):
            reach = 0.45 if i % 2 else 0.39
            ray = ribbon([(0.5, 0.5 - radius * 0.9), (0.5, 0.5 - reach)], 0.032, 0.006)
            canvas.fill(turned(ray, i * 360 / rays), look.stuff(look.second, look.material), bevel=0.008, depth=0.45)
    canvas.fill(frame, look.stuff(look.second, look.material), bevel=0.018, depth=0.5, gloss=0.3)
    inner = radius * look.between(2, 0.84, 0.92)
    face = frame * np.float32(inner / radius) + np.float32(0.5 - 0.5 * inner / radius)
    dial = canvas.fill(face, look.cloth(scale=1.1), bevel=0.012, depth=-0.35)
    _dial(canvas, look, inner if sides != 6 else inner * 0.95)
    canvas.tone(turned(ellipse(0.38, 0.34, inner * 0.5, inner * 0.2), -40), 0.14, blur=0.04, clip=dial)


def _dial(canvas: Canvas, look: Look, radius: float) -> None:
    ink = (0.97, 0.96, 0.92) if sum(look.main) < 1.6 else (0.13, 0.13, 0.15)
    if look.pattern != "plain":
        canvas.fill(ellipse(0.5, 0.5, radius * 0.62, radius * 0.62), look.trim, depth=0.1)
        ink = (0.97, 0.96, 0.92) if sum(look.trim) < 1.6 else (0.13, 0.13, 0.15)
        radius *= 0.62
    numerals = look.choice(3, 3)
    for hour in range(12):
        angle = np.radians(hour * 30 - 90)
        x, y = 0.5 + radius * 0.82 * float(np.cos(angle)), 0.5 + radius * 0.82 * float(np.sin(angle))
        if numerals == 0:
            canvas.text(str(hour or 12), x, y, radius * 0.2, ink)
        elif numerals == 1:
            mark = ribbon([(0.5, 0.5 - radius * 0.92), (0.5, 0.5 - radius * (0.72 if hour % 3 == 0 else 0.82))], radius * 0.05)
            canvas.fill(turned(mark, hour * 30), ink, depth=0)
        else:
            canvas.fill(ellipse(x, y, radius * 0.045, radius * 0.045), ink, depth=0)
    for degrees, length, width in ((look.between(4, 0, 360), 0.5, 0.07), (look.between(5, 0, 360), 0.74, 0.045)):
        hand = ribbon([(0.5, 0.5 + radius * 0.12), (0.5, 0.5 - radius * length)], radius * width, radius * width * 0.5)
        canvas.fill(turned(hand, degrees), ink, cast=0.25, depth=0)
    canvas.fill(ellipse(0.5, 0.5, radius * 0.06, radius * 0.06), look.second, cast=0.2, bevel=0.006)


def draw_bottle(canvas: Canvas, look: Look) -> None:
    """Draw a drinking bottle, a flask or a dispenser."""
    wide, top = look.between(0, 0.12, 0.18), look.between(1, 0.2, 0.28)
    shoulder = look.between(2, 0.03, 0.12)
    neck = wide * look.between(3, 0.4, 0.75)
    profile = [(neck, top), (neck, top + 0.04), (wide, top + 0.06 + shoulder), (wide, 0.6), (wide, 0.88), (wide * 0.9, 0.925)]
    if look.form == "tumbler":
        wide += 0.03
        profile = [(wide, top), (wide * 0.95, 0.5), (wide * 0.78, 0.9), (wide * 0.74, 0.925)]
        neck = wide
    _lid(canvas, look, top, neck)
    body = canvas.fill(lathe(profile), look.cloth(scale=0.8), bevel=0.02, depth=0.2, light=across(0.5, wide, 0.5))
    if look.numbers[6] > 0.5:
        canvas.fill(rounded(0.2, 0.84, 0.8, 1, 0), look.stuff(look.trim), clip=body, depth=0.1, light=across(0.5, wide, 0.5))
    style = look.choice(7, 3)
    y = look.between(8, 0.5, 0.68)
    if style == 0:
        canvas.fill(rounded(0.2, y - 0.08, 0.8, y + 0.08, 0), lighter(look.second, 0.2), clip=body, depth=0, light=across(0.5, wide, 0.4))
        canvas.text(look.brand.split()[0], 0.5, y, 0.05, look.main, clip=body, width=wide * 1.6)
    elif style == 1:
        canvas.text(look.brand.split()[0].upper(), 0.5, 0.62, 0.085, look.trim, clip=body, width=0.36, degrees=90)
    else:
        canvas.fill(ellipse(0.5, y, wide * 0.6, wide * 0.6), look.trim, clip=body, depth=0, light=across(0.5, wide, 0.4))
        canvas.text(look.brand[0], 0.5, y, wide * 0.8, look.second, clip=body)
    _gleam(canvas, 0.5 - wide * 0.72, top + 0.12 + shoulder, 0.86, body, 0.45)


def _lid(canvas: Canvas, look: Look, top: float, neck: float) -> None:
    cap = look.stuff(look.second, "steel" if look.numbers[5] > 0.5 else "")
    if look.form == "soap dispenser":
        canvas.fill(rounded(0.49, top - 0.12, 0.51, top, 0.003), look.trim, light=across(0.5, 0.02, 0.4))
        spout = smooth([(0.47, top - 0.14), (0.6, top - 0.15), (0.64, top - 0.11)], closed=False)
        canvas.line(spout, 0.032, look.trim, gloss=0.4)
    elif look.form == "water bottle":
        canvas.line(arc(0.5, top - 0.05, neck * 0.9, look.between(4, 0.06, 0.11), 180, 360), 0.022, look.trim, gloss=0.2)
    elif look.form == "tumbler":
        canvas.line(moved([(0.53, top), (0.55, top - 0.17)], 0.02), 0.018, look.trim, gloss=0.4)
    high = look.between(4, 0.03, 0.07)
    canvas.fill(rounded(0.5 - neck - 0.008, top - high, 0.5 + neck + 0.008, top + 0.02, 0.012), cap, bevel=0.01, light=across(0.5, neck, 0.5))


KINDS = (
    Kind("mug", "mugs", ("mug", "cup and saucer", "coffee mug"), draw_mug, "standing", GLAZES,
         ("stoneware", "porcelain", "enamel", "earthenware"), (9, 38)),
    Kind("vase", "vases", ("vase", "bud vase", "jug", "amphora", "cylinder vase"), draw_vase, "standing", GLAZES,
         ("stoneware", "porcelain", "terracotta", "glass"), (16, 120)),
    Kind("plant", "plants", ("potted snake plant", "potted rubber plant", "potted cactus", "potted fern"), draw_planter, "standing", GLAZES,
         ("stoneware", "terracotta", "ceramic"), (14, 75)),
    Kind("lamp", "lamps", ("table lamp", "desk lamp", "mushroom lamp", "bedside lamp"), draw_lamp, "standing",
         ("plain", "striped", "banded", "marbled", "speckled", "colour-block", "ombré", "dotted", "wave-print"),
         ("ceramic", "linen", "brass", "glass", "steel"), (35, 240)),
    Kind("cushion", "cushions", ("cushion", "round cushion", "bolster cushion"), draw_cushion, "flat",
         ("plain", "striped", "floral", "leaf-print", "geometric", "zigzag", "tartan", "dotted", "argyle", "scalloped", "gingham",
          "wave-print", "big-dot", "diagonal-striped", "star-print", "banded", "windowpane"),
         ("linen", "velvet", "cotton", "bouclé", "wool", "corduroy"), (15, 80)),
    Kind("clock", "clocks", ("round wall clock", "hexagon wall clock", "sunburst wall clock", "square wall clock"), draw_clock, "flat",
         ("plain", "marbled", "terrazzo", "plain", "geometric", "scalloped", "speckled"),
         ("oak", "walnut", "brass", "steel"), (25, 130)),
    Kind("bottle", "bottles", ("water bottle", "flask", "soap dispenser", "tumbler"), draw_bottle, "standing",
         ("plain", "speckled", "ombré", "striped", "camouflage", "marbled", "dotted", "floral", "colour-block", "terrazzo", "wave-print",
          "leaf-print"),
         ("steel", "glass", "aluminium", "tritan"), (12, 49)),
)  # fmt: skip
