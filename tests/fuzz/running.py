"""How long to look for trouble, and what counts as it besides a failure: a hang, and growth."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import functools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

HANG_SECONDS = 60
"""After which one input has hung: a hundred times what the slowest takes."""

LONG = False
"""Set by `python -m tests.fuzz` before the tests are loaded: other examples every time."""


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """Run a property over some examples: always the same ones in the suite."""
    return settings(
        max_examples=250 if LONG else examples,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def watched(seconds: float = HANG_SECONDS) -> Iterator[None]:
    """End the process, with a traceback, if what is done takes too long.

    Nothing less ends a decoder that hangs: no exception reaches it.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@functools.cache
def scratch() -> Path:
    """Return a folder for what is written; it goes with the process."""
    path = Path(tempfile.mkdtemp(prefix="lookalike-fuzz-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def memory() -> int | None:
    """Return the bytes of memory that this process holds; None where that cannot be told."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * 4096 if path.exists() else None
