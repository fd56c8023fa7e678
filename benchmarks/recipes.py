"""Recipes that were tried: pooling, learned projections, expansion. What pays, and what does not.

    python -m benchmarks.recipes CATALOG.csv QUERIES.csv [--pictures 1000] [--snaps 250]

Both CSVs have columns image and category. Category figures are on QUERIES.csv; listing figures
(does a photo find the very listing) on made photos of the catalogue's own pictures: seen at an
angle, turned, in other light, blurred, before another ground. Prints a Markdown table. With
--snaps photos centred by the mean of other such photos ("centred"), as after
`lookalike calibrate --photos`.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.covariance import LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from indexer.embedder import Embedder, cores
from indexer.model import convert_cached
from indexer.pictures import prepare
from indexer.projection import Projection, unit
from indexer.recipe import DEFAULT, REGIONS, SEED, WIDE, Recipe
from indexer.weights import find_weights

Rows = NDArray[np.float32]
Pooled = dict[str, Rows]

POOLINGS = {
    "gem3": "GeM pooling, p = 3",
    "crow": "CroW spatial weights",
    "flip": "mean with the mirrored picture",
}


def rows(path: Path) -> list[tuple[Path, str]]:
    with path.open(newline="") as file:
        return [(path.parent / row["image"], row["category"]) for row in csv.DictReader(file)]


def snap(data: bytes, seed: int) -> bytes:
    """Make of a picture a photo of it: seen at an angle, in other light, before another ground."""
    dice = random.Random(seed)
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    width, height = image.size

    def inset(length: int) -> float:
        return dice.uniform(0, 0.15) * length

    corners = (
        (inset(width), inset(height)),
        (inset(width), height - inset(height)),
        (width - inset(width), height - inset(height)),
        (width - inset(width), inset(height)),
    )
    quad = tuple(value for corner in corners for value in corner)
    image = image.transform((width, height), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)
    ground = tuple(dice.randrange(40, 220) for _ in range(3))
    image = image.rotate(dice.uniform(-15, 15), Image.Resampling.BICUBIC, fillcolor=ground)
    image = ImageEnhance.Brightness(image).enhance(dice.uniform(0.5, 1.3))
    image = ImageEnhance.Contrast(image).enhance(dice.uniform(0.7, 1.2))
    tint = np.array([dice.uniform(0.8, 1.1) for _ in range(3)])
    image = Image.fromarray(np.clip(np.asarray(image) * tint, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(dice.uniform(0, 1.5)))
    share = dice.uniform(0.55, 0.95)
    small = image.resize((int(width * share), int(height * share)))
    scene = Image.new("RGB", (width, height), ground)
    left = int(dice.uniform(0, width - small.width))
    scene.paste(small, (left, int(dice.uniform(0, height - small.height))))
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=dice.randrange(40, 85))
    return out.getvalue()


def pool(embedder: Embedder, data: bytes) -> Pooled:
    """Return the features of a picture, and other poolings of the same map of mixed7."""
    pixels = prepare(data).pixels
    cells = embedder.maps(pixels)["mixed7"].astype(np.float32)
    flat = cells.reshape(-1, cells.shape[-1])
    weights = np.sqrt(flat.sum(axis=1))  # CroW's spatial weights (Kalantidis et al. 2016)
    mirrored = embedder.embed(np.ascontiguousarray(pixels[:, ::-1]))
    features = embedder.embed(pixels)
    return {
        "features": features,
        "gem3": np.cbrt((flat**3).mean(axis=0)),  # Radenovic et al. 2019
        "crow": (weights[:, None] * flat).sum(axis=0) / weights.sum(),
        "flip": (features + mirrored) / 2,
    }


def embed(embedder: Embedder, pictures: list[bytes]) -> Pooled:
    with ThreadPoolExecutor(cores()) as threads:
        found = list(threads.map(lambda data: pool(embedder, data), pictures))
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


class Data:
    """Everything embedded, and how well an answer to it is."""

    def __init__(self, asked: argparse.Namespace) -> None:
        embedder = Embedder.for_bulk(convert_cached(find_weights("auto"))[1])
        chosen = np.random.default_rng(0)
        catalogue, queries = rows(asked.catalog), rows(asked.queries)
        keep = np.sort(chosen.permutation(len(catalogue))[: asked.pictures])
        pictures = [catalogue[n][0].read_bytes() for n in keep]
        self.categories = np.array([catalogue[n][1] for n in keep])
        self.wanted = np.array([category for _, category in queries])
        order = chosen.permutation(len(pictures))
        self.seen, self.unlabelled = order[: asked.snaps], order[asked.snaps : 2 * asked.snaps]
        self.catalogue = embed(embedder, pictures)
        self.queries = embed(embedder, [path.read_bytes() for path, _ in queries])
        self.snaps = embed(embedder, [snap(pictures[n], int(n)) for n in self.seen])
        self.others = embed(embedder, [snap(pictures[n], int(n)) for n in self.unlabelled])

    def of(self, name: str, part: Pooled) -> Rows:
        """Return features whose mixed7 average is replaced by another pooling."""
        if name in ("features", "flip"):
            return part[name]
        replaced = part["features"].copy()
        replaced[:, :768] = part[name]
        return replaced

    def line(self, label: str, answers: Callable[[str], Rows]) -> None:
        """Print a recipe's figures; `answers` gives the similarities (Q, N) of each part."""
        similarity = answers("queries")
        same = self.categories[np.argsort(-similarity, axis=1)] == self.wanted[:, None]
        precision = np.cumsum(same, axis=1) / np.arange(1, same.shape[1] + 1)
        average = (precision * same).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
        hits = [self.hit(answers(part)) for part in ("snaps", "centred")]
        figures = (same[:, :10].mean(), average.mean(), *hits)
        print(
            f"| {label} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |", flush=True
        )

    def hit(self, similarity: Rows) -> float:
        top = np.argsort(-similarity, axis=1)[:, :5]
        return float((top == self.seen[:, None]).any(axis=1).mean())


