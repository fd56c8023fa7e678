"""Pictures that a question to an index in Milvus has met, and what fields there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.field_values import FieldType
from indexer.milvus.rows import Document

KNOWN = ["listing", "since", "label", "place", "content", "region"]
"""What is asked of every picture that is found."""


@dataclass(frozen=True, slots=True)
class Types:
    """Where the page looks for the fields' types."""

    types: Mapping[str, FieldType]


@dataclass(frozen=True, slots=True)
class Told:
    """As `search.filtering.Told`, of which only the types are known."""

    filters: Types


@dataclass(slots=True)
class Seen:
    """A picture that was met.

    Attributes
    ----------
    picture : int
        Its number.
    listing, since, label, place, content, region
        As Milvus keeps them (`indexer.milvus.rows`).
    position : int
        Where it is in the view.
    vector, document
        Where they were asked for.
    """

    picture: int
    listing: int
    since: int
    label: int
    place: int
    content: str
    region: str
    position: int = 0
    vector: NDArray[np.float32] | None = None
    document: Document | None = None


class Met:
    """Pictures that were met, by number, by position and by listing.

    A position is what a picture is after (`Kept.since`): so equal similarities come in the order in
    which the pictures came, as they do in a folder's index. Where two pictures came at the same
    moment, the one that is met later is moved behind.
    """

    def __init__(self) -> None:
        self._pictures: dict[int, Seen] = {}
        self._at: dict[int, Seen] = {}
        self._listings: dict[int, Seen] = {}

    def meet(self, number: int, said: Mapping[str, Any]) -> Seen:
        """Take up a picture that Milvus tells of."""
        one = self._pictures.get(number)
        if one is None:
            one = self._pictures[number] = Seen(number, *(said[name] for name in KNOWN))
            one.position = one.since
            while one.position in self._at:
                one.position += 1
            self._at[one.position] = one
            self._listings.setdefault(one.listing, one)
        return one

    def picture(self, number: int) -> Seen | None:
        """Return a picture; None of one that was not met."""
        return self._pictures.get(number)

    def lacking(self, numbers: Iterable[int]) -> list[int]:
        """Return the pictures that were not met."""
        return [number for number in numbers if number not in self._pictures]

    def at(self, positions: NDArray[np.int64]) -> list[Seen]:
        """Return the pictures at some positions."""
        return [self._at[position] for position in positions.ravel().tolist()]

    def each(self, positions: NDArray[np.int64], of: Callable[[Seen], int]) -> NDArray[np.int64]:
        """Return something of each position's picture, in the shape of `positions`."""
        return np.array([of(one) for one in self.at(positions)], np.int64).reshape(positions.shape)

    def of_listings(self, numbers: Iterable[int]) -> list[Seen]:
        """Return the first picture that was met of each listing, of those that were."""
        return [self._listings[number] for number in set(numbers) if number in self._listings]

    def all_of(self, listing: int) -> list[Seen]:
        """Return all pictures that were met of a listing, in their order."""
        own = [one for one in self._pictures.values() if one.listing == listing]
        return sorted(own, key=lambda one: one.place)
