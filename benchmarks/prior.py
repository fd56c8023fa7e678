"""How a predicted category should move a ranking: what it gains, and what it costs.

    python -m benchmarks.prior CATALOG.csv QUERIES.csv [--snaps 400]

Both CSVs have columns image and category. By category: QUERIES.csv. By the very listing: made
photos of the catalogue's own pictures (`benchmarks.recipes.snap`), the category model trained
without their labels. And the drawn demo: its customer photos, by listing. Prints Markdown tables:
the forms of the prior, the classifiers, and how far apart similarities are.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.recipes import Rows, rows, snap
from indexer import category_training as training
from indexer.categories import NEIGHBOURS, CategoryModel, softmax
from indexer.demo import draw_demo
from indexer.embedder import Embedder, cores
from indexer.labels import Labels
from indexer.model import convert_cached
from indexer.pictures import prepare
from indexer.projection import Projection
from indexer.recipe import DEFAULT, WIDE, Recipe
from indexer.weights import find_weights

Prior = Callable[[Rows], Rows]
"""Posteriors (Q, C) to what each category adds to the similarity (Q, C)."""

Form = tuple[Prior, float | None, tuple[float, ...]]
"""With the neighbours' share of P (None: as trained), and the floors of the nearest."""

FORMS: dict[str, Form] = {
    "similarity alone": (np.zeros_like, 0.0, ()),
    "+ .2 log P, classifier alone": (lambda p: 0.2 * np.log(p + 1e-3), 0.0, ()),
    "+ 1 P, classifier alone": (lambda p: p, 0.0, ()),
    "+ .5 P": (lambda p: 0.5 * p, None, ()),
    "+ .8 P, the nearest not held back": (lambda p: 0.8 * p, None, (1,)),
    "**+ .5 P, the nearest not held back** (the most that is chosen)": (
        lambda p: 0.5 * p,
        None,
        (1,),
    ),
    "+ .4 P, the nearest not held back": (lambda p: 0.4 * p, None, (1,)),
    "+ .3 P, the nearest not held back": (lambda p: 0.3 * p, None, (1,)),
    "+ .5 P, nor the next by more than half": (lambda p: 0.5 * p, None, (1, 0.5)),
    "+ .5 P, the two nearest not held back": (lambda p: 0.5 * p, None, (1, 1)),
    "+ .6 P, nor the next by more than half": (lambda p: 0.6 * p, None, (1, 0.5)),
}


def embed(embedder: Embedder, pictures: list[bytes]) -> Rows:
    with ThreadPoolExecutor(cores()) as threads:
        return np.stack(
            list(threads.map(lambda data: embedder.embed(prepare(data).pixels), pictures))
        )


class Side:
    """A catalogue by one recipe: vectors, and a category model that was shown some labels."""

    def __init__(self, recipe: Recipe, features: Rows, labels: Labels, shown: Labels) -> None:
        self.projection = Projection.fit(recipe, features)
        self.vectors = self.projection.transform(features)
        self.labels = labels
        trained = training.train_categories(self.vectors, shown)
        assert trained is not None
        self.model: CategoryModel = trained[0]

    def ranked(self, asked: Rows, form: Form) -> NDArray[np.int64]:
        prior, share, floors = form
        model = self.model if share is None else replace(self.model, share_=share)
        vectors = self.projection.transform(asked)
        similarities = vectors @ self.vectors.T
        near = np.argsort(-similarities, axis=1)[:, :NEIGHBOURS]
        posterior = model.posterior(
            vectors, self.labels.codes[near], np.take_along_axis(similarities, near, axis=1)
        )
        added = prior(posterior)
        keyed = similarities + added[:, self.labels.codes]
        at = np.arange(len(asked))
        for place, floor in enumerate(floors):
            least = similarities[at, near[:, place]] + floor * added.max(axis=1)
            keyed[at, near[:, place]] = np.maximum(keyed[at, near[:, place]], least)
        return np.argsort(-keyed, axis=1)


def by_category(ranked: NDArray[np.int64], side: Side, wanted: NDArray[np.int64]) -> str:
    same = side.labels.codes[ranked] == wanted[:, None]
    precision = np.cumsum(same, axis=1) / np.arange(1, same.shape[1] + 1)
    average = (precision * same).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
    return f"{same[:, :10].mean():.3f} | {average.mean():.3f}"


def by_listing(ranked: NDArray[np.int64], right: NDArray[np.int64]) -> str:
    hits = ranked[:, :5] == right[:, None]
    return f"{hits[:, 0].mean():.3f} | {hits.any(axis=1).mean():.3f}"


