"""The columns of fields in memory, which grow as listings change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.field_bits import Bits, Mask, bits_at
from indexer.field_column import Column, Tally, key_of, no_prefix
from indexer.field_values import FieldType, normal, number_of, text_of

Entries = tuple[NDArray[np.uint32], NDArray[Any]]
"""Documents, ascending, and what each has."""


class Grown:
    """Pairs of a document and a number, appended by one thread while others read."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._arrays: Entries = np.zeros(16, np.uint32), np.zeros(16, dtype)
        self._count = 0

    def append(self, document: int, value: float) -> None:
        """Add a pair; documents never fall."""
        documents, values = self._arrays
        if self._count == len(documents):
            documents, values = (np.concatenate((old, old)) for old in (documents, values))
            self._arrays = documents, values
        documents[self._count], values[self._count] = document, value
        self._count += 1  # last: who reads never sees half a pair

    def until(self, total: int) -> Entries:
        """Return the pairs of the first `total` documents."""
        count = self._count  # first: the arrays that follow hold at least so many
        documents, values = self._arrays
        count = int(documents[:count].searchsorted(np.uint32(total)))  # of its own kind: no copy
        return documents[:count], values[:count]


class GrowingTexts(Column):
    """A text or boolean field in memory."""

    def __init__(self, kind: FieldType) -> None:
        self._type = kind
        self._codes: dict[str, int] = {}
        self._shown: list[str] = []
        self._entries = Grown(np.uint32)
        self.mismatched = 0

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(self._codes)

    def add(self, document: int, value: Any) -> None:
        """Add what a document has: one value or a list."""
        if isinstance(value, list):
            codes = dict.fromkeys(self._code(part) for part in value)
        else:
            codes = {self._code(value): None}
        for code in codes:
            if code is not None:
                self._entries.append(document, code)

    def _code(self, value: object) -> int | None:
        text = text_of(value)
        key = key_of(text, self._type)
        if not key:
            self.mismatched += key is None
            return None
        code = self._codes.get(key)
        if code is None:
            code = len(self._shown)
            self._shown.append(text.strip() if self._type == "text" else key)
            self._codes[key] = code
        return code

    def present(self, total: int) -> Bits:
        """See `Column`."""
        return bits_at([self._entries.until(total)[0]], total)

    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """See `Column`."""
        keys = (key_of(text, self._type) for text in texts)
        return self._of([self._codes[key] for key in keys if key in self._codes], total)

    def starting(self, prefix: str, total: int) -> Bits:
        """See `Column`."""
        first = normal(prefix)
        codes = [code for key, code in list(self._codes.items()) if key.startswith(first)]
        return self._of(codes, total)

    def _of(self, codes: list[int], total: int) -> Bits:
        documents, values = self._entries.until(total)
        wanted = np.zeros(len(self._shown), np.bool_)  # after them: it knows all of theirs
        wanted[codes] = True
        return bits_at([documents[wanted[values]]], total)

    def tally(self, mask: Mask) -> Tally:
        """See `Column`."""
        documents, codes = self._entries.until(len(mask))
        counts = np.bincount(codes[mask[documents]], minlength=1)
        return _Counted(
            Counter(
                {
                    key: int(counts[code])
                    for key, code in list(self._codes.items())
                    if code < len(counts) and counts[code]
                }
            ),
            {key: self._shown[code] for key, code in list(self._codes.items())},
        )


class _Counted:
    """Counts of a `GrowingTexts`."""

    def __init__(self, counts: Counter[str], shown: dict[str, str]) -> None:
        self._counts = counts
        self._shown = shown

    def top(self, count: int) -> list[str]:
        return [key for key, _ in self._counts.most_common(count)]

    def count(self, key: str) -> int:
        return self._counts[key]

    def shown(self, key: str) -> str | None:
        return self._shown.get(key)


class GrowingNumbers(Column):
    """A field of numbers in memory."""

    kind = "numbers"

    def __init__(self) -> None:
        self._entries = Grown(np.float64)
        self.mismatched = 0

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(np.unique(self._entries.until(2**32 - 1)[1]))

    def add(self, document: int, value: Any) -> None:
        """Add what a document has: one value or a list."""
        for part in dict.fromkeys(value) if isinstance(value, list) else (value,):
            number = number_of(part)
            if number is not None:
                self._entries.append(document, number)
            elif part != "":
                self.mismatched += 1

    def present(self, total: int) -> Bits:
        """See `Column`."""
        return bits_at([self._entries.until(total)[0]], total)

    def equal(self, texts: Sequence[str], total: int) -> Bits:
        """See `Column`."""
        numbers = [number for text in texts if (number := number_of(text)) is not None]
        documents, values = self._entries.until(total)
        return bits_at([documents[np.isin(values, numbers)]], total)

    def starting(self, prefix: str, total: int) -> Bits:
        """See `Column`; numbers have no beginning."""
        raise no_prefix(many=False)

    def between(self, low: float, high: float, opened: tuple[bool, bool], total: int) -> Bits:
        """See `Column`."""
        documents, values = self._entries.until(total)
        above = values > low if opened[0] else values >= low
        below = values < high if opened[1] else values <= high
        return bits_at([documents[above & below]], total)

    def numbers(self, mask: Mask) -> NDArray[np.float64]:
        """See `Column`."""
        documents, values = self._entries.until(len(mask))
        found: NDArray[np.float64] = np.sort(values[mask[documents]])
        return found
