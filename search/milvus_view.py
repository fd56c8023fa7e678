"""An index in Milvus as of one question: what `search.live.View` is of one in a folder.

The first thing that is asked of Milvus is asked at the consistency of the index's address; what
follows is about the same pictures, and is asked without waiting once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.categories import UNKNOWN
from indexer.errors import QueryError
from indexer.milvus.meta import MOST, Fields
from indexer.milvus.rows import Document, hashed, listing_number
from indexer.milvus.schema import search_params
from indexer.milvus.space import Space
from indexer.milvus.store import Store
from indexer.snapshot import Snapshot
from search.facets import Facet
from search.filters import Condition
from search.milvus_facets import COUNTED, counted
from search.milvus_filters import both, expression
from search.milvus_seen import KNOWN, Met, Seen, Told, Types

Found = tuple[NDArray[np.int64], NDArray[np.float32]]

AGAIN = "Eventually"

SIMILAR = 6
"""Digits of a similarity: in the last of them, what Milvus' ways of comparing say differs."""


class MilvusWithin:
    """What may be found: an expression, and how many pictures meet it, counted when asked."""

    def __init__(self, view: MilvusView, condition: str) -> None:
        self._view = view
        self.condition = condition

    @cached_property
    def count(self) -> int:
        """How many pictures there are."""
        return self._view.counted(self.condition)


