"""The category model: what kind of product a vector is, and how much that may move a ranking.

A classifier on the reduced vectors and a vote of the nearest neighbours, mixed so that their
confidence is right on pictures neither has seen. Kept as plain arrays: nothing can hide in them.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged
from indexer.labels import Labels

UNKNOWN = -1
"""The code of a listing without a category."""

NEIGHBOURS = 10
TEMPERATURE = 0.05
"""Neighbours vote with weight exp(similarity / temperature): the nearest counts most."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights (inputs, outputs) and bias (outputs,)."""


@dataclass(frozen=True, slots=True)
class CategoryModel:
    """A fitted category model.

    Attributes
    ----------
    names : tuple of str
        All C categories; codes are places in it.
    kind : str
        Which classifier won: ``logistic``, ``svm``, ``network`` or ``centroids``.
    classes_ : ndarray of int64, shape (K,)
        The codes that the classifier knows; categories with too few listings are left to the
        neighbours.
    layers_ : tuple of (weights, bias)
        One for a linear classifier, two with a ReLU between for a network; temperature included.
    frequency_ : ndarray of float32, shape (C,)
        Share of each category among the vectors.
    share_ : float
        What part of the posterior the neighbours' vote makes, 0 to 1.
    weight_ : float
        How much similarity a sure category is worth in the ranking; 0 where it does not help.
    accuracy_ : float
        Share of held-out pictures whose likeliest category was right.
    """

    names: tuple[str, ...]
    kind: str
    classes_: NDArray[np.int64]
    layers_: tuple[Layer, ...]
    frequency_: NDArray[np.float32]
    share_: float
    weight_: float
    accuracy_: float

    def posterior(
        self,
        vectors: NDArray[np.float32],
        codes: NDArray[np.int64],
        similarities: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return how likely each category is.

        Parameters
        ----------
        vectors : ndarray of float32, shape (Q, dims)
            Of unit length.
        codes : ndarray of int64, shape (Q, n)
            Categories of each one's nearest neighbours; `UNKNOWN` where there is none.
        similarities : ndarray of float32, shape (Q, n)
            Their cosines.

        Returns
        -------
        ndarray of float32, shape (Q, C)
            Rows sum to 1.
        """
        classified = np.zeros((len(vectors), len(self.names)), np.float32)
        classified[:, self.classes_] = softmax(logits(self.layers_, vectors))
        votes = neighbour_votes(codes, similarities, len(self.names))
        return mixed(classified, votes, self.share_)

    def prior(self, posterior: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each category adds to the similarity, last that of `UNKNOWN`.

        Bounded by `weight_`, and flat where the model is unsure. What the classifier does not
        know, and listings without a category, get at least the mean over the catalogue: a gap in
        the labels is no evidence.

        Parameters
        ----------
        posterior : ndarray of float32, shape (Q, C)
            From `posterior`.

        Returns
        -------
        ndarray of float32, shape (Q, C + 1)
            Indexed by code; `UNKNOWN` is the last.
        """
        mean = posterior @ self.frequency_
        given = posterior.copy()
        rare = np.setdiff1d(np.arange(len(self.names)), self.classes_)
        given[:, rare] = np.maximum(given[:, rare], mean[:, None])
        given = np.concatenate([given, mean[:, None]], axis=1)
        added: NDArray[np.float32] = np.float32(self.weight_) * given
        return added

    def summary(self) -> dict[str, Any]:
        """Return what the manifest and `lookalike status` say of it."""
        return {
            "categories": len(self.names),
            "classifier": self.kind,
            "known": len(self.classes_),
            "accuracy": round(self.accuracy_, 4),
            "neighbours_share": self.share_,
            "weight": self.weight_,
        }

    def save(self, path: Path) -> None:
        """Write the arrays as an .npz file."""
        layers: dict[str, Any] = {}
        for n, (weights, bias) in enumerate(self.layers_):
            layers |= {f"weights{n}": weights, f"bias{n}": bias}
        with path.open("wb") as file:
            np.savez(
                file,
                names=np.array(self.names),
                kind=np.array(self.kind),
                classes=self.classes_,
                frequency=self.frequency_,
                numbers=np.array([self.share_, self.weight_, self.accuracy_]),
                **layers,
            )

    @staticmethod
    def save_none(path: Path) -> None:
        """Write the file of an index without a category model."""
        with path.open("wb") as file:
            np.savez(file, names=np.array([], dtype=np.str_))

    @classmethod
    def load(cls, path: Path) -> CategoryModel | None:
        """Read what `save` or `save_none` wrote; None from the latter.

        Raises
        ------
        IndexDamaged
            If the file is missing or is not such a file.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                if not arrays["names"].size:
                    return None
                share, weight, accuracy = (float(number) for number in arrays["numbers"])
                depth = sum(name.startswith("weights") for name in arrays.files)
                return cls(
                    tuple(str(name) for name in arrays["names"]),
                    str(arrays["kind"]),
                    arrays["classes"],
                    tuple((arrays[f"weights{n}"], arrays[f"bias{n}"]) for n in range(depth)),
                    arrays["frequency"],
                    share,
                    weight,
                    accuracy,
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise IndexDamaged(
                f"{path} cannot be read ({error}).", hint="Run `lookalike verify`."
            ) from error


def frequencies(labels: Labels) -> NDArray[np.float32]:
    """Return the share of each category among the labelled vectors, shape (C,)."""
    counts = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names))
    shares: NDArray[np.float32] = (counts / max(1, counts.sum())).astype(np.float32)
    return shares


def mixed(
    classified: NDArray[np.float32], votes: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Return posteriors (Q, C) of which the votes make a share, where there are any."""
    voted = np.float32(share) * votes.any(axis=1, keepdims=True)
    both: NDArray[np.float32] = (1 - voted) * classified + voted * votes
    return both


def logits(layers: tuple[Layer, ...], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run vectors (Q, dims) through the layers, a ReLU between them; shape (Q, K)."""
    for n, (weights, bias) in enumerate(layers):
        vectors = (np.maximum(vectors, 0) if n else vectors) @ weights + bias
    return vectors


def softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows that are positive and sum to 1."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def neighbour_votes(
    codes: NDArray[np.int64], similarities: NDArray[np.float32], categories: int
) -> NDArray[np.float32]:
    """Return each category's share of the neighbours' votes; zeros where none has a category.

    Parameters
    ----------
    codes : ndarray of int64, shape (Q, n)
        The neighbours' categories, `UNKNOWN` where there is none.
    similarities : ndarray of float32, shape (Q, n)
        Their cosines.
    categories : int
        C.

    Returns
    -------
    ndarray of float32, shape (Q, C)
    """
    votes = np.zeros((len(codes), categories), np.float32)
    if codes.shape[1] == 0:
        return votes
    top = similarities.max(axis=1, keepdims=True)
    weights = np.where(codes >= 0, np.exp((similarities - top) / TEMPERATURE), 0)
    rows = np.broadcast_to(np.arange(len(codes))[:, None], codes.shape)
    np.add.at(votes, (rows, np.maximum(codes, 0)), weights.astype(np.float32))
    total = votes.sum(axis=1, keepdims=True)
    shares: NDArray[np.float32] = votes / np.maximum(total, np.float32(1e-12))
    return shares
