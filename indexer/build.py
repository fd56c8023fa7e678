"""Catalogue and features to a snapshot: fit the projection, train FAISS, write, publish."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import IndexNotReady, IndexUnusable
from indexer.features import FeatureFile
from indexer.model import Network
from indexer.progress import Advance, Progress
from indexer.projection import SAMPLE, Projection
from indexer.recipe import Recipe
from indexer.snapshot import begin, open_current, publish

FLAT_UP_TO = 20_000
"""Vectors up to which comparing with all of them is fast enough, and exact."""

RECALL = 0.98
"""Share of the true ten nearest that an approximate index must find, on the index's own vectors."""

BLOCK = 8192
REFIT_GROWTH = 1.2
"""PCA is fitted anew when the catalogue has grown or shrunk by this factor."""


def build_snapshot(
    index: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> str:
    """Build a snapshot of all embedded pictures, publish it and return its name.

    Raises
    ------
    IndexNotReady
        If there is no embedded picture.
    """
    change = int(catalog.meta("change") or 0)
    pictures, listings, rows = _columns(catalog)
    if not len(rows):
        raise IndexNotReady(
            "None of the catalogue's pictures could be used, so there is nothing to search.",
            hint="See why with: lookalike status --failures",
        )
    features = feature_file(index, catalog).open(int(catalog.meta("rows") or 0))
    projection = _projection(index, network, recipe, features, rows)
    aside = begin(index)
    with progress.track("Building the index", len(rows), "vectors") as advance:
        vectors = _write_vectors(aside, projection, features, rows, advance)
    description = _write_faiss(aside, vectors)
    pictures.tofile(aside / "pictures.i64")
    listings.tofile(aside / "listings.i64")
    projection.save(aside / "projection.npz")
    return publish(
        aside,
        {
            "version": version("lookalike"),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "change": change,
            "vectors": len(rows),
            "dims": projection.dims,
            "recipe": recipe.as_dict(),
            "network": asdict(network),
            "index": description,
        },
    )


def feature_file(index: Path, catalog: Catalog) -> FeatureFile:
    """Return the feature file of an index; its width is kept in the catalogue."""
    return FeatureFile(index / "features.f16", int(catalog.meta("feature_width") or 0))


def _columns(
    catalog: Catalog,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    def rows() -> Iterator[tuple[int, ...]]:
        for row in catalog.db.execute(
            "SELECT number, listing, embedding FROM pictures WHERE embedding IS NOT NULL"
            " ORDER BY number"
        ):
            yield tuple(row)

    table: NDArray[np.int64] = np.fromiter(rows(), np.dtype((np.int64, 3)))
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


def _projection(
    index: Path,
    network: Network,
    recipe: Recipe,
    features: NDArray[np.float16],
    rows: NDArray[np.int64],
) -> Projection:
    """Return the projection in use where it still fits the catalogue, else a new one."""
    distinct = np.unique(rows)
    try:
        used = open_current(index)
    except IndexUnusable:  # none yet, or damaged: either way it is made anew
        used = None
    if used is not None and used.manifest["network"]["sha256"] == network.sha256:
        old = used.projection
        growth = min(len(distinct), SAMPLE) / max(1, old.fitted_on_)
        if old.recipe == recipe and 1 / REFIT_GROWTH < growth < REFIT_GROWTH:
            return old
    if len(distinct) > SAMPLE:
        chosen = np.random.default_rng(0).choice(len(distinct), SAMPLE, replace=False)
        distinct = distinct[np.sort(chosen)]
    return Projection.fit(recipe, features[distinct])


def _write_vectors(
    aside: Path,
    projection: Projection,
    features: NDArray[np.float16],
    rows: NDArray[np.int64],
    advance: Advance,
) -> NDArray[np.float16]:
    path = aside / "vectors.f16"
    with path.open("wb") as file:
        for start in range(0, len(rows), BLOCK):
            block = features[rows[start : start + BLOCK]]
            projection.transform(block).astype(np.float16).tofile(file)
            advance(len(block))
    return np.memmap(path, np.float16, "r", shape=(len(rows), projection.dims))


def _write_faiss(aside: Path, vectors: NDArray[np.float16]) -> dict[str, Any]:
    """Choose, train, fill and write the FAISS index; return what the manifest says of it."""
    count, dims = vectors.shape
    if count <= FLAT_UP_TO:
        index = faiss.index_factory(dims, "Flat", faiss.METRIC_INNER_PRODUCT)
        index.add(vectors.astype(np.float32))
        faiss.write_index(index, str(aside / "index.faiss"))
        return {"factory": "Flat", "nprobe": None, "recall_at_10": 1.0}
    lists = int(2 ** np.round(np.log2(4 * np.sqrt(count))))
    factory = f"IVF{lists},SQfp16"
    index = faiss.index_factory(dims, factory, faiss.METRIC_INNER_PRODUCT)
    generator = np.random.default_rng(0)
    sample = np.sort(generator.choice(count, min(count, 64 * lists), replace=False))
    index.train(vectors[sample].astype(np.float32))
    for start in range(0, count, BLOCK):
        index.add(vectors[start : start + BLOCK].astype(np.float32))
    nprobe, recall = _measure_nprobe(index, vectors, lists)
    faiss.write_index(index, str(aside / "index.faiss"))
    return {"factory": factory, "nprobe": nprobe, "recall_at_10": recall}


def _measure_nprobe(
    index: Any, vectors: NDArray[np.float16], lists: int, queries: int = 200
) -> tuple[int, float]:
    """Return the fewest lists that reach `RECALL` on queries from the index itself, and theirs."""
    chosen = np.sort(np.random.default_rng(1).choice(len(vectors), queries, replace=False))
    asked = vectors[chosen].astype(np.float32)
    exact = _exact_top(asked, vectors, 10)
    nprobe, recall = 4, 0.0
    while nprobe < lists:
        faiss.extract_index_ivf(index).nprobe = nprobe
        _, found = index.search(asked, 10)
        overlaps = [len(set(a) & set(b)) for a, b in zip(found, exact, strict=True)]
        recall = float(np.mean(overlaps)) / 10
        if recall >= RECALL:
            break
        nprobe *= 2
    return nprobe, round(recall, 4)


def _exact_top(
    asked: NDArray[np.float32], vectors: NDArray[np.float16], k: int
) -> NDArray[np.int64]:
    """Return the positions of the `k` largest inner products, block by block."""
    best = np.full((len(asked), k), -np.inf, np.float32)
    ids = np.zeros((len(asked), k), np.int64)
    for start in range(0, len(vectors), 16 * BLOCK):
        block = vectors[start : start + 16 * BLOCK].astype(np.float32)
        scores = np.concatenate([best, asked @ block.T], axis=1)
        numbers = np.concatenate(
            [ids, np.broadcast_to(start + np.arange(len(block)), (len(asked), len(block)))], axis=1
        )
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, top, axis=1)
        ids = np.take_along_axis(numbers, top, axis=1)
    return ids
