"""A real Milvus server on this machine, which tests may stop and start."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

SCRIPT = """
import signal, socket, sys
from milvus import MilvusServer
def bound(port):  # else it goes to the next port while connections to this one fade away
    try:
        return socket.create_server(("127.0.0.1", port))  # which may reuse it
    except OSError:
        return None
server = MilvusServer()
server.config.try_bind_port = bound
server.config.extra_configs = {"common.session.ttl": "5"}
server.set_base_dir(sys.argv[1])
server.listen_port = int(sys.argv[2])
wait = server.wait_started
server.wait_started = lambda: wait(60_000)
server.start()
print("started", flush=True)
signal.pause()
"""


class Server:
    """Milvus in a process of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="milvus-", ignore_cleanup_errors=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = Path(self._folder.name) / "said.log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, self._folder.name, str(self.port)],
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != b"started":
            self.stop()
            # It brings an etcd of its own, whose port is fixed: there can be one on a machine.
            raise AssertionError(f"Milvus does not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as a crash would; what it holds stays on the disk."""
        process, self._process = self._process, None
        if process is None:
            return
        # Not asked to go: it lingers for a minute then, and answers in the place of the next one.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()

    def address(self, collection: str, **options: str) -> str:
        """Return the address of an index on it."""
        said = "&".join(f"{name}={value}" for name, value in options.items())
        return f"milvus://127.0.0.1:{self.port}/{collection}" + (f"?{said}" if said else "")

    def close(self) -> None:
        """Stop it and remove what it held."""
        self.stop()
        self._folder.cleanup()


@cache
def shared() -> Server:
    """Return the one server of this run of the tests."""
    server = Server()
    atexit.register(server.close)
    server.start()
    return server


def wait_until(true: object, seconds: float = 60.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "It did not become true."
        time.sleep(0.2)
