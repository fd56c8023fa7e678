"""Listings of an index in Milvus: read, written and removed, some at a time.

A listing is several entities, and Milvus has no transactions. So what is searched is written
first and the listing itself last, and removed in the same order: who was stopped in between was
told of no success, and whoever repeats the write or the removal completes it.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import MOST, STRONG, Fields, Meta
from indexer.milvus.rows import Document, entities, picture_number
from indexer.milvus.schema import FEATURES, LISTINGS, NOTHING, TEXT, THUMBNAILS

T = TypeVar("T")

WRITING = 60.0
"""Seconds that a write may take."""

BYTES = 8_000_000
"""Of one call; Milvus takes 64 MB."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A listing that is about to be written.

    Attributes
    ----------
    document : Document
        What it is from now on.
    vectors : ndarray of float, shape (P, dims)
        Of its pictures that have one, in their order.
    before : int
        How many pictures it had.
    there : collection of int
        Numbers of pictures that are there of it, where they were asked for.
    """

    document: Document
    vectors: NDArray[np.floating]
    before: int = 0
    there: Collection[int] = ()


class Store:
    """Reads and writes the collections of an index. Safe to use from several threads.

    Parameters
    ----------
    milvus : Milvus
        Where they are.
    writing : float, optional
        Seconds that a write may take.
    """

    def __init__(self, milvus: Milvus, *, writing: float = WRITING) -> None:
        self.milvus = milvus
        self.meta = Meta(milvus)
        self._writing = writing

    # Reading

    def documents(self, numbers: Iterable[int], level: str = STRONG) -> dict[int, Document]:
        """Return listings by number; unknown ones are left out."""
        wanted = list(dict.fromkeys(numbers))
        found: dict[int, Document] = {}
        for some in _batches(wanted, 500):
            rows = self._query(LISTINGS, f"number in {_list(some)}", ["number", "value"], level)
            found |= {row["number"]: Document.read(row["value"]) for row in rows}
        return found

    def vectors(self, numbers: Sequence[int], level: str = STRONG) -> dict[int, NDArray[Any]]:
        """Return vectors by the number of their picture; unknown ones are left out."""
        found: dict[int, NDArray[Any]] = {}
        for some in _batches(numbers, 500):
            rows = self._query(None, f"picture in {_list(some)}", ["picture", "vector"], level)
            found |= {row["picture"]: np.array(row["vector"], np.float32) for row in rows}
        return found

    def made(
        self, numbers: Sequence[int], level: str = STRONG
    ) -> dict[tuple[int, str], NDArray[Any]]:
        """Return vectors by the number of their picture and what it is made of."""
        found: dict[tuple[int, str], NDArray[Any]] = {}
        names = ["picture", "content", "region", "vector"]
        for some in _batches(numbers, 500):
            for row in self._query(None, f"picture in {_list(some)}", names, level):
                made_of = f"{row['content']} {row['region']}"
                found[row["picture"], made_of] = np.array(row["vector"], np.float32)
        return found

    def pictures_of(self, listings: Sequence[int]) -> dict[int, dict[int, tuple[str, Any, str]]]:
        """Return what listings' pictures are made of, their vectors and documents, as of now.

        Parameters
        ----------
        listings : sequence of int
            Numbers of listings.

        Returns
        -------
        dict of int to dict of int to (str, ndarray, str)
            By the number of the listing and of the picture.
        """
        found: dict[int, dict[int, tuple[str, Any, str]]] = {}
        names = ["picture", "listing", "content", "region", "vector", "document"]
        for some in _batches(listings, 100):
            for row in self._query(None, f"listing in {_list(some)}", names, STRONG):
                made_of = f"{row['content']} {row['region']}"
                vector = np.array(row["vector"], np.float32)
                one = made_of, vector, row["document"]
                found.setdefault(row["listing"], {})[row["picture"]] = one
        return found

    def pictures_there(self, listings: Sequence[int]) -> dict[int, set[int]]:
        """Return which pictures of listings are there, as far as it is known without waiting."""
        found: dict[int, set[int]] = {number: set() for number in listings}
        for some in _batches(listings, 100):
            condition = f"listing in {_list(some)}"
            for row in self._query(None, condition, ["picture", "listing"], "Eventually"):
                found[row["listing"]].add(row["picture"])
        return found

    def thumbnail(self, key: str, level: str = STRONG) -> bytes | None:
        """Return a thumbnail's JPEG; None where there is none."""
        return self.thumbnails([key], level).get(key)

    def thumbnails(self, keys: Sequence[str], level: str = STRONG) -> dict[str, bytes]:
        """Return thumbnails' JPEGs by content, a hexadecimal text; unknown ones are left out."""
        found = self._kept(THUMBNAILS, keys, level)
        return {key: base64.b64decode(text) for key, text in found.items()}

    def features(self, keys: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Return features by what they are of; the collection must be loaded."""
        found = self._kept(FEATURES, keys, STRONG)
        return {
            key: np.frombuffer(base64.b64decode(text), np.float16) for key, text in found.items()
        }

    def count(self, what: str | None = None, condition: str = "", level: str = STRONG) -> int:
        """Return how many entities a collection has; that of the vectors where none is named."""
        rows = self.milvus.query(
            self._name(what),
            filter=condition,
            output_fields=["count(*)"],
            consistency_level=level,
        )
        return int(rows[0]["count(*)"])

    def _kept(self, what: str, keys: Sequence[str], level: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for some in _batches(keys, 200):
            names = ", ".join(f'"{key}"' for key in some)
            rows = self._query(what, f"key in [{names}]", ["key", "value"], level)
            found |= {row["key"]: row["value"] for row in rows}
        return found

    def _query(self, what: str | None, condition: str, names: list[str], level: str) -> list[Any]:
        found = self.milvus.query(
            self._name(what),
            filter=condition,
            output_fields=names,
            limit=MOST,
            consistency_level=level,
        )
        return list(found)

    def _name(self, what: str | None) -> str:
        address = self.milvus.address
        return address.collection if what is None else address.named(what)

    # Writing

    def put(self, listings: Sequence[Filled], fields: Fields) -> None:
        """Write listings, and learn what their attributes are.

        Raises
        ------
        UsageError
            If one says more than Milvus can keep, or two have the same number. Nothing is written
            then.
        """
        there = self._known([one.document for one in listings])
        self.meta.learn(fields, [one.document.fields.attributes for one in listings])
        pictures, rows = [], []
        gone: list[int] = []
        for one in listings:
            number = one.document.number
            made = entities(one.document, one.vectors, fields.types)
            pictures += made
            rows.append({"number": number, "value": one.document.text(), "nothing": NOTHING})
            # Also of what others wrote of it meanwhile, nothing is left behind.
            before = max(one.before, len(there[number].pictures) if number in there else 0)
            old = {*one.there, *(picture_number(one.document.fields.id, n) for n in range(before))}
            gone += old - {entity["picture"] for entity in made}
        self._upsert(None, pictures)
        self._delete(None, gone)
        self._upsert(LISTINGS, rows)

    def remove(self, documents: Sequence[Document], there: Collection[int] = ()) -> None:
        """Remove listings; those that are not there are no error.

        Parameters
        ----------
        documents : sequence of Document
            As they are known.
        there : collection of int, optional
            Numbers of further pictures of theirs.
        """
        known = self._known(documents)
        gone = {
            picture_number(one.fields.id, place)
            for one in (*documents, *known.values())
            for place in range(len(one.pictures))
        }
        self._delete(None, [*gone.union(there)])
        self._delete(LISTINGS, [one.number for one in documents])

    def add_thumbnails(self, thumbnails: Mapping[str, bytes]) -> None:
        """Keep JPEGs by content. One that is too large for Milvus, of 48 KB, is left out."""
        self._add(THUMBNAILS, thumbnails)

    def add_features(self, features: Mapping[str, NDArray[np.floating]]) -> None:
        """Keep features, each of shape (F,), by what they are of.

        Raises
        ------
        UsageError
            If they are more numbers than Milvus can keep.
        """
        data = {key: np.asarray(one, np.float16).tobytes() for key, one in features.items()}
        if any(len(one) > TEXT * 3 // 4 for one in data.values()):
            raise UsageError("The network's features are more than Milvus can keep of a picture.")
        self._add(FEATURES, data)

    def _add(self, what: str, data: Mapping[str, bytes]) -> None:
        texts = {key: base64.b64encode(one).decode() for key, one in data.items()}
        rows = [
            {"key": key, "value": text, "nothing": NOTHING}
            for key, text in texts.items()
            if len(text) <= TEXT
        ]
        self._upsert(what, rows)

    def _upsert(self, what: str | None, rows: Sequence[dict[str, Any]]) -> None:
        some: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            some.append(row)
            size += sum(len(one) for one in row.values() if isinstance(one, str)) + 2000
            if size > BYTES:
                self.milvus.upsert(self._name(what), some, timeout=self._writing)
                some, size = [], 0
        if some:
            self.milvus.upsert(self._name(what), some, timeout=self._writing)

    def _delete(self, what: str | None, numbers: Sequence[int]) -> None:
        for some in _batches(numbers, 5000):
            self.milvus.delete(self._name(what), ids=some, timeout=self._writing)

    def _known(self, documents: Sequence[Document]) -> dict[int, Document]:
        """Return what listings were, by number, as far as it is known without waiting."""
        wanted = {one.number: one for one in documents}
        if len(wanted) < len({one.fields.id for one in documents}):
            raise _same_number(documents[0].fields.id, "another one")
        known = self.documents(wanted, "Eventually")
        for number, one in known.items():
            if one.fields.id != wanted[number].fields.id:
                raise _same_number(one.fields.id, wanted[number].fields.id)
        return known


def _same_number(one: str, other: str) -> UsageError:
    return UsageError(
        f"The listings {one!r} and {other!r} have the same number.",
        hint="Give one of them another id.",
    )


def _batches(values: Sequence[T], size: int) -> Iterable[list[T]]:
    return (list(values[start : start + size]) for start in range(0, len(values), size))


def _list(numbers: Iterable[int]) -> str:
    return f"[{', '.join(map(str, numbers))}]"
