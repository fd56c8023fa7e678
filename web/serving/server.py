"""The server: waitress in front of the application, until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from waitress import wasyncore

from indexer.errors import LookalikeError
from web.access.admission import admission
from web.api.uploads import largest_body
from web.app import create_app
from web.engine import EngineHolder
from web.errors import AddressUnavailable
from web.learning import Learner
from web.monitoring import logs
from web.monitoring.metrics import Metrics
from web.serving.caretaker import Caretaker
from web.serving.connections import Server
from web.serving.lanes import new_lanes
from web.serving.memory import Memory
from web.serving.workers import ALONE, Worker, supervise
from web.settings import Settings

THREADS = max(4, os.cpu_count() or 1)

OTHER_FILES = 256
"""How many files are open besides connections, at most: snapshots, databases."""

LAST_SECONDS = 10.0
"""How long requests may still take to finish after the server was told to stop."""


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    threads: int | None = None,
    workers: int = 1,
) -> None:
    """Serve the page and the API until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        What to serve, and how.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    threads : int, optional
        How many requests are answered at once, by each worker.
    workers : int, optional
        Processes that answer.

    Raises
    ------
    AddressUnavailable
        If there is no listening there.
    """
    with listening(host, port) as listener:
        if workers == 1:
            serve_on(listener, settings, host, threads)
        else:
            supervise(listener, settings, host, threads, workers)


def serve_on(
    listener: socket.socket,
    settings: Settings,
    host: str,
    threads: int | None = None,
    worker: Worker = ALONE,
) -> None:
    """Serve on a socket that listens, as one worker of some, until SIGINT or SIGTERM."""
    logs.set_up(settings)
    make_room_for(settings.connections)
    app = create_app(settings, threads=worker.share_of_cores())
    server = new_server(app, settings, listener, threads or THREADS)
    holder: EngineHolder = app.extensions["lookalike.engine"]
    learner: Learner | None = app.extensions["lookalike.learner"]
    compacting = settings.compact and worker.number == 0
    caretaker = Caretaker(
        holder,
        app.extensions["lookalike.metrics"],
        compacting=compacting,
        shares=app.extensions["lookalike.shares"],
    )
    line = start_up_line(
        server,
        host,
        holder,
        learning=learner is not None,
        access=admission(settings, host),
        workers=worker.of,
    )

    def announce() -> None:
        if worker.announces:
            logs.say(line, settings)

    caretaker.start()
    try:
        run(server, announce)
    finally:
        caretaker.close()
        if learner is not None:
            learner.close()
        holder.close()


def serve_as(worker: Worker, settings: Settings, host: str, threads: int | None) -> None:
    """Serve as a worker that another process has begun."""
    worker.end_with_parent()
    with worker.socket() as listener:
        serve_on(listener, settings, host, threads, worker)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Open the socket to listen on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AddressUnavailable(
            f"Cannot listen on {host}, port {port}: {reason}.",
            hint="Choose another with --port (0 takes a free one) or --host.",
        ) from error
    with listener:
        yield listener


def new_server(app: Flask, settings: Settings, listener: socket.socket, threads: int) -> Server:
    """Put waitress between a socket and the application."""
    # A page of thumbnails fills the queue for a moment, each time: nothing to warn of.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    most = largest_body(settings) + 1
    metrics: Metrics = app.extensions["lookalike.metrics"]
    lanes = new_lanes(
        app, metrics, threads=threads, most=settings.queue, seconds=settings.queue_seconds
    )
    return Server(
        app,
        lanes,
        metrics,
        Memory(max(most, settings.upload_memory), metrics.body_bytes.set),
        settings.receive_seconds,
        sockets=[listener],
        connection_limit=settings.connections,
        cleanup_interval=1,
        recv_bytes=64 * 2**10,  # large photos come in twice as fast as by waitress's 8 KB
        max_request_body_size=most,
        inbuf_overflow=most + 1,  # photos on their way in stay off the disk
        ident="lookalike",
        # They tell that a proxy stands before this: whoever may write is decided by that.
        clear_untrusted_proxy_headers=False,
    )


def make_room_for(connections: int) -> None:
    """Let this process have as many files open as it takes, as far as it may."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def start_up_line(
    server: Any,
    host: str,
    holder: EngineHolder,
    *,
    learning: bool,
    access: str = "",
    workers: int = 1,
) -> str:
    """Say where the server is, what it serves and, as `web.access.admission` has it, to whom."""
    try:
        holds = f"{holder.get().status()['listings']:,} listings"
    except LookalikeError as error:
        holds = f"not yet: {error.message}"
    name = f"[{host}]" if ":" in host else host
    return (
        f"Lookalike serves {holder.path} ({holds}) at http://{name}:{server.effective_port}"
        + f" with {workers} workers" * (workers > 1)
        + (f" - {access}" if access else ".")
        + " The mean of their photos is learned (LOOKALIKE_LEARN_FROM_QUERIES)." * learning
    )


def run(server: Any, announce: Callable[[], None]) -> None:
    """Serve until told to stop, then let what is under way finish.

    Parameters
    ----------
    server : waitress server
        From `new_server`.
    announce : callable
        Called once the server can be told to stop: whoever reads the start-up line may do so.
    """
    told = False

    def stop(*_: object) -> None:
        nonlocal told
        told = True
        server.pull_trigger()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    sockets = server._map
    try:
        announce()
        while not told:
            wasyncore.loop(timeout=1.0, map=sockets, count=1, use_poll=True)
        wasyncore.dispatcher.close(server)
        last = time.monotonic() + LAST_SECONDS
        while _busy(server) and time.monotonic() < last:
            server.maintenance(time.time())  # which is called by who listens, else
            wasyncore.loop(timeout=0.1, map=sockets, count=1, use_poll=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)


def _busy(server: Any) -> bool:
    return any(
        channel.requests or channel.total_outbufs_len or channel.request is not None
        for channel in server.active_channels.values()
    )
