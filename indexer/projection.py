"""Features to vectors: power, unit length, PCA, whitening, unit length again.

PCA is fitted by scikit-learn and kept as plain arrays, which any version can read and nothing
can hide in.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from indexer.errors import IndexDamaged
from indexer.model import CHANNELS, FEATURES
from indexer.photos import FEWEST_TO_FIT, photo_mean, pooled
from indexer.recipe import Recipe

SAMPLE = 100_000
"""The most pictures that PCA is fitted on; its components do not change visibly beyond."""

FLOOR = 1e-12
"""Kept out of divisions: an eigenvalue or a length of zero."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A fitted recipe.

    Attributes
    ----------
    recipe : Recipe
        What was fitted.
    mean_ : ndarray of float32, shape (width,)
        Of the prepared features.
    components_ : ndarray of float32, shape (dims, width)
        Principal components, as scikit-learn's ``PCA.components_``.
    eigenvalues_ : ndarray of float32, shape (dims,)
        Variance along each.
    explained_variance_ratio_ : ndarray of float32, shape (rank,)
        Of all components, kept or not: what `--variance` and the plot look at.
    fitted_on_ : int
        How many pictures.
    photo_mean_ : ndarray of float32, shape (width,)
        What photos are centred by instead of `mean_`: customers' photos are not catalogue
        pictures, and their mean lies elsewhere. The same as `mean_` while none are known.
    """

    recipe: Recipe
    mean_: NDArray[np.float32]
    components_: NDArray[np.float32]
    eigenvalues_: NDArray[np.float32]
    explained_variance_ratio_: NDArray[np.float32]
    fitted_on_: int
    photo_mean_: NDArray[np.float32]

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return int(self.components_.shape[0])

    @classmethod
    def fit(
        cls,
        recipe: Recipe,
        features: NDArray[np.floating],
        photos: NDArray[np.floating] | None = None,
    ) -> Projection:
        """Fit `recipe` on a sample of features.

        Parameters
        ----------
        recipe : Recipe
            What to fit.
        features : ndarray of float, shape (N, F)
            At least one row, of the feature file's first F columns.
        photos : ndarray of float, shape (P, F), optional
            Of customers' photos: what photos are centred by, and half or more of what the
            principal components are of.
        """
        prepared = prepare_features(recipe, features)
        count, width = prepared.shape
        mean = prepared.mean(axis=0)
        centre, rows = mean, prepared
        if photos is not None and len(photos):
            asked = prepare_features(recipe, photos)
            centre = photo_mean(mean, asked.sum(axis=0, dtype=np.float64), len(asked))
            if len(asked) >= FEWEST_TO_FIT:
                rows = pooled(prepared - mean, asked - asked.mean(axis=0))
        if count < 3:  # no directions to speak of: compare the prepared features themselves
            keep = min(width, recipe.dims or width)
            spread, ones = np.ones(1, np.float32), np.ones(keep, np.float32)
            eye = np.eye(keep, width, dtype=np.float32)
            zeros = np.zeros(width, np.float32)
            return cls(recipe, zeros, eye, ones, spread, count, centre - mean)
        from sklearn.decomposition import PCA  # noqa: PLC0415 - half a second, and only to fit

        solver = "covariance_eigh" if len(rows) >= width else "full"
        # Beside other work, threads that wait for one another cost more than they bring; and the
        # same catalogue gets the same projection on any number of cores.
        with threadpool_limits(1):
            pca = PCA(min(width, len(rows) - 1), svd_solver=solver).fit(rows)
        dims = _choose_dims(recipe, pca.explained_variance_ratio_)
        return cls(
            recipe,
            mean,
            pca.components_[:dims].astype(np.float32),
            pca.explained_variance_[:dims].astype(np.float32),
            pca.explained_variance_ratio_.astype(np.float32),
            count,
            centre,
        )

    def resized(self, recipe: Recipe) -> Projection:
        """Return this projection with fewer of its dimensions, or with another whitening.

        Parameters
        ----------
        recipe : Recipe
            Like this one's in all that comes before PCA.
        """
        dims = _choose_dims(recipe, self.explained_variance_ratio_)
        return replace(
            self,
            recipe=recipe,
            components_=self.components_[:dims],
            eigenvalues_=self.eigenvalues_[:dims],
        )

    def learning(
        self,
        photos: NDArray[np.floating] | None,
        total: NDArray[np.float64],
        count: int,
    ) -> Projection:
        """Return this projection with photos centred by the mean of more of them.

        Parameters
        ----------
        photos : ndarray of float, shape (P, F), or None
            Features of customers' photos, as in `fit`.
        total : ndarray of float64, shape (width,)
            The sum of the prepared features of other photos.
        count : int
            How many those are.
        """
        if not self.mean_.any():  # of a catalogue of one or two pictures: nothing is centred
            return self
        if photos is not None:
            total = total + prepare_features(self.recipe, photos).sum(axis=0, dtype=np.float64)
            count += len(photos)
        return replace(self, photo_mean_=photo_mean(self.mean_, total, count))

    def transform(
        self, features: NDArray[np.floating], *, photos: bool = False
    ) -> NDArray[np.float32]:
        """Turn features into unit vectors.

        Parameters
        ----------
        features : ndarray of float, shape (N, F)
            Rows of the feature file or of `Embedder.embed`.
        photos : bool, optional
            Whether they are of customers' photos rather than of catalogue pictures.

        Returns
        -------
        ndarray of float32, shape (N, dims)
            Of unit length, so that inner products are cosines.
        """
        mean = self.photo_mean_ if photos else self.mean_
        centred = prepare_features(self.recipe, features) - mean
        vectors = centred @ self.components_.T
        if self.recipe.whitening:
            vectors /= np.maximum(self.eigenvalues_, FLOOR) ** self.recipe.whitening
        return unit(vectors)

    def save(self, path: Path) -> None:
        """Write the arrays as an .npz file; the recipe belongs into the manifest."""
        with path.open("wb") as file:
            np.savez(
                file,
                mean=self.mean_,
                components=self.components_,
                eigenvalues=self.eigenvalues_,
                explained_variance_ratio=self.explained_variance_ratio_,
                fitted_on=np.int64(self.fitted_on_),
                photo_mean=self.photo_mean_,
            )

    @classmethod
    def load(cls, path: Path, recipe: Recipe) -> Projection:
        """Read what `save` wrote.

        Raises
        ------
        IndexDamaged
            If the file is missing or is not such a file.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                return cls(
                    recipe,
                    arrays["mean"],
                    arrays["components"],
                    arrays["eigenvalues"],
                    arrays["explained_variance_ratio"],
                    int(arrays["fitted_on"]),
                    arrays.get("photo_mean", arrays["mean"]),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise IndexDamaged(
                f"{path} cannot be read ({error}).", hint="Run `lookalike verify`."
            ) from error


def prepare_features(recipe: Recipe, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Select, raise to the power and scale to unit length: all that comes before PCA."""
    columns = [
        features[:, FEATURES.index(name) * CHANNELS : (FEATURES.index(name) + 1) * CHANNELS]
        for name in recipe.features
    ]
    chosen = np.concatenate(columns, axis=1, dtype=np.float32)
    if recipe.power != 1:
        # float16 storage and pooling leave nothing below zero, but a file of one's own might.
        chosen = np.maximum(chosen, 0) ** np.float32(recipe.power)
    return unit(chosen) if recipe.unit_features else chosen


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale rows to unit length; rows of zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.maximum(lengths, FLOOR)).astype(np.float32)
    return scaled


def _choose_dims(recipe: Recipe, ratios: NDArray[np.floating]) -> int:
    """Return how many components to keep, none of which explains nothing."""
    telling = max(1, int((ratios > 1e-9).sum()))
    if recipe.variance is not None:
        reached = np.cumsum(ratios) >= recipe.variance - 1e-9
        wanted = int(np.argmax(reached)) + 1 if reached.any() else telling
    else:
        wanted = recipe.dims or telling
    return min(wanted, telling)