def demo(embedder: Embedder) -> tuple[Rows, list[str], Rows, NDArray[np.int64]]:
    with tempfile.TemporaryDirectory() as scratch:
        drawn = draw_demo(Path(scratch) / "demo")
        listed = list(csv.DictReader(drawn.catalogue.open(newline="")))
        asked = list(csv.DictReader(drawn.queries.open(newline="")))
        folder = drawn.catalogue.parent
        places = {row["id"]: place for place, row in enumerate(listed)}
        return (
            embed(embedder, [(folder / row["image"]).read_bytes() for row in listed]),
            [row["category"] for row in listed],
            embed(embedder, [(folder / row["image"]).read_bytes() for row in asked]),
            np.array([places[row["listing"]] for row in asked]),
        )


def classifiers(side: Side) -> None:
    """Print how each candidate does on pictures held out of its training."""
    print("\n| classifier | held-out negative log likelihood | accuracy |\n|---|---|---|")
    labels, every = side.labels, np.arange(len(side.vectors))
    folds = training._folds(labels.listings, np.random.default_rng(0))
    known = np.arange(len(labels.names))
    for kind, fit in training._candidates(len(known), quick=False):
        said = training._cross_validate(fit, side.vectors, labels, known, every, folds, every)
        cooled = said / np.float32(training._temperature(said, labels.codes))
        right = (said.argmax(axis=1) == labels.codes).mean()
        print(f"| {kind} | {training._loss(softmax(cooled), labels.codes):.3f} | {right:.3f} |")


def distances(side: Side, asked: Rows, wanted: NDArray[np.int64]) -> None:
    """Print how similar pictures by chance, and a photo's nearest listing, are."""
    similarities = side.projection.transform(asked) @ side.vectors.T
    nearest, right = (
        similarities.max(axis=1),
        side.labels.codes[similarities.argmax(axis=1)] == wanted,
    )
    chance = np.percentile(similarities, [50, 90, 99]).round(2)
    print(f"\nTwo by chance: cosine {chance[0]} (median), {chance[1]} (90 %), {chance[2]} (99 %).")
    own = np.percentile(nearest, [10, 50, 90]).round(2)
    print(f"A photo's nearest listing: {own[0]} (10 %), {own[1]} (median), {own[2]} (90 %).")
    for low, high in ((-1, 0.45), (0.45, 0.55), (0.55, 0.65), (0.65, 0.75), (0.75, 2)):
        some = (nearest >= low) & (nearest < high)
        print(f"  {low} to {high}: {some.sum()} photos, {right[some].mean():.2f} of the category")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--snaps", type=int, default=400)
    asked = parser.parse_args()
    embedder = Embedder.for_bulk(convert_cached(find_weights("auto"))[1])
    catalogue, queries = rows(asked.catalog), rows(asked.queries)
    pictures = [path.read_bytes() for path, _ in catalogue]
    names = [category for _, category in catalogue]
    labels = Labels.of(names, np.arange(len(names)))
    wanted = np.array([labels.names.index(category) for _, category in queries])
    picked = np.sort(np.random.default_rng(5).permutation(len(pictures))[: asked.snaps])
    hidden = [name if n not in set(picked.tolist()) else "" for n, name in enumerate(names)]
    features = embed(embedder, pictures)
    photos = embed(embedder, [path.read_bytes() for path, _ in queries])
    snaps = embed(embedder, [snap(pictures[n], int(n)) for n in picked])
    drawn, drawn_names, drawn_photos, drawn_right = demo(embedder)
    drawn_labels = Labels.of(drawn_names, np.arange(len(drawn_names)))
    with threadpool_limits(1):
        for recipe in (DEFAULT, WIDE):
            whole = Side(recipe, features, labels, labels)
            part = Side(recipe, features, labels, Labels.of(hidden, labels.listings))
            demoed = Side(recipe, drawn, drawn_labels, drawn_labels)
            print(
                f"\n| {recipe.name}: ranked by similarity ... | P@10 | mAP | hit@1, made photos"
                " | hit@5 | hit@1, demo | hit@5 |\n|---|---|---|---|---|---|---|"
            )
            for said, form in FORMS.items():
                figures = (
                    by_category(whole.ranked(photos, form), whole, wanted),
                    by_listing(part.ranked(snaps, form), picked),
                    by_listing(demoed.ranked(drawn_photos, form), drawn_right),
                )
                print(f"| {said} | {' | '.join(figures)} |", flush=True)
            if recipe is DEFAULT:
                classifiers(whole)
                distances(whole, photos, wanted)


if __name__ == "__main__":
    main()
