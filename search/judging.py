"""Photos whose right answers are known, put to a trial, and what it answered judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.labels import Labels
from indexer.progress import Advance
from indexer.scores import CLOSE
from search.metrics import (
    Dice,
    Values,
    average_precision,
    first_rank,
    hit_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)
from search.queries import EmbeddedPhotos
from search.trial import NOTHING, Answer, Trial

DEEP = 100
"""Places that are kept of each ranking: as far as recall is looked at."""

PRIOR, PLAIN = "prior", "plain"
"""A ranking with and without the category prior."""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Photos, their right answers as numbers, and themselves where the catalogue holds them.

    Attributes
    ----------
    features : ndarray of float32, shape (Q, F)
        Of the photos.
    listings : ndarray of int64, shape (Q,)
        Each one's listing, by number; 0 where none is named, or one that is not there.
    codes : ndarray of int64, shape (Q,)
        Each one's category, as a place in ``labels.names``; -1 where none is named, or one that
        no listing has.
    own : tuple of (pictures, owners)
        Numbers of the catalogue's pictures that are the photo itself, and of their listings.
    labels : Labels
        The catalogue's listings and their categories.
    """

    features: NDArray[np.float32]
    listings: NDArray[np.int64]
    codes: NDArray[np.int64]
    own: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    labels: Labels

    @classmethod
    def of(cls, catalog: Catalog, embedded: EmbeddedPhotos) -> LabelledSet:
        """Look up photos' labels, and the photos themselves, in the catalogue."""
        rows = catalog.db.execute("SELECT number, id, category FROM listings").fetchall()
        numbers = {row["id"]: int(row["number"]) for row in rows}
        labels = Labels.of(
            [row["category"] for row in rows], np.array([row["number"] for row in rows], np.int64)
        )
        place = {name: code for code, name in enumerate(labels.names)}
        code_of = dict(zip(labels.listings.tolist(), labels.codes.tolist(), strict=True))
        listings = [numbers.get(photo.listing, 0) for photo in embedded.photos]
        codes = [
            # A listing's category is that of the photos that show it.
            place.get(photo.category, -1) if photo.category else code_of.get(listing, -1)
            for photo, listing in zip(embedded.photos, listings, strict=True)
        ]
        return cls(
            embedded.features,
            np.array(listings, np.int64),
            np.array(codes, np.int64),
            _own(catalog, embedded),
            labels,
        )

    def named(self, *, by_listing: bool) -> NDArray[np.int64]:
        """Return which photos name a listing, or a category, that the catalogue has."""
        return np.flatnonzero(self.listings > 0 if by_listing else self.codes >= 0)

    def categories_of(self, listings: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the category of each listing (N,), by number; -1 for one that is not there."""
        order = np.argsort(self.labels.listings)
        known = self.labels.listings[order]
        place = np.minimum(np.searchsorted(known, listings), len(known) - 1)
        codes: NDArray[np.int64] = np.where(
            known[place] == listings, self.labels.codes[order][place], -1
        )
        return codes


def _own(
    catalog: Catalog, embedded: EmbeddedPhotos
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    by_content: dict[str, list[tuple[int, int]]] = {}
    by_uri: dict[str, list[tuple[int, int]]] = {}
    for row in catalog.db.execute(
        "SELECT e.content, p.number, p.listing FROM embeddings e JOIN pictures p"
        " ON p.embedding = e.number WHERE e.content IN (SELECT value FROM json_each(?))",
        (json.dumps(embedded.contents),),
    ):
        by_content.setdefault(row[0], []).append((row[1], row[2]))
    # A file that was touched up since it was indexed has other bytes.
    uris = json.dumps([photo.picture.uri for photo in embedded.photos])
    for row in catalog.db.execute(
        "SELECT uri, number, listing FROM pictures WHERE uri IN (SELECT value FROM json_each(?))",
        (uris,),
    ):
        by_uri.setdefault(row[0], []).append((row[1], row[2]))
    own = []
    for photo, content in zip(embedded.photos, embedded.contents, strict=True):
        found = {*by_content.get(content, ()), *by_uri.get(photo.picture.uri, ())}
        numbers = np.array(sorted(found), np.int64).reshape(-1, 2)
        own.append((numbers[:, 0], np.unique(numbers[:, 1])))
    return tuple(own)


@dataclass(slots=True)
class Judged:
    """What a trial answered, judged; one entry a photo in every list.

    Attributes
    ----------
    photos : list of int
        Which of the questions were judged.
    relevance : dict of str to list of ndarray of bool, shape (DEEP,)
        By `PRIOR` and `PLAIN`: whether what stands in each of the first places is relevant.
    precision : dict of str to list of float
        The average precision of the whole rankings.
    rank : dict of str to list of int
        The first relevant place, from 1; 0 where there is none.
    total : list of int
        How many listings are relevant.
    right, confidence
        Whether the likeliest category is the photo's, and how sure the model is of it.
    size, others : list of int
        How many listings are of the likeliest category, and how many are not.
    close : list of bool
        Whether the best hit is a close match.
    """

    photos: list[int] = field(default_factory=list)
    relevance: dict[str, list[NDArray[np.bool_]]] = field(
        default_factory=lambda: {PRIOR: [], PLAIN: []}
    )
    precision: dict[str, list[float]] = field(default_factory=lambda: {PRIOR: [], PLAIN: []})
    rank: dict[str, list[int]] = field(default_factory=lambda: {PRIOR: [], PLAIN: []})
    total: list[int] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    close: list[bool] = field(default_factory=list)

    @property
    def dice(self) -> Dice | None:
        """What classifier and dice would answer; None without a category model."""
        if len(self.right) < len(self.photos):
            return None
        numbers = (np.array(each, np.int64) for each in (self.size, self.others, self.total))
        return Dice(np.array(self.right, bool), *numbers)

    def precision_at(self, ranking: str, k: int) -> Values:
        """Return precision in the first `k` places of one ranking."""
        return precision_at(np.array(self.relevance[ranking]), k)

    def by_category(self, ranking: str, ks: Sequence[int]) -> dict[str, Values]:
        """Return figures by category of one ranking, by name, each of shape (Q,)."""
        relevance = np.array(self.relevance[ranking])
        total = np.array(self.total, np.int64)
        figures = {f"P@{k}": precision_at(relevance, k) for k in ks}
        figures["mAP"] = np.array(self.precision[ranking])
        return figures | {f"recall@{k}": recall_at(relevance, k, total) for k in (ks[-1], DEEP)}

    def by_listing(self, ranking: str, ks: Sequence[int]) -> dict[str, Values]:
        """Return figures by listing of one ranking, by name, each of shape (Q,)."""
        ranks = np.array(self.rank[ranking], np.int64)
        return {f"hit@{k}": hit_at(ranks, k) for k in ks} | {"MRR": reciprocal_rank(ranks)}


def dice_by_category(dice: Dice, ks: Sequence[int]) -> dict[str, Values]:
    """Return what classifier and dice reach of `Judged.by_category`."""
    figures = {f"P@{k}": dice.precision_at(k) for k in ks}
    figures["mAP"] = dice.average_precision()
    return figures | {f"recall@{k}": dice.recall_at(k) for k in (ks[-1], DEEP)}


def dice_by_listing(dice: Dice, ks: Sequence[int]) -> dict[str, Values]:
    """Return what classifier and dice reach of `Judged.by_listing`."""
    return {f"hit@{k}": dice.hit_at(k) for k in ks} | {"MRR": dice.reciprocal_rank()}


def judge(
    trial: Trial, asked: LabelledSet, *, by_listing: bool, advance: Advance = lambda _: None
) -> Judged:
    """Put photos to a trial.

    A photo that is in the catalogue itself is left out of its own answer. By category, all of its
    listing is, whose other pictures would be too easy; by listing, the picture alone, so that its
    others can be found. Photos that have nothing left to find are not judged.

    Parameters
    ----------
    trial : Trial
        What answers.
    asked : LabelledSet
        Those without the kind of right answer that is asked for are passed over.
    by_listing : bool
        Whether the photo's listing is the right answer, or every listing of its category.
    advance : callable, optional
        Is told of every photo.
    """
    named = asked.named(by_listing=by_listing)
    left_out = []
    for n in named:
        pictures, owners = asked.own[n]
        have, left = (trial.pictures, pictures) if by_listing else (trial.listings, owners)
        left_out.append(np.flatnonzero(np.isin(have, left)) if len(left) else NOTHING)
    categories = asked.categories_of(trial.listings)
    names = None if trial.categories is None else _places(trial.categories.names, asked.labels)
    judged = Judged()
    answers = trial.answers(asked.features[named], left_out)
    for n, answer in zip(named, answers, strict=True):
        advance(1)
        if by_listing:
            relevant = trial.listings == asked.listings[n]
        else:
            relevant = categories == asked.codes[n]
        if relevant[answer.plain].any():
            judged.photos.append(int(n))
            _add_rankings(judged, answer, relevant)
            score = trial.scores.score(np.array([answer.key]))[0]
            judged.close.append(bool(score >= CLOSE))
            if names is not None and answer.posterior is not None and asked.codes[n] >= 0:
                likeliest = int(answer.posterior.argmax())
                size = int((categories[answer.plain] == names[likeliest]).sum())
                judged.right.append(bool(names[likeliest] == asked.codes[n]))
                judged.confidence.append(float(answer.posterior[likeliest]))
                judged.size.append(size)
                judged.others.append(len(answer.plain) - size)
    return judged


def _places(names: Sequence[str], labels: Labels) -> NDArray[np.int64]:
    place = {name: code for code, name in enumerate(labels.names)}
    return np.array([place.get(name, -2) for name in names], np.int64)


def _add_rankings(judged: Judged, answer: Answer, relevant: NDArray[np.bool_]) -> None:
    for ranking, positions in ((PRIOR, answer.ranked), (PLAIN, answer.plain)):
        found = relevant[positions][None]
        top = np.zeros(DEEP, bool)
        top[: min(DEEP, len(positions))] = found[0, :DEEP]
        judged.relevance[ranking].append(top)
        judged.precision[ranking].append(float(average_precision(found)[0]))
        judged.rank[ranking].append(int(first_rank(found)[0]))
    judged.total.append(int(relevant[answer.plain].sum()))
