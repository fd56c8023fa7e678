"""Toy cars, guitars and ukuleles."""

from __future__ import annotations

from indexer.demo.canvas import Canvas, Mask
from indexer.demo.kinds.details import (
    INK,
    METALS,
    PAPER,
)
from indexer.demo.light import darker, legible
from indexer.demo.products import Kind, Look
from indexer.demo.shapes import (
    Array,
    ellipse,
    lathe,
    points,
    ribbon,
    rounded,
    smooth,
    turned,
    vector,
)


def _wheel(canvas: Canvas, look: Look, x: float, radius: float) -> None:
    y = 0.76
    canvas.fill(ellipse(x, y, radius, radius), (0.13, 0.13, 0.14), bevel=0.018, depth=0.5, cast=0.3)
    canvas.fill(
        ellipse(x, y, radius * 0.62, radius * 0.62), look.trim, bevel=0.012, depth=0.5, gloss=0.4
    )
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
    body, panes = _coachwork(canvas, look, top)
    shape = canvas.fill(body, paint, bevel=0.04, depth=0.5, gloss=0.4)
    for pane in panes:
        glass = canvas.fill(pane, window, bevel=0.01, depth=-0.35)
        canvas.tone(
            ribbon([(float(pane[:, 0].min()) + 0.08, 0.2), (float(pane[:, 0].min()), 0.6)], 0.02),
            0.5,
            blur=0.004,
            clip=glass,
        )
    stripe = look.between(3, 0.63, 0.69)
    canvas.fill(
        rounded(0.0, stripe, 1, stripe + look.between(4, 0.015, 0.05), 0),
        look.trim,
        clip=shape,
        bevel=0,
        depth=0,
    )
    if look.numbers[5] > 0.5 and look.form != "toy lorry":
        canvas.fill(ellipse(0.5, 0.65, 0.06, 0.06), PAPER, bevel=0.004)
        canvas.text(str(1 + look.choice(6, 9)), 0.5, 0.65, 0.08, INK)
    canvas.fill(rounded(0.9, 0.61, 0.945, 0.66, 0.02), (1, 0.93, 0.66), bevel=0.01, gloss=0.3)
    canvas.fill(rounded(0.055, 0.61, 0.085, 0.65, 0.01), (0.85, 0.2, 0.2), bevel=0.008)
    for x in (rear, front) if look.form != "toy lorry" else (0.2, 0.38, 0.8):
        canvas.fill(
            ellipse(x, 0.76, radius * 1.16, radius * 1.16), (0.1, 0.1, 0.11), clip=shape, depth=0
        )
        _wheel(canvas, look, x, radius)


def _coachwork(canvas: Canvas, look: Look, top: float) -> tuple[Array, list[Array]]:
    """Return the outlines of the body and its windows; a lorry's load is drawn at once."""
    if look.form == "toy car":
        nose = look.between(2, 0.54, 0.6)
        body = smooth(
            [
                (0.07, 0.74),
                (0.07, nose),
                (0.2, nose - 0.03),
                (0.33, top),
                (0.5, top - 0.012),
                (0.63, top + 0.02),
                (0.74, nose - 0.02),
                (0.9, nose + 0.02),
                (0.94, 0.68),
                (0.93, 0.76),
                (0.5, 0.77),
            ]
        )
        panes = [
            smooth(
                [(0.28, nose - 0.02), (0.35, top + 0.03), (0.47, top + 0.025), (0.47, nose - 0.02)],
                steps=4,
            ),
            smooth(
                [(0.5, nose - 0.02), (0.5, top + 0.025), (0.6, top + 0.045), (0.68, nose - 0.02)],
                steps=4,
            ),
        ]
    elif look.form == "toy lorry":
        body = points(
            [(0.66, 0.77), (0.66, top), (0.82, top), (0.9, 0.55), (0.94, 0.58), (0.94, 0.77)]
        )
        panes = [points([(0.72, top + 0.03), (0.81, top + 0.03), (0.865, 0.55), (0.72, 0.55)])]
        load = rounded(0.06, look.between(2, 0.26, 0.4), 0.64, 0.72, 0.02)
        canvas.fill(rounded(0.06, 0.7, 0.7, 0.77, 0.01), INK, bevel=0.01)
        canvas.fill(load, look.stuff(look.second), bevel=0.025, depth=0.45, gloss=0.2)
        canvas.text(
            look.brand.split()[0].upper(),
            0.35,
            0.55,
            0.09,
            legible(look.trim, look.second),
            width=0.46,
        )
    else:
        high = top - (0.16 if look.form == "toy bus" else 0.06)
        body = rounded(0.06, high, 0.94, 0.78, look.between(2, 0.04, 0.1))
        rows = (high + 0.05, high + 0.2) if look.form == "toy bus" else (high + 0.06,)
        panes = [
            rounded(0.11 + i * 0.16, y, 0.235 + i * 0.16, y + 0.1, 0.015)
            for y in rows
            for i in range(5)
        ]
    return body, panes


