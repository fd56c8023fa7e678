"""Patterns in three colours: colour as a function of the coordinates, sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from indexer.demo.light import Colour
from indexer.demo.shapes import Array, vector

Pattern: TypeAlias = Callable[[Array, Array, float, "Inks"], Array]


class Inks:
    """What a pattern is printed with: three colours and a seed for what is scattered."""

    def __init__(self, main: Colour, second: Colour, third: Colour, seed: int = 0) -> None:
        self.main, self.second, self.third = (vector(c) for c in (main, second, third))
        self.seed = seed

    def mix(self, second: Array, third: Array | None = None) -> Array:
        """Return the main colour, covered by the second and then by the third."""
        colour = self.main + (self.second - self.main) * second[..., None]
        return colour if third is None else colour + (self.third - colour) * third[..., None]


def inside(distance: Array, softness: float) -> Array:
    """Return the coverage of what lies at negative distance, its edge one pixel soft."""
    return vector(np.clip(0.5 - distance / max(softness, 1e-6), 0, 1))


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
    return vector(top * (1 - v) + bottom * v)


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
