"""Columns of fields on their way to the disk."""

from __future__ import annotations

from array import array
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.field_bits import bits_at, size_of
from indexer.field_column import key_of
from indexer.field_values import FieldType, encoded, hash_of, normal, number_of, text_of

WAITING = 1 << 14
"""Entries of a column from which on they leave the memory."""

MAX_VALUES = 1 << 16
"""Different values from which on a field keeps hashes instead of texts."""

MAX_TEXT = 4 << 20
"""Characters of different values, likewise: such texts are prose."""

COMMON = 32
"""A value that one document in so many has is kept as bits: a list would be longer."""


class _Waiting:
    """The entries of one column: documents and 8 bytes each, mostly in the common file."""

    def __init__(self, file: BinaryIO, code: str) -> None:
        self._file = file
        self._chunks: list[tuple[int, int]] = []
        self._documents = array("I")
        self._values = array(code)

    def __len__(self) -> int:
        return sum(count for _, count in self._chunks) + len(self._documents)

    def extend(self, documents: list[int], values: list[Any]) -> None:
        """Add entries; those in memory move to the file once it is worth it."""
        self._documents.extend(documents)
        self._values.extend(values)
        if len(self._documents) >= WAITING:
            self._chunks.append((self._file.seek(0, 2), len(self._documents)))
            self._documents.tofile(self._file)
            self._values.tofile(self._file)
            del self._documents[:], self._values[:]

    def read(self) -> tuple[NDArray[np.uint32], NDArray[Any]]:
        """Return all entries, in the order in which they came."""
        documents, values = (
            np.empty(len(self), np.uint32),
            np.empty(len(self), self._values.typecode),
        )
        at = 0
        for offset, length in self._chunks:
            self._file.seek(offset)
            for kept in (documents, values):
                raw = self._file.read(length * kept.itemsize)
                kept[at : at + length] = np.frombuffer(raw, kept.dtype)
            at += length
        documents[at:], values[at:] = self._documents, self._values
        return documents, values


class WaitingColumn:
    """A column on its way to the disk. Values are looked up many at a time, which is faster."""

    def __init__(self, kind: FieldType, file: BinaryIO, hashed: bool) -> None:
        self.type = kind
        self.mismatched = 0
        self._entries = _Waiting(file, "d" if kind == "number" else "Q")
        self._documents: list[int] = []
        self._values: list[Any] = []
        self._codes: dict[str, int] = {}  # by key
        self._known: dict[object, int] = {}  # by what is written: texts, and in booleans also those
        self._shown: list[str] = []
        self._text = 0
        self._hashed = hashed
        self._coded = 0  # entries that are codes; those that come after are hashes

    def add(self, documents: list[int], value: Any) -> None:
        """Add what a listing's documents have: one value or a list."""
        for one in value if type(value) is list else (value,):
            for document in documents:
                self._documents.append(document)
                self._values.append(one)

    def digest(self) -> None:
        """Look up what was added."""
        entries = self._looked_up()
        if None in entries:
            kept = [at for at, entry in enumerate(entries) if entry is not None]
            entries = [entries[at] for at in kept]
            self._documents = [self._documents[at] for at in kept]
        self._entries.extend(self._documents, entries)
        self._documents, self._values = [], []

    def _looked_up(self) -> list[Any]:
        if self.type == "number":
            numbers = list(map(number_of, self._values))
            if None in numbers:
                pairs = zip(numbers, self._values, strict=True)
                self.mismatched += sum(number is None and value != "" for number, value in pairs)
            return numbers
        if not self._hashed:
            codes: list[int | None] = list(map(self._known.get, self._values))
            for at, code in enumerate(codes):
                if code is None:
                    codes[at] = self._code(self._values[at])
            if not self._hashed:
                return codes
        keys = [normal(text_of(value)) for value in self._values]
        return [hash_of(key) if key else None for key in keys]

    def _code(self, value: object) -> int | None:
        text = text_of(value)
        key = key_of(text, self.type)
        if not key:
            self.mismatched += bool(text.strip())
            return None
        code = self._codes.get(key)
        if code is None:
            if len(self._codes) == MAX_VALUES or self._text + len(text) > MAX_TEXT:
                if not self._hashed:
                    self._coded, self._hashed = len(self._entries), True
                    self._known.clear()
                return None
            self._shown.append(text.strip() if self.type == "text" else key)
            self._text += len(text)
            code = self._codes[key] = len(self._codes)
        if len(self._known) < 2 * MAX_VALUES and (self.type == "boolean" or value is text):
            self._known[value] = code
        return code

    def parts(self, total: int) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return the kind of the column and its sections (see `field_columns`)."""
        self.digest()
        documents, values = self._entries.read()
        having = bits_at([documents], total)
        if self.type == "number" or self._hashed:
            if self._coded and self.type != "number":
                hashes = np.fromiter(map(hash_of, self._codes), np.uint64, len(self._codes))
                values[: self._coded] = hashes[values[: self._coded]]
            order = np.argsort(values, kind="stable")
            values = values[order]
            different = np.count_nonzero(values[1:] != values[:-1]) + bool(len(values))
            kind, name = ("numbers", "values") if self.type == "number" else ("hashes", "hashes")
            return kind, {
                name: values,
                "documents": documents[order],
                "having": having,
                "different": np.array([different], np.uint64),
            }
        return "values", {**self._few(documents, values, total), "having": having}

    def _few(
        self, documents: NDArray[np.uint32], codes: NDArray[np.uint64], total: int
    ) -> dict[str, NDArray[Any]]:
        keys = list(map(encoded, self._codes))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        ranks = np.empty(len(keys), np.uint64)
        ranks[order] = np.arange(len(keys), dtype=np.uint64)
        packed = ranks[codes] << np.uint64(32) | documents
        packed.sort()
        packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))[: len(packed)]]
        values = (packed >> np.uint64(32)).astype(np.intp)
        documents = packed.astype(np.uint32)
        counts = np.bincount(values, minlength=len(keys))
        common = np.flatnonzero(counts * COMMON > total)
        ends = np.concatenate(([0], np.cumsum(counts)))
        rows = [bits_at([documents[ends[one] : ends[one + 1]]], total) for one in common]
        dense = np.full(len(keys), -1, np.int32)
        dense[common] = np.arange(len(common))
        counts[common] = 0
        shown = [encoded(self._shown[code]) for code in order]
        return {
            **_texts("key", [keys[code] for code in order]),
            **_texts("shown", shown),
            "documents": documents[dense[values] < 0],
            "ends": np.concatenate(([0], np.cumsum(counts))).astype(np.uint64),
            "dense": dense,
            "bits": np.array(rows, np.uint8).reshape(len(rows), size_of(total)),
        }


def _texts(name: str, texts: list[bytes]) -> dict[str, NDArray[Any]]:
    ends = np.zeros(len(texts) + 1, np.uint64)
    np.cumsum([len(text) for text in texts], out=ends[1:], dtype=np.uint64)
    whole = "keys" if name == "key" else name
    return {whole: np.frombuffer(b"".join(texts), np.uint8), f"{name}_ends": ends}
