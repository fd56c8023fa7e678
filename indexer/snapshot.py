"""A snapshot: one immutable index on disk, published by one rename.

CURRENT                    the name of the snapshot that serves
snapshots/000001/
    manifest.json          what it was made of and with, and a checksum of every file
    index.faiss            the FAISS index; its ids are positions in the files below
    vectors.f16            the vectors, (count, dims) float16
    pictures.i64           each vector's picture, by its number in the catalogue
    listings.i64           each vector's listing, likewise
    projection.npz         what turns features into such vectors
    categories.i32         each vector's category, a place in the model's names; -1 without one
    categories.npz         the category model, if there is one
    ...                    what else its makers put there: `Snapshot.file` tells whether it is
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.categories import CategoryModel
from indexer.errors import IndexDamaged
from indexer.manifest import (
    AGAIN,
    CURRENT,
    FILES,
    FORMAT,
    MANIFEST,
    SNAPSHOTS,
    current_name,
    read_manifest,
)
from indexer.projection import Projection
from indexer.publishing import begin, building, publish, remove_old
from indexer.reading_lock import ReadingLock
from indexer.recipe import Recipe
from indexer.scores import ScoreModel

__all__ = [
    "AGAIN",
    "CURRENT",
    "FILES",
    "FORMAT",
    "MANIFEST",
    "SNAPSHOTS",
    "Snapshot",
    "begin",
    "building",
    "current_name",
    "open_current",
    "publish",
    "read_manifest",
    "remove_old",
    "space_of",
]

AGAIN_AT_MOST = 5
"""Times that CURRENT is read again where the snapshot that it named has gone meanwhile."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot. Its big files are mapped, not read.

    Attributes
    ----------
    folder : Path
        Where it lies.
    manifest : mapping
        What `publish` was given, with ``format``, ``name`` and ``files``. Snapshots of before
        servers learned from queries do not say ``learned``: it is 0 there. Older ones do not say
        ``fitted_on`` either.
    vectors : ndarray of float16, shape (count, dims)
        Unit vectors.
    pictures, listings : ndarray of int64, shape (count,)
        Numbers in the catalogue.
    projection : Projection
        Fitted.
    codes : ndarray of int32, shape (count,)
        Each vector's category as a place in ``categories.names``; -1 without one.
    categories : CategoryModel or None
        None where the catalogue has no two categories that can be told apart.
    scores : ScoreModel
        Of plain similarity.
    keyed_scores : ScoreModel
        Of similarity with the category prior.
    space : str
        Names the vector space: vectors of two snapshots can be compared where it is the same.
        16 hexadecimal digits.
    lock : ReadingLock or None
        What keeps the folder from being removed.
    """

    folder: Path
    manifest: Mapping[str, Any]
    vectors: NDArray[np.float16]
    pictures: NDArray[np.int64]
    listings: NDArray[np.int64]
    projection: Projection
    codes: NDArray[np.int32]
    categories: CategoryModel | None
    scores: ScoreModel
    keyed_scores: ScoreModel
    space: str = ""
    lock: ReadingLock | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @property
    def count(self) -> int:
        """How many vectors it holds."""
        return len(self.vectors)

    @classmethod
    def open(cls, folder: Path) -> Snapshot:
        """Open a snapshot, checking what can be checked without reading it all.

        While it is open, nobody removes it.

        Raises
        ------
        IndexDamaged
            If a file is missing or has another length than the manifest says.
        IndexVersionError
            If a newer Lookalike wrote it.
        """
        lock = ReadingLock(folder)
        manifest = read_manifest(folder)
        for name, said in manifest["files"].items():
            path = folder / name
            have = path.stat().st_size if path.is_file() else None
            if have != said["bytes"]:
                found = "is missing" if have is None else f"has {have:,} bytes"
                raise IndexDamaged(
                    f"{path} {found} instead of having {said['bytes']:,} bytes.", hint=AGAIN
                )
        count, dims = manifest["vectors"], manifest["dims"]
        recipe = Recipe.from_dict(manifest["recipe"])
        projection = Projection.load(folder / "projection.npz", recipe)
        return cls(
            folder,
            manifest,
            _mapped(folder / "vectors.f16", np.float16, (count, dims)),
            _mapped(folder / "pictures.i64", np.int64, (count,)),
            _mapped(folder / "listings.i64", np.int64, (count,)),
            projection,
            _mapped(folder / "categories.i32", np.int32, (count,)),
            CategoryModel.load(folder / "categories.npz"),
            ScoreModel.from_dict(manifest["scores"]["plain"]),
            ScoreModel.from_dict(manifest["scores"]["keyed"]),
            space_of(projection),
            lock,
        )

    def file(self, name: str) -> Path | None:
        """Return the path of one of its files; None where it was made without it."""
        return self.folder / name if name in self.manifest["files"] else None

    def close(self) -> None:
        """Let the folder be removed; what is mapped of it can still be read."""
        if self.lock is not None:
            self.lock.close()


def space_of(projection: Projection) -> str:
    """Return what names the space of a projection's vectors.

    What photos are centred by is no part of it: that moves photos, and no catalogue picture.
    """
    recipe = projection.recipe
    said = repr((recipe.features, recipe.power, recipe.unit_features, recipe.whitening))
    digest = hashlib.sha256(said.encode())
    for array in (projection.mean_, projection.components_, projection.eigenvalues_):
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:16]


def open_current(index: Path) -> Snapshot:
    """Open the snapshot that serves.

    Raises
    ------
    IndexNotReady, IndexDamaged, IndexVersionError
        As `current_name` and `Snapshot.open`.
    """
    for _ in range(AGAIN_AT_MOST):
        name = current_name(index)
        if not name.isdigit():
            raise IndexDamaged(f"{index / CURRENT} names no snapshot ({name!r}).", hint=AGAIN)
        try:
            return Snapshot.open(index / SNAPSHOTS / name)
        except IndexDamaged:
            if current_name(index) == name:
                raise
    raise IndexDamaged(f"{index} gets new snapshots faster than they can be opened.", hint=AGAIN)


def _mapped(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    if path.stat().st_size != np.prod(shape) * np.dtype(dtype).itemsize:
        raise IndexDamaged(f"{path} does not hold {shape[0]:,} rows.", hint=AGAIN)
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)
