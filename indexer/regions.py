"""R-MAC's regions of a map: parts of three sizes, spread over it so that they overlap.

Tolias, Sicre and Jégou, "Particular Object Retrieval with Integral Max-Pooling of CNN
Activations", 2016. Every region counts alike whatever its size, so that a product is known by its
parts too, and in front of another ground.
"""

from __future__ import annotations

SCALES = 3
"""Sizes of regions: the whole map, then 2 x 2 and 3 x 3 smaller ones."""

Region = tuple[slice, slice]
"""Rows and columns of a map."""


def regions(rows: int, columns: int) -> list[Region]:
    """Return the regions of a map.

    Parameters
    ----------
    rows, columns : int
        Of the map, 1 or more; of one that is not square, the regions are not either.

    Returns
    -------
    list of (slice, slice)
        14 of them: the largest first, then from the top left.
    """
    found = []
    for scale in range(1, SCALES + 1):
        height, width = (max(1, 2 * side // (scale + 1)) for side in (rows, columns))
        for top in _starts(rows, height, scale):
            for left in _starts(columns, width, scale):
                found.append((slice(top, top + height), slice(left, left + width)))
    return found


def _starts(side: int, length: int, scale: int) -> list[int]:
    if scale == 1:
        return [0]
    return [(side - length) * n // (scale - 1) for n in range(scale)]
