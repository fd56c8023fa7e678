"""Calibrating an index: gather what to choose by, choose, publish."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.build import feature_file, labelled_rows
from indexer.calibration import Choice, calibrate
from indexer.catalog import Catalog
from indexer.embedder import Embedder, embedder_class
from indexer.errors import IndexNotReady, PictureError
from indexer.labels import Labels
from indexer.learned import forget_learned
from indexer.model import CHANNELS, MODEL_FILE, Network
from indexer.photos import MOST, store_photos, stored_photos
from indexer.photos import forget_photos as remove_photos
from indexer.progress import Progress
from indexer.questions import QUERIES, Questions, own_questions
from indexer.rebuild import rebuild_with, require_network
from indexer.recipe import Recipe
from indexer.sampling import sample
from indexer.sources import open_source
from indexer.sync import IndexOptions, wanted_recipe
from search.judging import LabelledSet
from search.queries import LabelledPhoto, embed_photos, read_queries

TRIES = 19
"""The most recipes that are tried, for the bar."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a calibration did.

    Attributes
    ----------
    choice : Choice
        The recipe, and why.
    photos : int
        Customers' photos that photos are centred by now.
    rejected : list of (str, str)
        Photos that could not be used, and why.
    snapshot : str or None
        The new snapshot; None for a dry run.
    """

    choice: Choice
    photos: int
    rejected: list[tuple[str, str]]
    snapshot: str | None


def run_calibration(
    index: Path,
    *,
    queries: Path | None,
    photos: Path | None,
    forget_photos: bool,
    dry_run: bool,
    runtime: str,
    progress: Progress,
) -> Outcome:
    """Choose a recipe for an index and publish a snapshot made by it.

    Parameters
    ----------
    index : Path
        The index's folder.
    queries : Path or None
        A CSV of photos with their right answers.
    photos : Path or None
        A folder of customers' photos without labels.
    forget_photos : bool
        Whether earlier such photos are forgotten, and what servers learned from queries.
    dry_run : bool
        Only choose.
    runtime : str
        What runs the network, for `queries` and `photos`.
    progress : Progress
        Shows bars.

    Raises
    ------
    IndexNotReady
        If there is nothing in the index.
    PictureError
        If no photo of a folder can be used.
    """
    with Catalog(index) as catalog:
        network = require_network(index)
        pictures, rows, labels = labelled_rows(catalog)
        if not len(rows):
            raise IndexNotReady(
                "The index holds no picture yet.", hint="Fill it with: lookalike index CATALOG"
            )
        stored = feature_file(index, catalog)
        features = stored.open(int(catalog.meta("rows") or 0))
    network_of = _Network(index, runtime)
    rejected: list[tuple[str, str]] = []
    unlabelled = None if forget_photos else stored_photos(index, network)
    if photos is not None:
        unlabelled, rejected = _read_photos(photos, network_of(), network, progress)
        # What the index does not keep of its pictures, no recipe of its can compare with.
        unlabelled = unlabelled[:, : stored.width]
    if queries is None:
        questions = own_questions(features, rows, labels)
    else:
        embedded = embed_photos(
            read_queries(queries), network_of(), network.input_size, progress=progress
        )
        rejected += [(one.image, one.reason) for one in embedded.unreadable]
        if not embedded.photos:
            raise PictureError(
                f"None of the photos in {queries} can be used.",
                hint=f"The first of them: {embedded.unreadable[0].reason}",
            )
        with Catalog(index) as catalog:
            questions = _questions(LabelledSet.of(catalog, embedded), pictures, labels)
    with progress.track("Trying recipes", TRIES, "recipes") as advance:

        def step(_: Recipe) -> None:
            advance(1)

        kept = stored.width // CHANNELS
        current = wanted_recipe(index, IndexOptions())
        choice = calibrate(features, rows, labels, questions, unlabelled, kept, step, current)
    count = 0 if unlabelled is None else len(unlabelled)
    if dry_run:
        return Outcome(choice, count, rejected, None)
    if photos is not None and unlabelled is not None:
        store_photos(index, unlabelled, network)
    elif forget_photos:
        remove_photos(index)
        forget_learned(index)
    return Outcome(choice, count, rejected, rebuild_with(index, choice.recipe, progress))


class _Network:
    """Loads the network when it is first needed, and once."""

    def __init__(self, index: Path, runtime: str) -> None:
        self._index, self._runtime = index, runtime
        self._loaded: Embedder | None = None

    def __call__(self) -> Embedder:
        if self._loaded is None:
            kind = embedder_class(self._runtime, self._index)
            self._loaded = kind.for_bulk(self._index / MODEL_FILE)
        return self._loaded


def _read_photos(
    folder: Path, embedder: Embedder, network: Network, progress: Progress
) -> tuple[NDArray[np.float16], list[tuple[str, str]]]:
    photos = [
        LabelledPhoto(picture, "", "", listing.origin)
        for listing in islice(open_source(folder).listings(), MOST)
        for picture in listing.pictures
    ]
    embedded = embed_photos(photos, embedder, network.input_size, progress=progress)
    rejected = [(one.image, one.reason) for one in embedded.unreadable]
    if not embedded.photos:
        raise PictureError(
            f"None of the {len(photos):,} photos in {folder} can be used.",
            hint=f"The first of them: {rejected[0][1]}",
        )
    return embedded.features.astype(np.float16), rejected


def _questions(asked: LabelledSet, pictures: NDArray[np.int64], labels: Labels) -> Questions:
    """Bring labelled photos to the numbers by which recipes are tried."""
    if len(asked.features) > QUERIES:
        some = sample(len(asked.features), QUERIES, np.random.default_rng(0))
        asked = replace(
            asked,
            features=asked.features[some],
            listings=asked.listings[some],
            codes=asked.codes[some],
            own=tuple(asked.own[n] for n in some),
        )
    place = {name: code for code, name in enumerate(labels.names)}
    named = np.array([*(place.get(name, -1) for name in asked.labels.names), -1], np.int64)
    own = np.array([numbers[0] if len(numbers) else -1 for numbers, _ in asked.own], np.int64)
    where = np.minimum(np.searchsorted(pictures, own), len(pictures) - 1)
    return Questions(
        features=asked.features,
        codes=named[asked.codes],
        listings=np.where(asked.listings > 0, asked.listings, -1),
        rows=np.where(pictures[where] == own, where, -1),
        photos=True,
    )
