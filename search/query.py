"""Query, Hit and Page: what is asked of an index and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import QueryError
from indexer.listing import Listing, Region
from search.filters import Condition, parse

MAX_K = 1000
"""The most hits that one page may hold."""

MAX_EXAMPLES = 16
"""The most pictures that one question may be made of."""

MAX_WEIGHT = 100

NO_CONDITION = Condition()


@dataclass(frozen=True, slots=True)
class Example:
    """One of several pictures that a question is made of: a photo, or a listing.

    Attributes
    ----------
    photo : bytes, Path or None
        The encoded photo, or the path of its file.
    listing_id : str or None
        A listing instead; it is left out of the answer.
    region : Region or None
        The part of the photo that matters.
    weight : float
        How much it counts beside the others, above 0.
    """

    photo: bytes | Path | None = field(default=None, repr=False)
    listing_id: str | None = None
    region: Region | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if (self.photo is None) == (self.listing_id is None):
            raise QueryError(
                "An example is either a photo or a listing id.", hint="Give exactly one of them."
            )
        if not 0 < self.weight <= MAX_WEIGHT:
            raise QueryError(
                f"An example's weight is {self.weight:g}, and must be above 0 and at most"
                f" {MAX_WEIGHT}."
            )
        if self.region is not None:
            _check_region(self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question: a photo, a listing that is already indexed, or examples of either.

    Attributes
    ----------
    photo : bytes, Path or None
        The encoded photo, or the path of its file.
    listing_id : str or None
        Look for listings like this one instead; it is left out of its own answer.
    positives, negatives : tuple of Example
        Look for what is like all of the first and not like the second instead.
    k : int
        How many hits, 1 to `MAX_K`. Fewer come back when the catalogue has fewer listings.
    region : Region or None
        The part of `photo` that matters.
    min_score : float or None
        Hits that score lower are left out.
    prior : bool
        Whether the predicted category takes part in the ranking; else similarity alone.
    filter : Condition or str
        What listings must meet, also as text: ``"category:shoes price:..50"`` (docs/filters.md).
    fold : bool
        Whether hits that show the same picture are folded under the best of them.
    cursor : str or None
        Go on where a page ended, instead: its `Page.next_cursor`. It carries the question and all
        that was asked for with it, so that nothing else is given.

    Raises
    ------
    QueryError
        If it does not name exactly one kind of question, or if a value is out of its range.
    """

    photo: bytes | Path | None = field(default=None, repr=False)
    listing_id: str | None = None
    positives: tuple[Example, ...] = ()
    negatives: tuple[Example, ...] = ()
    k: int = 10
    region: Region | None = None
    min_score: float | None = None
    prior: bool = True
    filter: Condition | str = NO_CONDITION
    fold: bool = False
    cursor: str | None = None

    def __post_init__(self) -> None:
        given = (
            self.photo is not None,
            self.listing_id is not None,
            bool(self.positives),
            self.cursor is not None,
        )
        if sum(given) != 1:
            raise QueryError(
                "A search takes a photo, a listing id, positive examples or a cursor.",
                hint="Give exactly one of them.",
            )
        if isinstance(self.filter, str):
            object.__setattr__(self, "filter", parse(self.filter))
        if self.negatives and not self.positives:
            raise QueryError(
                "There is nothing to be unlike without something to be like.",
                hint="Give what to look for as positive examples, beside the negative ones.",
            )
        if len(self.positives) + len(self.negatives) > MAX_EXAMPLES:
            raise QueryError(f"A search takes at most {MAX_EXAMPLES} examples.")
        if not 1 <= self.k <= MAX_K:
            raise QueryError(
                f"k is {self.k}, and must be from 1 to {MAX_K}.",
                hint="Ask for at least one hit, and for fewer than that many at a time.",
            )
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise QueryError(f"min_score is {self.min_score}, and must be from 0 to 1.")
        if self.region is not None:
            _check_region(self.region)

    @property
    def condition(self) -> Condition:
        """`filter`, parsed."""
        return self.filter if isinstance(self.filter, Condition) else parse(self.filter)

    @property
    def examples(self) -> tuple[Example, ...]:
        """What it looks for: `positives`, or the one photo or listing."""
        return self.positives or (Example(self.photo, self.listing_id, self.region),)


def _check_region(region: Region) -> None:
    x, y, w, h = region
    inside = 0 <= x < 1 and 0 <= y < 1 and w > 0 and h > 0
    if not (inside and x + w <= 1.0001 and y + h <= 1.0001):
        raise QueryError(
            f"The region {x:g},{y:g},{w:g},{h:g} does not lie in the photo.",
            hint="Give x,y,width,height as shares of the photo, each from 0 to 1.",
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """One listing of an answer.

    Attributes
    ----------
    rank : int
        From 1.
    score : float
        0 to 1, falling with rank and comparable between queries: how unlikely it is that one
        finds such a hit by chance (`indexer.scores`).
    similarity : float
        Cosine between the query's vector and that of the listing's closest picture.
    near_duplicate : bool
        Whether the two pictures seem to be copies of one another.
    listing : Listing
        The listing itself.
    picture : int
        Which of its pictures matched: its place in `listing.pictures`.
    thumbnails : tuple of str
        The key of each picture's thumbnail (see `Engine.thumbnail`), in the order of
        `listing.pictures`; empty where a picture was rejected.
    similar_offers : tuple of str
        Ids of listings that show the same picture, best first, where that was asked for
        (`Query.fold`).
    """

    rank: int
    score: float
    similarity: float
    near_duplicate: bool
    listing: Listing
    picture: int
    thumbnails: tuple[str, ...]
    similar_offers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one query.

    Attributes
    ----------
    hits : list of Hit
        Best first, one per listing.
    snapshot : str
        The name of the snapshot that was searched.
    took_ms : mapping of str to float
        Milliseconds per stage: ``decode``, ``embed``, ``search`` and ``total``.
    next_cursor : str or None
        What to send for the next page; None when there is none.
    category : list of (str, float)
        Predicted categories with confidences, likeliest first; empty without a category model.
    close_match : bool
        Whether the best hit is better than what chance would find.
    """

    hits: list[Hit]
    snapshot: str
    took_ms: Mapping[str, float]
    next_cursor: str | None = None
    category: list[tuple[str, float]] = field(default_factory=list)
    close_match: bool = True
