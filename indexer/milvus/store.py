"""Listings of an index in Milvus: read, written and removed, some at a time.

A listing is several entities, and Milvus has no transactions. So what is searched is written
first and the listing itself last, and removed in the same order: a listing that is half written is
written again by whoever repeats the write, and no search finds anything of it before.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import StorageError, UsageError
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import MOST, STRONG, Fields, Meta
from indexer.milvus.rows import Document, entities, picture_number
from indexer.milvus.schema import FEATURES, LISTINGS, NOTHING, TEXT, THUMBNAILS

WRITING = 30.0
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
    """

    document: Document
    vectors: NDArray[np.floating]
    before: int = 0


class Store:
    """Reads and writes the collections of an index. Safe to use from several threads.

    Parameters
    ----------
    milvus : Milvus
        Where they are.
    """

    def __init__(self, milvus: Milvus) -> None:
        self.milvus = milvus
        self.meta = Meta(milvus)

    # Reading

    def documents(self, numbers: Iterable[int], level: str = STRONG) -> dict[int, Document]:
        """Return listings by number; unknown ones are left out."""
        wanted = list(dict.fromkeys(numbers))
        found: dict[int, Document] = {}
        for start in range(0, len(wanted), 500):
            some = ", ".join(map(str, wanted[start : start + 500]))
            rows = self._query(LISTINGS, f"number in [{some}]", ["number", "value"], level)
            found |= {row["number"]: Document.read(row["value"]) for row in rows}
        return found

    def vectors(self, numbers: Sequence[int], level: str = STRONG) -> dict[int, NDArray[Any]]:
        """Return vectors by the number of their picture; unknown ones are left out."""
        found: dict[int, NDArray[Any]] = {}
        for start in range(0, len(numbers), 500):
            some = ", ".join(map(str, numbers[start : start + 500]))
            rows = self.milvus.query(
                self.milvus.address.collection,
                filter=f"picture in [{some}]",
                output_fields=["picture", "vector"],
                limit=MOST,
                consistency_level=level,
            )
            found |= {row["picture"]: np.array(row["vector"], np.float32) for row in rows}
        return found

    def thumbnail(self, key: str, level: str = STRONG) -> bytes | None:
        """Return a thumbnail's JPEG; None where there is none."""
        rows = self._query(THUMBNAILS, f'key == "{key}"', ["value"], level)
        return base64.b64decode(rows[0]["value"]) if rows else None

    def features(self, keys: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Return features by what they are of; the collection must be loaded."""
        found: dict[str, NDArray[np.float16]] = {}
        for start in range(0, len(keys), 200):
            some = ", ".join(f'"{key}"' for key in keys[start : start + 200])
            for row in self._query(FEATURES, f"key in [{some}]", ["key", "value"], STRONG):
                found[row["key"]] = np.frombuffer(base64.b64decode(row["value"]), np.float16)
        return found

    def count(self, what: str | None = None, condition: str = "", level: str = STRONG) -> int:
        """Return how many entities a collection has; that of the vectors where none is named."""
        address = self.milvus.address
        rows = self.milvus.query(
            address.collection if what is None else address.named(what),
            filter=condition,
            output_fields=["count(*)"],
            consistency_level=level,
        )
        return int(rows[0]["count(*)"])

    def _query(self, what: str, condition: str, names: list[str], level: str) -> list[Any]:
        found = self.milvus.query(
            self.milvus.address.named(what),
            filter=condition,
            output_fields=names,
            limit=MOST,
            consistency_level=level,
        )
        return list(found)

    # Writing

    def put(self, listings: Sequence[Filled], fields: Fields) -> None:
        """Write listings, and learn what their attributes are.

        Raises
        ------
        UsageError
            If one says more than Milvus can keep. Nothing is written then.
        StorageError
            If two listings have the same number.
        """
        documents = {one.document.number: one.document for one in listings}
        self._require_distinct(documents)
        self.meta.learn(fields, [one.document.fields.attributes for one in listings])
        pictures, rows = [], []
        gone: list[int] = []
        for one in listings:
            made = entities(one.document, one.vectors, fields.types)
            pictures += made
            rows.append(
                {
                    "number": one.document.number,
                    "value": one.document.text(),
                    "nothing": NOTHING,
                }
            )
            there = {entity["picture"] for entity in made}
            numbers = (picture_number(one.document.fields.id, n) for n in range(one.before))
            gone += [number for number in numbers if number not in there]
        self._upsert(self.milvus.address.collection, pictures)
        if gone:
            self.milvus.delete(self.milvus.address.collection, ids=gone, timeout=WRITING)
        self._upsert(self.milvus.address.named(LISTINGS), rows)

    def remove(self, documents: Sequence[Document]) -> None:
        """Remove listings; those that are not there are no error."""
        pictures = [
            picture_number(one.fields.id, place)
            for one in documents
            for place in range(len(one.pictures))
        ]
        address = self.milvus.address
        if pictures:
            self.milvus.delete(address.collection, ids=pictures, timeout=WRITING)
        numbers = [one.number for one in documents]
        if numbers:
            self.milvus.delete(address.named(LISTINGS), ids=numbers, timeout=WRITING)

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
        self._upsert(self.milvus.address.named(what), rows)

    def _upsert(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        some: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            some.append(row)
            size += sum(len(one) for one in row.values() if isinstance(one, str)) + 2000
            if size > BYTES:
                self.milvus.upsert(name, some, timeout=WRITING)
                some, size = [], 0
        if some:
            self.milvus.upsert(name, some, timeout=WRITING)

    def _require_distinct(self, documents: Mapping[int, Document]) -> None:
        for number, known in self.documents(documents, "Eventually").items():
            if known.fields.id != documents[number].fields.id:
                raise StorageError(
                    f"The listings {known.fields.id!r} and {documents[number].fields.id!r} have"
                    " the same number.",
                    hint="Give one of them another id.",
                )
