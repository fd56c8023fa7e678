"""Several processes that answer on one socket, and the one that sees to them.

Each worker is a fresh interpreter and no fork: FAISS can hang after that. The one that sees to them
holds the socket, answers nothing, and begins a worker anew that ended by itself. Should it be
killed, its end of a pipe is closed, and the workers end too.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from web.monitoring import logs
from web.settings import Settings

log = logging.getLogger(__name__)

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where `prometheus_client` adds several processes up; it looks when it is imported."""

GRACE_SECONDS = 15.0
"""How long workers may take to finish what is under way before they are killed."""

SOON = 10.0
"""Seconds: a worker that ends so soon after it began waits before it begins again."""

LONGEST_WAIT = 30.0

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's place.

    Attributes
    ----------
    number, of : int
        Which one it is, from 0, of how many.
    listener, lifeline : int
        Descriptors of the socket to answer on, and of the pipe that is closed once nobody sees to
        it any more; -1 where it is alone.
    announces : bool
        Whether it says where the server is.
    """

    number: int = 0
    of: int = 1
    listener: int = -1
    lifeline: int = -1
    announces: bool = True

    def share_of_cores(self) -> int | None:
        """Return how many threads its network may have; None for all that there are."""
        return None if self.of == 1 else max(1, (os.cpu_count() or 1) // self.of)

    def as_text(self) -> str:
        """Return what `parsed` reads."""
        numbers = (self.number, self.of, self.listener, self.lifeline, int(self.announces))
        return ",".join(map(str, numbers))

    @classmethod
    def parsed(cls, text: str) -> Worker:
        """Read a worker's place.

        Raises
        ------
        ValueError
            If it is none.
        """
        number, of, listener, lifeline, announces = map(int, text.split(","))
        return cls(number, of, listener, lifeline, bool(announces))

    def socket(self) -> socket.socket:
        """Return the socket to answer on."""
        return socket.socket(fileno=self.listener)

    def end_with_parent(self) -> None:
        """Be told to stop, as by a signal, once the process that sees to it is gone."""
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def _watch(self) -> None:
        os.read(self.lifeline, 1)  # nothing is ever written: it returns when the other end closes
        os.kill(os.getpid(), signal.SIGTERM)


ALONE = Worker()


class _Place:
    """A worker's place, which a process takes after another."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.began = 0.0
        self.wait = 1.0
        self.next = 0.0


def supervise(
    listener: socket.socket, settings: Settings, host: str, threads: int | None, workers: int
) -> None:
    """Serve with several workers until SIGINT or SIGTERM.

    Parameters
    ----------
    listener : socket
        Listens.
    settings : Settings
        As each worker finds them in its environment, but for the index and the runtime.
    host : str
        What the socket listens on, to be told.
    threads : int or None
        Of each worker.
    workers : int
        How many.
    """
    logs.set_up(settings)
    stopping = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    metrics = tempfile.mkdtemp(prefix="lookalike-metrics-")
    lifeline, ours = os.pipe()
    places = [_Place(number) for number in range(workers)]
    announced = False
    try:
        while not stopping.is_set():
            for place in places:
                _see_to(place, metrics)
                if place.process is None and time.monotonic() >= place.next:
                    announces = place.number == 0 and not announced
                    announced = announced or announces
                    worker = Worker(place.number, workers, listener.fileno(), lifeline, announces)
                    place.process = _begin(worker, settings, host, threads, metrics)
                    place.began = time.monotonic()
            stopping.wait(POLL_SECONDS)
    finally:
        _stop([place.process for place in places if place.process is not None])
        os.close(ours)
        os.close(lifeline)
        shutil.rmtree(metrics, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _see_to(place: _Place, metrics: str) -> None:
    """Note that a worker has ended; one that does so again and again waits ever longer."""
    if place.process is None or place.process.poll() is None:
        return
    now = time.monotonic()
    log.warning("Worker %d ended with %d.", place.number, place.process.returncode)
    # What it counted stays; of what it had, as of connections, nothing is left.
    mark_process_dead(place.process.pid, metrics)  # type: ignore[no-untyped-call]
    if now - place.began < SOON:
        place.next = now + place.wait
        place.wait = min(2 * place.wait, LONGEST_WAIT)
    else:
        place.wait = 1.0
    place.process = None


def _begin(
    worker: Worker, settings: Settings, host: str, threads: int | None, metrics: str
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "lookalike", "serve"]
    command += ["--index", str(Path(settings.index)), "--runtime", settings.runtime]
    command += ["--host", host, "--worker", worker.as_text()]
    if threads is not None:
        command += ["--threads", str(threads)]
    return subprocess.Popen(  # noqa: S603 - no word of it is a client's
        command,
        stdin=subprocess.DEVNULL,
        pass_fds=(worker.listener, worker.lifeline),
        env={**os.environ, METRICS_FOLDER: metrics},
    )


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End workers, letting what is under way finish."""
    for process in processes:
        process.terminate()
    last = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
