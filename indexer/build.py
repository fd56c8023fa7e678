"""Catalogue and features to a snapshot: fit what is derived, fill FAISS, write, publish."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import cast

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
from indexer.fitting import are_few, fitting_projection
from indexer.labels import Labels
from indexer.learned import Learned, usable
from indexer.model import Network
from indexer.photos import stored_photos
from indexer.progress import Advance, Progress
from indexer.projection import Projection
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


def build_snapshot(
    index: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> str:
    """Build a snapshot of all embedded pictures, publish it and return its name.

    Of a catalogue that has lost them all, it is an empty one that keeps the projection in use.

    Raises
    ------
    IndexNotReady
        If there is no embedded picture, and no snapshot of when there were some.
    """
    with catalog.reading():
        change = catalog.change()
        pictures, rows, labels = labelled_rows(catalog)
    used = _in_use(index, network)
    if not len(rows):
        if used is None:
            raise IndexNotReady(
                "None of the catalogue's pictures could be used, so there is nothing to search.",
                hint="See why with: lookalike status --failures",
            )
        if recipe != used.projection.recipe:
            progress.say("No picture is left to fit another recipe on: the one in use stays.")
        return _build_empty(index, catalog, used, labels, change)
    features = feature_file(index, catalog).open(int(catalog.meta("rows") or 0))
    photos = stored_photos(index, network)
    learned = _learned(index, recipe, network, progress)
    with progress.track("Fitting the projection", None, "steps"):
        fitted, fitted_on = fitting_projection(catalog, used, recipe, features, rows, photos)
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
                **_now(),
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


def _build_empty(index: Path, catalog: Catalog, used: Snapshot, labels: Labels, change: int) -> str:
    """Publish a snapshot of nothing, in the vector space of the one in use.

    The next listings are projected and scored as the ones before were, until there are enough of
    them to fit anew. Of those before it says nothing: not their categories, and not what the
    projection was fitted on.
    """
    none = np.zeros(0, np.int64)
    with building(index) as aside:
        for name in ("pictures.i64", "listings.i64"):
            none.tofile(aside / name)
        vectors = np.zeros((0, used.projection.dims), np.float16)
        vectors.tofile(aside / "vectors.f16")
        description = write_faiss(aside / "index.faiss", vectors)
        mismatched = _write_fields(aside, catalog, labels)
        none.astype(np.int32).tofile(aside / "categories.i32")
        CategoryModel.save_none(aside / "categories.npz")
        used.projection.save(aside / "projection.npz")
        used.close()  # or it would be kept for its reader
        kept = {key: used.manifest[key] for key in ("dims", "recipe", "photos", "network")}
        fitted_on = used.manifest.get("fitted_on") or {"photos": None}
        scores = replace(used.scores, listings=0).as_dict()
        return publish(
            aside,
            {
                **_now(),
                "change": change,
                "mismatched": mismatched,
                "vectors": 0,
                **kept,
                "fitted_on": {"contents": [], "photos": fitted_on["photos"]},
                "learned": used.manifest.get("learned", 0),
                "index": description,
                "memory": catalog.memory(),
                "categories": None,
                # Without categories there is no prior, so that both are of plain similarity.
                "scores": {"plain": scores, "keyed": scores},
            },
        )


def _now() -> dict[str, str]:
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"version": version("lookalike"), "created": created}


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
    # Read anew: what others recorded meanwhile stays, whatever was found here.
    types = cast("Mapping[str, FieldType]", catalog.field_types())
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


def _categories_and_scores(
    kept: Snapshot | None,
    vectors: NDArray[np.float16],
    labels: Labels,
    photos: NDArray[np.float32] | None,
) -> tuple[CategoryModel | None, ScoreModel, ScoreModel]:
    """Return the category model and the scores; those of `kept` where they still fit.

    `kept` is the snapshot in use, where its vectors are made as these are.
    """
    listings = len(np.unique(labels.listings))
    old = kept.categories if kept is not None else None
    if kept is not None and old is not None and _still_right(old, vectors, labels):
        # The scores with it: how sure it is of pictures that it was trained on says nothing.
        plain, keyed = kept.scores, kept.keyed_scores
        counted = replace(old, frequency_=frequencies(labels))
        return counted, replace(plain, listings=listings), replace(keyed, listings=listings)
    trained = train_categories(vectors, labels)
    if trained is None and kept is not None and are_few(len(vectors), kept.projection):
        plain = replace(kept.scores, listings=listings)
        return None, plain, plain
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
