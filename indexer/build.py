"""Catalogue and features to a snapshot: fit what is derived, fill FAISS, write, publish."""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from indexer.background import fit_scores
from indexer.catalog import Catalog
from indexer.categories import CategoryModel, frequencies
from indexer.category_training import train_categories
from indexer.errors import IndexNotReady, IndexUnusable
from indexer.faiss_index import FLAT_UP_TO, RECALL, write_faiss
from indexer.features import feature_file
from indexer.fields import FieldType, catalogue_rows, infer_types, write_fields
from indexer.labels import Labels
from indexer.learned import Learned, usable
from indexer.model import Network
from indexer.photos import stored_photos
from indexer.progress import Advance, Progress
from indexer.projection import SAMPLE, Projection
from indexer.recipe import Recipe
from indexer.sampling import sample
from indexer.scores import ScoreModel
from indexer.snapshot import Snapshot, building, open_current, publish

__all__ = ["FLAT_UP_TO", "build_snapshot", "feature_file", "labelled_rows"]

BLOCK = 8192
CHECKED = 2000
"""Pictures on which the category model in use is checked."""

SLACK = 0.05
"""By how much less of them than of held-out pictures, when it was trained, it may get right."""

REFIT_GROWTH = 1.2
"""PCA is fitted anew when the catalogue has grown or shrunk by this factor, or lost as much of what
it was fitted on."""

REMEMBERED = 500
"""Rows that PCA was fitted on, evenly spread, by which the share that is left is estimated."""


