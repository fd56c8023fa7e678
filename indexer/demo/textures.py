"""Patterns and weaves: colour as a function of the coordinates, sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from indexer.demo.canvas import Colour, Paint
from indexer.demo.shapes import Array

Pattern: TypeAlias = Callable[[Array, Array, float, "Inks"], Array]
Weave: TypeAlias = Callable[[Array, Array, int], Array]


class Inks:
    """What a pattern is printed with: three colours and a seed for what is scattered."""

    def __init__(self, main: Colour, second: Colour, third: Colour, seed: int = 0) -> None:
        self.main, self.second, self.third = (np.float32(c) for c in (main, second, third))
        self.seed = seed

    def mix(self, second: Array, third: Array | None = None) -> Array:
        """Return the main colour, covered by the second and then by the third."""
        colour = self.main + (self.second - self.main) * second[..., None]
        return colour if third is None else colour + (self.third - colour) * third[..., None]


def inside(distance: Array, softness: float) -> Array:
    """Return the coverage of what lies at negative distance, its edge one pixel soft."""
    return np.clip(0.5 - distance / max(softness, 1e-6), 0, 1)


def noise(x: Array, y: Array, seed: int) -> Array:
    """Return smooth noise of 0..1 with one lattice point a unit."""
    table = np.random.default_rng(seed).random((64, 64), dtype=np.float32)
    x, y = np.broadcast_arrays(x, y)
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    u, v = x - column, y - row
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    c0, c1, r0, r1 = column % 64, (column + 1) % 64, row % 64, (row + 1) % 64
    top = table[r0, c0] * (1 - u) + table[r0, c1] * u
    bottom = table[r1, c0] * (1 - u) + table[r1, c1] * u
    return top * (1 - v) + bottom * v


def _band(t: Array, share: float, softness: float) -> Array:
    """Return the coverage of the stripe that takes `share` of every unit of `t`."""
    return inside(np.abs(t - np.floor(t) - 0.5) - share / 2, softness)


def _cells(x: Array, y: Array, n: float, *, stagger: bool = True) -> tuple[Array, Array, Array]:
    """Return coordinates from the middle of each cell, in cells, and a random number a cell."""
    row = np.floor(y * n)
    along = x * n + (0.5 * (row % 2) if stagger else 0)
    column = np.floor(along)
    chance = np.sin(column * 12.9898 + row * 78.233) * 43758.547
    return along - column - 0.5, y * n - row - 0.5 + 0 * x, chance - np.floor(chance)


def plain(x: Array, y: Array, px: float, inks: Inks) -> Array:
    return np.broadcast_to(inks.main, (*np.broadcast_shapes(x.shape, y.shape), 3))


def stripes(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 11
    return inks.mix(_band(y * n + 0 * x, 0.42, px * n))


def bands(x: Array, y: Array, px: float, inks: Inks) -> Array:
    t = y * 4.6 + 0.2 + 0 * x
    return inks.mix(_band(t, 0.5, px * 4.6), _band(t + 0.5, 0.16, px * 4.6))


def pinstripes(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 17
    return inks.mix(_band(x * n + 0 * y, 0.24, px * n))


def deckchair(x: Array, y: Array, px: float, inks: Inks) -> Array:
    t = x * 6.5 + 0 * y
    return inks.mix(_band(t, 0.5, px * 6.5), _band(t, 0.12, px * 6.5))


def diagonals(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    return inks.mix(_band((x + y) * n, 0.45, px * n * 1.4))


def gingham(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 11
    both = _band(x * n, 0.5, px * n) + _band(y * n, 0.5, px * n)
    return inks.mix(both / 2)


def tartan(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 5
    wide = (_band(x * n, 0.42, px * n) + _band(y * n, 0.42, px * n)) * 0.5
    thin = np.maximum(_band(x * n + 0.5, 0.09, px * n), _band(y * n + 0.5, 0.09, px * n))
    return inks.mix(wide * 0.85, thin * 0.8)


def windowpane(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 7
    return inks.mix(np.maximum(_band(x * n, 0.09, px * n), _band(y * n, 0.09, px * n)))


def dots(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 11
    u, v, _ = _cells(x, y, n)
    return inks.mix(inside(np.hypot(u, v) - 0.27, px * n))


def spots(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 5.5
    u, v, chance = _cells(x, y, n)
    r = np.hypot(u, v)
    large = inside(r - 0.36, px * n)
    return inks.mix(large * (chance < 0.5), large * (chance >= 0.5))


def flowers(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 6.5
    u, v, chance = _cells(x, y, n)
    u, v = u + (chance - 0.5) * 0.2, v + (chance * 7 % 1 - 0.5) * 0.2
    r, angle = np.hypot(u, v), np.arctan2(v, u)
    petals = inside(r - 0.26 - 0.1 * np.cos(5 * angle + chance * 6), px * n)
    heart = inside(r - 0.1, px * n)
    return inks.mix(petals, heart)


def leaves(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 6
    u, v, chance = _cells(x, y, n)
    turn = chance * 6.28
    a, b = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
    blade = inside(np.abs(b) - 0.2 * (1 - (a / 0.46) ** 2), px * n)
    rib = inside(np.abs(b) - 0.018, px * n) * inside(np.abs(a) - 0.46, px * n)
    return inks.mix(blade * (0.6 + 0.4 * (chance > 0.4)), rib * 0.8)


def stars(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    u, v, chance = _cells(x, y, n)
    r, angle = np.hypot(u, v), np.arctan2(v, u) + chance * 6
    tip = np.abs((angle * 5 / (2 * np.pi)) % 1 - 0.5) * 2
    return inks.mix(inside(r - 0.15 - 0.24 * tip**1.3, px * n))


def hearts(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    u, v, _ = _cells(x, y, n)
    u, v = np.abs(u) * 3.1, -v * 3.1
    return inks.mix(inside((u * u + (v - 0.62 * np.sqrt(u)) ** 2 - 0.8) / 4, px * n))


def diamonds(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 5
    u, v = np.abs((x * n) % 1 - 0.5), np.abs((y * n * 0.7) % 1 - 0.5)
    lozenge = inside(u + v - 0.42, px * n)
    thread = inside(np.abs(u - v) - 0.025, px * n)
    return inks.mix(lozenge, thread * 0.9)


def chevrons(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    zigzag = np.abs((x * 7) % 1 - 0.5)
    return inks.mix(_band(y * n + zigzag * 1.5, 0.45, px * n * 1.5))


def waves(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    t = y * n + 0.35 * np.sin(x * 28)
    return inks.mix(_band(t, 0.42, px * n * 1.3), _band(t + 0.5, 0.1, px * n * 1.3))


def scales(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 8
    u, v, _ = _cells(x, y, n)
    r = np.hypot(u, v + 0.5)
    return inks.mix(_band(r * 4 + 0.12, 0.45, px * n * 4))


def blocks(x: Array, y: Array, px: float, inks: Inks) -> Array:
    t = y - 0.47 + 0.12 * (x - 0.5)
    return inks.mix(inside(-t, px), inside(np.abs(t) - 0.045, px))


def ombre(x: Array, y: Array, px: float, inks: Inks) -> Array:
    t = np.clip((y - 0.2) / 0.6, 0, 1)
    return inks.mix(t * t * (3 - 2 * t) + 0 * x)


def terrazzo(x: Array, y: Array, px: float, inks: Inks) -> Array:
    colour = plain(x, y, px, inks)
    for layer, n in enumerate((9.0, 13.0)):
        u, v, chance = _cells(x + layer * 0.37, y + layer * 0.21, n)
        turn = chance * 6.28
        a, b = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
        chip = inside(np.maximum(np.abs(a) - 0.28 * chance, np.abs(b + 0.4 * a) - 0.17), px * n)
        ink = np.where((chance * 10 % 1 < 0.5)[..., None], inks.second, inks.third)
        colour = colour + (ink - colour) * chip[..., None]
    return colour


def camouflage(x: Array, y: Array, px: float, inks: Inks) -> Array:
    first = noise(x * 7, y * 9, inks.seed) + 0.3 * noise(x * 17, y * 19, inks.seed + 1)
    other = noise(x * 6, y * 8, inks.seed + 2) + 0.3 * noise(x * 15, y * 17, inks.seed + 3)
    return inks.mix(inside(0.68 - first, px * 9), inside(0.78 - other, px * 9))


def marble(x: Array, y: Array, px: float, inks: Inks) -> Array:
    swirl = noise(x * 4, y * 4, inks.seed) * 6 + noise(x * 11, y * 11, inks.seed + 1) * 1.6
    vein = np.abs(np.sin(x * 5 + y * 8 + swirl))
    return inks.mix(np.exp(-vein * 7) * 0.9, np.exp(-np.abs(vein - 0.6) * 16) * 0.35)


def triangles(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 6
    u, v, chance = _cells(x, y, n, stagger=False)
    lower = inside(u + v, px * n * 1.4)
    pick, other = chance, chance * 13 % 1
    a = np.where((pick < 0.4)[..., None], inks.second, inks.main)
    b = np.where((other < 0.45)[..., None], inks.third, inks.main)
    return a + (b - a) * lower[..., None]


def speckles(x: Array, y: Array, px: float, inks: Inks) -> Array:
    n = 26
    u, v, chance = _cells(x, y, n)
    u, v = u + (chance - 0.5) * 0.7, v + (chance * 9 % 1 - 0.5) * 0.7
    return inks.mix(inside(np.hypot(u, v) - 0.3 * (chance * 5 % 1), px * n) * (chance > 0.35))


PATTERNS: dict[str, Pattern] = {
    "plain": plain,
    "striped": stripes,
    "banded": bands,
    "pinstriped": pinstripes,
    "deckchair-striped": deckchair,
    "diagonal-striped": diagonals,
    "gingham": gingham,
    "tartan": tartan,
    "windowpane": windowpane,
    "dotted": dots,
    "big-dot": spots,
    "floral": flowers,
    "leaf-print": leaves,
    "star-print": stars,
    "heart-print": hearts,
    "argyle": diamonds,
    "zigzag": chevrons,
    "wave-print": waves,
    "scalloped": scales,
    "colour-block": blocks,
    "ombré": ombre,
    "terrazzo": terrazzo,
    "camouflage": camouflage,
    "marbled": marble,
    "geometric": triangles,
    "speckled": speckles,
}


def knit(x: Array, y: Array, seed: int) -> Array:
    across = x * 42
    zigzag = np.abs(across % 1 - 0.5)
    return 0.17 * np.sin((y * 42 + zigzag * 1.3) * 2 * np.pi) * (0.4 + zigzag) - 0.12 * (
        zigzag < 0.07
    )


def cable(x: Array, y: Array, seed: int) -> Array:
    u = (x * 9) % 1 - 0.5
    rope = np.cos(u * 2 * np.pi) * 0.2 + 0.12 * np.sin((y * 17 + np.abs(u) * 2.4) * 2 * np.pi)
    return rope - 0.05


def denim(x: Array, y: Array, seed: int) -> Array:
    twill = 0.07 * np.sin((x + y * 0.7) * 2 * np.pi * 62)
    return twill + 0.24 * (noise(x * 9, y * 6, seed) - 0.5) + 0.1 * (noise(x * 90, y * 40, seed) - 0.5)


def linen(x: Array, y: Array, seed: int) -> Array:
    warp = noise(x * 110, y * 6, seed) - 0.5
    weft = noise(x * 6, y * 110, seed + 1) - 0.5
    return 0.17 * (warp + weft)


def leather(x: Array, y: Array, seed: int) -> Array:
    grain = np.abs(noise(x * 55, y * 55, seed) - 0.5) + np.abs(noise(x * 34, y * 34, seed + 1) - 0.5)
    return 0.26 * (grain - 0.28) + 0.12 * (noise(x * 5, y * 5, seed + 2) - 0.5)


def suede(x: Array, y: Array, seed: int) -> Array:
    return 0.16 * (noise(x * 10, y * 14, seed) - 0.5) + 0.1 * (noise(x * 95, y * 95, seed) - 0.5)


def corduroy(x: Array, y: Array, seed: int) -> Array:
    return 0.2 * np.cos(x * 2 * np.pi * 34) + 0 * y


def velvet(x: Array, y: Array, seed: int) -> Array:
    return 0.3 * (noise(x * 4.5, y * 3.5, seed) - 0.5) + 0.06 * (noise(x * 70, y * 70, seed) - 0.5)


def bouclé(x: Array, y: Array, seed: int) -> Array:
    return 0.34 * (noise(x * 48, y * 48, seed) - 0.55)


def straw(x: Array, y: Array, seed: int) -> Array:
    n = 30
    turn = (np.floor(x * n) + np.floor(y * n)) % 2
    return 0.2 * np.sin(np.where(turn > 0, x, y) * n * 2 * np.pi * 2) * 0.7


def quilted(x: Array, y: Array, seed: int) -> Array:
    n = 9
    a, b = np.abs((x + y) * n % 1 - 0.5), np.abs((x - y) * n % 1 - 0.5)
    puff = 0.5 - np.maximum(a, b)
    return 0.6 * np.sqrt(np.clip(puff, 0, 1)) - 0.28


def wood(x: Array, y: Array, seed: int) -> Array:
    rings = noise(x * 3, y * 14, seed) * 7 + y * 9
    fibre = noise(x * 12, y * 150, seed + 1) - 0.5
    return 0.1 * np.sin(rings * 2.6) + 0.14 * fibre


def brushed(x: Array, y: Array, seed: int) -> Array:
    return 0.13 * (noise(x * 4, y * 160, seed) - 0.5)


def clay(x: Array, y: Array, seed: int) -> Array:
    throwing = 0.05 * np.sin(y * 2 * np.pi * 38 + noise(x * 4, y * 4, seed) * 3)
    return throwing + 0.1 * (noise(x * 60, y * 60, seed) - 0.5)


WEAVES: dict[str, Weave] = {
    "wool": knit,
    "merino": knit,
    "lambswool": cable,
    "denim": denim,
    "linen": linen,
    "canvas": linen,
    "leather": leather,
    "suede": suede,
    "corduroy": corduroy,
    "velvet": velvet,
    "bouclé": bouclé,
    "straw": straw,
    "quilted": quilted,
    "oak": wood,
    "walnut": wood,
    "spruce": wood,
    "mahogany": wood,
    "beech": wood,
    "steel": brushed,
    "aluminium": brushed,
    "brass": brushed,
    "stoneware": clay,
    "terracotta": clay,
}


def dyed(
    inks: Inks,
    pattern: str = "plain",
    material: str = "",
    *,
    scale: float = 1,
    degrees: float = 0,
) -> Paint:
    """Return a paint: a pattern in three colours on a material's own texture.

    Parameters
    ----------
    inks : Inks
        The colours.
    pattern, material : str
        Names in `PATTERNS` and `WEAVES`; a material without a texture is smooth.
    scale : float
        Above 1 enlarges the pattern.
    degrees : float
        Turns the pattern and the weave.
    """
    draw, weave = PATTERNS[pattern], WEAVES.get(material)
    cos, sin = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))

    def paint(x: Array, y: Array, px: float) -> Array:
        if degrees:
            x, y = x * cos + y * sin, y * cos - x * sin
        colour = draw((x - 0.5) / scale + 0.5, (y - 0.5) / scale + 0.5, px / scale, inks)
        if weave is None:
            return colour
        grain = weave(x, y, inks.seed % 997)[..., None]
        return np.clip(colour * (1 + grain) + np.maximum(grain, 0) * 0.12, 0, 1)

    return paint
