"""Cursors: where a page ended, so that the next one goes on from there.

A cursor carries all that the next page needs, signed with the index's secret: the question's
vector and filter, and which listings were shown. Those are left out of the pages that follow,
whatever has come or gone meanwhile: so a listing that did not change is neither repeated nor, if
it is found later only, skipped, which a place in the order alone could not promise of an
approximate index. It holds no photo, and nobody can make one for another index.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from numpy.typing import NDArray

from indexer.errors import CursorExpired, QueryError

MAX_SHOWN = 5000
"""Listings after which there are no further pages: a cursor grows by some 3 bytes a listing."""

MAX_AGE = 24 * 60 * 60
"""Seconds for which a cursor can be used."""

AGAIN = "Search again from the first page."


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a page leaves to the next.

    Attributes
    ----------
    space : str
        Names what the vectors are made by (`Snapshot.space`).
    vectors : ndarray of float16, shape (Q, dims)
        The question.
    shown : ndarray of int64, shape (N,)
        Listings not to be shown again, by number, ascending.
    rank : int
        Of the last hit.
    key : float
        By which the last hit was ranked.
    k : int
        Hits a page.
    filter : str
        The condition on listings, as text.
    min_score : float or None
        The least score.
    prior, fold : bool
        As in `search.query.Query`.
    asked_with : tuple of int
        Listings that were asked with, by number: they are no hits, and say nothing of what category
        the question is.
    close : bool
        Whether the first page had a close match.
    """

    space: str
    vectors: NDArray[np.float16]
    shown: NDArray[np.int64]
    rank: int
    key: float
    k: int
    filter: str
    min_score: float | None
    prior: bool
    fold: bool
    asked_with: tuple[int, ...] = ()
    close: bool = True

    def after(self, shown: NDArray[np.int64], rank: int, key: float, *, close: bool) -> Cursor:
        """Return this with more listings shown."""
        shown = np.union1d(self.shown, shown)
        return replace(self, shown=shown, rank=rank, key=key, close=close)

    def signed(self, secret: str) -> str:
        """Write it as text that can stand in a URL."""
        gaps = np.diff(self.shown, prepend=0).astype(np.uint64)
        signed: str = _serializer(secret).dumps(
            {
                "s": self.space,
                "v": _text(self.vectors.astype("<f2").tobytes()),
                "d": self.vectors.shape[1],
                "n": _text(zlib.compress(_varints(gaps))),
                "r": self.rank,
                "y": self.key,
                "k": self.k,
                "f": self.filter,
                "m": self.min_score,
                "p": self.prior,
                "o": self.fold,
                "w": self.asked_with,
                "c": self.close,
            }
        )
        return signed

    @classmethod
    def read(cls, text: str, secret: str, space: str) -> Cursor:
        """Read what `signed` wrote.

        Raises
        ------
        QueryError
            If this index did not write it.
        CursorExpired
            If it is too old, or the index's vectors are made by another recipe now.
        """
        said = read_signed(_serializer(secret), text)
        if said["s"] != space:
            raise CursorExpired(
                "The index has been made by another recipe since the cursor was given.", hint=AGAIN
            )
        gaps = _from_varints(zlib.decompress(_bytes(said["n"])))
        return cls(
            said["s"],
            np.frombuffer(_bytes(said["v"]), "<f2").reshape(-1, said["d"]),
            np.cumsum(gaps, dtype=np.int64),
            said["r"],
            said["y"],
            said["k"],
            said["f"],
            said["m"],
            said["p"],
            said["o"],
            tuple(said["w"]),
            said["c"],
        )


def read_signed(serializer: URLSafeTimedSerializer, text: str) -> Any:
    """Return what a cursor says.

    Raises
    ------
    QueryError
        If `serializer` did not write it.
    CursorExpired
        If it is too old.
    """
    try:
        return serializer.loads(text, max_age=MAX_AGE)
    except SignatureExpired as error:
        raise CursorExpired("The cursor is older than a day.", hint=AGAIN) from error
    except (BadData, UnicodeError) as error:
        raise QueryError(
            "The cursor is none of this index, or was cut short.",
            hint="Send `next_cursor` as it was answered. " + AGAIN,
        ) from error


@lru_cache(maxsize=16)
def _serializer(secret: str) -> URLSafeTimedSerializer:
    # What a cursor holds is part of the salt: those of another version are none of ours.
    return URLSafeTimedSerializer(secret, salt="lookalike.cursor.2")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


def _varints(values: NDArray[np.uint64]) -> bytes:
    """Write numbers in as few bytes as they need: seven bits each, the last with its top bit 0."""
    out = bytearray()
    for number in values.tolist():
        value = int(number)
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def _from_varints(data: bytes) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            values.append(value)
            value = shift = 0
    return values
