"""How long work says where it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Is told how many more are done."""


class Progress(Protocol):
    """Whoever shows progress: a terminal's bars, or nobody."""

    def track(self, what: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """Begin a stretch of work of `total` steps, None where that is not known."""

    def say(self, line: str) -> None:
        """Show one line of text."""


class Silent:
    """Shows nothing."""

    @contextmanager
    def track(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Begin a stretch of work that nobody watches."""
        yield lambda _: None

    def say(self, line: str) -> None:
        """Drop the line."""


SILENT = Silent()