Vectors = tuple[Rows, Rows]
"""Of what is asked with, and of the catalogue."""


class Fitted:
    """A recipe on one pooling: vectors of each part, and of the catalogue."""

    def __init__(self, data: Data, recipe: Recipe, pooling: str = "features") -> None:
        have = data.of(pooling, data.catalogue)
        plain = Projection.fit(recipe, have)
        centred = Projection.fit(recipe, have, data.of(pooling, data.others))
        asked = {part: data.of(pooling, getattr(data, part)) for part in ("queries", "snaps")}
        self.parts: dict[str, Vectors] = {
            part: (plain.transform(rows), plain.transform(have)) for part, rows in asked.items()
        }
        self.parts["centred"] = (
            centred.transform(asked["snaps"], photos=True),
            centred.transform(have),
        )

    def plain(self, part: str) -> Rows:
        asked, have = self.parts[part]
        return asked @ have.T

    def expanded(self, part: str, count: int = 3) -> Rows:
        """Return similarities to the mean of a query and its nearest (Chum et al. 2007)."""
        asked, have = self.parts[part]
        top = np.argsort(-(asked @ have.T), axis=1)[:, :count]
        return unit(asked + have[top].sum(axis=1)) @ have.T

    def augmented(self, part: str, count: int = 3) -> Rows:
        """Return similarities to means of neighbours (Turcot and Lowe 2009)."""
        asked, have = self.parts[part]
        near = have @ have.T
        top = np.argsort(-near, axis=1)[:, : count + 1]
        weights = np.linspace(1, 0.25, count + 1, dtype=np.float32)
        return asked @ unit((weights[:, None] * have[top]).sum(axis=1)).T

    def learned(self, categories: NDArray[np.str_], dims: int | None) -> Callable[[str], Rows]:
        """Return similarities after LDA (`dims`), or after whitening within categories."""

        def answers(part: str) -> Rows:
            asked, have = self.parts[part]
            if dims is not None:
                lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
                lda.fit(have, categories)
                return unit(lda.transform(asked)) @ unit(lda.transform(have)).T
            names, codes = np.unique(categories, return_inverse=True)
            means = np.stack([have[codes == code].mean(axis=0) for code in range(len(names))])
            within = LedoitWolf().fit(have - means[codes]).covariance_
            values, axes = np.linalg.eigh(within)
            half = (axes / np.maximum(values, 1e-6) ** 0.25).astype(np.float32)
            return unit(asked @ half) @ unit(have @ half).T

        return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--snaps", type=int, default=250)
    data = Data(parser.parse_args())
    print("| recipe | P@10 | mAP | hit@5, made photos | hit@5, centred |\n|---|---|---|---|---|")
    for recipe in (SEED, DEFAULT, WIDE):
        data.line(recipe.name, Fitted(data, recipe).plain)
    wider = replace(DEFAULT, dims=256)
    data.line("default, 256 dimensions", Fitted(data, wider).plain)
    for exponent in (0.0, 0.1, 0.5):
        fitted = Fitted(data, replace(DEFAULT, whitening=exponent))
        data.line(f"default, whitening {exponent:g}", fitted.plain)
    for power in (0.35, 1.0):
        data.line(f"default, power {power:g}", Fitted(data, replace(DEFAULT, power=power)).plain)
    rmac = replace(DEFAULT, features=("mixed7_rmac",))
    for recipe, said in (
        (rmac, "R-MAC"),
        (replace(rmac, dims=256), "R-MAC, 256 dimensions"),
        (replace(rmac, power=0.35), "R-MAC, power 0.35"),
        (replace(rmac, features=("mixed7_avg", "mixed7_rmac"), dims=256), "R-MAC and average"),
        (replace(WIDE, features=("mixed5_avg", "mixed6_avg", "mixed7_rmac")), "R-MAC in wide"),
        (REGIONS, "regions"),
    ):
        data.line(said, Fitted(data, recipe).plain)
    for pooling, said in POOLINGS.items():
        data.line(f"default, {said}", Fitted(data, DEFAULT, pooling).plain)
    fitted = Fitted(data, DEFAULT)
    data.line("default, query expansion by 3", fitted.expanded)
    data.line("default, database-side augmentation by 3", fitted.augmented)
    data.line("default, LDA on the categories", fitted.learned(data.categories, 9))
    data.line("default, whitened within categories", fitted.learned(data.categories, None))


if __name__ == "__main__":
    main()
