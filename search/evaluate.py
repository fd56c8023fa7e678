"""How good an index's answers are, measured on photos whose right answers are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexer.build import feature_file, labelled_rows
from indexer.embedder import embedder_class
from indexer.errors import QueryError
from indexer.model import MODEL_FILE
from indexer.photos import stored_photos
from indexer.progress import SILENT, Progress
from indexer.recipe import RECIPES
from search.comparing import CURRENT, Compared, compare
from search.engine import Engine
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
from search.queries import EmbeddedPhotos, LabelledPhoto, Unreadable, embed_photos
from search.serving import Times, ann_recall, time_stages
from search.trial import Trial

CURVE = 20
"""Places that a curve of precision goes down to, at least."""


@dataclass(frozen=True, slots=True)
class Photos:
    """Which photos were judged, and why others were not.

    Attributes
    ----------
    given : int
        Lines of the file.
    by_listing, by_category : int
        Photos that were judged so.
    unreadable : tuple of Unreadable
        Photos that could not be used.
    unknown_listings : tuple of (str, str)
        Where a listing is named that the catalogue does not have, and which.
    unknown_categories : mapping of str to int
        Categories that no listing has, and how many photos name each.
    in_catalogue : int
        Photos that are pictures of the catalogue themselves, left out of their own answers.
    nothing_left : int
        Photos whose right answer has no other picture in the index.
    """

    given: int
    by_listing: int
    by_category: int
    unreadable: tuple[Unreadable, ...]
    unknown_listings: tuple[tuple[str, str], ...]
    unknown_categories: Mapping[str, int]
    in_catalogue: int
    nothing_left: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the index, beside what it is worth.

    Attributes
    ----------
    name : str
        ``hit@5``, ``MRR``, ``P@10``, ``mAP``, ``recall@100``.
    value : Estimate
        As the index answers.
    plain : Estimate
        By similarity alone, without the category prior.
    dice : Estimate or None
        What random listings of the likeliest category reach; None without a category model.
    """

    name: str
    value: Estimate
    plain: Estimate
    dice: Estimate | None


@dataclass(frozen=True, slots=True)
class Classifier:
    """How well categories are predicted.

    Attributes
    ----------
    accuracy : Estimate
        Share of photos whose likeliest category is the right one.
    calibration_error : float
        How far its confidence is from its accuracy.
    """

    accuracy: Estimate
    calibration_error: float


@dataclass(frozen=True, slots=True)
class CloseMatch:
    """Whether a close match is one.

    Attributes
    ----------
    judged_by : str
        ``listing`` or ``category``.
    share : float
        Photos that have a close match.
    right_above, right_below : float or None
        Share of photos whose first hit is right, among those with a close match and the others.
    """

    judged_by: str
    share: float
    right_above: float | None
    right_below: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was measured.

    Attributes
    ----------
    snapshot, recipe : str
        What was measured.
    prior_weight : float
        Of the category prior; 0 where it takes no part.
    photos : Photos
        Which photos it was measured on.
    by_listing, by_category : tuple of Figure
        Empty where no photo could be judged so.
    classifier : Classifier or None
        None without a category model or categories.
    close_match : CloseMatch
        By listing where photos name listings.
    factory : str
        The FAISS index.
    ann_recall_at_10 : float
        Share of the ten nearest that it finds.
    took_ms : mapping of str to Times
        By stage, one photo at a time.
    compared : tuple of Compared
        Recipes beside one another; empty where none were asked for.
    curves : mapping of str to tuple of Estimate
        P@1, P@2, ... by category.
    """

    snapshot: str
    recipe: str
    prior_weight: float
    photos: Photos
    by_listing: tuple[Figure, ...]
    by_category: tuple[Figure, ...]
    classifier: Classifier | None
    close_match: CloseMatch
    factory: str
    ann_recall_at_10: float
    took_ms: Mapping[str, Times]
    compared: tuple[Compared, ...]
    curves: Mapping[str, tuple[Estimate, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for `json.dumps`, with four decimals."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


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
    QueryError
        If no photo can be judged.
    UsageError
        If the index does not keep the features that a recipe needs.
    """
    snapshot, ks = engine.snapshot, sorted({1, min(5, k), k})
    trials = _trials(engine, recipes, progress)
    embedder = embedder_class("auto", engine.path).for_bulk(engine.path / MODEL_FILE)
    size = engine.network.input_size
    embedded = embed_photos(photos, embedder, size, engine.limits, progress)
    with engine.catalog() as catalog:
        asked = LabelledSet.of(catalog, embedded)
    current = Trial.of_snapshot(snapshot, CURRENT)
    with progress.track("Searching exactly", None, "steps"):
        found = judge(current, asked, by_listing=True)
        alike = judge(current, asked, by_listing=False)
        judged = _count(photos, embedded, asked, found, alike)
        if not found.photos and not alike.photos:
            raise _nothing_to_judge(judged)
        compared = compare([current, *trials], recipes, asked, (found, alike), ks)
    with progress.track("Searching the index", None, "steps"):
        vectors = snapshot.projection.transform(asked.features, photos=True)
        recall = ann_recall(snapshot, engine.index, vectors)
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
        with progress.track(f"Fitting {name}", None, "steps"):
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
    lost = {*np.flatnonzero(asked.listings > 0)} - {*found.photos}
    lost |= {*np.flatnonzero(asked.codes >= 0)} - {*alike.photos}
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


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
