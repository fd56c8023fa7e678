"""How good an index's answers are, measured on photos whose right answers are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from indexer.build import feature_file, labelled_rows
from indexer.embedder import embedder_class
from indexer.errors import IndexNotReady, QueryError
from indexer.model import MODEL_FILE
from indexer.photos import stored_photos
from indexer.progress import SILENT, Progress
from indexer.recipe import RECIPES
from search.comparing import CURRENT, compare
from search.engine import Engine
from search.evaluation import Classifier, CloseMatch, Evaluation, Figure, Photos
from search.judging import (
    PLAIN,
    PRIOR,
    Judged,
    LabelledSet,
    dice_by_category,
    dice_by_listing,
    judge,
)
from search.metrics import Estimate, Values, bootstrap, calibration_error
from search.queries import EmbeddedPhotos, LabelledPhoto, embed_photos
from search.serving import ann_recall, recall_by_time, time_stages
from search.trial import Trial

CURVE = 20
"""Places that a curve of precision goes down to, at least."""


def evaluate(
    engine: Engine,
    photos: Sequence[LabelledPhoto],
    *,
    recipes: Sequence[str] = (),
    k: int = 10,
    progress: Progress = SILENT,
) -> Evaluation:
    """Measure how good an index's answers are.

    Parameters
    ----------
    engine : Engine
        The index, opened.
    photos : sequence of LabelledPhoto
        From `search.queries.read_queries`.
    recipes : sequence of str, optional
        Names of `indexer.recipe.RECIPES`, or `search.comparing.CURRENT`, to be compared.
    k : int, optional
        The most hits that figures are of, 1 to `search.judging.DEEP`.
    progress : Progress, optional
        Is shown what is being done.

    Raises
    ------
    IndexNotReady
        If the snapshot is empty.
    QueryError
        If no photo can be judged.
    UsageError
        If the index does not keep the features that a recipe needs.
    """
    snapshot, ks = engine.snapshot, sorted({1, min(5, k), k})
    if not snapshot.count:
        raise IndexNotReady(
            "The snapshot holds no picture, so there is nothing to find.",
            hint="Fill the index with `lookalike index CATALOG`; what was put into it since the"
            " snapshot is measured after `lookalike compact`.",
        )
    trials = _trials(engine, recipes, progress)
    embedder = embedder_class("auto", engine.path).for_bulk(engine.path / MODEL_FILE)
    size = engine.network.input_size
    embedded = embed_photos(photos, embedder, size, engine.limits, progress)
    with engine.catalog() as catalog:
        asked = LabelledSet.of(catalog, embedded)
    current = Trial.of_snapshot(snapshot, CURRENT)
    answers = sum(len(asked.named(by_listing=by)) for by in (True, False)) * (1 + len(trials))
    with progress.track("Searching exactly", answers, "photos") as advance:
        found = judge(current, asked, by_listing=True, advance=advance)
        alike = judge(current, asked, by_listing=False, advance=advance)
        judged = _count(photos, embedded, asked, found, alike)
        if not found.photos and not alike.photos:
            raise _nothing_to_judge(judged)
        compared = compare([current, *trials], recipes, asked, (found, alike), ks, advance)
    with progress.track("Searching the index", None, "steps"):
        vectors = snapshot.projection.transform(asked.features, photos=True)
        recall = ann_recall(snapshot, engine.index, vectors)
        trade = recall_by_time(snapshot, engine.index, vectors)
    usable = [photo.picture for photo in embedded.photos]
    with progress.track("Measuring the time", None, "steps"):
        took = time_stages(engine, usable)
    return Evaluation(
        snapshot.name,
        snapshot.projection.recipe.name,
        snapshot.categories.weight_ if snapshot.categories is not None else 0.0,
        judged,
        _figures(found, ks, by_listing=True),
        _figures(alike, ks, by_listing=False),
        _classifier(alike),
        _close_match(found, "listing") if found.photos else _close_match(alike, "category"),
        snapshot.manifest["index"]["factory"],
        recall,
        trade,
        took,
        compared,
        _curves(alike, max(k, CURVE)),
    )


def _trials(engine: Engine, recipes: Sequence[str], progress: Progress) -> list[Trial]:
    """Fit the recipes that are named, before anything that takes longer."""
    named = [name for name in dict.fromkeys(recipes) if name != CURRENT]
    if not named:
        return []
    with engine.catalog() as catalog:
        pictures, rows, labels = labelled_rows(catalog)
        count = int(catalog.meta("rows") or 0)
        features = feature_file(engine.path, catalog).open(count)
    photos = stored_photos(engine.path, engine.network)
    trials = []
    for name in named:
        # Two BLAS threads on shared cores wait for one another twenty times as long as they work.
        with progress.track(f"Fitting {name}", None, "steps"), threadpool_limits(1):
            trials.append(Trial.fit(RECIPES[name], features, rows, pictures, labels, photos))
    return trials


def _count(
    photos: Sequence[LabelledPhoto],
    embedded: EmbeddedPhotos,
    asked: LabelledSet,
    found: Judged,
    alike: Judged,
) -> Photos:
    both = list(zip(embedded.photos, asked.listings, strict=True))
    lost = {*asked.named(by_listing=True)} - {*found.photos}
    lost |= {*asked.named(by_listing=False)} - {*alike.photos}
    known = set(asked.labels.names)
    categories = Counter(p.category for p, _ in both if p.category and p.category not in known)
    return Photos(
        len(photos),
        len(found.photos),
        len(alike.photos),
        embedded.unreadable,
        tuple((p.origin, p.listing) for p, number in both if p.listing and not number),
        dict(categories.most_common()),
        sum(len(pictures) > 0 for pictures, _ in asked.own),
        len(lost),
    )


def _nothing_to_judge(photos: Photos) -> QueryError:
    reasons = {
        "cannot be read": len(photos.unreadable),
        "name a listing that the catalogue does not have": len(photos.unknown_listings),
        "name a category that it does not have": sum(photos.unknown_categories.values()),
        "have no other picture to find": photos.nothing_left,
    }
    said = "; ".join(f"{number:,} {why}" for why, number in reasons.items() if number)
    return QueryError(
        f"None of the {photos.given:,} photos can be judged: {said}.",
        hint="Ids and categories are compared as the catalogue writes them. Is this its index?",
    )


def _figures(judged: Judged, ks: Sequence[int], *, by_listing: bool) -> tuple[Figure, ...]:
    if not judged.photos:
        return ()
    of = judged.by_listing if by_listing else judged.by_category
    dice = judged.dice
    columns: list[dict[str, Values]] = [of(PRIOR, ks), of(PLAIN, ks)]
    if dice is not None:
        columns.append((dice_by_listing if by_listing else dice_by_category)(dice, ks))
    rows = [
        bootstrap(np.stack([column[name] for column in columns], axis=1)) for name in columns[0]
    ]
    return tuple(
        Figure(name, row[0], row[1], row[2] if dice is not None else None)
        for name, row in zip(columns[0], rows, strict=True)
    )


def _classifier(alike: Judged) -> Classifier | None:
    if alike.dice is None or not alike.photos:
        return None
    right = np.array(alike.right)
    return Classifier(
        bootstrap(right[:, None].astype(np.float64))[0],
        calibration_error(np.array(alike.confidence), right),
    )


def _close_match(judged: Judged, judged_by: str) -> CloseMatch:
    close, right = np.array(judged.close), np.array(judged.rank[PRIOR]) == 1
    above, below = right[close], right[~close]
    return CloseMatch(
        judged_by,
        float(close.mean()),
        float(above.mean()) if len(above) else None,
        float(below.mean()) if len(below) else None,
    )


def _curves(alike: Judged, length: int) -> dict[str, tuple[Estimate, ...]]:
    if not alike.photos:
        return {}
    places = range(1, length + 1)

    def curve(ranking: str) -> tuple[Estimate, ...]:
        values = np.stack([alike.precision_at(ranking, k) for k in places], axis=1)
        return tuple(bootstrap(values))

    curves = {"with the category": curve(PRIOR), "similarity alone": curve(PLAIN)}
    dice = alike.dice
    if dice is not None:
        values = np.stack([dice.precision_at(k) for k in places], axis=1)
        curves["classifier and dice"] = tuple(bootstrap(values))
    return curves