def build_snapshot(
    index: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> str:
    """Build a snapshot of all embedded pictures, publish it and return its name.

    Raises
    ------
    IndexNotReady
        If there is no embedded picture.
    """
    with catalog.reading():
        change = catalog.change()
        pictures, rows, labels = labelled_rows(catalog)
    if not len(rows):
        raise IndexNotReady(
            "None of the catalogue's pictures could be used, so there is nothing to search.",
            hint="See why with: lookalike status --failures",
        )
    features = feature_file(index, catalog).open(int(catalog.meta("rows") or 0))
    photos = stored_photos(index, network)
    used = _in_use(index, network)
    learned = _learned(index, recipe, network, progress)
    with progress.track("Fitting the projection", None, "steps"):
        fitted, fitted_on = _projection(catalog, used, recipe, features, rows, photos)
        projection = fitted.learning(photos, learned.total, learned.count)
    with building(index) as aside:
        with progress.track("Projecting", len(rows), "vectors") as advance:
            vectors = _write_vectors(aside, projection, features, rows, advance)
        memory = catalog.memory()
        with progress.track("Filling the index", len(rows), "vectors") as advance:
            description = write_faiss(aside / "index.faiss", vectors, memory, advance)
        if description["recall_at_10"] < RECALL:
            progress.say(
                f"The FAISS index finds {description['recall_at_10']:.0%} of the ten nearest, less"
                f" than the {RECALL:.0%} that it is built for."
            )
        with progress.track("Learning the categories", None, "steps"):
            asked = None if photos is None else projection.transform(photos, photos=True)
            kept = used if used is not None and used.projection is fitted else None
            if kept is not None and not np.array_equal(
                kept.projection.photo_mean_, projection.photo_mean_
            ):
                kept = None  # what photos are compared by has moved
            model, plain, keyed = _categories_and_scores(kept, vectors, labels, asked)
        pictures.tofile(aside / "pictures.i64")
        labels.listings.tofile(aside / "listings.i64")
        mismatched = _write_fields(aside, catalog, labels)
        codes = labels.codes if model is not None else np.full_like(labels.codes, -1)
        codes.astype(np.int32).tofile(aside / "categories.i32")
        projection.save(aside / "projection.npz")
        if model is None:
            CategoryModel.save_none(aside / "categories.npz")
        else:
            model.save(aside / "categories.npz")
        if used is not None:
            used.close()  # or it would be kept for its reader
        return publish(
            aside,
            {
                "version": version("lookalike"),
                "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "change": change,
                "mismatched": mismatched,
                "vectors": len(rows),
                "dims": projection.dims,
                "recipe": recipe.as_dict(),
                "photos": 0 if photos is None else len(photos),
                "fitted_on": fitted_on,
                "learned": 0 if projection is fitted else learned.count,
                "network": asdict(network),
                "index": description,
                "memory": memory,
                "categories": None if model is None else model.summary(),
                "scores": {"plain": plain.as_dict(), "keyed": keyed.as_dict()},
            },
        )


def labelled_rows(
    catalog: Catalog,
) -> tuple[NDArray[np.int64], NDArray[np.int64], Labels]:
    """Return all embedded pictures of a catalogue.

    Returns
    -------
    pictures : ndarray of int64, shape (N,)
        Their numbers.
    rows : ndarray of int64, shape (N,)
        Each one's row in the feature file.
    labels : Labels
        Their listings and categories.
    """
    categories: list[str] = []

    def numbers() -> Iterator[tuple[int, ...]]:
        for number, listing, row, category in catalog.db.execute(
            "SELECT p.number, p.listing, p.embedding, l.category FROM pictures p"
            " JOIN listings l ON l.number = p.listing WHERE p.embedding IS NOT NULL"
            " ORDER BY p.number"
        ):
            categories.append(category)
            yield number, listing, row

    table: NDArray[np.int64] = np.fromiter(numbers(), np.dtype((np.int64, 3)))
    listings = table[:, 1].copy()
    return table[:, 0].copy(), table[:, 2].copy(), Labels.of(categories, listings)


def _write_fields(aside: Path, catalog: Catalog, labels: Labels) -> dict[str, int]:
    """Write the columns to filter by, recording the types of attributes that are new.

    A listing that changes while they are written may be told as it is then: whoever follows the
    catalogue from the snapshot's change on learns of it anyway.
    """
    known = cast("Mapping[str, FieldType]", catalog.field_types())
    found = infer_types((row.fields for row in catalogue_rows(catalog)), known)
    if found:
        with catalog.writing():
            catalog.record_types(found)
    types = {**known, **found}
    return write_fields(aside / "fields.bin", catalogue_rows(catalog), labels.listings, types)


def _in_use(index: Path, network: Network) -> Snapshot | None:
    try:
        used = open_current(index)
    except IndexUnusable:  # none yet, or damaged, or of an older format: it is made anew
        return None
    return used if used.manifest["network"]["sha256"] == network.sha256 else None


def _learned(index: Path, recipe: Recipe, network: Network, progress: Progress) -> Learned:
    """Return what servers learned from their queries; the sum of none where that is too little."""
    try:
        found = usable(index, recipe, network)
    except IndexUnusable as error:  # worth a warning, but not the catalogue's update
        progress.say(f"Photos are centred without what was learned from queries: {error}")
        found = None
    return found or Learned.none(recipe, network.sha256)


def _projection(
    catalog: Catalog,
    used: Snapshot | None,
    recipe: Recipe,
    features: NDArray[np.float16],
    rows: NDArray[np.int64],
    photos: NDArray[np.float16] | None,
) -> tuple[Projection, dict[str, Any]]:
    """Return the projection in use where it still fits the catalogue, else a new one.

    With it goes what the manifest says that it was fitted on: some pictures, by the hash of their
    contents, and a digest of the photos.
    """
    distinct = np.unique(rows)
    digest = None if photos is None else hashlib.sha256(photos.tobytes()).hexdigest()
    # Snapshots of before this was kept do not say it: they are fitted anew.
    before = None if used is None else used.manifest.get("fitted_on")
    if used is not None and before is not None and before["photos"] == digest:
        old = used.projection
        growth = min(len(distinct), SAMPLE) / max(1, old.fitted_on_)
        kept = _kept(catalog, before, distinct)
        as_large = 1 / REFIT_GROWTH < growth < REFIT_GROWTH
        if old.recipe == recipe and as_large and kept > 1 / REFIT_GROWTH:
            return old, before
    distinct = sample(distinct, SAMPLE, np.random.default_rng(0))
    some = distinct[:: math.ceil(len(distinct) / REMEMBERED)]
    fitted_on = {"contents": catalog.contents(some.tolist()), "photos": digest}
    return Projection.fit(recipe, features[distinct], photos), fitted_on


def _kept(catalog: Catalog, before: Mapping[str, Any], rows: NDArray[np.int64]) -> float:
    """Return which share of some pictures is still in the catalogue."""
    if "contents" in before:
        known = catalog.rows_of(before["contents"])
        return float(np.isin(rows, known).sum() / max(1, len(before["contents"])))
    # Snapshots of version 0.1.0 name rows, which nothing moved then.
    return float(np.isin(before["rows"], rows).mean())


def _categories_and_scores(
    kept: Snapshot | None,
    vectors: NDArray[np.float16],
    labels: Labels,
    photos: NDArray[np.float32] | None,
) -> tuple[CategoryModel | None, ScoreModel, ScoreModel]:
    """Return the category model and the scores; those of `kept` where they still fit.

    `kept` is the snapshot in use, where its vectors are made as these are.
    """
    old = kept.categories if kept is not None else None
    if kept is not None and old is not None and _still_right(old, vectors, labels):
        # The scores with it: how sure it is of pictures that it was trained on says nothing.
        listings = len(np.unique(labels.listings))
        plain, keyed = kept.scores, kept.keyed_scores
        counted = replace(old, frequency_=frequencies(labels))
        return counted, replace(plain, listings=listings), replace(keyed, listings=listings)
    trained = train_categories(vectors, labels)
    model, held_out = trained or (None, None)
    return model, *fit_scores(vectors, labels, model, held_out, photos)


def _still_right(model: CategoryModel, vectors: NDArray[np.float16], labels: Labels) -> bool:
    """Tell whether a model fits labels that may have changed since it was trained."""
    labelled = np.flatnonzero(labels.codes >= 0)
    if model.names != labels.names or not len(labelled):
        return False
    some = sample(labelled, CHECKED, np.random.default_rng(0))
    nobody = np.zeros((len(some), 0), np.int64)
    posterior = model.posterior(vectors[some].astype(np.float32), nobody, nobody.astype(np.float32))
    right = posterior.argmax(axis=1) == labels.codes[some]
    return bool(right.mean() >= model.accuracy_ - SLACK)


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
