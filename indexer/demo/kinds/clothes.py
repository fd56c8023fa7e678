"""Tops, dresses and hats, as they lie on a table."""

from __future__ import annotations

import numpy as np

from indexer.demo.canvas import Canvas, Mask, ball, darker
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    Points,
    arc,
    ellipse,
    lathe,
    mirrored,
    moved,
    points,
    ribbon,
    rounded,
    smooth,
    star,
    turned,
)

FABRIC_PATTERNS = (
    "plain", "striped", "floral", "gingham", "colour-block", "dotted", "banded", "leaf-print",
    "argyle", "zigzag", "tartan", "star-print", "pinstriped", "camouflage", "big-dot", "heart-print",
    "wave-print", "diagonal-striped", "ombré", "windowpane", "geometric",
)  # fmt: skip


def fold(canvas: Canvas, path: Points, strength: float, clip: Mask, width: float = 0.02) -> None:
    """Lay a soft crease on a cloth: shade, with a gleam beside it."""
    line = smooth(path, closed=False)
    canvas.tone(ribbon(line, width, width / 4), -strength, blur=0.012, clip=clip)
    canvas.tone(
        ribbon(moved(line, -width * 0.9, -width * 0.3), width, width / 4),
        strength * 0.55,
        blur=0.012,
        clip=clip,
    )


def _inside(canvas: Canvas, look: Look, neck: float, top: float, dip: float) -> None:
    """Draw the inside of the back, seen through the neck."""
    upper = arc(0.5, top, neck + 0.004, 0.022, 180, 360)
    lower = arc(0.5, top, neck + 0.004, dip - top + 0.006, 0, 180)
    back = canvas.fill(np.vstack([upper, lower]), darker(look.main, 0.6), bevel=0.012)
    canvas.fill(rounded(0.475, top, 0.525, top + 0.028, 0.004), look.trim, clip=back, depth=0)


def _sleeve(form: str, shoulder: float, bust: float, length: float) -> Array:
    """Return the right sleeve."""
    if form in ("T-shirt", "polo shirt"):
        out = 0.10 + 0.1 * length
        return points(
            [
                (0.5 + shoulder - 0.06, 0.155),
                (0.5 + shoulder, 0.18),
                (0.5 + shoulder + out, 0.36 + 0.06 * length),
                (0.5 + shoulder + out - 0.115, 0.43 + 0.06 * length),
                (0.5 + bust - 0.03, 0.36),
                (0.5 + shoulder - 0.1, 0.25),
            ]
        )
    return np.vstack(
        [
            smooth(
                [
                    (0.5 + shoulder - 0.06, 0.155),
                    (0.5 + shoulder + 0.015, 0.19),
                    (0.5 + shoulder + 0.10, 0.42),
                    (0.5 + shoulder + 0.145, 0.79),
                ],
                closed=False,
            ),
            smooth(
                [
                    (0.5 + shoulder + 0.055, 0.81),
                    (0.5 + shoulder + 0.01, 0.55),
                    (0.5 + bust - 0.03, 0.36),
                ],
                closed=False,
            ),
            points([(0.5 + shoulder - 0.1, 0.25)]),
        ]
    )


def _print(canvas: Canvas, look: Look, body: Mask) -> None:
    """Put something on the chest: a badge, a word, a pocket or a disc."""
    what = look.choice(5, 6)
    size = look.between(6, 0.07, 0.11)
    if what == 0:
        pocket = rounded(0.55, 0.33, 0.55 + size * 1.15, 0.33 + size * 1.3, 0.012)
        canvas.fill(pocket, look.cloth(degrees=8), bevel=0.006, cast=0.2)
        canvas.stitch(pocket, look.second)
    elif what == 1:
        canvas.text(look.brand.split()[0].upper(), 0.5, 0.42, 0.075, look.trim, clip=body, width=0.3)
    elif what == 2:
        canvas.fill(ellipse(0.5, 0.44, size * 1.15, size * 1.15), look.trim, depth=0, clip=body)
        canvas.fill(star(0.5, 0.44, size, size * 0.42), look.second, depth=0, clip=body)
    elif what == 3:
        canvas.fill(rounded(0.37, 0.37, 0.63, 0.5, 0.01), look.trim, depth=0, clip=body)
        canvas.text(look.brand.split()[0], 0.5, 0.435, 0.06, look.second, clip=body, width=0.22)
    elif what == 4:
        for i, radius in enumerate((1.3, 0.95, 0.6)):
            ink = (look.trim, look.second, look.trim)[i]
            sun = arc(0.5, 0.48, size * radius, size * radius, 180, 360)
            canvas.fill(sun, ink, depth=0, clip=body)


