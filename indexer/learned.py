"""The mean of the photos that people search a server with, learned as one running sum.

Customers' photos have another mean than catalogue pictures, and a shop without a folder of them
(`indexer.photos`) can let its server learn it. What is kept is the sum of the photos' prepared
features and how many they are: no photo, no single photo's features, no address. It is used by
the next snapshot and not before, from `FEWEST` photos on.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, IndexUnusable, IndexVersionError, UsageError
from indexer.files import write_durably
from indexer.lease import locked
from indexer.model import Network
from indexer.projection import Projection, prepare_features
from indexer.recipe import Recipe
from indexer.snapshot import SNAPSHOTS, current_name, read_manifest

FILE = "learned.npz"
LOCK = "learned.lock"
FORMAT = 1

FEWEST = 200
"""Photos that it takes to be used: fewer are soon those of a few people."""

REACH = 1.5
"""How far from the centre a photo counts, in root mean square distances of what the projection was
fitted on: about where 99 % of a catalogue's pictures are nearer. (At 1.3 to 1.7 by two catalogues
of 349 and 3,068 pictures and three recipes; the farthest lie at 1.6 to 2.4.) Of the demo's customer
photos, whose mean is .8 away, it shortens 15 % before the first mean is learned, and photos are
found as often as without it: hit@1 .77 before, .89 after 200."""

ROUNDING = 1e-9
"""The share of the mean's square that float32 may take for variance."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A sum of prepared features.

    Attributes
    ----------
    recipe : Recipe
        What prepared them.
    network : str
        The SHA-256 of the network's weights that made them.
    total : ndarray of float64, shape (width,)
        Their sum.
    count : int
        How many they are.
    """

    recipe: Recipe
    network: str
    total: NDArray[np.float64]
    count: int

    @classmethod
    def none(cls, recipe: Recipe, network: str) -> Learned:
        """Return the sum of no photo."""
        return cls(recipe, network, np.zeros(recipe.width), 0)

    def plus(self, total: NDArray[np.floating], count: int) -> Learned:
        """Return this sum with other photos of its kind."""
        return replace(self, total=self.total + total, count=self.count + count)

    def fits(self, recipe: Recipe, network: str) -> bool:
        """Say whether a snapshot of this recipe and network can use it.

        Dimensions and whitening come after the mean: another choice of them, by `calibrate` say,
        is no reason to learn anew.
        """
        return self.network == network and _prepared_by(self.recipe) == _prepared_by(recipe)


def clipped(projection: Projection, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Prepare a photo's features, and draw them near if they lie far out.

    The difference to the centre that photos have now is shortened to `REACH` times the root mean
    square distance from the mean (the square root of the total variance). So no photo, whatever
    it shows, moves the mean of n photos by more than that / n; and where photos as a whole lie
    far out, their mean still moves towards them, and the next snapshot clips from there.

    Parameters
    ----------
    projection : Projection
        The one that answers.
    features : ndarray of float, shape (F,)
        Of one photo.

    Returns
    -------
    ndarray of float32, shape (width,)
    """
    prepared: NDArray[np.float32]
    (prepared,) = prepare_features(projection.recipe, features[np.newaxis])
    away = prepared - projection.photo_mean_
    length, most = float(np.linalg.norm(away)), REACH * _spread(projection)
    if length <= most:
        return prepared
    drawn: NDArray[np.float32] = projection.photo_mean_ + away * np.float32(most / length)
    return drawn


def read_learned(index: Path) -> Learned | None:
    """Return what was learned so far; None for nothing.

    Raises
    ------
    IndexDamaged
        If the file cannot be read.
    IndexVersionError
        If a newer Lookalike wrote it.
    """
    path = index / FILE
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            form = int(arrays["format"])
            if form > FORMAT:
                raise IndexVersionError(
                    f"{path} was written by a newer Lookalike (format {form}, this one knows"
                    f" {FORMAT}).",
                    hint="Upgrade with: pip install --upgrade lookalike",
                )
            kept = Learned(
                Recipe.from_dict(json.loads(str(arrays["recipe"]))),
                str(arrays["network"]),
                arrays["total"],
                int(arrays["count"]),
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path, str(error)) from error
    except UsageError as error:  # a recipe that there is not
        raise _damaged(path, str(error)) from error
    whole = kept.total.shape == (kept.recipe.width,) and kept.total.dtype == np.float64
    if not whole or kept.count < 0 or not np.isfinite(kept.total).all():
        raise _damaged(path, "it holds no such sum")
    return kept


def usable(index: Path, recipe: Recipe, network: Network) -> Learned | None:
    """Return what was learned if it is enough, of this network and of such features; else None.

    Raises
    ------
    IndexDamaged, IndexVersionError
        As `read_learned`.
    """
    kept = read_learned(index)
    if kept is None or kept.count < FEWEST or not kept.fits(recipe, network.sha256):
        return None
    return kept


def add_learned(index: Path, more: Learned) -> IndexUnusable | None:
    """Add photos to what was learned so far, durably; several processes may.

    Photos of another recipe or network than the index has now are dropped, and what the file
    holds of another one is replaced.

    Returns
    -------
    IndexUnusable or None
        Why the file could not be read and was begun anew, if that was so.

    Raises
    ------
    OSError
        If it cannot be written; nothing was added then.
    IndexUnusable
        If the index has no snapshot any more, or a newer Lookalike wrote the file.
    """
    with locked(index / LOCK):
        manifest = read_manifest(index / SNAPSHOTS / current_name(index))
        if not more.fits(Recipe.from_dict(manifest["recipe"]), manifest["network"]["sha256"]):
            return None
        damage, kept = None, None
        try:
            kept = read_learned(index)
        except IndexDamaged as error:
            damage = error
        if kept is not None and kept.fits(more.recipe, more.network):
            more = more.plus(kept.total, kept.count)
        _write(index / FILE, more)
        return damage


def forget_learned(index: Path) -> None:
    """Remove what was learned."""
    if (index / FILE).exists():
        with locked(index / LOCK):
            (index / FILE).unlink(missing_ok=True)


def _write(path: Path, kept: Learned) -> None:
    out = io.BytesIO()
    np.savez(
        out,
        format=np.int64(FORMAT),
        recipe=np.array(json.dumps(kept.recipe.as_dict())),
        network=np.array(kept.network),
        total=kept.total,
        count=np.int64(kept.count),
    )
    write_durably(path, out.getvalue())


def _damaged(path: Path, why: str) -> IndexDamaged:
    return IndexDamaged(
        f"{path} cannot be read ({why}).", hint="A server that learns begins it anew."
    )


def _prepared_by(recipe: Recipe) -> tuple[object, ...]:
    return recipe.features, recipe.power, recipe.unit_features


def _spread(projection: Projection) -> float:
    """Return the root mean square distance from the mean of what was fitted."""
    share = float(projection.explained_variance_ratio_[: projection.dims].sum())
    variance = float(projection.eigenvalues_.sum()) / share if share > 0 else 0.0
    # Of a catalogue of equal pictures there is no variance to measure photos by, only rounding.
    told = variance > ROUNDING * float((projection.mean_**2).sum())
    return float(np.sqrt(variance)) if told else np.inf
