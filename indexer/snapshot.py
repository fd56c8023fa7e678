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
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.categories import CategoryModel
from indexer.errors import IndexDamaged, IndexNotReady, IndexVersionError
from indexer.files import sync_file, sync_folder, write_durably
from indexer.projection import Projection
from indexer.recipe import Recipe
from indexer.scores import ScoreModel
from indexer.weights import sha256_of

FORMAT = 2
CURRENT = "CURRENT"
SNAPSHOTS = "snapshots"
MANIFEST = "manifest.json"
FILES = (
    "index.faiss",
    "vectors.f16",
    "pictures.i64",
    "listings.i64",
    "projection.npz",
    "categories.i32",
    "categories.npz",
)
KEYS = {
    "vectors",
    "dims",
    "recipe",
    "photos",
    "network",
    "index",
    "categories",
    "scores",
    "change",
    "created",
    "version",
}

AGAIN = "Run `lookalike verify` to see what is wrong; `lookalike compact` makes a new snapshot."


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

        Raises
        ------
        IndexDamaged
            If a file is missing or has another length than the manifest says.
        IndexVersionError
            If a newer Lookalike wrote it.
        """
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
        return cls(
            folder,
            manifest,
            _mapped(folder / "vectors.f16", np.float16, (count, dims)),
            _mapped(folder / "pictures.i64", np.int64, (count,)),
            _mapped(folder / "listings.i64", np.int64, (count,)),
            Projection.load(folder / "projection.npz", recipe),
            _mapped(folder / "categories.i32", np.int32, (count,)),
            CategoryModel.load(folder / "categories.npz"),
            *(ScoreModel.from_dict(manifest["scores"][key]) for key in ("plain", "keyed")),
        )


def current_name(index: Path) -> str:
    """Return the name of the snapshot that serves.

    Raises
    ------
    IndexNotReady
        If none was ever published.
    """
    try:
        return (index / CURRENT).read_text("ascii").strip()
    except FileNotFoundError as error:
        raise IndexNotReady(
            f"The index in {index} holds nothing to search yet.",
            hint=f"Fill it with: lookalike index CATALOG --index {index}",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{index / CURRENT} cannot be read ({error}).", hint=AGAIN) from error


def open_current(index: Path) -> Snapshot:
    """Open the snapshot that serves.

    Raises
    ------
    IndexNotReady, IndexDamaged, IndexVersionError
        As `current_name` and `Snapshot.open`.
    """
    name = current_name(index)
    if not name.isdigit():
        raise IndexDamaged(f"{index / CURRENT} names no snapshot ({name!r}).", hint=AGAIN)
    return Snapshot.open(index / SNAPSHOTS / name)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a snapshot's manifest.

    Raises
    ------
    IndexDamaged
        If it is missing or makes no sense.
    IndexVersionError
        If a newer Lookalike wrote it.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        form = int(manifest["format"])
        files = {name: (said["bytes"], said["sha256"]) for name, said in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"{path} cannot be read ({error!r}).", hint=AGAIN) from error
    if form > FORMAT:
        raise IndexVersionError(
            f"{folder} was written by a newer Lookalike (format {form}, this one knows {FORMAT}).",
            hint="Upgrade with: pip install --upgrade lookalike",
        )
    if form < FORMAT:
        raise IndexVersionError(
            f"{folder} was written by an older Lookalike (format {form}, this one writes"
            f" {FORMAT}).",
            hint="`lookalike compact` makes a new snapshot of the same pictures.",
        )
    missing = (set(FILES) - set(files)) | (KEYS - set(manifest))
    if missing:
        raise IndexDamaged(f"{path} does not say {', '.join(sorted(missing))}.", hint=AGAIN)
    return dict(manifest)


def begin(index: Path) -> Path:
    """Return an empty folder in which the next snapshot can be built aside."""
    folder = index / SNAPSHOTS
    folder.mkdir(exist_ok=True)
    for left in folder.glob(".building-*"):  # of a run that died
        shutil.rmtree(left)
    taken = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    aside = folder / f".building-{max(taken, default=0) + 1:06d}"
    aside.mkdir()
    return aside


def publish(aside: Path, manifest: Mapping[str, Any]) -> str:
    """Make the snapshot built in `aside` the one that serves, and return its name.

    Every file is on disk before its folder gets its name, and that before CURRENT names it.
    """
    index, name = aside.parent.parent, aside.name.removeprefix(".building-")
    files = {}
    for file in FILES:
        sync_file(aside / file)
        files[file] = {
            "bytes": (aside / file).stat().st_size,
            "sha256": sha256_of(aside / file),
        }
    full = {"format": FORMAT, "name": name, **manifest, "files": files}
    write_durably(aside / MANIFEST, json.dumps(full, indent=2, ensure_ascii=False).encode())
    folder = aside.rename(aside.parent / name)
    sync_folder(folder.parent)
    write_durably(index / CURRENT, name.encode("ascii"))
    _remove_old(folder.parent, name)
    return name


def _remove_old(folder: Path, current: str) -> None:
    """Keep the snapshot that serves and the one before it, which readers may still be opening."""
    names = sorted(path.name for path in folder.iterdir() if path.name.isdigit())
    for name in names[: names.index(current)][:-1]:
        shutil.rmtree(folder / name)


def _mapped(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    if path.stat().st_size != np.prod(shape) * np.dtype(dtype).itemsize:
        raise IndexDamaged(f"{path} does not hold {shape[0]:,} rows.", hint=AGAIN)
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)
