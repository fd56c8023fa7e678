"""A similarity divided among the cells of the network's maps.

The network's last maps have a cell for every place of a picture. What turns them into a vector is
linear but for a power, maxima and divisions by lengths. With those held at the values that they had
for this picture, the similarity to another picture, whose vector is fixed, is a sum over cells
plus one constant, which comes of centring by the mean. This is class activation mapping (Zhou et
al. 2016, "Learning Deep Features for Discriminative Localization") with the other picture in the
place of the class, as in similarity visualisation (Stylianou, Souvenir and Pless 2019,
"Visualizing Deep Similarity Networks").
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.model import FEATURES
from indexer.projection import FLOOR, Projection
from indexer.regions import regions

Maps = Mapping[str, NDArray[np.float32]]
"""A picture's maps by layer, each of shape (rows, columns, channels)."""


def contributions(
    projection: Projection, maps: Maps, other: NDArray[np.float32], *, photo: bool = False
) -> tuple[NDArray[np.float32], float]:
    """Divide a picture's similarity to another among its cells.

    Parameters
    ----------
    projection : Projection
        Of the index.
    maps : mapping of str to ndarray of float32, shape (rows, columns, channels)
        The picture's, by layer.
    other : ndarray of float32, shape (dims,)
        The other picture's vector, of unit length.
    photo : bool, optional
        Whether this one is a customer's photo.

    Returns
    -------
    cells : ndarray of float32, shape (rows, columns)
        Of the size of the recipe's first layer; other layers' maps are brought to it.
    constant : float
        What is missing to the similarity.
    """
    recipe = projection.recipe
    shares = [_shares(maps, name, recipe.power) for name in recipe.features]
    prepared = np.concatenate([share.sum(axis=(0, 1)) for share in shares])
    unit = max(float(np.linalg.norm(prepared)), FLOOR) if recipe.unit_features else 1.0
    mean = projection.photo_mean_ if photo else projection.mean_
    scale = np.maximum(projection.eigenvalues_.astype(np.float64), FLOOR) ** -recipe.whitening
    length = float(np.linalg.norm(projection.components_ @ (prepared / unit - mean) * scale))
    # By how much the similarity grows with each prepared feature while the length is held.
    slopes = (other * scale) @ projection.components_ / max(length, FLOOR)
    blocks = np.split(slopes / unit, len(shares))
    layers = [share @ block for share, block in zip(shares, blocks, strict=True)]
    cells = sum(resized(layer, layers[0].shape) for layer in layers)
    return np.asarray(cells, np.float32), float(-slopes @ mean)


def pooled(maps: Maps) -> NDArray[np.float32]:
    """Return the features of one picture, pooled from its maps.

    Returns
    -------
    ndarray of float32, shape (1, len(FEATURES) * channels)
        As `Embedder.embed` gives them, as one row for `Projection.transform`.
    """
    rows = [_pool(*_of_feature(maps, name)) for name in FEATURES]
    return np.concatenate(rows).astype(np.float32)[np.newaxis]


def resized(cells: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Bring a map to another size and keep its sum: each cell is divided by area.

    Parameters
    ----------
    cells : ndarray of float64, shape (rows, columns)
        The map.
    shape : tuple of two int
        The rows and columns wanted.
    """
    if cells.shape == shape:
        return cells
    down, across = (_overlaps(*sizes) for sizes in zip(cells.shape, shape, strict=True))
    divided: NDArray[np.float64] = down @ cells @ across.T
    return divided


def _overlaps(before: int, after: int) -> NDArray[np.float64]:
    """Return which share of each of `before` cells lies in each of `after`: (after, before)."""
    old, new = np.arange(before) / before, np.arange(after)[:, np.newaxis] / after
    shared = np.minimum(old + 1 / before, new + 1 / after) - np.maximum(old, new)
    overlaps: NDArray[np.float64] = np.maximum(shared, 0) * before
    return overlaps


def _of_feature(maps: Maps, name: str) -> tuple[NDArray[np.float64], str]:
    """Return the map behind one of `FEATURES`, and how it is pooled."""
    layer, _, pooling = name.rpartition("_")
    return maps[layer].astype(np.float64), pooling


def _pool(cells: NDArray[np.float64], pooling: str) -> NDArray[np.float64]:
    if pooling == "rmac":
        parts = [cells[region].max(axis=(0, 1)) for region in regions(*cells.shape[:2])]
        return np.asarray(np.sum([part / _length(part) for part in parts], axis=0))
    pooled: NDArray[np.float64] = (
        cells.max(axis=(0, 1)) if pooling == "max" else cells.mean(axis=(0, 1))
    )
    return pooled


def _length(values: NDArray[np.float64]) -> float:
    return max(float(np.linalg.norm(values)), FLOOR)


def _regional(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each cell gives to the sum of the regions' maxima: of the map's shape."""
    given = np.zeros_like(cells)
    for region in regions(*cells.shape[:2]):
        part = cells[region]
        highest = part.max(axis=(0, 1))
        having = part == highest
        given[region] += having / having.sum(axis=(0, 1)) * (highest / _length(highest))
    return given


def _shares(maps: Maps, name: str, power: float) -> NDArray[np.float64]:
    """Return what each cell gives to each pooled and powered feature: of the map's shape."""
    cells, pooling = _of_feature(maps, name)
    values = _pool(cells, pooling)
    if pooling == "max":
        # All of it is due to the cell that has the maximum; to several alike if they tie.
        highest = cells == values
        weights = highest / highest.sum(axis=(0, 1))
    else:
        # f is a sum over cells, so f^p = sum f^(p-1): of a feature that is zero there is no share.
        regional = pooling == "rmac"
        weights = _regional(cells) if regional else cells / (cells.shape[0] * cells.shape[1])
        weights = np.divide(weights, values, out=np.zeros_like(weights), where=values != 0)
    powered = values if power == 1 else np.maximum(values, 0) ** power
    shared: NDArray[np.float64] = weights * powered
    return shared
