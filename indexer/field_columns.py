"""The columns of a snapshot's fields, on disk: which documents have which values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.field_bits import Bits, Mask, bits_at
from indexer.field_column import Column, Tally, key_of, no_prefix
from indexer.field_values import FieldType, encoded, hash_of, normal, number_of


@dataclass(frozen=True, slots=True, eq=False)
class Values(Column):
    """Up to some ten thousand different texts, in order, each with its documents.

    Values of more than a 32nd of the documents have bits, the others lists of documents.

    Parameters
    ----------
    type : FieldType
        ``text`` or ``boolean``.
    keys, shown : ndarray of uint8
        All texts one after the other, as they compare and as they were first written.
    key_ends, shown_ends : ndarray of uint64, shape (K + 1,)
        Where each text begins, and the end.
    documents : ndarray of uint32, shape (E,)
        Those of the values that have no bits, value by value.
    ends : ndarray of uint64, shape (K + 1,)
        Where each value's documents begin, and the end.
    dense : ndarray of int32, shape (K,)
        Each value's row of `bits`; -1 where it has none.
    bits : ndarray of uint8, shape (D, bytes)
        The documents of common values.
    having : ndarray of uint8, shape (bytes,)
        The documents that have any value.
    """

    type: FieldType
    keys: NDArray[np.uint8]
    key_ends: NDArray[np.uint64]
    shown: NDArray[np.uint8]
    shown_ends: NDArray[np.uint64]
    documents: NDArray[np.uint32]
    ends: NDArray[np.uint64]
    dense: NDArray[np.int32]
    bits: NDArray[np.uint8]
    having: Bits

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(self.dense)

    def present(self, total: int) -> Bits:
        """See `Column`."""
        return self.having.copy()

    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """See `Column`."""
        keys = {key_of(text, self.type) for text in texts}
        codes = [code for key in keys if key is not None and (code := self.code(key)) >= 0]
        return self._of([(code, code + 1) for code in codes], total)

    def starting(self, prefix: str, total: int) -> Bits:
        """See `Column`."""
        first = encoded(normal(prefix))
        # No text holds the byte 255: all that start so lie between.
        return self._of([(self._place(first), self._place(first + b"\xff"))], total)

    def tally(self, mask: Mask) -> Tally:
        """See `Column`."""
        counts = np.zeros(self.distinct, np.int64)
        if len(self.documents):
            ends = self.ends.astype(np.int64)
            found = np.zeros(len(self.documents) + 1, np.int32)
            np.cumsum(mask.take(self.documents), dtype=np.int32, out=found[1:])
            counts = np.diff(found[ends]).astype(np.int64)
        if len(self.bits):
            packed = np.packbits(mask, bitorder="little")
            for code in np.flatnonzero(self.dense >= 0):
                row = self.bits[self.dense[code]]
                counts[code] = np.bitwise_count(row & packed).sum(dtype=np.int64)
        return _Counted(self, counts)

    def key(self, code: int) -> str:
        """Return the key of the value at a place."""
        return self._bytes(code).decode("utf-8", "surrogatepass")

    def first_written(self, code: int) -> str:
        """Return the value at a place as it was first written."""
        start, end = int(self.shown_ends[code]), int(self.shown_ends[code + 1])
        return self.shown[start:end].tobytes().decode("utf-8", "surrogatepass")

    def code(self, key: str) -> int:
        """Return a value's place, -1 where it does not occur."""
        wanted = encoded(key)
        place = self._place(wanted)
        return place if place < self.distinct and self._bytes(place) == wanted else -1

    def _bytes(self, code: int) -> bytes:
        return self.keys[int(self.key_ends[code]) : int(self.key_ends[code + 1])].tobytes()

    def _place(self, wanted: bytes) -> int:
        low, high = 0, self.distinct
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _of(self, ranges: list[tuple[int, int]], total: int) -> Bits:
        listed = [self.documents[int(self.ends[a]) : int(self.ends[b])] for a, b in ranges]
        bits = bits_at(listed, total)
        for a, b in ranges:
            rows = self.dense[a:b]
            for row in rows[rows >= 0]:
                bits |= self.bits[row]
        return bits


class _Counted:
    """Counts of a `Values`, by place."""

    def __init__(self, values: Values, counts: NDArray[np.int64]) -> None:
        self.values = values
        self._counts = counts

    def top(self, count: int) -> list[str]:
        codes = np.flatnonzero(self._counts)
        if len(codes) > count:
            codes = codes[np.argpartition(-self._counts[codes], count - 1)[:count]]
        codes = codes[np.argsort(-self._counts[codes], kind="stable")]
        return [self.values.key(int(code)) for code in codes]

    def count(self, key: str) -> int:
        code = self.values.code(key)
        return int(self._counts[code]) if code >= 0 else 0

    def shown(self, key: str) -> str | None:
        code = self.values.code(key)
        return self.values.first_written(code) if code >= 0 else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ordered(Column):
    """Entries in ascending order, each with its document.

    Parameters
    ----------
    documents : ndarray of uint32, shape (E,)
        Whose each entry is.
    having : ndarray of uint8, shape (bytes,)
        The documents that have any.
    different : ndarray of uint64, shape (1,)
        How many different ones there are.
    """

    documents: NDArray[np.uint32]
    having: Bits
    different: NDArray[np.uint64]

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.different[0])

    def present(self, total: int) -> Bits:
        """See `Column`."""
        return self.having.copy()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Numbers(Ordered):
    """Numbers in order.

    Parameters
    ----------
    values : ndarray of float64, shape (E,)
        Ascending.
    """

    values: NDArray[np.float64]

    kind = "numbers"

    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """See `Column`."""
        numbers = {number for text in texts if (number := number_of(text)) is not None}
        return bits_at([self._slice(number, number) for number in numbers], total)

    def starting(self, prefix: str, total: int) -> Bits:
        """See `Column`; numbers have no beginning."""
        raise no_prefix(many=False)

    def between(self, low: float, high: float, opened: tuple[bool, bool], total: int) -> Bits:
        """See `Column`."""
        return bits_at([self._slice(low, high, opened)], total)

    def _slice(
        self, low: float, high: float, opened: tuple[bool, bool] = (False, False)
    ) -> NDArray[np.uint32]:
        start = np.searchsorted(self.values, low, "right" if opened[0] else "left")
        end = np.searchsorted(self.values, high, "left" if opened[1] else "right")
        return self.documents[start:end]

    def numbers(self, mask: Mask) -> NDArray[np.float64]:
        """See `Column`."""
        return self.values.compress(mask.take(self.documents))  # faster than with brackets


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Hashes(Ordered):
    """Many different texts, as 64 bits of BLAKE2 each, in order.

    That two of ten million texts have the same bits happens to one catalogue in 370,000.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (E,)
        Ascending.
    """

    hashes: NDArray[np.uint64]

    kind = "hashes"

    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """See `Column`."""
        hashes = {np.uint64(hash_of(normal(text))) for text in texts}
        found = (
            self.documents[
                np.searchsorted(self.hashes, one) : np.searchsorted(self.hashes, one, "right")
            ]
            for one in hashes
        )
        return bits_at(found, total)

    def starting(self, prefix: str, total: int) -> Bits:
        """See `Column`; what a text began with is gone."""
        raise no_prefix(many=True)