def draw_top(canvas: Canvas, look: Look) -> None:
    """Draw a T-shirt, a polo shirt, a jumper, a hoodie or a tank top."""
    shoulder, bust = look.between(0, 0.20, 0.235), look.between(1, 0.2, 0.225)
    hem, neck = look.between(2, 0.205, 0.25), look.between(3, 0.075, 0.1)
    deep = look.between(4, 0.19, 0.25)
    cloth = look.cloth()
    if look.form == "tank top":
        shoulder -= 0.05
    else:
        for side in (0, 1):
            sleeve = _sleeve(look.form, shoulder, bust, look.numbers[7])
            paint = look.cloth(degrees=-24 if side else 24)
            if look.pattern == "colour-block":
                paint = look.stuff(look.trim, look.material)
            arm = canvas.fill(mirrored(sleeve) if side else sleeve, paint, depth=0.3)
            long = look.form in ("jumper", "hoodie", "sweatshirt")
            ends = [(0.5 + shoulder + 0.05, 0.785), (0.5 + shoulder + 0.16, 0.765)]
            if long:
                cuff = ribbon(mirrored(ends) if side else ends, 0.05)
                canvas.fill(cuff, look.stuff(look.trim, look.material), clip=arm, bevel=0.008)
    _inside(canvas, look, neck, 0.125, deep)
    half = [
        (neck, 0.125),
        (shoulder, 0.165),
        (bust - (0.03 if look.form == "tank top" else 0), 0.34),
        (bust + 0.002, 0.42),
        ((bust + hem) / 2 - 0.004, 0.62),
        (hem, 0.87),
    ]
    side = smooth(half, closed=False)
    bottom = [(0.1, 0.886), (-0.1, 0.886)]
    scoop = arc(0, 0.125, neck, deep - 0.125, 180, 0)
    outline = np.vstack([side, points(bottom), side[::-1] * np.float32([-1, 1]), scoop])
    body = canvas.fill(outline + np.float32([0.5, 0]), cloth, bevel=0.03, depth=0.34, cast=0.25)
    collar = arc(0.5, 0.125, neck + 0.004, deep - 0.125 + 0.004, 180, 0)
    canvas.line(collar, 0.026, look.stuff(look.trim, look.material), clip=None, bevel=0.007, cast=0.2)
    for dx in (-1, 1):
        fold(canvas, [(0.5 + dx * bust * 0.9, 0.4), (0.5 + dx * 0.1, 0.52)], 0.16, body, 0.03)
        fold(canvas, [(0.5 + dx * hem * 0.5, 0.84), (0.5 + dx * hem * 0.35, 0.6)], 0.12, body, 0.03)
    _finish_top(canvas, look, body, neck, deep, hem)


