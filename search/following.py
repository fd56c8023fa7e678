"""Following the catalogue: from a view and what changed since to the next view."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import IndexBusy
from indexer.features import FeatureFile
from indexer.fields import ListingFields
from search.filtering import Told
from search.live import View, code_of
from search.selection import Selection

TRIES = 5
"""Times that is read again where rows of the feature file were moved meanwhile."""

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
            change = catalog.change()
            if change == view.change:
                return view
            if int(catalog.meta("pruned") or 0) > view.change:
                raise Outrun
            moves = catalog.meta("moves")
            since = {"since": view.change}
            said = {row["number"]: _fields(row) for row in catalog.db.execute(LISTINGS, since)}
            rows = catalog.db.execute(PICTURES, since).fetchall()
            gone = catalog.db.execute("SELECT picture FROM removed WHERE change > :since", since)
            removed = [int(row[0]) for row in gone]
        codes = {number: code_of(view.snapshot, one.category) for number, one in said.items()}
        anew = [row for row in rows if _is_anew(view, row, codes[row["listing"]])]
        read = features.read(np.array([row["embedding"] for row in anew], np.int64))
        if catalog.meta("moves") == moves:
            return _next(view, change, said, rows, removed, anew, read)
    raise IndexBusy("The index is being tidied up.", hint="Try again; nothing of it is lost.")


def _fields(row: sqlite3.Row) -> ListingFields:
    _, name, title, category, price, currency, url, attributes = row
    return ListingFields(name, title, category, price, currency, url, json.loads(attributes))


def _is_anew(view: View, row: sqlite3.Row, code: int) -> bool:
    """Tell whether a picture must be told anew: not where only its listing's fields changed."""
    if row["change"] > view.change:
        return True
    known = view.positions([row["number"]])
    return not len(known) or int(view.codes(known)[0]) != code


def _next(
    view: View,
    change: int,
    said: Mapping[int, ListingFields],
    rows: Sequence[sqlite3.Row],
    removed: list[int],
    anew: Sequence[sqlite3.Row],
    features: NDArray[np.float16],
) -> View:
    snapshot = view.snapshot
    numbers = np.array([row["number"] for row in anew], np.int64)
    dead = view.positions([*removed, *numbers.tolist()])
    old, new = dead[dead < snapshot.count], dead[dead >= snapshot.count] - snapshot.count
    bits = view.dead
    if len(old):
        bits = Selection(bits.bits | Selection.at(old, snapshot.count).bits)
    living = np.concatenate([view.living, np.ones(len(anew), np.bool_)])
    living[new] = False
    fresh = view.fresh
    if len(anew):
        # By float16, as a snapshot keeps them: an answer is the same before and after it is built.
        vectors = snapshot.projection.transform(features).astype(np.float16).astype(np.float32)
        codes = [code_of(snapshot, said[row["listing"]].category) for row in anew]
        fresh = fresh.extended(
            vectors,
            np.array([row["listing"] for row in anew], np.int64),
            numbers,
            np.array(codes, np.int64),
        )
    told = _told(view, said, rows, anew, old)
    return View(snapshot, view.index, change, fresh, bits, living, told)


def _told(
    view: View,
    said: Mapping[int, ListingFields],
    rows: Sequence[sqlite3.Row],
    anew: Sequence[sqlite3.Row],
    dead: NDArray[np.int64],
) -> Told:
    """Take up what changed listings say, for those of their vectors that stay and those anew."""
    told, filters, base = view.told, view.told.filters, view.snapshot.count
    documents = {number: filters.add(fields) for number, fields in said.items()}
    fresh = np.concatenate(
        [told.fresh, np.array([documents[row["listing"]] for row in anew], np.int64)]
    )
    known = {row["number"] for row in anew}
    stays = [row for row in rows if row["number"] not in known]
    positions, listing = [], []
    for row in stays:
        for position in view.positions([row["number"]]).tolist():
            positions.append(position)
            listing.append(documents[row["listing"]])
    at, of = np.array(positions, np.int64), np.array(listing, np.int64)
    late = at >= base
    fresh[at[late] - base] = of[late]
    kept = ~np.isin(told.patched[0], np.concatenate([at, dead]))
    patched = np.concatenate([told.patched[:, kept], np.stack([at[~late], of[~late]])], axis=1)
    return Told(filters, filters.growing.total, fresh, patched)
