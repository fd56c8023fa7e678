"""From a question to a page of hits, and to the cursor of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.scores import CLOSE
from search.asking import Asked
from search.cursor import MAX_SHOWN, Cursor
from search.folding import Group, folded
from search.hits import hits_of
from search.live import View
from search.query import Hit, Query
from search.ranking import Candidate, Ranking, rank

if TYPE_CHECKING:
    from search.engine import Engine

AGAIN_AT_MOST = 3
"""Times that is searched where listings that were found have gone meanwhile."""

DEEPER, AT_LEAST = 3, 50
"""Candidates a hit, and for a page, that are looked at in one go where copies are folded. A copy
that lies deeper is a hit of a later page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes
    ----------
    hits : list of Hit
        Best first.
    close_match : bool
        Whether the best of the first page is better than what chance would find, or a copy.
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

    Raises
    ------
    QueryError
        If the condition names a field that there is not, or compares what cannot be compared.
    """
    shown_before = set(cursor.shown.tolist())
    for _ in range(AGAIN_AT_MOST):
        # One more than fills the page tells whether there is a next one.
        ranking, groups = _groups(engine, view, query, asked, shown_before)
        hits, gone = hits_of(engine, view, query, asked, groups[: query.k], cursor.rank + 1)
        if not gone:
            break
        asked = replace(asked, leave_out=(*asked.leave_out, *gone))
        newer = engine.view()  # which tells of all others that went with them
        view = newer if newer.snapshot is view.snapshot else view
    # A copy that was seen to be one is no chance, however few pictures there are to judge by.
    close = any(hit.score >= CLOSE or hit.near_duplicate for hit in hits[:1])
    close = cursor.close if cursor.rank else close
    next_cursor = None
    shown = [one.listing for group in groups[: query.k] for one in group]
    if len(groups) > query.k and len(cursor.shown) + len(shown) < MAX_SHOWN:
        after = cursor.after(
            np.array(shown, np.int64),
            cursor.rank + len(hits),
            groups[query.k - 1][0].key,
            close=close,
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
        asked_with=asked.leave_out,
    )


def continued(cursor: Cursor, text: str) -> tuple[Query, Asked]:
    """Return the question that a cursor goes on with."""
    query = Query(
        cursor=text,
        k=cursor.k,
        filter=cursor.filter,
        min_score=cursor.min_score,
        prior=cursor.prior,
        fold=cursor.fold,
    )
    return query, Asked(cursor.vectors.astype(np.float32), cursor.asked_with, None)


def _groups(
    engine: Engine, view: View, query: Query, asked: Asked, shown: set[int]
) -> tuple[Ranking, Sequence[Group]]:
    """Return one group more than the page holds, if there are so many."""
    count = query.k + 1
    within = engine.within(view, query.condition)

    def ranked(ask: int, shown: set[int]) -> Ranking:
        own = asked.leave_out
        return rank(view, asked.vectors, ask, own, prior=query.prior, within=within, shown=shown)

    if not query.fold:
        ranking = ranked(count, shown)
        return ranking, [(candidate,) for candidate in _scoring(ranking.candidates, query)]
    first: Ranking | None = None
    groups: list[Group] = []
    taken = set(shown)
    ask = max(count * DEEPER, AT_LEAST)
    while True:
        ranking = ranked(ask, taken)
        first = first or ranking
        found = _scoring(ranking.candidates, query)
        groups = folded(engine, view, found, groups)
        if len(groups) >= count or len(found) < ask or len(taken) > MAX_SHOWN:
            return first, groups[:count]
        # Copies of a few: what comes after them fills the page.
        taken |= {candidate.listing for candidate in found}


def _scoring(candidates: list[Candidate], query: Query) -> list[Candidate]:
    if query.min_score is None:
        return candidates
    return [candidate for candidate in candidates if candidate.score >= query.min_score]
