"""The order of an answer: by similarity, or the closest ones by price.

A whole catalogue by price would say nothing of the question, so it is the closest that are put in
order, as far as they have something to do with it, and the page says how many those are. What is
left of them for later pages travels in a cursor that begins with `PREFIX`, signed as those of
`search.cursor` are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from itsdangerous import URLSafeTimedSerializer

from indexer.errors import ListingNotFound, QueryError
from search.cursor import read_signed
from search.query import Hit, Page, Query
from web.engine import SearchEngine, current_engine

SIMILARITY: Final = "similarity"
CHEAPEST: Final = "price"
DEAREST: Final = "-price"
SORTS: Final = (SIMILARITY, CHEAPEST, DEAREST)
"""The orders that there are, as an address and the API name them."""

CLOSEST: Final = 200
"""Hits that are put in order by price, at most."""

RELATED: Final = 0.2
"""The score that they have at least, `web.pages.wording.CLOSENESS`' last; but a page is filled."""

PREFIX: Final = "sorted."

Search = Callable[[Query], Page]


@dataclass(frozen=True, slots=True)
class SortedPage(Page):
    """A page of hits by price.

    Attributes
    ----------
    among : int
        How many hits were put in order.
    """

    among: int = 0


def checked_sort(text: str) -> str:
    """Return the order that a text names, by similarity where it is empty.

    Raises
    ------
    QueryError
        If there is no such order.
    """
    if text and text not in SORTS:
        raise QueryError(
            f"There is no order {text!r}.",
            hint="Sort by similarity, by price (the cheapest first) or by -price.",
        )
    return text or SIMILARITY


def answered(query: Query, sort: str = SIMILARITY, search: Search | None = None) -> Page:
    """Answer a query in an order.

    Parameters
    ----------
    query : Query
        A question, or a cursor alone: one that this gave, or one of the engine.
    sort : str
        One of `SORTS`; a cursor carries its own.
    search : callable, optional
        What answers a query; the engine where not given.

    Returns
    -------
    Page
        Ranks are places in the order asked for.

    Raises
    ------
    CursorExpired
        If the cursor is too old.
    QueryError
        If the query or the cursor cannot be answered.
    """
    engine = current_engine()
    search = search or engine.search
    if query.cursor is not None and query.cursor.startswith(PREFIX):
        return _continued(engine, query.cursor)
    if query.cursor is not None or sort == SIMILARITY:
        return search(query)
    page = search(replace(query, k=max(CLOSEST, query.k)))
    related = sum(hit.score >= RELATED for hit in page.hits)
    closest = page.hits[: max(related, query.k)]
    hits = [replace(hit, rank=n) for n, hit in enumerate(ordered(closest, sort), 1)]
    found = SortedPage(
        hits[: query.k],
        page.snapshot,
        page.took_ms,
        category=page.category,
        close_match=page.close_match,
        among=len(hits),
    )
    rest = [_packed(hit) for hit in hits[query.k :]]
    return replace(found, next_cursor=_cursor(engine, rest, query.k, found))


def ordered(hits: Sequence[Hit], sort: str) -> list[Hit]:
    """Return hits by price; listings without one are last, and keep the order of similarity.

    Amounts of different currencies are not compared: the currency that most hits have comes
    first, the others after it.
    """
    priced = [hit for hit in hits if hit.listing.price is not None]
    counts = Counter(hit.listing.currency for hit in priced)
    sign = -1 if sort == DEAREST else 1

    def key(hit: Hit) -> tuple[int, str, float]:
        currency = hit.listing.currency
        return -counts[currency], currency, sign * (hit.listing.price or 0.0)

    return sorted(priced, key=key) + [hit for hit in hits if hit.listing.price is None]


def _packed(hit: Hit) -> list[Any]:
    return [
        hit.listing.id,
        hit.rank,
        round(hit.score, 4),
        round(hit.similarity, 4),
        int(hit.near_duplicate),
        hit.picture,
        list(hit.similar_offers),
    ]


def _cursor(engine: SearchEngine, rest: list[list[Any]], k: int, page: SortedPage) -> str | None:
    if not rest:
        return None
    said = {"k": k, "r": rest, "s": page.snapshot, "c": page.close_match, "n": page.among}
    text: str = _serializer(engine).dumps(said)
    return PREFIX + text


def _continued(engine: SearchEngine, cursor: str) -> Page:
    said = read_signed(_serializer(engine), cursor.removeprefix(PREFIX))
    k, rest = said["k"], said["r"]
    hits: list[Hit] = []
    while rest and len(hits) < k:
        room = k - len(hits)
        hits += _unpacked(engine, rest[:room])
        rest = rest[room:]
    page = SortedPage(hits, said["s"], {}, close_match=said["c"], among=said["n"])
    return replace(page, next_cursor=_cursor(engine, rest, k, page))


def _unpacked(engine: SearchEngine, packed: list[list[Any]]) -> list[Hit]:
    hits = []
    for id_, rank, score, similarity, copy, picture, offers in packed:
        try:
            listing, keys = engine.listing(id_)
        except ListingNotFound:  # it has gone since
            continue
        # A listing may have fewer pictures by now.
        place = picture if picture < len(listing.pictures) else 0
        hits.append(Hit(rank, score, similarity, bool(copy), listing, place, keys, tuple(offers)))
    return hits


def _serializer(engine: SearchEngine) -> URLSafeTimedSerializer:
    with engine.catalog() as catalog:
        secret = catalog.meta("secret") or ""
    return URLSafeTimedSerializer(secret, salt="lookalike.sorted.1")
