"""From what is asked to vectors: photos through the network, listings from the snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import QueryError
from indexer.projection import unit
from indexer.snapshot import Snapshot
from search.query import Example, Query

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from indexer.catalog import Catalog
    from search.engine import Engine
    from search.live import View

MS = 1000

OnPhoto = Callable[[Snapshot, NDArray[np.float32]], None]
"""Is told what answered a photo, and the photo's features, shape (F,)."""

AWAY = 0.5
"""How far the query is moved away from the mean of the negative examples (Rocchio 1971)."""


class Catalogued(Protocol):
    """What has a catalogue to ask."""

    def catalog(self) -> AbstractContextManager[Catalog]:
        """Lend a connection to the catalogue."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as vectors.

    Attributes
    ----------
    vectors : ndarray of float32, shape (Q, dims)
        Of unit length; a hit is as similar as to the nearest of them.
    leave_out : tuple of int
        Listings that may not be in the answer.
    pixels : ndarray of uint8, shape (size, size, 3), or None
        What the network saw of the one photo that was asked with.
    features : ndarray of float32, shape (F,), or None
        What it made of that.
    """

    vectors: NDArray[np.float32]
    leave_out: tuple[int, ...]
    pixels: NDArray[np.uint8] | None
    features: NDArray[np.float32] | None = None


def ask(engine: Engine, view: View, query: Query, took: dict[str, float]) -> Asked:
    """Turn a query into vectors.

    Several examples become one vector: the mean of the positive ones by weight, moved away from
    that of the negative ones.

    Parameters
    ----------
    engine : Engine
        For its network and its catalogue.
    view : View
        What will be searched.
    query : Query
        What is asked.
    took : dict of str to float
        Milliseconds are added to its ``decode`` and ``embed``.

    Raises
    ------
    ListingNotFound
        If it names a listing that is not there.
    PictureError
        If a photo cannot be used.
    QueryError
        If a listing has no usable picture, or the examples cancel each other out.
    """
    # Several photos share what one may cost.
    photos = sum(one.photo is not None for one in (*query.examples, *query.negatives))
    examples = [_vectors(engine, view, one, took, photos) for one in query.examples]
    if not query.positives:
        return examples[0]
    unlike = [_vectors(engine, view, one, took, photos) for one in query.negatives]
    vector = _mean(query.positives, examples)
    if unlike:
        vector = vector - AWAY * _mean(query.negatives, unlike)
    if np.linalg.norm(vector) < 1e-3:
        raise QueryError(
            "The examples cancel each other out.", hint="Leave a negative example out."
        )
    leave_out = tuple(number for one in examples + unlike for number in one.leave_out)
    return Asked(unit(vector[None]), leave_out, None)


def _mean(examples: Sequence[Example], asked: Sequence[Asked]) -> NDArray[np.float32]:
    means = unit(np.stack([one.vectors.mean(axis=0) for one in asked]))
    weights = np.array([example.weight for example in examples], np.float64)
    weights /= weights.max()  # or the least possible one would be zero in what follows
    mean: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32) @ means
    return mean


def _vectors(
    engine: Engine, view: View, example: Example, took: dict[str, float], photos: int
) -> Asked:
    if example.listing_id is not None:
        return _listing_vectors(engine, view, example.listing_id)
    started = time.perf_counter()
    prepared = engine.prepared(example.photo, example.region, of=photos)
    decoded = time.perf_counter()
    features = engine.embedder().embed(prepared.pixels)
    took["decode"] += (decoded - started) * MS
    took["embed"] += (time.perf_counter() - decoded) * MS
    vectors = view.snapshot.projection.transform(features[np.newaxis], photos=True)
    return Asked(vectors, (), prepared.pixels, features)


def _listing_vectors(engine: Engine, view: View, listing_id: str) -> Asked:
    number, positions = places_of(engine, view, listing_id)
    if not len(positions):
        raise QueryError(
            f"The listing {listing_id!r} has no picture that could be searched with.",
            hint="See why with: lookalike status --failures",
        )
    return Asked(view.vectors(positions), (number,), None)


def places_of(engine: Catalogued, view: View, listing_id: str) -> tuple[int, NDArray[np.int64]]:
    """Return a listing's number and where its vectors are in a view.

    Raises
    ------
    ListingNotFound
        If there is none of this id.
    """
    with engine.catalog() as catalog:
        number = catalog.number_of(listing_id)
        if not number:
            catalog.listing(listing_id)  # says so
        return number, view.positions(catalog.pictures_of(number))
