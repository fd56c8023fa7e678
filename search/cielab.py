"""sRGB to CIELAB: colours whose distance is about what a person sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn pictures into CIELAB, white being that of sRGB.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (N, rows, columns, 3)
        sRGB.

    Returns
    -------
    ndarray of float32, shape (N, 3, rows, columns)
        Lightness, 0 to 100, and the two axes of chroma.
    """
    xyz = LINEAR[rgb] @ WEIGHTS
    x, y, z = np.moveaxis(ROOTS[(xyz * FINE).astype(np.intp)], -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1, dtype=np.float32)


def _linear() -> NDArray[np.float32]:
    """Return the light of each of the 256 values of an sRGB channel (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def _roots() -> NDArray[np.float32]:
    """Return CIELAB's cube root, straight near black, of shares of `FINE`."""
    value = np.arange(FINE + 2) / FINE  # one more, for white that is rounded up
    root = np.where(value > 216 / 24389, np.cbrt(value), (value * 24389 / 27 + 16) / 116)
    return root.astype(np.float32)


FINE = 2**14
"""Parts of the light of white in `ROOTS`: a table is ten times as fast as the roots."""

LINEAR, ROOTS = _linear(), _roots()

WEIGHTS: NDArray[np.float32] = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
).T
WEIGHTS /= WEIGHTS.sum(axis=0)
"""From linear sRGB to XYZ, of which white is 1, 1, 1."""
