"""Searching by several listings: what the answer shall be like, and what it shall not be like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from flask import request, url_for
from numpy.typing import NDArray
from werkzeug.datastructures import MultiDict

from indexer.errors import ListingNotFound, QueryError
from search.asking import places_of
from search.query import MAX_EXAMPLES, Example
from web.engine import SearchEngine

if TYPE_CHECKING:
    from search.live import View

LIKE: Final = "like"
UNLIKE: Final = "unlike"

MOST: Final = MAX_EXAMPLES - 1
"""Listings that one question may be made of: beside them there may be a photo."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Listings that an answer shall be like, and such that it shall not be like.

    Attributes
    ----------
    like, unlike : tuple of str
        Their ids, each once in one of the two.
    """

    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.like or self.unlike)

    @property
    def positives(self) -> tuple[Example, ...]:
        """What the answer shall be like, as a query takes it."""
        return tuple(Example(listing_id=id_) for id_ in self.like)

    @property
    def negatives(self) -> tuple[Example, ...]:
        """What it shall not be like."""
        return tuple(Example(listing_id=id_) for id_ in self.unlike)

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """They as an address says them."""
        return [(LIKE, id_) for id_ in self.like] + [(UNLIKE, id_) for id_ in self.unlike]

    def toggled(self, kind: str, listing_id: str) -> Examples:
        """Return them with a listing liked or unliked, or neither any more if it was so already."""
        before = {LIKE: self.like, UNLIKE: self.unlike}
        after = {
            name: tuple(id_ for id_ in ids if id_ != listing_id) for name, ids in before.items()
        }
        if listing_id not in before[kind]:
            after[kind] += (listing_id,)
        return Examples(after[LIKE], after[UNLIKE])

    def known(self, engine: SearchEngine) -> Examples:
        """Return those that the catalogue has still."""

        def there(ids: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(id_ for id_ in ids if _is_there(engine, id_))

        return Examples(there(self.like), there(self.unlike))


def examples_from(args: MultiDict[str, str]) -> Examples:
    """Read what an address or a form says under ``like`` and ``unlike``, each repeated.

    For a search with a photo, `request.values` has both; its query is then
    ``Query(positives=(Example(photo=photo, region=region), *examples.positives),
    negatives=examples.negatives)``, where there are any, and otherwise the photo's own.

    Raises
    ------
    QueryError
        If there are more of them than one question may be made of.
    """
    like = tuple(dict.fromkeys(filter(None, args.getlist(LIKE))))
    others = dict.fromkeys(filter(None, args.getlist(UNLIKE)))
    unlike = tuple(id_ for id_ in others if id_ not in like)
    if len(like) + len(unlike) > MOST:
        raise QueryError(f"A search takes at most {MOST} listings.", hint="Take some of them away.")
    return Examples(like, unlike)


def likes_url(examples: Examples) -> str:
    """Return the page of what is like some listings and not like others."""
    return url_for("likes.like", like=list(examples.like), unlike=list(examples.unlike))


def toggle_url(kind: str, listing_id: str) -> str:
    """Return the page on which a listing of this page is liked, or unliked, beside what is here.

    What is here is what the address says, or the listing whose page it is.
    """
    try:
        here = examples_from(request.args)
    except QueryError:
        here = Examples()
    asked = (request.view_args or {}).get("listing_id", "")
    if not here and asked and asked != listing_id:
        here = Examples((asked,))
    return likes_url(here.toggled(kind, listing_id))


def closest_of(
    engine: SearchEngine, liked: Iterable[str], hits: Iterable[str]
) -> Mapping[str, str]:
    """Return for each hit which of the liked listings it is most similar to.

    Hits and liked listings that cannot be compared, or have gone, are left out.
    """
    view = engine.view()
    vectors, owners = [], []
    for id_ in liked:
        found = _vectors(engine, view, id_)
        vectors.append(found)
        owners += [id_] * len(found)
    closest = {}
    for id_ in hits if owners else ():
        theirs = _vectors(engine, view, id_)
        if len(theirs):
            cosines = np.concatenate(vectors) @ theirs.T
            closest[id_] = owners[int(cosines.max(axis=1).argmax())]
    return closest


def _vectors(engine: SearchEngine, view: View, listing_id: str) -> NDArray[np.float32]:
    try:
        _, positions = places_of(engine, view, listing_id)
    except ListingNotFound:
        positions = np.zeros(0, np.int64)
    return view.vectors(positions)


def _is_there(engine: SearchEngine, listing_id: str) -> bool:
    try:
        engine.listing(listing_id)
    except ListingNotFound:
        return False
    return True
