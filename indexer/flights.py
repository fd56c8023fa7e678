"""Work in threads, a bounded number of pieces ahead of whoever takes the results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

READERS = 16
"""Threads that wait for files and hosts."""

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(
    executor: Executor, work: Callable[[T], R], items: Iterable[T], ahead: int
) -> Iterator[R]:
    """Map `work` over `items` with at most `ahead` in flight; results in the order of items."""
    flight: deque[Future[R]] = deque()
    try:
        for item in items:
            flight.append(executor.submit(work, item))
            if len(flight) >= ahead:
                yield flight.popleft().result()
        while flight:
            yield flight.popleft().result()
    finally:
        for future in flight:
            future.cancel()
