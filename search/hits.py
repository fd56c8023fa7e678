"""From ranked candidates to hits: listings, their pictures, and which of them are copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexer.listing import Listing
from search.asking import Asked
from search.live import View
from search.near_duplicates import Small, near_duplicates, small_picture
from search.query import Hit, Query
from search.ranking import Candidate

if TYPE_CHECKING:
    from search.engine import Engine

LOOKS = 8
ALIKE = 0.6
"""So many hits at most, the most similar ones, are looked at for copies, from this cosine on, and
compared with so many pictures of the listing that was searched with. A look takes 2 ms, and nearly
all copies are nearer (docs/quality.md); `lookalike duplicates` looks further."""


def hits_of(
    engine: Engine,
    view: View,
    query: Query,
    asked: Asked,
    groups: Sequence[tuple[Candidate, ...]],
    first_rank: int = 1,
) -> tuple[list[Hit], tuple[int, ...]]:
    """Look up what was found.

    Parameters
    ----------
    engine : Engine
        For its catalogue and thumbnails.
    view : View
        What was searched.
    query : Query
        What was asked: `Query.min_score` leaves hits out.
    asked : Asked
        The same as vectors and pixels, for telling copies.
    groups : sequence of tuple of Candidate
        Best first; each with those that are folded under its first.
    first_rank : int, optional
        The rank of the first.

    Returns
    -------
    hits : list of Hit
        Best first.
    gone : tuple of int
        Listings that were found and are no longer in the catalogue.
    """
    groups = [g for g in groups if query.min_score is None or g[0].score >= query.min_score]
    kept = [group[0] for group in groups]
    with engine.catalog() as catalog:
        listings = catalog.listings(one.listing for group in groups for one in group)
        pictures = view.pictures(np.array([c.position for c in kept], np.int64)).tolist()
        matched = catalog.positions(pictures)
    # What was removed from the catalogue since the view was made is no hit.
    gone = tuple(candidate.listing for candidate in kept if candidate.listing not in listings)
    places = [matched.get(p) for p, c in zip(pictures, kept, strict=True) if c.listing in listings]
    groups = [group for group in groups if group[0].listing in listings]
    kept = [group[0] for group in groups]
    nearest = set(sorted(range(len(kept)), key=lambda n: -kept[n].similarity)[:LOOKS])
    looks = [
        _small(engine, *listings[found.listing], place)
        if n in nearest and found.similarity >= ALIKE and place is not None
        else None
        for n, (found, place) in enumerate(zip(kept, places, strict=True))
    ]
    similarities = [min(1.0, candidate.similarity) for candidate in kept]
    copies = near_duplicates(similarities, _own_looks(engine, query, asked, looks), looks)
    hits = [
        Hit(
            rank=rank,
            score=candidate.score,
            similarity=similarity,
            near_duplicate=copy,
            listing=listings[candidate.listing][0],
            picture=place or 0,
            thumbnails=listings[candidate.listing][1],
            similar_offers=tuple(
                listings[one.listing][0].id for one in group[1:] if one.listing in listings
            ),
        )
        for rank, (group, candidate, similarity, copy, place) in enumerate(
            zip(groups, kept, similarities, copies, places, strict=True), first_rank
        )
    ]
    return hits, gone


def _own_looks(
    engine: Engine, query: Query, asked: Asked, looks: Sequence[Small | None]
) -> list[Small]:
    """Return what was searched with, small; nothing where no hit needs a look."""
    if not any(look is not None for look in looks):
        return []
    if asked.pixels is not None:
        return [small_picture(asked.pixels)]
    if query.listing_id is None:  # several examples, or a cursor: no picture to compare with
        return []
    listing, keys = engine.listing(query.listing_id)
    own = (_small(engine, listing, keys, place) for place in range(min(len(keys), LOOKS)))
    return [look for look in own if look is not None]


def _small(engine: Engine, listing: Listing, keys: Sequence[str], place: int) -> Small | None:
    key = keys[place] if place < len(keys) else ""
    return engine.smalls.get(key, listing.pictures[place].region) if key else None