def _finish_top(
    canvas: Canvas, look: Look, body: Mask, neck: float, deep: float, hem: float
) -> None:
    rib = look.stuff(look.trim, look.material)
    if look.form in ("jumper", "sweatshirt", "hoodie"):
        canvas.fill(rounded(0.2, 0.835, 0.8, 0.9, 0), rib, clip=body, bevel=0.006)
    else:
        canvas.stitch([(0.5 - hem, 0.862), (0.5 + hem, 0.862)], look.second, width=0.004)
    if look.form == "hoodie":
        hood = lathe([(0.02, 0.065), (neck + 0.05, 0.085), (neck + 0.06, 0.16), (0.03, deep + 0.05)])
        canvas.fill(hood, look.cloth(plain=True), bevel=0.03, cast=0.3)
        lining = lathe([(0.01, 0.085), (neck, 0.11), (neck + 0.005, 0.16), (0.02, deep + 0.02)])
        canvas.fill(lining, darker(look.second, 0.6), bevel=0.02, depth=-0.25)
        for dx in (-0.035, 0.035):
            canvas.line([(0.5 + dx, deep), (0.5 + dx * 1.2, deep + 0.17)], 0.012, look.trim, cast=0.3)
        pouch = [(0.41, 0.62), (0.59, 0.62), (0.66, 0.78), (0.34, 0.78)]
        canvas.fill(points(pouch), look.cloth(plain=True), bevel=0.01, cast=0.25)
        return
    if look.form == "polo shirt":
        for flip in (False, True):
            flap = points([(0.5, deep + 0.01), (0.5 + neck, 0.12), (0.54 + neck, 0.2), (0.55, deep + 0.05)])
            canvas.fill(mirrored(flap) if flip else flap, rib, bevel=0.008, cast=0.25)
        canvas.fill(rounded(0.482, deep, 0.518, deep + 0.15, 0.006), rib, bevel=0.005, cast=0.15)
        for i in range(3):
            canvas.fill(ellipse(0.5, deep + 0.03 + i * 0.045, 0.008, 0.008), (0.96, 0.95, 0.9), cast=0.3)
    if look.pattern in ("plain", "striped", "ombré", "pinstriped", "dotted"):
        _print(canvas, look, body)


def draw_dress(canvas: Canvas, look: Look) -> None:
    """Draw a dress: bodice, waist and a skirt in folds."""
    waist, flare = look.between(0, 0.105, 0.135), look.between(1, 0.24, 0.37)
    if look.form in ("slip dress", "shirt dress"):
        flare = look.between(1, 0.18, 0.22)
    hem = look.between(2, 0.8, 0.94)
    line = look.between(3, 0.36, 0.42)
    neck = look.between(4, 0.07, 0.1)
    dip = look.between(5, 0.16, 0.25)
    strap = look.form in ("slip dress", "sundress")
    cloth = look.cloth()
    top = 0.17 if strap else 0.085
    if strap:
        for dx in (-1, 1):
            canvas.line([(0.5 + dx * 0.1, 0.05), (0.5 + dx * 0.115, 0.19)], 0.02, cloth, bevel=0.006)
    else:
        _dress_sleeves(canvas, look)
        _inside(canvas, look, neck, 0.085, dip)
    bodice = [(neck, top), (0.15, top + 0.025)] if not strap else [(0.118, top), (0.13, top + 0.03)]
    bodice += [(0.148, 0.24), (waist, line)]
    right = smooth(bodice, closed=False)
    scoop = arc(0, top, 0.118, 0.05, 180, 0) if strap else arc(0, top, neck, dip - top, 180, 0)
    outline = np.vstack([right, right[::-1] * np.float32([-1, 1]), scoop]) + np.float32([0.5, 0])
    skirt = _skirt(look, waist, flare, line, hem)
    lower = canvas.fill(skirt, cloth, bevel=0.03, depth=0.35)
    for i in range(7):
        at = (i - 3) / 3.4
        fold(
            canvas,
            [(0.5 + at * flare * 0.95, hem), (0.5 + at * waist * 0.9, line + 0.03 + 0.02 * (i % 2))],
            0.2,
            lower,
            0.035,
        )
    upper = canvas.fill(outline, cloth, bevel=0.03, depth=0.35, cast=0.15)
    fold(canvas, [(0.5 + waist, line - 0.02), (0.53, line - 0.09)], 0.14, upper)
    fold(canvas, [(0.5 - waist, line - 0.02), (0.47, line - 0.09)], 0.14, upper)
    _finish_dress(canvas, look, lower, waist, line, hem)