def draw_guitar(canvas: Canvas, look: Look) -> None:
    """Draw a guitar or a ukulele, upright."""
    head = 0.05 if look.form != "ukulele" else 0.14
    body = _body(look)
    edge = look.stuff(darker(look.trim, 0.7))
    canvas.fill(
        (body - vector([0.5, 0.75])) * vector(1.03) + vector([0.5, 0.75]),
        edge,
        bevel=0.01,
    )
    wood = canvas.fill(body, look.cloth(), bevel=0.045, depth=0.4, gloss=0.35)
    saddle = _fittings(canvas, look, wood)
    _neck(canvas, look, head, saddle)


def _fittings(canvas: Canvas, look: Look, wood: Mask) -> float:
    """Put on what strings and hands need; return where the strings end."""
    _, waist, lower = _waist(look)
    fret = look.stuff((0.3, 0.2, 0.14), "walnut")
    if look.form == "electric guitar":
        guard = smooth(
            [
                (0.46, 0.6),
                (0.56, 0.58),
                (0.5 + waist * 0.8, 0.68),
                (0.5 + lower * 0.7, 0.82),
                (0.53, 0.85),
                (0.44, 0.74),
            ]
        )
        canvas.fill(guard, look.second, clip=wood, bevel=0.006, cast=0.2)
        for y in (0.66, 0.73, 0.8)[: 2 + look.choice(5, 2)]:
            canvas.fill(
                rounded(0.455, y, 0.545, y + 0.028, 0.012), INK, bevel=0.008, depth=0.5, cast=0.2
            )
        for i in range(2):
            canvas.fill(
                ellipse(0.5 + lower * 0.6, 0.8 + i * 0.06, 0.016, 0.016),
                look.trim,
                gloss=0.5,
                cast=0.3,
            )
        canvas.fill(
            rounded(0.45, 0.855, 0.55, 0.885, 0.006), METALS[1], gloss=0.6, bevel=0.006, cast=0.25
        )
        saddle = 0.86
    else:
        saddle = 0.84
        hole = 0.7 if look.form == "acoustic guitar" else 0.72
        canvas.fill(ellipse(0.5, hole, 0.068, 0.068), look.trim, depth=0.2)
        canvas.fill(ellipse(0.5, hole, 0.055, 0.055), (0.1, 0.07, 0.05), bevel=0.015, depth=-0.5)
        if look.numbers[5] > 0.4:
            guard = smooth(
                [(0.56, hole - 0.03), (0.62, hole + 0.02), (0.61, hole + 0.09), (0.55, hole + 0.07)]
            )
            canvas.fill(guard, look.second, clip=wood, bevel=0.004)
        canvas.fill(
            rounded(0.42, saddle - 0.012, 0.58, saddle + 0.018, 0.008), fret, bevel=0.008, cast=0.3
        )
    return saddle


def _waist(look: Look) -> tuple[float, float, float]:
    """Return the half widths of the upper bout, the waist and the lower bout."""
    return look.between(0, 0.16, 0.19), look.between(1, 0.125, 0.155), look.between(2, 0.21, 0.25)


