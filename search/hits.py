"""From ranked candidates to hits: listings, their pictures, and which of them are copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.listing import Listing
from indexer.snapshot import Snapshot
from search.asking import Asked
from search.near_duplicates import Small, near_duplicates, small_picture, small_thumbnail
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
    snapshot: Snapshot,
    query: Query,
    asked: Asked,
    candidates: Sequence[Candidate],
) -> tuple[list[Hit], tuple[int, ...]]:
    """Look up what was found.

    Parameters
    ----------
    engine : Engine
        For its catalogue and thumbnails.
    snapshot : Snapshot
        What was searched.
    query : Query
        What was asked: `Query.min_score` leaves hits out.
    asked : Asked
        The same as vectors and pixels, for telling copies.
    candidates : sequence of Candidate
        Best first.

    Returns
    -------
    hits : list of Hit
        Best first.
    gone : tuple of int
        Listings that were found and are no longer in the catalogue.
    """
    kept = [c for c in candidates if query.min_score is None or c.score >= query.min_score]
    with engine.catalog() as catalog:
        listings = catalog.listings(candidate.listing for candidate in kept)
        matched = catalog.positions(int(snapshot.pictures[c.position]) for c in kept)
    # What was removed from the catalogue since the snapshot was made is no hit.
    gone = tuple(candidate.listing for candidate in kept if candidate.listing not in listings)
    kept = [candidate for candidate in kept if candidate.listing in listings]
    places = [matched.get(int(snapshot.pictures[c.position])) for c in kept]
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
        )
        for rank, (candidate, similarity, copy, place) in enumerate(
            zip(kept, similarities, copies, places, strict=True), 1
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
    if query.listing_id is None:  # several examples are no picture that there could be a copy of
        return []
    listing, keys = engine.listing(query.listing_id)
    own = (_small(engine, listing, keys, place) for place in range(min(len(keys), LOOKS)))
    return [look for look in own if look is not None]


def _small(engine: Engine, listing: Listing, keys: Sequence[str], place: int) -> Small | None:
    jpeg = engine.thumbnail(keys[place]) if place < len(keys) and keys[place] else None
    return None if jpeg is None else small_thumbnail(jpeg, listing.pictures[place].region)