def _skirt(look: Look, waist: float, flare: float, line: float, hem: float) -> Array:
    side = smooth(
        [(waist, line), (waist + (flare - waist) * 0.45, line + (hem - line) * 0.35), (flare, hem)],
        closed=False,
    )
    t = np.linspace(1, -1, 40)
    ripple = 0.011 * np.sin(t * np.pi * look.between(6, 3, 6))
    edge = np.stack([t * flare, hem + ripple + 0.025 * (1 - t * t)], axis=1)
    return points(np.vstack([side, edge, side[::-1] * [-1, 1]]) + [0.5, 0])


def _dress_sleeves(canvas: Canvas, look: Look) -> None:
    length = look.between(7, 0.2, 0.42) + (0.1 if look.form == "shirt dress" else 0)
    puff = look.between(8, 0.05, 0.11)
    sleeve = smooth(
        [
            (0.61, 0.09),
            (0.66, 0.105),
            (0.68 + puff, 0.1 + length * 0.6),
            (0.67 + puff * 0.6, 0.1 + length),
            (0.61 + puff * 0.5, 0.11 + length),
            (0.63, 0.26),
        ]
    )
    for flip in (False, True):
        canvas.fill(mirrored(sleeve) if flip else sleeve, look.cloth(degrees=-15 if flip else 15))


def _finish_dress(
    canvas: Canvas, look: Look, skirt: Mask, waist: float, line: float, hem: float
) -> None:
    if look.form in ("shirt dress",):
        canvas.fill(rounded(0.485, 0.15, 0.515, hem + 0.05, 0), look.cloth(), clip=None, bevel=0.004)
        for i in range(8):
            y = 0.2 + i * (hem - 0.24) / 7
            canvas.fill(ellipse(0.5, y, 0.009, 0.009), (0.95, 0.93, 0.88), cast=0.35, bevel=0.004)
        for flip in (False, True):
            flap = points([(0.5, 0.2), (0.58, 0.08), (0.635, 0.14), (0.555, 0.235)])
            canvas.fill(mirrored(flap) if flip else flap, look.cloth(), bevel=0.008, cast=0.3)
    style = look.choice(9, 3)
    if style == 0 or look.form == "shirt dress":
        belt = [(0.5 - waist - 0.004, line), (0.5, line + 0.008), (0.5 + waist + 0.004, line)]
        canvas.line(smooth(belt, closed=False), 0.03, look.trim, gloss=0.2, cast=0.3)
        canvas.fill(
            rounded(0.48, line - 0.015, 0.52, line + 0.03, 0.006),
            (0.85, 0.7, 0.35),
            holes=[rounded(0.488, line - 0.006, 0.512, line + 0.021, 0.003)],
            gloss=0.5,
            bevel=0.004,
        )
    elif style == 1:
        for dx in (-1, 1):
            bow = smooth([(0.5, line), (0.5 + dx * 0.07, line - 0.035), (0.5 + dx * 0.075, line + 0.03)])
            canvas.fill(bow, look.trim, bevel=0.012, cast=0.25)
            tail = [(0.5, line), (0.5 + dx * 0.02, line + 0.07), (0.5 + dx * 0.035, line + 0.14)]
            canvas.line(smooth(tail, closed=False), 0.014, look.trim, cast=0.2)
        canvas.fill(ellipse(0.5, line, 0.014, 0.016), look.trim, cast=0.3)
    if look.numbers[10] > 0.55:
        canvas.fill(rounded(0.05, hem - 0.05, 0.95, hem - 0.015, 0), look.trim, clip=skirt, depth=0)


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
        [(0.13, 0.62), (0.15, 0.42), (0.28, top + 0.03), (0.45, top), (0.62, top + 0.06), (0.72, 0.45),
         (0.75, 0.63), (0.45, 0.68)]
    )  # fmt: skip
    paint = look.cloth()
    dome = canvas.fill(crown, paint, bevel=0.07, depth=0.55, light=ball(0.42, 0.45, 0.42, 0.25))
    panel = [(0.45, top), (0.54, top + 0.16), (0.56, 0.68)]
    for path in (panel, [(0.45, top), (0.3, top + 0.15), (0.24, 0.66)]):
        seam = smooth(path, closed=False)
        canvas.line(seam, 0.006, darker(look.main, 0.75), clip=dome, depth=0)
        canvas.stitch(moved(seam, 0.014), look.second, width=0.004)
    canvas.fill(ellipse(0.45, top, 0.024, 0.014), look.trim, bevel=0.008, cast=0.2)
    long = look.between(1, 0.9, 0.97)
    peak = smooth([(0.42, 0.62), (0.6, 0.57), (0.74, 0.58), (long - 0.06, 0.64), (long, 0.71), (0.8, 0.705),
                   (0.6, 0.69), (0.46, 0.7)])  # fmt: skip
    brim = look.trim if look.numbers[2] > 0.45 else look.main
    canvas.fill(peak, look.stuff(brim, look.material), bevel=0.025, depth=0.45, cast=0.4)
    for i in range(3):
        edge = smooth([(0.48, 0.675 - i * 0.02), (0.7, 0.64 - i * 0.017), (long - 0.06, 0.69 - i * 0.02)], closed=False)
        canvas.stitch(edge, look.second, width=0.003)
    if look.numbers[3] > 0.3:
        canvas.fill(ellipse(0.62, 0.47, 0.07, 0.075), look.second, bevel=0.008, cast=0.2)
        letter = look.brand[0].upper()
        canvas.text(letter, 0.62, 0.47, 0.1, look.trim)


