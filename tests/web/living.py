"""Servers on a real index with the fake network, also in processes of their own."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from waitress import wasyncore

from web.app import create_app
from web.serving.server import listening, new_server
from web.settings import Settings

ROOT = Path(__file__).parents[2]

FAKE_NETWORK = """
import sys
if any("lookalike" in part for part in sys.orig_argv):
    import indexer.embedder
    from tests.conftest import FakeEmbedder
    FAKE = FakeEmbedder()
    indexer.embedder.Embedder.for_bulk = lambda *_, **__: FAKE
    indexer.embedder.Embedder.for_photos = lambda *_, **__: FAKE
"""
"""A `sitecustomize` that puts the fake network in place in every process that starts with it."""


PATIENT = {"LOOKALIKE_QUEUE_SECONDS": "600", "LOOKALIKE_RECEIVE_SECONDS": "600"}
"""A machine may stand still for half a minute, a busy one or a virtual one: to the server that
looks as if a request had waited too long, and it would be right to refuse it."""

STILL = 120.0
"""Seconds that a process may take to end, for the same reason."""


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@contextlib.contextmanager
def served(app: Flask, settings: Settings, threads: int = 4) -> Iterator[str]:
    """Serve an application from threads of this process; lend its address."""
    over = threading.Event()

    def loop() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=1.0, map=server._map, count=1, use_poll=True)

    with listening("127.0.0.1", 0) as listener:
        server = new_server(app, settings, listener, threads)
        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.effective_port}"
        finally:
            over.set()
            server.pull_trigger()
            thread.join(STILL)
            server.task_dispatcher.shutdown()
            # Last: whoever pulls a trigger that is closed writes into a descriptor that may be
            # somebody else's by then.
            wasyncore.close_all(server._map)


@contextlib.contextmanager
def serving(index: Path, tmp_path: Path, *arguments: str, ends: int = 0) -> Iterator[Any]:
    """Run `lookalike serve` with the fake network; lend the process, its address and line."""
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(FAKE_NETWORK)
    paths = os.pathsep.join([str(site), str(ROOT)])
    command = [sys.executable, "-P", "-m", "lookalike", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--index", str(index), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PATIENT, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                yield process, found[0], line
                return
        raise AssertionError(f"The server said no address: {''.join(said)}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        with process:
            assert process.wait(STILL) == ends


def app_on(index: Path, **settings: Any) -> tuple[Flask, Settings]:
    """Return an application on an index, and its settings."""
    given = Settings(index=index, **settings)
    return create_app(given), given
