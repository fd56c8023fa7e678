"""Customers' photos against catalogue pictures: what centring by unlabelled photos is worth.

    python -m benchmarks.photos CATALOG.csv [--pictures 400]

CATALOG.csv has columns image and category. Catalogues of 80 and 200 of its pictures are searched
with made photos of them (`benchmarks.recipes.snap`), and 80 products of the drawn demo with their
customer photos; the unlabelled photos are of other pictures. Each figure is hit@1 / hit@5 of the
very listing, the mean of several draws. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from benchmarks.prior import demo, embed
from benchmarks.recipes import Rows, rows, snap
from indexer.embedder import Embedder
from indexer.model import convert_cached
from indexer.photos import photo_mean
from indexer.projection import Projection, prepare_features
from indexer.recipe import DEFAULT, WIDE, Recipe
from indexer.weights import find_weights

Fit = Callable[[Recipe, Rows, Rows], Projection]
"""A recipe, a catalogue's features and unlabelled photos' to a projection."""


def as_built(recipe: Recipe, have: Rows, photos: Rows) -> Projection:
    return Projection.fit(recipe, have, photos)


def uncentred(recipe: Recipe, have: Rows, _: Rows) -> Projection:
    return Projection.fit(recipe, have)


def centred(recipe: Recipe, have: Rows, photos: Rows) -> Projection:
    fitted = Projection.fit(recipe, have)
    prepared = prepare_features(recipe, photos)
    moved = photo_mean(fitted.mean_, prepared.sum(axis=0), len(prepared))
    return replace(fitted, photo_mean_=moved)


def shrunk(share: float) -> Fit:
    """Shrink the eigenvalues towards their mean."""

    def fit(recipe: Recipe, have: Rows, photos: Rows) -> Projection:
        fitted = centred(recipe, have, photos)
        values = (1 - share) * fitted.eigenvalues_ + share * fitted.eigenvalues_.mean()
        return replace(fitted, eigenvalues_=values)

    return fit


def general(other: Rows, share: float, fit: Fit) -> Fit:
    """Mix the covariance with that of other pictures, as a prior shipped with a network would."""

    def mixed(recipe: Recipe, have: Rows, photos: Rows) -> Projection:
        fitted = fit(recipe, have, photos)
        own = prepare_features(recipe, have) - fitted.mean_
        theirs = prepare_features(recipe, other)
        theirs = theirs - theirs.mean(axis=0)
        stacked = np.concatenate(
            [own * np.sqrt((1 - share) / len(own)), theirs * np.sqrt(share / len(theirs))]
        )
        pca = PCA(min(recipe.dims or 128, len(stacked) - 1)).fit(stacked * np.sqrt(len(stacked)))
        return replace(
            fitted,
            components_=pca.components_.astype(np.float32),
            eigenvalues_=pca.explained_variance_.astype(np.float32),
        )

    return mixed


class Draws:
    """Pairs of pictures and photos, of which some are the catalogue and others the unlabelled."""

    def __init__(self, name: str, pictures: Rows, photos: Rows, size: int, draws: int) -> None:
        self.name = name
        dice = np.random.default_rng(0)
        orders = [dice.permutation(len(pictures)) for _ in range(draws)]
        self.parts = [
            (pictures[order[:size]], photos[order[:size]], photos[order[size:]]) for order in orders
        ]

    def hits(self, recipe: Recipe, fit: Fit, unlabelled: int) -> NDArray[np.float64]:
        found = []
        for have, asked, others in self.parts:
            fitted = fit(recipe, have, others[:unlabelled])
            similar = fitted.transform(asked, photos=True) @ fitted.transform(have).T
            top = np.argsort(-similar, axis=1)[:, :5] == np.arange(len(have))[:, None]
            found.append((top[:, 0].mean(), top.any(axis=1).mean()))
        return np.mean(found, axis=0)


def line(
    label: str, cases: Sequence[Draws], recipes: Sequence[Recipe], fit: Fit, count: int
) -> None:
    cells = [case.hits(recipe, fit, count) for case in cases for recipe in recipes]
    print(f"| {label} | " + " | ".join(f"{a:.3f} / {b:.3f}" for a, b in cells) + " |", flush=True)


def header(first: str, cases: Sequence[Draws], recipes: Sequence[Recipe]) -> None:
    names = [f"{case.name}, {recipe.name}" for case in cases for recipe in recipes]
    print(f"\n| {first} | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    asked = parser.parse_args()
    embedder = Embedder.for_bulk(convert_cached(find_weights("auto"))[1])
    catalogue = rows(asked.catalog)
    keep = np.sort(np.random.default_rng(5).permutation(len(catalogue))[: asked.pictures])
    pictures = [catalogue[n][0].read_bytes() for n in keep]
    clothes = embed(embedder, pictures)
    made = embed(embedder, [snap(data, int(n)) for n, data in zip(keep, pictures, strict=True)])
    drawn, _, photos, right = demo(embedder)
    cases = (
        Draws("80 drawn", drawn[right], photos, 80, 4),
        Draws("80 clothes", clothes, made, 80, 4),
        Draws("200 clothes", clothes, made, 200, 2),
    )
    with threadpool_limits(1):
        header("unlabelled photos", cases, (DEFAULT, WIDE))
        line("none", cases, (DEFAULT, WIDE), uncentred, 0)
        for count in (5, 20, 200):
            line(f"mean of {count}", cases, (DEFAULT, WIDE), centred, count)
        for count in (20, 200):
            line(
                f"**mean and directions of {count}** (built)",
                cases,
                (DEFAULT, WIDE),
                as_built,
                count,
            )
        header("whitening, after 200", cases, (DEFAULT, WIDE))
        for exponent in (0.0, 0.1, 0.2, 0.25, 0.3):
            changed = [replace(one, whitening=exponent) for one in (DEFAULT, WIDE)]
            line(f"{exponent:g}", cases, changed, as_built, 200)
        header("steadying PCA, mean of 200", cases, (DEFAULT,))
        line("the catalogue's own pictures", cases, (DEFAULT,), centred, 200)
        for share in (0.1, 0.3, 0.6):
            line(f"eigenvalues shrunk by {share:g}", cases, (DEFAULT,), shrunk(share), 200)
        for share in (0.1, 0.3, 0.6):
            cells = []
            for case, other in ((cases[0], clothes), (cases[1], drawn), (cases[2], drawn)):
                cells.append(case.hits(DEFAULT, general(other, share, centred), 200))
            figures = " | ".join(f"{a:.3f} / {b:.3f}" for a, b in cells)
            print(f"| covariance mixed with other pictures', {share:g} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
