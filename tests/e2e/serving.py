"""A real server of a test's own: on a copy of the index, which it may change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(index: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Copy an index into a folder, serve it from there on a free port, and give its URL.

    What the server says is read to the end of its life: a pipe that nobody reads would stop it.
    """
    copy = folder / "data" / "index"
    shutil.copytree(index, copy)
    log = folder / "server.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "LOOKALIKE_COMPACT": "off", **settings}
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lookalike", "serve", "--port", "0", "--index", str(copy)],
            stderr=said,
            cwd=folder,
            env=environment,
        )
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        process.wait(timeout=120)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found.group()
        time.sleep(0.05)
    raise AssertionError(log.read_text())
