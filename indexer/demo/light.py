"""Colour and light: how a colour looks lit or shaded, and the light on round things."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from indexer.demo.shapes import Array, vector

Colour: TypeAlias = tuple[float, float, float]
Light: TypeAlias = Callable[[Array, Array], Array]


def lit(colour: Array, shade: Array) -> Array:
    """Return a colour under a light of -1 (black) to 1 (white)."""
    up = np.clip(shade, 0, 1)[..., None]
    down = np.clip(shade, -1, 0)[..., None]
    # Shade keeps a little warmth and light stays short of white, as in a lit studio.
    return colour * (1 + down * vector([0.95, 0.98, 0.9])) + (1 - colour) * (up * 0.8)


def darker(colour: Colour, by: float) -> Colour:
    """Return a colour at a share of its brightness."""
    red, green, blue = colour
    return red * by, green * by, blue * by


def lighter(colour: Colour, by: float) -> Colour:
    """Return a colour part of the way to white."""
    red, green, blue = (c + (1 - c) * by for c in colour)
    return red, green, blue


def brightness(colour: Colour) -> float:
    """Return how bright a colour looks, 0 to 1."""
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def legible(colour: Colour, ground: Colour) -> Colour:
    """Return the colour where it can be read on a ground, or else black or white."""
    if abs(brightness(colour) - brightness(ground)) > 0.28:
        return colour
    return (0.97, 0.96, 0.92) if brightness(ground) < 0.55 else (0.13, 0.13, 0.15)


def across(cx: float, half: float, strength: float = 0.35) -> Light:
    """Return the light on an upright cylinder: brightest left of the middle, dark to the right."""

    def light(x: Array, y: Array) -> Array:
        u = np.clip((x - cx) / half, -1.1, 1.1)
        body = np.cos((u + 0.3) * 1.25) - 0.82
        rim = np.exp(-(((u - 0.93) / 0.1) ** 2)) * 0.25
        streak = np.exp(-(((u + 0.5) / 0.13) ** 2)) * 0.45
        return vector(strength * (body * 1.3 + rim + streak) + 0 * y)

    return light


def ball(cx: float, cy: float, radius: float, strength: float = 0.4) -> Light:
    """Return the light on a sphere, lit from the upper left."""

    def light(x: Array, y: Array) -> Array:
        u, v = (x - cx) / radius, (y - cy) / radius
        away = np.hypot(u + 0.35, v + 0.4)
        gleam = 0.9 * np.exp(-((away / 0.28) ** 2))
        return vector(strength * (0.55 - away * 0.75 + gleam))

    return light