@dataclass(eq=False)
class MilvusView:
    """What is searched, as of one question. Not shared between threads.

    Attributes
    ----------
    store : Store
        Where it is.
    space : Space
        What is known beside its listings.
    fields : Fields
        Attributes.
    consistency : str
        At which the first thing is asked.
    """

    store: Store
    space: Space
    fields: Fields
    consistency: str
    _met: Met = field(default_factory=Met)
    _asked: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """Projection, categories and scores; it holds no vectors."""
        return self.space.snapshot

    @property
    def change(self) -> int:
        """The change of the work folder that the index's card tells of."""
        return self.space.change

    @property
    def changed(self) -> int:
        """Nothing is searched beside the index: Milvus takes writes up itself."""
        return 0

    @property
    def told(self) -> Told:
        """What fields there are."""
        return Told(Types(self.fields.types))

    @cached_property
    def count(self) -> int:
        """Vectors that a search can find."""
        return self.counted("")

    def counted(self, condition: str) -> int:
        """Return how many pictures meet an expression."""
        return self.store.count(condition=condition, level=self._level())

    # What is at a position

    def listings(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's listing, by number."""
        return self._met.each(positions, lambda one: one.listing)

    def pictures(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's picture, by number."""
        return self._met.each(positions, lambda one: one.picture)

    def codes(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each position's category, a place in the model's names; -1 without one."""
        codes = self._codes
        return self._met.each(positions, lambda one: codes.get(one.label, UNKNOWN))

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors at `positions` (M,), shape (M, dims)."""
        met = self._met.at(positions)
        lacking = [one.picture for one in met if one.vector is None]
        found = self.store.vectors(lacking, self._level()) if lacking else {}
        for one in met:
            if one.vector is None:
                # One that went meanwhile is like nothing.
                one.vector = found.get(one.picture, np.zeros(self.space.dims, np.float32))
        return np.array([one.vector for one in met], np.float32).reshape(len(met), self.space.dims)

    def positions(self, pictures: Iterable[int]) -> NDArray[np.int64]:
        """Return where pictures, by number, can be found; those that cannot are left out."""
        wanted = list(pictures)
        lacking = self._met.lacking(wanted)
        if lacking:
            self._query(f"picture in [{', '.join(map(str, lacking))}]", KNOWN)
        met = map(self._met.picture, wanted)
        return np.array([one.position for one in met if one is not None], np.int64)

    # What is known of pictures

    def place(self, picture: int) -> int | None:
        """Return a picture's place in its listing; None of one that was not met."""
        one = self._met.picture(picture)
        return None if one is None else one.place

    def made_of(self, picture: int) -> tuple[str, str] | None:
        """Return content hash and region of a picture; None of one that was not met."""
        one = self._met.picture(picture)
        return None if one is None else (one.content, one.region)

    def documents(self, numbers: Iterable[int]) -> dict[int, Document]:
        """Return listings of which a picture was met, by number."""
        wanted = self._met.of_listings(numbers)
        lacking = [one.picture for one in wanted if one.document is None]
        for start in range(0, len(lacking), 500):
            some = ", ".join(map(str, lacking[start : start + 500]))
            self._query(f"picture in [{some}]", [*KNOWN, "document"])
        return {one.listing: one.document for one in wanted if one.document is not None}

    def listing(self, listing_id: str) -> list[int]:
        """Meet all pictures of a listing that have a vector; return them in their order."""
        number = listing_number(listing_id)
        self._query(f"listing == {number}", [*KNOWN, "vector", "document"])
        return [one.picture for one in self._met.all_of(number)]

    # Searching

    def within(self, condition: Condition) -> MilvusWithin:
        """Return what meets a condition.

        Raises
        ------
        QueryError
            If it names a field that there is not, or compares what cannot be compared.
        """
        return MilvusWithin(self, expression(self._checked(condition), self.fields))

    def _checked(self, condition: Condition) -> Condition:
        try:
            return condition.check(self.fields.types)
        except QueryError:
            # A server may have written the first listing that has it just now.
            self.fields = self.store.meta.fields()
            return condition.check(self.fields.types)

    def facets(self, condition: Condition, names: Sequence[str] | None = None) -> list[Facet]:
        """Count the values of fields among the listings that meet a condition.

        Of an index of more than `COUNTED` pictures there are none.
        """
        condition = self._checked(condition)
        if self.counted("") > COUNTED:
            return []
        listings = {one.listing for one in self._query("", KNOWN)}
        # Not all documents in one answer: Milvus gives at most 100 MB.
        documents = self.documents(listings).values()
        return counted(documents, condition, self.fields, names)

    def nearest(
        self, vectors: NDArray[np.float32], count: int, within: MilvusWithin | None = None
    ) -> Found:
        """Find the nearest vectors to any of `vectors`, as `search.live.View.nearest`."""
        condition = "" if within is None else within.condition
        found = self._search(vectors, count, condition)
        if len(found[0]) < min(count, MOST):
            there = self.count if within is None else within.count
            if len(found[0]) < min(count, MOST, there):
                # Its graph or lists ran out: few of what they lead to meet the condition.
                return self._search(vectors, count, condition, whole=True)
        return found

    def nearest_of_category(
        self,
        vectors: NDArray[np.float32],
        code: int,
        count: int,
        within: MilvusWithin | None = None,
    ) -> Found:
        """Find the nearest vectors of one category, as `search.live.View`'s."""
        model = self.snapshot.categories
        names = () if model is None else model.names
        if code == UNKNOWN:
            labels = f"label not in [{', '.join(str(label) for label in self._codes)}]"
        else:
            labels = f"label == {hashed(names[code])}"
        other = within.condition if within is not None else ""
        return self._search(vectors, count, both(labels, other))

    @cached_property
    def _codes(self) -> dict[int, int]:
        model = self.snapshot.categories
        names = () if model is None else model.names
        return {hashed(name): code for code, name in enumerate(names)}

    def _search(
        self, vectors: NDArray[np.float32], count: int, condition: str, *, whole: bool = False
    ) -> Found:
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        limit = min(count, MOST)
        answers = self.store.milvus.search(
            self.store.milvus.address.collection,
            data=[row.tolist() for row in np.asarray(vectors, np.float32)],
            filter=condition,
            limit=limit,
            output_fields=KNOWN,
            search_params=search_params(self.space.kind, limit, whole=whole),
            consistency_level=self._level(),
        )
        best: dict[int, float] = {}
        for hits in answers:
            for hit in hits:
                # Its number is called id: so pymilvus calls every primary key.
                position = self._met.meet(int(hit["id"]), hit["entity"]).position
                best[position] = max(best.get(position, -2.0), float(hit["distance"]))
        positions = np.fromiter(best, np.int64, len(best))
        exact = np.fromiter(best.values(), np.float64, len(best))
        similarities: NDArray[np.float32] = exact.round(SIMILAR).astype(np.float32)
        order = np.lexsort((positions, -similarities))
        return positions[order], similarities[order]

    def _query(self, condition: str, names: list[str]) -> list[Seen]:
        rows = self.store.milvus.query(
            self.store.milvus.address.collection,
            filter=condition,
            output_fields=["picture", *names],
            limit=MOST,
            consistency_level=self._level(),
        )
        met = []
        for row in rows:
            one = self._met.meet(row["picture"], row)
            if "vector" in row:
                one.vector = np.array(row["vector"], np.float32)
            if "document" in row:
                one.document = Document.read(row["document"])
            met.append(one)
        return met

    def _level(self) -> str:
        level, self._asked = (AGAIN if self._asked else self.consistency), True
        return level
