"""Pictures of listings that are not there: left by a write that was cut short and never repeated.

A listing's own row is written last (`indexer.milvus.store`). Before it came, nobody was told that
the listing was written, and who asks for it hears rightly that there is none; but searches find
its pictures. A write of the listing or its removal clears them, and else `lookalike index` does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from indexer.milvus.meta import MOST
from indexer.milvus.schema import LISTINGS
from indexer.milvus.store import Store

FORGOTTEN = 60 * 60.0
"""Seconds after which a write is not under way any more."""

SERVICES = 10**15
"""What services write came after this (`Kept.since`, in microseconds); of what `lookalike index`
wrote, it is a small number, and its ledger knows what it wrote by half."""

NUMBERS = 2**63

AT_ONCE = 2000
"""Listings that are asked for in one call."""


def remove_orphans(store: Store) -> int:
    """Remove the pictures that services left of listings that are not there; return how many."""
    before = time.time_ns() // 1000 - round(FORGOTTEN * 1e6)
    old = f"since > {SERVICES} and since < {before}"
    removed = 0
    for rows in _pictures(store, old, 0, NUMBERS - 1):
        # As far as it is known without waiting; what seems to be gone is looked at again.
        gone = _without_listing(store, rows, "Eventually")
        if gone:
            gone = _without_listing(store, gone, "Strong")
        store.remove([], list(gone))
        removed += len(gone)
    return removed


def _pictures(store: Store, condition: str, first: int, last: int) -> Iterator[dict[int, int]]:
    """Yield the listings of pictures, by number, of those whose numbers are in a range."""
    rows = store.milvus.query(
        store.milvus.address.collection,
        filter=f"picture >= {first} and picture < {last} and {condition}",
        output_fields=["picture", "listing"],
        limit=MOST,
        consistency_level="Strong",
    )
    if len(rows) < MOST:
        yield {row["picture"]: row["listing"] for row in rows}
        return
    middle = (first + last) // 2
    yield from _pictures(store, condition, first, middle)
    yield from _pictures(store, condition, middle, last)


def _without_listing(store: Store, pictures: dict[int, int], level: str) -> dict[int, int]:
    there: set[int] = set()
    wanted = sorted(set(pictures.values()))
    for start in range(0, len(wanted), AT_ONCE):
        rows = store.milvus.query(
            store.milvus.address.named(LISTINGS),
            filter=f"number in {wanted[start : start + AT_ONCE]}",
            output_fields=["number"],
            consistency_level=level,
        )
        there |= {row["number"] for row in rows}
    return {picture: number for picture, number in pictures.items() if number not in there}
