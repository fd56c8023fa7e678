"""A real Milvus server on this machine, which tests may stop and start."""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

SCRIPT = """
import os, signal, socket, sys, time
from milvus import MilvusServer

parent = os.getppid()
folder, ttl, port, *free = sys.argv[1:]

def bound(port):  # else it goes to the next port while connections to this one fade away
    try:
        return socket.create_server(("127.0.0.1", int(port)))  # which may reuse it
    except OSError:
        return None

server = MilvusServer()
config = server.config
config.try_bind_port = bound
# All of its ports are its own, and so is its etcd: others may run on this machine.
names = [name for name in config.configurable_items if name.endswith("_port")]
config.update(**{**dict(zip(names, map(int, free))), "proxy_port": int(port)})
server.webservice_port, client, peer = map(int, free[-3:])
with open(f"{folder}/etcd.yaml", "w") as said:
    for name, url in (("client", client), ("peer", peer)):
        said.write(f"listen-{name}-urls: http://127.0.0.1:{url}\\n")
    said.write(f"advertise-client-urls: http://127.0.0.1:{client}\\n")
    said.write(f"initial-advertise-peer-urls: http://127.0.0.1:{peer}\\n")
    said.write(f"initial-cluster: default=http://127.0.0.1:{peer}\\n")
config.extra_configs = {
    "common.session.ttl": ttl,
    "etcd.use.embed": f"true\\n  config:\\n    path: {folder}/etcd.yaml",
}
server.set_base_dir(folder)
wait = server.wait_started
server.wait_started = lambda: wait(120_000)
server.start()
print("started", flush=True)
while os.getppid() == parent:
    time.sleep(1)
os.killpg(0, signal.SIGKILL)  # whoever started it was killed
"""

PORTS = 14
"""That it listens on, beside the one that is asked: more than it has names for."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, and from which no connection goes out."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 1000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("No port is free.")


class Server:
    """Milvus in a process of its own.

    Parameters
    ----------
    patience : int, optional
        Seconds for which its parts may not hear of one another, on a busy machine, before it ends
        itself; and which it waits for the parts that were there before, once it is started again.
    """

    def __init__(self, patience: int = 20) -> None:
        self._patience = patience
        self._folder = tempfile.TemporaryDirectory(prefix="milvus-", ignore_cleanup_errors=True)
        self.port, *self._ports = free_ports(1 + PORTS)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Where it keeps its data."""
        return Path(self._folder.name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = Path(self._folder.name) / "said.log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-c", SCRIPT, self._folder.name),
                    *map(str, (self._patience, self.port, *self._ports)),
                ],
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != b"started":
            self.stop()
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
