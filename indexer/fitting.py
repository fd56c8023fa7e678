"""Which projection a snapshot gets: the one in use where it still fits, else one fitted anew."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.projection import SAMPLE, Projection
from indexer.recipe import Recipe
from indexer.sampling import sample
from indexer.snapshot import Snapshot

REFIT_GROWTH = 1.2
"""PCA is fitted anew when the catalogue has grown or shrunk by this factor, or lost as much of what
it was fitted on."""

FEWEST = 40
"""Pictures below which one that was fitted on more stays, whatever has become of those. On clothes,
P@10 by category: .17 fitted on 3 of them, .39 on 20, .43 on 40, .47 on 128; and .43 by a projection
that was fitted on the drawn pictures of the demo, which hold no clothes."""

REMEMBERED = 500
"""Rows that PCA was fitted on, evenly spread, by which the share that is left is estimated."""


def fitting_projection(
    catalog: Catalog,
    used: Snapshot | None,
    recipe: Recipe,
    features: NDArray[np.float16],
    rows: NDArray[np.int64],
    photos: NDArray[np.float16] | None,
) -> tuple[Projection, dict[str, Any]]:
    """Return the projection in use where it still fits the catalogue, else a new one.

    Parameters
    ----------
    catalog : Catalog
        Knows the pictures' contents.
    used : Snapshot or None
        The snapshot in use, made with the same network.
    recipe : Recipe
        What is wanted.
    features : ndarray of float16, shape (R, F)
        The feature file.
    rows : ndarray of int64, shape (N,)
        The rows of it that are in the catalogue, at least one.
    photos : ndarray of float16, shape (P, F), or None
        Features of customers' photos.

    Returns
    -------
    projection : Projection
        Of `recipe`.
    fitted_on : dict
        What the manifest says that it was fitted on: ``contents``, some pictures by the hash of
        their contents, and ``photos``, a digest of the photos.
    """
    distinct = np.unique(rows)
    digest = None if photos is None else hashlib.sha256(photos.tobytes()).hexdigest()
    # Snapshots of before this was kept do not say it: they are fitted anew.
    before = None if used is None else used.manifest.get("fitted_on")
    if used is not None and before is not None and before["photos"] == digest:
        old, count = used.projection, min(len(distinct), SAMPLE)
        growth = count / max(1, old.fitted_on_)
        as_large = 1 / REFIT_GROWTH < growth < REFIT_GROWTH
        fits = are_few(count, old) or (
            as_large and _kept(catalog, before, distinct) > 1 / REFIT_GROWTH
        )
        if old.recipe == recipe and fits:
            return old, before
    distinct = sample(distinct, SAMPLE, np.random.default_rng(0))
    some = distinct[:: math.ceil(len(distinct) / REMEMBERED)]
    fitted_on = {"contents": catalog.contents(some.tolist()), "photos": digest}
    return Projection.fit(recipe, features[distinct], photos), fitted_on


def are_few(count: int, projection: Projection) -> bool:
    """Say whether so many pictures tell less than those that a projection was fitted on."""
    return count < min(FEWEST, projection.fitted_on_)


def _kept(catalog: Catalog, before: Mapping[str, Any], rows: NDArray[np.int64]) -> float:
    """Return which share of some pictures is still in the catalogue."""
    if "contents" in before:
        known = catalog.rows_of(before["contents"])
        return float(np.isin(rows, known).sum() / max(1, len(before["contents"])))
    # Snapshots of version 0.1.0 name rows, which nothing moved then.
    return float(np.isin(before["rows"], rows).mean())
