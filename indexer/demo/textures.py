"""What things are made of: the weave, grain or glaze that a pattern is printed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from indexer.demo.canvas import Paint
from indexer.demo.patterns import PATTERNS, Inks, noise
from indexer.demo.shapes import Array, vector

Weave: TypeAlias = Callable[[Array, Array, int], Array]


def knit(x: Array, y: Array, seed: int) -> Array:
    across = x * 42
    zigzag = np.abs(across % 1 - 0.5)
    stitches = np.sin((y * 42 + zigzag * 1.3) * 2 * np.pi) * (0.4 + zigzag)
    return vector(0.17 * stitches - 0.12 * (zigzag < 0.07))


def cable(x: Array, y: Array, seed: int) -> Array:
    u = (x * 9) % 1 - 0.5
    rope = np.cos(u * 2 * np.pi) * 0.2 + 0.12 * np.sin((y * 17 + np.abs(u) * 2.4) * 2 * np.pi)
    return vector(rope - 0.05)


def denim(x: Array, y: Array, seed: int) -> Array:
    twill = 0.07 * np.sin((x + y * 0.7) * 2 * np.pi * 62)
    wear, slub = noise(x * 9, y * 6, seed), noise(x * 90, y * 40, seed)
    return vector(twill + 0.24 * (wear - 0.5) + 0.1 * (slub - 0.5))


def linen(x: Array, y: Array, seed: int) -> Array:
    warp = noise(x * 110, y * 6, seed) - 0.5
    weft = noise(x * 6, y * 110, seed + 1) - 0.5
    return 0.17 * (warp + weft)


def leather(x: Array, y: Array, seed: int) -> Array:
    fine, coarse = noise(x * 55, y * 55, seed), noise(x * 34, y * 34, seed + 1)
    grain = np.abs(fine - 0.5) + np.abs(coarse - 0.5)
    return vector(0.26 * (grain - 0.28) + 0.12 * (noise(x * 5, y * 5, seed + 2) - 0.5))


def suede(x: Array, y: Array, seed: int) -> Array:
    return 0.16 * (noise(x * 10, y * 14, seed) - 0.5) + 0.1 * (noise(x * 95, y * 95, seed) - 0.5)


def corduroy(x: Array, y: Array, seed: int) -> Array:
    return vector(0.2 * np.cos(x * 2 * np.pi * 34) + 0 * y)


def velvet(x: Array, y: Array, seed: int) -> Array:
    return 0.3 * (noise(x * 4.5, y * 3.5, seed) - 0.5) + 0.06 * (noise(x * 70, y * 70, seed) - 0.5)


def boucle(x: Array, y: Array, seed: int) -> Array:
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
    "bouclé": boucle,
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
