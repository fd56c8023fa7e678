"""Following the catalogue: from a view and what changed since to the next view."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.categories import UNKNOWN
from indexer.errors import IndexBusy
from indexer.features import FeatureFile
from indexer.fields import FieldType, ListingFields
from indexer.snapshot import Snapshot
from search.filtering import Told
from search.live import View
from search.selection import Selection, among

TRIES = 5
"""Times that is read again where rows of the feature file were moved meanwhile."""

META = "SELECT key, value FROM meta WHERE key IN ('change', 'moves', 'pruned')"

TOUCHED = """
WITH touched AS (
    SELECT number FROM listings WHERE change > :since
    UNION SELECT listing FROM pictures WHERE change > :since
    UNION SELECT listing FROM removed WHERE change > :since
)
"""
"""A listing that lost a picture is told anew too, with those that it has left."""

LISTINGS = f"""{TOUCHED}
SELECT number, id, title, category, price, currency, url, attributes
FROM listings WHERE number IN touched ORDER BY number
"""  # noqa: S608 - a constant

PICTURES = f"""{TOUCHED}
SELECT number, listing, embedding, change FROM pictures
WHERE listing IN touched AND embedding IS NOT NULL ORDER BY number
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Touched:
    """The pictures of listings that changed, each attribute of shape (N,).

    `places` is where a picture could be found so far, -1 for nowhere; `anew` tells whether it is
    told anew, with another vector or category, and not only with other fields.
    """

    pictures: NDArray[np.int64]
    listings: NDArray[np.int64]
    embeddings: NDArray[np.int64]
    codes: NDArray[np.int64]
    places: NDArray[np.int64]
    anew: NDArray[np.bool_]


class Outrun(Exception):
    """What was removed since a view is no longer known; a newer snapshot must be opened."""


def follow(view: View, catalog: Catalog, features: FeatureFile) -> View:
    """Return a view that tells what the catalogue says now; the same where nothing changed.

    Only for one thread at a time, and for the newest view of its snapshot.

    Raises
    ------
    Outrun
        If what was removed since `view` is not known any more.
    IndexBusy
        If the feature file kept being moved about.
    """
    for _ in range(TRIES):
        with catalog.reading():
            meta = dict(catalog.db.execute(META).fetchall())
            change, moves = int(meta["change"]), meta["moves"]
            if change == view.change:
                return view
            if int(meta["pruned"]) > view.change:
                raise Outrun
            since = {"since": view.change}
            said = {row["number"]: _fields(row) for row in catalog.db.execute(LISTINGS, since)}
            rows = catalog.db.execute(PICTURES, since).fetchall()
            gone = catalog.db.execute("SELECT picture FROM removed WHERE change > :since", since)
            removed = [int(row[0]) for row in gone]
            if types := _new_types(view, catalog):
                view.told.filters.learn(types)
        if not said and not removed:  # somebody wrote what was so already
            return replace(view, change=change)
        touched = _touched(view, said, rows)
        read = features.read(touched.embeddings[touched.anew])
        if not len(read) or catalog.meta("moves") == moves:
            return _next(view, change, said, touched, removed, read)
    raise IndexBusy("The index is being tidied up.", hint="Try again; nothing of it is lost.")


def _new_types(view: View, catalog: Catalog) -> Mapping[str, FieldType]:
    """Return the recorded types where there are more of them than a view knows; none ever goes."""
    (count,) = catalog.db.execute("SELECT count(*) FROM fields").fetchone()
    if count == len(view.told.filters.types):
        return {}
    return cast("Mapping[str, FieldType]", catalog.field_types())


def _fields(row: sqlite3.Row) -> ListingFields:
    _, name, title, category, price, currency, url, attributes = row
    return ListingFields(name, title, category, price, currency, url, json.loads(attributes))


def _touched(view: View, said: Mapping[int, ListingFields], rows: Sequence[sqlite3.Row]) -> Touched:
    table = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 4)
    pictures, listings, embeddings, changes = table.T
    known = {number: _code(view.snapshot, one.category) for number, one in said.items()}
    codes = np.array([known[number] for number in listings.tolist()], np.int64)
    places = view.places(pictures)
    stays = (places >= 0) & (changes <= view.change)
    stays[stays] = view.codes(places[stays]) == codes[stays]
    return Touched(pictures, listings, embeddings, codes, places, ~stays)


def _next(
    view: View,
    change: int,
    said: Mapping[int, ListingFields],
    touched: Touched,
    removed: list[int],
    features: NDArray[np.float16],
) -> View:
    snapshot, anew = view.snapshot, touched.anew
    left = np.concatenate([touched.places[anew], view.places(np.array(removed, np.int64))])
    left = left[left >= 0]
    old, new = left[left < snapshot.count], left[left >= snapshot.count] - snapshot.count
    dead = view.dead
    if len(old):
        dead = Selection(dead.bits | Selection.at(old, snapshot.count).bits)
    living = np.concatenate([view.living, np.ones(np.count_nonzero(anew), np.bool_)])
    living[new] = False
    # Before the store grows, which nothing takes back.
    told = _told(view, said, touched, old)
    fresh = view.fresh
    if len(features):
        # By float16, as a snapshot keeps them: an answer is the same before and after it is built.
        vectors = snapshot.projection.transform(features).astype(np.float16).astype(np.float32)
        fresh = fresh.extended(
            vectors, touched.listings[anew], touched.pictures[anew], touched.codes[anew]
        )
    return View(snapshot, view.index, change, fresh, dead, living, told)


def _told(
    view: View,
    said: Mapping[int, ListingFields],
    touched: Touched,
    dead: NDArray[np.int64],
) -> Told:
    """Take up what changed listings say, for those of their vectors that stay and those anew."""
    told, filters, base = view.told, view.told.filters, view.snapshot.count
    known = {number: filters.add(fields) for number, fields in said.items()}
    documents = np.array([known[number] for number in touched.listings.tolist()], np.int64)
    anew = touched.anew
    fresh = np.concatenate([told.fresh, documents[anew]])
    at, of = touched.places[~anew], documents[~anew]
    late = at >= base
    fresh[at[late] - base] = of[late]
    patched = told.patched
    if patched.shape[1]:
        patched = patched[:, ~among(patched[0], np.concatenate([at, dead]))]
    if not late.all():
        patched = np.concatenate([patched, np.stack([at[~late], of[~late]])], axis=1)
    return Told(filters, filters.growing.total, fresh, patched)


def _code(snapshot: Snapshot, category: str) -> int:
    """Return a category's place in a snapshot's names; UNKNOWN for one that it does not know."""
    model = snapshot.categories
    if model is None or category not in model.names:
        return UNKNOWN
    return model.names.index(category)
