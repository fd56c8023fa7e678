"""Lines of libraries that no setting of theirs keeps off stderr."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def without_lines(mark: bytes) -> Iterator[None]:
    """Drop lines that hold `mark` from what is written to stderr, also by C, during a block.

    What else is written meanwhile is written after it.
    """
    with _lock, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if mark not in line:
                    os.write(2, line)
