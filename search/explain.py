"""Why a hit is a hit: how much each place of the two pictures adds to their similarity.

`search.explain_cells` says how a similarity is divided among places.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.embedder import Embedder
from indexer.errors import LookalikeError, QueryError
from indexer.listing import Listing, Region
from indexer.model import Network
from indexer.pictures import PictureLimits, Prepared, content_hash, prepare
from indexer.snapshot import Snapshot
from search.asking import places_of
from search.explain_cells import Maps, contributions, pooled
from search.query import Query

if TYPE_CHECKING:
    from search.live import View


class Explainable(Protocol):
    """What an explanation asks of `search.engine.Engine`."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is searched now."""

    def view(self) -> View:
        """Return the snapshot with what changed since."""

    @property
    def network(self) -> Network:
        """What is known of the network."""

    @property
    def limits(self) -> PictureLimits:
        """What a picture may weigh."""

    def catalog(self) -> AbstractContextManager[Catalog]:
        """Lend this thread's connection to the catalogue."""

    def embedder(self) -> Embedder:
        """Return the network."""

    def prepared(self, photo: bytes | Path | None, region: Region | None = None) -> Prepared:
        """Return a photo as the network sees it."""

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """Return a listing and the keys of its thumbnails."""

    def picture(self, listing_id: str, position: int) -> bytes:
        """Return a catalogue picture, encoded."""

    def thumbnail(self, key: str) -> bytes | None:
        """Return a thumbnail's JPEG, None where there is none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that is explained.

    Attributes
    ----------
    data : bytes or Path
        Encoded, or the path of the photo's file.
    region : Region or None
        The part of it that was compared; None for the whole.
    position : int or None
        Its place among its listing's pictures; None for a photo.
    """

    data: bytes | Path
    region: Region | None
    position: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where two pictures agree.

    Attributes
    ----------
    similarity : float
        The cosine of the two, computed anew from the pictures. It is
        ``query_map.sum() + query_constant``, and ``hit_map.sum() + hit_constant`` as well.
    stored_similarity : float
        The cosine that a search finds, from the stored vectors. They are kept in 16 bits, so it
        differs by some .0001; by more only where a picture is gone and its thumbnail stood in.
    query_map, hit_map : ndarray of float32, shape (rows, columns)
        What each place of the picture, or of its region, adds to the similarity; below zero
        where it speaks against it.
    query_constant, hit_constant : float
        What belongs to no place: it comes of comparing both with the average picture.
    query, hit : Shown
        The pictures themselves.
    """

    similarity: float
    stored_similarity: float
    query_map: NDArray[np.float32]
    hit_map: NDArray[np.float32]
    query_constant: float
    hit_constant: float
    query: Shown
    hit: Shown


def explain(engine: Explainable, query: Query, listing_id: str) -> Explanation:
    """Explain what a listing has in common with a photo or with another listing.

    Of listings with several pictures, the two that are most alike are compared, as in a search.

    Parameters
    ----------
    engine : Engine
        An opened index.
    query : Query
        The photo, with its region, or the listing that was searched with. How many hits it asks
        for and what it filters is of no account: any listing can be explained.
    listing_id : str
        The hit.

    Raises
    ------
    ListingNotFound
        If there is no such listing.
    QueryError
        If the query is made of several examples, a listing has no picture in the index, or
        one that is gone together with its thumbnail, or the photo cannot be read.
    PictureError
        If the photo is no picture that can be used.
    """
    view = engine.view()
    projection = view.snapshot.projection
    theirs = _positions(engine, view, listing_id)
    photo = query.photo is not None
    if query.photo is not None:
        asked = Shown(query.photo, query.region, None)
        query_maps = _maps(engine, asked)
        vectors = projection.transform(pooled(query_maps), photos=True)
        _, best, stored = _closest(view, vectors, theirs)
    elif query.listing_id is not None:
        ours = _positions(engine, view, query.listing_id)
        vectors = view.vectors(ours)
        mine, best, stored = _closest(view, vectors, theirs)
        asked = _of_catalogue(engine, view, query.listing_id, int(ours[mine]))
        query_maps = _maps(engine, asked)
    else:
        raise QueryError(
            "A hit is explained for one photo or one listing.",
            hint="Explain it for each of the examples.",
        )
    hit = _of_catalogue(engine, view, listing_id, best)
    hit_maps = _maps(engine, hit)
    query_vector = projection.transform(pooled(query_maps), photos=photo)[0]
    hit_vector = projection.transform(pooled(hit_maps))[0]
    query_map, query_constant = contributions(projection, query_maps, hit_vector, photo=photo)
    hit_map, hit_constant = contributions(projection, hit_maps, query_vector)
    return Explanation(
        float(query_vector @ hit_vector),
        stored,
        query_map,
        hit_map,
        query_constant,
        hit_constant,
        asked,
        hit,
    )


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation in the API's shape, ready for `json.dumps`.

    Returns
    -------
    dict
        ``similarity``, ``stored_similarity``, ``rows``, ``columns``, and for ``query`` and
        ``hit`` the ``constant``, the ``map`` as a list of rows, the ``region`` that it is of,
        and the ``picture``'s place in its listing (null for a photo). Rounded to 6 decimals, so
        that sums are still true to 3.
    """

    def side(shown: Shown, cells: NDArray[np.float32], constant: float) -> dict[str, Any]:
        return {
            "constant": round(constant, 6),
            "map": [[round(value, 6) for value in row] for row in cells.tolist()],
            "region": None if shown.region is None else list(shown.region),
            "picture": shown.position,
        }

    rows, columns = explanation.query_map.shape
    return {
        "similarity": round(explanation.similarity, 6),
        "stored_similarity": round(explanation.stored_similarity, 6),
        "rows": rows,
        "columns": columns,
        "query": side(explanation.query, explanation.query_map, explanation.query_constant),
        "hit": side(explanation.hit, explanation.hit_map, explanation.hit_constant),
    }


