"""Groups of listings that show the same picture, across a whole catalogue.

All that a search finds takes part: the snapshot and what came since, without what went.
Candidates are each vector's nearest ones; `search.near_duplicates` looks at them; what holds
together by copies is a group. Pictures are joined, not listings: a size chart that a hundred
listings carry makes one group of a hundred, and does not pull what else they carry into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.listing import Listing
from indexer.progress import SILENT, Progress
from search.engine import Engine
from search.live import View
from search.near_duplicates import compare
from search.small_pictures import SmallPictures

MIN_SIMILARITY = 0.3
"""Cosine from which on two pictures are compared: lower finds more small copies, but slower."""

NEIGHBOURS = 20
"""How many of a vector's nearest are looked at: a mirrored copy need not be the very nearest."""

BLOCK = 256
"""Vectors searched, and pairs compared, in one go."""


@dataclass(frozen=True, slots=True)
class Member:
    """A listing of a group, by the picture that it shares.

    Attributes
    ----------
    listing : Listing
        The listing.
    picture : int
        The place of that picture among the listing's own.
    thumbnail : str
        The key of its thumbnail.
    """

    listing: Listing
    picture: int
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Group:
    """Listings that show copies of one picture, at least two.

    Attributes
    ----------
    members : tuple of Member
        In the order of the catalogue.
    similarity : float
        The least cosine of two pictures that were joined; 1 where all are one file.
    """

    members: tuple[Member, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of vectors, by their places in a view.

    Attributes
    ----------
    places : ndarray of int64, shape (N, 2)
        None twice, and none of one listing.
    similarities : ndarray of float32, shape (N,)
        Their cosines.
    """

    places: NDArray[np.int64]
    similarities: NDArray[np.float32]

    def __getitem__(self, chosen: slice | NDArray[np.bool_]) -> Pairs:
        return Pairs(self.places[chosen], self.similarities[chosen])


def find_duplicates(
    engine: Engine,
    *,
    gate: float = MIN_SIMILARITY,
    neighbours: int = NEIGHBOURS,
    progress: Progress = SILENT,
) -> list[Group]:
    """Find the groups of listings that show the same picture.

    Parameters
    ----------
    engine : Engine
        On the catalogue's index.
    gate : float, optional
        Cosine from which on two pictures are compared.
    neighbours : int, optional
        How many of a vector's nearest are candidates.
    progress : Progress, optional
        Is told how far it is.

    Returns
    -------
    list of Group
        Largest first.
    """
    view = engine.view()
    pairs = find_pairs(view, gate=gate, neighbours=neighbours, progress=progress)
    with engine.catalog() as catalog:
        files = _files(catalog, view)
    pairs = _verified(engine, view, pairs, files, progress)
    return _grouped(engine, view, _with_same_files(pairs, files))


def find_pairs(
    view: View,
    *,
    gate: float = MIN_SIMILARITY,
    neighbours: int = NEIGHBOURS,
    progress: Progress = SILENT,
) -> Pairs:
    """Find pairs of vectors, of different listings, of which one is among the other's nearest."""
    places = _found(view)
    count, k = len(places), min(neighbours + 1, len(places))  # one finds itself
    nearest = np.full((view.total, k), -1, np.int32)
    cosines = np.full((view.total, k), -np.inf, np.float32)
    with progress.track("Searching", count, "vectors") as advance:
        for start in range(0, count, BLOCK):
            rows = places[start : start + BLOCK]
            vectors = view.vectors(rows)
            # The index tells what is near to any of them; which to which is soon multiplied out.
            found = np.sort(view.nearest(vectors, k)[0])
            similar = vectors @ view.vectors(found).T
            few = min(k, len(found))
            best = np.argpartition(-similar, few - 1, axis=1)[:, :few]
            nearest[rows, :few] = found[best]
            cosines[rows, :few] = np.take_along_axis(similar, best, axis=1)
            advance(len(rows))
    first, column = np.nonzero(cosines >= gate)
    second = nearest[first, column].astype(np.int64)
    kept = view.listings(first) != view.listings(second)
    first, second, column = first[kept], second[kept], column[kept]
    # Two that find each other are one pair.
    again = (nearest[second] == first[:, np.newaxis]).any(axis=1) & (first > second)
    pairs = Pairs(np.stack([first, second], axis=1), cosines[first, column])
    return pairs[~again]


def _found(view: View) -> NDArray[np.int64]:
    """Return the places that a search can find, ascending."""
    old = np.arange(view.snapshot.count)
    new = view.snapshot.count + np.flatnonzero(view.living)
    return np.concatenate([old[~view.dead.holds(old)], new])


def _verified(
    engine: Engine, view: View, pairs: Pairs, files: NDArray[np.int64], progress: Progress
) -> Pairs:
    """Return those pairs whose pictures are copies of each other."""
    smalls = SmallPictures(engine)
    copies = files[pairs.places[:, 0]] == files[pairs.places[:, 1]]  # one file needs no look
    asked = np.flatnonzero(~copies)
    with progress.track("Comparing pictures", len(asked), "pairs") as advance:
        for start in range(0, len(asked), BLOCK):
            rows = asked[start : start + BLOCK]
            places = view.pictures(pairs.places[rows])
            loaded = smalls.load(places.ravel().tolist())
            shown = np.array([a in loaded and b in loaded for a, b in places.tolist()])
            if shown.any():
                sides = (np.stack([loaded[p] for p in side.tolist()]) for side in places[shown].T)
                copies[rows[shown]] = compare(*sides).copies
            advance(len(rows))
    return pairs[copies]


# Pairs to groups


def _files(catalog: Catalog, view: View) -> NDArray[np.int64]:
    """Return a number per place that is the same where the picture's file is the same."""
    rows = catalog.db.execute(
        "SELECT number, embedding FROM pictures WHERE embedding IS NOT NULL"
    ).fetchall()
    embedding = dict(map(tuple, rows))
    places = _found(view)
    # What is gone shares its file with none.
    files = -1 - np.arange(view.total)
    files[places] = [
        embedding.get(number, file)
        for number, file in zip(view.pictures(places).tolist(), files[places].tolist(), strict=True)
    ]
    return files


def _with_same_files(pairs: Pairs, files: NDArray[np.int64]) -> Pairs:
    """Add the pairs of one file each, which may be more than a search for the nearest finds."""
    order = np.argsort(files, kind="stable")
    same = files[order][1:] == files[order][:-1]
    places = np.stack([order[:-1][same], order[1:][same]], axis=1)
    return Pairs(
        np.concatenate([pairs.places, places]),
        np.concatenate([pairs.similarities, np.ones(len(places), np.float32)]),
    )


def _grouped(engine: Engine, view: View, pairs: Pairs) -> list[Group]:
    from scipy.sparse import coo_array  # noqa: PLC0415 - a fifth of a second, and only here
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    count = view.total
    first, second = pairs.places.T
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    least: dict[int, float] = {}
    for label, similarity in zip(labels[first].tolist(), pairs.similarities.tolist(), strict=True):
        least[label] = min(least.get(label, 1.0), similarity)
    places: dict[int, list[int]] = {}
    for place in np.unique(pairs.places).tolist():
        places.setdefault(int(labels[place]), []).append(place)
    groups: dict[tuple[str, ...], Group] = {}
    for label, members in places.items():
        group = Group(tuple(_members(engine, view, members)), least[label])
        ids = tuple(member.listing.id for member in group.members)
        # Listings that share several pictures are told once, by the first of them.
        if len(ids) > 1 and ids not in groups:
            groups[ids] = group
    return sorted(groups.values(), key=lambda group: -len(group.members))


def _members(engine: Engine, view: View, places: list[int]) -> Iterator[Member]:
    """Yield the listings of vectors, each once, in the order of the catalogue."""
    at = np.array(places, np.int64)
    numbers, pictures = view.listings(at).tolist(), view.pictures(at).tolist()
    with engine.catalog() as catalog:
        listings, positions = catalog.listings(numbers), catalog.positions(pictures)
    seen: set[int] = set()
    for number, picture in zip(numbers, pictures, strict=True):
        if number in seen or number not in listings or picture not in positions:
            continue
        seen.add(number)
        listing, thumbnails = listings[number]
        yield Member(listing, positions[picture], thumbnails[positions[picture]])