def _body(look: Look) -> Array:
    upper, waist, lower = _waist(look)
    if look.form == "electric guitar":
        horn, cut = look.between(3, 0.02, 0.08), look.between(4, 0.02, 0.07)
        body = smooth(
            [
                (0.5, 0.6),
                (0.56, 0.56),
                (0.5 + upper, 0.51 + cut),
                (0.5 + waist, 0.68),
                (0.5 + lower * 1.02, 0.8),
                (0.5 + lower * 0.6, 0.94),
                (0.5, 0.955),
                (0.5 - lower * 0.75, 0.93),
                (0.5 - lower * 1.02, 0.8),
                (0.5 - waist, 0.67),
                (0.5 - upper - 0.01, 0.53 - horn),
                (0.43, 0.55),
            ]
        )
    else:
        start = 0.5 if look.form == "acoustic guitar" else 0.55
        body = lathe(
            [
                (0.03, start),
                (upper * 0.75, start + 0.015),
                (upper, start + 0.07),
                (upper * 0.95, start + 0.12),
                (waist, 0.3 + start * 0.74),
                (lower * 0.86, 0.745),
                (lower, 0.825),
                (lower * 0.86, 0.905),
                (lower * 0.45, 0.95),
                (0.01, 0.956),
            ]
        )
    return body


def _neck(canvas: Canvas, look: Look, head: float, saddle: float) -> None:
    end = {"electric guitar": 0.62, "acoustic guitar": 0.62, "ukulele": 0.66}[look.form]
    nut = head + 0.13
    wood = (0.78, 0.6, 0.4) if look.numbers[6] > 0.5 else (0.42, 0.27, 0.18)
    style = look.choice(7, 3)
    top = [
        (0.47, nut),
        (0.445, head + 0.08),
        (0.44, head + 0.01),
        (0.47, head),
        (0.5, head + 0.015 * style),
        (0.53, head),
        (0.56, head + 0.01),
        (0.555, head + 0.08),
        (0.53, nut),
    ]
    if look.form == "electric guitar" and style:
        top = [
            (0.475, nut),
            (0.44, nut - 0.02),
            (0.45, head),
            (0.49, head - 0.015),
            (0.54, head + 0.04),
            (0.53, nut),
        ]
    canvas.fill(
        points(top),
        look.stuff(look.trim if look.numbers[8] > 0.5 else wood, "walnut"),
        bevel=0.01,
        depth=0.4,
    )
    for i in range(3):
        for dx in (-1, 1):
            canvas.fill(
                ellipse(0.5 + dx * 0.068, head + 0.025 + i * 0.034, 0.016, 0.011),
                METALS[1],
                gloss=0.6,
                bevel=0.005,
            )
    canvas.fill(
        points([(0.473, nut), (0.527, nut), (0.533, end), (0.467, end)]),
        look.stuff(darker(wood, 0.7), "walnut"),
        bevel=0.01,
        cast=0.35,
    )
    for i in range(12):
        y = nut + (end - nut) * (1 - 0.9**i) / (1 - 0.9**12)
        canvas.line([(0.47, y), (0.53, y)], 0.005, METALS[1], depth=0)
        if i in (3, 5, 7, 9):
            canvas.fill(ellipse(0.5, y - 0.014, 0.007, 0.007), PAPER, depth=0)
    strings = 4 if look.form == "ukulele" else 6
    for i in range(strings):
        t = i / (strings - 1) * 2 - 1
        canvas.line(
            [(0.5 + t * 0.022, nut), (0.5 + t * 0.032, saddle)], 0.0035, (0.9, 0.89, 0.85), depth=0
        )


KINDS = (
    Kind(
        "toy",
        "toys",
        ("toy car", "toy lorry", "toy bus", "toy van"),
        draw_toy,
        "standing",
        (
            "plain",
            "colour-block",
            "dotted",
            "star-print",
            "diagonal-striped",
            "zigzag",
            "geometric",
            "floral",
            "deckchair-striped",
        ),
        ("beech", "tin", "recycled plastic"),
        (9, 49),
    ),
    Kind(
        "guitar",
        "guitars",
        ("acoustic guitar", "electric guitar", "ukulele"),
        draw_guitar,
        "flat",
        ("plain", "ombré", "plain", "marbled", "floral", "star-print", "geometric"),
        ("spruce", "mahogany", "walnut"),
        (69, 890),
    ),
)
