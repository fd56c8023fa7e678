"""Outlines on a unit square: x to the right, y down, every shape an array of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
Point: TypeAlias = tuple[float, float]
Points: TypeAlias = Array | Sequence[Point]


def vector(numbers: ArrayLike) -> Array:
    """Return numbers as an array of the precision that everything here is computed in."""
    return np.asarray(numbers, dtype=np.float32)


def points(outline: Points) -> Array:
    """Return an outline as an array of shape (n, 2)."""
    return vector(outline).reshape(-1, 2)


def smooth(outline: Points, *, closed: bool = True, steps: int = 8) -> Array:
    """Run a Catmull-Rom curve through the points."""
    p = points(outline)
    if closed:
        before, after = np.roll(p, 1, axis=0), np.roll(p, -1, axis=0)
        beyond = np.roll(p, -2, axis=0)
        starts = p
    else:
        before = np.vstack([p[:1], p[:-2]])
        starts, after = p[:-1], p[1:]
        beyond = np.vstack([p[2:], p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (q[:, None, :] for q in (before, starts, after, beyond))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.vstack([curve, p[-1:]])


def ellipse(
    cx: float, cy: float, rx: float, ry: float, start: float = 0, end: float = 360, steps: int = 64
) -> Array:
    """Return an ellipse, or the arc of it between two angles in degrees (0 is right, 90 down)."""
    angles = np.radians(np.linspace(start, end, steps, endpoint=end - start < 360))
    return points(np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1))


def arc(
    cx: float, cy: float, rx: float, ry: float, start: float, end: float, steps: int = 32
) -> Array:
    """Return an open arc that includes both of its ends."""
    angles = np.radians(np.linspace(start, end, steps))
    return points(np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1))


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Array:
    """Return a rectangle with round corners."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = [
        arc(x1 - r, y0 + r, r, r, -90, 0, 10),
        arc(x1 - r, y1 - r, r, r, 0, 90, 10),
        arc(x0 + r, y1 - r, r, r, 90, 180, 10),
        arc(x0 + r, y0 + r, r, r, 180, 270, 10),
    ]
    return np.vstack(corners)


def lathe(profile: Points, *, cx: float = 0.5, curved: bool = True) -> Array:
    """Turn a profile of (half width, y), top to bottom, into a symmetric outline."""
    half = smooth(profile, closed=False) if curved else points(profile)
    right = half + vector([cx, 0])
    left = half[::-1] * vector([-1, 1]) + vector([cx, 0])
    return np.vstack([right, left])


def ribbon(path: Points, width: float, end_width: float | None = None) -> Array:
    """Return the outline of a stroke along an open path, tapering to `end_width`."""
    p = points(path)
    tangent = np.gradient(p, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1])[:, None], 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    half = np.linspace(width / 2, (width if end_width is None else end_width) / 2, len(p))[:, None]
    return points(np.vstack([p + normal * half, (p - normal * half)[::-1]]))


def ring(path: Points, width: float) -> Array:
    """Return the outline of a stroke along a closed path, as one outline that meets itself."""
    p = points(path)
    tangent = np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1])[:, None], 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * (width / 2)
    # A polygon that overlaps itself is hollow there, so both edges close before they meet.
    outer, inner = p + normal, p - normal
    return points(np.vstack([outer, outer[:1], inner[:1], inner[::-1]]))


def below(cx: float, y: float, half: float, sag: float, *, to: float = 1.1) -> Array:
    """Return all that lies below a line around a vessel, which sags towards the viewer."""
    return np.vstack([arc(cx, y, half, sag, 180, 0), points([(cx + half, to), (cx - half, to)])])


def star(cx: float, cy: float, outer: float, inner: float, tips: int = 5) -> Array:
    """Return a star."""
    angles = np.radians(np.arange(2 * tips) * 180 / tips - 90)
    radius = np.where(np.arange(2 * tips) % 2 == 0, outer, inner)
    return points(np.stack([cx + radius * np.cos(angles), cy + radius * np.sin(angles)], axis=1))


def mirrored(outline: Points, cx: float = 0.5) -> Array:
    """Return the outline reflected in the vertical line at `cx`."""
    return points(outline) * vector([-1, 1]) + vector([2 * cx, 0])


def turned(outline: Points, degrees: float, about: Point = (0.5, 0.5)) -> Array:
    """Return the outline turned about a point."""
    angle = np.radians(degrees)
    turn = vector([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points((points(outline) - vector(about)) @ turn + vector(about))


def moved(outline: Points, dx: float = 0, dy: float = 0) -> Array:
    """Return the outline shifted."""
    return points(outline) + vector([dx, dy])