def _positions(engine: Explainable, view: View, listing_id: str) -> NDArray[np.int64]:
    """Return the places of a listing's vectors in the view."""
    engine.listing(listing_id)  # says so if there is none
    _, positions = places_of(engine, view, listing_id)
    if not len(positions):
        raise QueryError(
            f"The listing {listing_id!r} has no picture that could be compared.",
            hint="See why with: lookalike status --failures",
        )
    return positions


def _closest(
    view: View, vectors: NDArray[np.float32], positions: NDArray[np.int64]
) -> tuple[int, int, float]:
    """Return which of `vectors` and which of `positions` are most alike, and how much."""
    similarities = vectors @ view.vectors(positions).T
    row, column = np.unravel_index(int(similarities.argmax()), similarities.shape)
    return int(row), int(positions[column]), float(similarities[row, column])


def _of_catalogue(engine: Explainable, view: View, listing_id: str, position: int) -> Shown:
    """Return the picture behind a vector, as it was when it was embedded."""
    number = int(view.pictures(np.array([position]))[0])
    with engine.catalog() as catalog:
        place = catalog.positions([number]).get(number)
    if place is None:
        raise QueryError(
            f"A picture of the listing {listing_id!r} was removed just now.",
            hint="Ask again.",
        )
    listing, keys = engine.listing(listing_id)
    thumbnail = engine.thumbnail(keys[place]) if keys[place] else None
    try:
        data = engine.picture(listing_id, place)
    except LookalikeError as error:
        if thumbnail is None:
            raise QueryError(
                f"Picture {place} of the listing {listing_id!r} can no longer be read.",
                hint="Index the catalogue again.",
            ) from error
        data = thumbnail
    # A file that was changed since is not what the vector is of; the thumbnail is.
    if thumbnail is not None and content_hash(data) != keys[place]:
        data = thumbnail
    return Shown(data, listing.pictures[place].region, place)


def _maps(engine: Explainable, shown: Shown) -> Maps:
    """Run the network on a picture, prepared as it was for its vector."""
    if shown.position is None or isinstance(shown.data, Path):
        prepared = engine.prepared(shown.data, shown.region)
    else:
        # A thumbnail changes at which scale a large JPEG is decoded, and indexing makes one.
        size, limits = engine.network.input_size, engine.limits
        prepared = prepare(shown.data, size, region=shown.region, thumbnail=True, limits=limits)
    return engine.embedder().maps(prepared.pixels)