def _beanie(canvas: Canvas, look: Look) -> None:
    top = look.between(0, 0.2, 0.3)
    half = look.between(1, 0.25, 0.31)
    crown = lathe([(0.03, top), (half * 0.65, top + 0.06), (half * 0.98, 0.46), (half, 0.72), (half * 0.9, 0.75)])
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
    canvas.fill(ellipse(0.5, top + 0.02, 0.185, 0.035), cloth, bevel=0.01, light=lambda x, y: 0.12 + 0 * x * y)
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
    crown = smooth([(0.27, 0.66), (0.29, 0.45), (0.35, top + 0.02), (0.5, top + dent), (0.65, top + 0.02),
                    (0.71, 0.45), (0.73, 0.66), (0.5, 0.72)])  # fmt: skip
    dome = canvas.fill(crown, look.cloth(scale=1.2), bevel=0.06, depth=0.55, cast=0.2)
    band = smooth([(0.265, 0.6), (0.5, 0.665), (0.735, 0.6)], closed=False)
    canvas.line(band, look.between(3, 0.04, 0.09), look.trim, clip=dome, bevel=0.008)
    if look.numbers[4] > 0.5:
        for dx in (-1, 1):
            bow = smooth([(0.68, 0.61), (0.68 + dx * 0.06, 0.57), (0.68 + dx * 0.065, 0.66)])
            canvas.fill(bow, look.second, bevel=0.01, cast=0.25)
    else:
        feather = turned(lathe([(0.0, 0.33), (0.025, 0.42), (0.02, 0.54), (0.004, 0.62)], cx=0.68), 14, (0.68, 0.6))
        canvas.fill(feather, look.second, bevel=0.01, cast=0.3)
    canvas.line(ellipse(0.5, 0.68, wide - 0.008, 0.143, 5, 175), 0.012, look.trim, bevel=0.004)


KINDS = (
    Kind("top", "tops", ("T-shirt", "jumper", "polo shirt", "hoodie", "tank top", "sweatshirt"), draw_top,
         "flat", FABRIC_PATTERNS, ("cotton", "merino", "linen", "lambswool", "organic cotton"), (15, 95)),
    Kind("dress", "dresses", ("sundress", "shirt dress", "tea dress", "slip dress"), draw_dress,
         "flat", FABRIC_PATTERNS, ("cotton", "linen", "viscose", "velvet", "denim"), (39, 180)),
    Kind("hat", "hats", ("baseball cap", "beanie", "bucket hat", "sun hat"), draw_hat,
         "flat", ("plain", "striped", "tartan", "colour-block", "dotted", "floral", "camouflage", "zigzag",
                  "gingham", "argyle", "banded"),
         ("cotton", "wool", "linen", "corduroy", "canvas"), (12, 60)),
)  # fmt: skip
