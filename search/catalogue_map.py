"""The catalogue as a map: where each listing lies, look-alikes side by side."""

from __future__ import annotations

import io
import logging
import os
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import MissingExtra, UsageError
from indexer.files import write_durably
from indexer.snapshot import Snapshot
from search.layout import levels, own_cells, sorted_grid

log = logging.getLogger(__name__)

METHODS = ("pca", "umap")

LISTINGS = 2_016
"""The most listings on a map, taken at even steps through the catalogue's own order: 56 by 36,
which can be halved twice."""

MAP_FILE = "map.npz"
"""A kept map, in its snapshot's folder: it is thrown away with it, and fits no other."""

UMAP_LEAST = 20
"""Fewer listings have no neighbourhoods for UMAP to find."""


class HasCatalogue(Protocol):
    """What a map asks of `search.engine.Engine`."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is searched now."""

    def catalog(self) -> AbstractContextManager[Catalog]:
        """Lend the catalogue."""


@dataclass(frozen=True, slots=True)
class CatalogueMap:
    """Listings on a grid, those first that are shown when there is room for few.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    columns, rows : int
        Of the grid; a cell is a square, and holds at most one listing.
    total : int
        How many listings of the snapshot there were to choose from.
    listings, pictures : ndarray of int64, shape (N,)
        Numbers in the catalogue.
    cells : ndarray of int64, shape (N, 2)
        Column and row of each listing.
    levels : ndarray of int64, shape (N,)
        The largest k at which it is the one shown of its square of 2^k by 2^k cells.
    """

    method: str
    columns: int
    rows: int
    total: int
    listings: NDArray[np.int64]
    pictures: NDArray[np.int64]
    cells: NDArray[np.int64]
    levels: NDArray[np.int64]

    @property
    def positions(self) -> NDArray[np.float32]:
        """The cells' middles as shares of the map, shape (N, 2), each in [0, 1]."""
        shares = (self.cells + 0.5) / np.array([self.columns, self.rows])
        middle: NDArray[np.float32] = shares.astype(np.float32)
        return middle


@dataclass(frozen=True, slots=True)
class Place:
    """A listing on the map, as it is shown.

    Attributes
    ----------
    tile : int
        Its row in `CatalogueMap`.
    key : str
        Of its thumbnail; empty where there is none.
    """

    tile: int
    id: str
    title: str
    category: str
    key: str
    x: float
    y: float
    level: int


def lay_out(snapshot: Snapshot, method: str = "pca", most: int = LISTINGS) -> CatalogueMap:
    """Make a map of a snapshot; the same each time.

    Parameters
    ----------
    snapshot : Snapshot
        Opened.
    method : str, optional
        ``"pca"``: the first two principal components, spread over a full grid and sorted until
        neighbours look alike; about a second. ``"umap"``: UMAP, with gaps between its groups;
        about a minute.
    most : int, optional
        How many listings to show at most.

    Raises
    ------
    UsageError
        If there is no such method, or too few listings for it.
    MissingExtra
        If umap-learn is not installed.
    """
    if method not in METHODS:
        raise UsageError(f"A map is not made by {method!r}.", hint=f"By {' or '.join(METHODS)}.")
    first = np.unique(snapshot.listings, return_index=True)[1].astype(np.int64)
    chosen = evenly(first, most)
    vectors = np.asarray(snapshot.vectors[chosen], np.float32)
    if method == "umap":
        cells, columns, rows = own_cells(_umap(vectors))
    else:
        cells, columns, rows = sorted_grid(vectors)
    level = levels(vectors, cells)
    order = np.lexsort((cells[:, 0], cells[:, 1], -level))
    return CatalogueMap(
        method,
        columns,
        rows,
        len(first),
        np.asarray(snapshot.listings[chosen][order]),
        np.asarray(snapshot.pictures[chosen][order]),
        cells[order],
        level[order],
    )


def places(engine: HasCatalogue, drawn: CatalogueMap) -> list[Place]:
    """Return what there is to show of a map, now.

    A map is made for one snapshot. Of what changed since, listings that are gone are left out at
    once, and so are those that have another picture now: they lie elsewhere, which the next map
    shows, with what came since.
    """
    with engine.catalog() as catalog:
        listings = catalog.listings(drawn.listings)
        positions = catalog.positions(int(picture) for picture in drawn.pictures)
    found: list[Place] = []
    numbers = zip(drawn.listings, drawn.pictures, drawn.positions, drawn.levels, strict=True)
    for tile, (number, picture, (x, y), level) in enumerate(numbers):
        if int(number) not in listings or int(picture) not in positions:
            continue
        listing, keys = listings[int(number)]
        at = positions[int(picture)]
        key = keys[at] if at < len(keys) else ""
        place = Place(
            tile, listing.id, listing.title, listing.category, key, float(x), float(y), int(level)
        )
        found.append(place)
    return found


def total_of(drawn: CatalogueMap, shown: Sequence[Place]) -> int:
    """Return of how many listings a map shows some: by their share, where it was made of more."""
    return round(drawn.total * len(shown) / max(1, len(drawn.listings)))


def map_of(snapshot: Snapshot) -> CatalogueMap:
    """Return the map that `lookalike map --method` kept, else make the default one."""
    return load_map(snapshot) or lay_out(snapshot)


def save_map(snapshot: Snapshot, drawn: CatalogueMap) -> Path:
    """Keep a map beside its snapshot's files, for the server to read."""
    data = io.BytesIO()
    np.savez(
        data,
        method=np.array(drawn.method),
        size=np.array([drawn.columns, drawn.rows, drawn.total]),
        listings=drawn.listings,
        pictures=drawn.pictures,
        cells=drawn.cells,
        levels=drawn.levels,
    )
    path = snapshot.folder / MAP_FILE
    write_durably(path, data.getvalue())
    return path


def load_map(snapshot: Snapshot) -> CatalogueMap | None:
    """Return the map that is kept with a snapshot; None where there is none to be read."""
    path = snapshot.folder / MAP_FILE
    if not path.is_file():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            columns, rows, total = (int(side) for side in kept["size"])
            names = ("listings", "pictures", "cells", "levels")
            arrays = [kept[name].astype(np.int64) for name in names]
            method = str(kept["method"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("The kept map %s cannot be read (%s): it is made anew.", path, error)
        return None
    count = len(arrays[0])
    if [array.shape for array in arrays] != [(count,), (count,), (count, 2), (count,)]:
        log.warning("The kept map %s makes no sense: it is made anew.", path)
        return None
    return CatalogueMap(method, columns, rows, total, *arrays)


def evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most `most` of some rows, at even steps."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _umap(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    if len(vectors) < UMAP_LEAST:
        raise UsageError(
            f"UMAP needs at least {UMAP_LEAST} listings, and there are {len(vectors)}.",
            hint="Use --method pca.",
        )
    # umap-learn looks whether there is TensorFlow, for what is not used here; it should be quiet.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        from umap import UMAP  # noqa: PLC0415 - half a minute, and only where it was asked for
    except ImportError as error:
        raise MissingExtra("UMAP", "umap") from error
    # One thread, or two runs would differ: UMAP itself says so of random_state.
    fitted = UMAP(
        n_neighbors=min(15, len(vectors) - 1),
        min_dist=0.3,
        metric="cosine",
        random_state=0,
        n_jobs=1,
    ).fit_transform(vectors)
    plane: NDArray[np.float32] = np.asarray(fitted, np.float32)
    return plane
