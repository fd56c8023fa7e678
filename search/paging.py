"""From a question to a page of hits, and to the cursor of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.scores import CLOSE
from search.asking import Asked
from search.cursor import MAX_SHOWN, Cursor
from search.folding import folded
from search.hits import hits_of
from search.live import View
from search.query import Hit, Query
from search.ranking import Candidate, Ranking, rank
from search.selection import Within

if TYPE_CHECKING:
    from search.engine import Engine

AGAIN_AT_MOST = 3
"""Times that is searched where listings that were found have gone meanwhile."""

DEEPER = 3
"""Candidates a hit, where copies are folded: so many at first, and times as many where they were
too few."""

DEEPEST = 2000
"""Candidates that are looked at for copies at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes
    ----------
    hits : list of Hit
        Best first.
    close_match : bool
        Whether the best of the first page is better than what chance would find.
    category : list of (str, float)
        Predicted categories.
    next_cursor : str or None
        None where there is nothing more.
    """

    hits: list[Hit]
    close_match: bool
    category: list[tuple[str, float]]
    next_cursor: str | None


def answer(engine: Engine, view: View, query: Query, asked: Asked, cursor: Cursor) -> Answer:
    """Find a page of hits.

    Parameters
    ----------
    engine : Engine
        For its catalogue and thumbnails.
    view : View
        What is searched.
    query : Query
        What was asked; of a later page, the first one's as far as the cursor carries it.
    asked : Asked
        The same as vectors and pixels.
    cursor : Cursor
        Where the page before ended; one that has shown nothing for the first page.
    """
    within = engine.within(view, query.condition)
    left_out = {*asked.leave_out, *cursor.shown.tolist()}
    for _ in range(AGAIN_AT_MOST):
        # One more than fills the page tells whether there is a next one.
        ranking, groups = _groups(engine, view, query, asked, left_out, within)
        hits, gone = hits_of(engine, view, query, asked, groups[: query.k], cursor.rank + 1)
        if not gone:
            break
        left_out |= set(gone)
    close = cursor.rank > 0 or (bool(hits) and hits[0].score >= CLOSE)
    more = len(groups) > query.k and len(hits) == query.k
    shown = [one.listing for group in groups[: query.k] for one in group]
    next_cursor = None
    if more and len(cursor.shown) + len(shown) < MAX_SHOWN:
        after = cursor.after(
            np.array([*asked.leave_out, *shown], np.int64),
            cursor.rank + len(hits),
            groups[query.k - 1][0].key,
        )
        with engine.catalog() as catalog:
            next_cursor = after.signed(catalog.meta("secret") or "")
    return Answer(hits, close, ranking.category, next_cursor)


def first_cursor(view: View, query: Query, asked: Asked) -> Cursor:
    """Return the cursor of a question of which nothing was shown yet."""
    return Cursor(
        view.snapshot.space,
        asked.vectors.astype(np.float16),
        np.zeros(0, np.int64),
        0,
        0.0,
        query.k,
        str(query.condition),
        query.min_score,
        query.prior,
        query.fold,
    )


def continued(cursor: Cursor, text: str) -> tuple[Query, Asked]:
    """Return the question that a cursor goes on with."""
    query = Query(
        cursor=text,
        k=cursor.k,
        prior=cursor.prior,
        fold=cursor.fold,
    )
    # Past the check that a client gives nothing beside a cursor.
    object.__setattr__(query, "filter", cursor.filter)
    object.__setattr__(query, "min_score", cursor.min_score)
    return query, Asked(cursor.vectors.astype(np.float32), (), None)


def _groups(
    engine: Engine,
    view: View,
    query: Query,
    asked: Asked,
    left_out: set[int],
    within: Within | None,
) -> tuple[Ranking, Sequence[tuple[Candidate, ...]]]:
    """Return one group more than the page holds, if there are so many."""
    count = query.k + 1
    ask = min(count * DEEPER, max(count, DEEPEST)) if query.fold else count
    while True:
        ranking = rank(view, asked.vectors, ask, left_out, prior=query.prior, within=within)
        if not query.fold:
            return ranking, [(candidate,) for candidate in ranking.candidates]
        groups = folded(engine, view, ranking.candidates)
        if len(groups) >= count or len(ranking.candidates) < ask or ask >= DEEPEST:
            return ranking, groups[:count]
        ask = min(ask * DEEPER, DEEPEST)
