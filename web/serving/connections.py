"""The connections of the server: waitress's, with lanes, a clock and a bound on memory."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from web.monitoring.metrics import Metrics
from web.serving.intake import Parser
from web.serving.lanes import Lanes
from web.serving.memory import Memory
from web.serving.tasks import ApplicationTask, RefusalTask


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    task_class = ApplicationTask
    error_task_class = RefusalTask
    request: Parser | None
    will_close: bool

    def parser_class(self, adj: Adjustments) -> Parser:
        """Return what reads the next request."""
        return Parser(adj, self.server.memory)

    def look_at_clock(self, seconds: float) -> bool:
        """Give up a request that takes too long to come in; return whether one did."""
        request = self.request
        if self.requests or self.will_close or self.close_when_flushed:
            return False
        if request is None:
            silent = self.last_activity == self.creation_time
            if silent and time.time() - self.creation_time > seconds:
                self.will_close = True
        elif request.overdue(time.monotonic(), seconds):
            with self.requests_lock:
                self.request = None
                request.give_up()
                self.requests.append(request)
            self.server.add_task(self)
            return True
        return False

    def service(self) -> None:
        """Answer a request, and free what it takes whatever comes of that."""
        request = self.requests[0]
        try:
            super().service()
        finally:
            request.close()

    def handle_close(self) -> None:
        """Close the connection, and free what had come in on it."""
        super().handle_close()
        if self.request is not None:
            self.request.release()

    def cancel(self) -> None:
        """Give up all requests."""
        for request in self.requests:
            request.close()
        super().cancel()


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Takes connections and looks after them.

    Parameters
    ----------
    app : Flask
        What answers.
    lanes : Lanes
        Where requests wait for that.
    metrics : Metrics
        Are told of connections.
    memory : Memory
        What bodies are kept in.
    receive_seconds : float
        How long a request may take to come in.
    **given
        As for waitress; `sockets` is the one that listens.
    """

    channel_class = Channel

    def __init__(
        self,
        app: Flask,
        lanes: Lanes,
        metrics: Metrics,
        memory: Memory,
        receive_seconds: float,
        **given: Any,
    ) -> None:
        adj = Adjustments(**given)
        (listener,) = adj.sockets
        self.memory = memory
        self._metrics = metrics
        self._receive_seconds = receive_seconds
        super().__init__(
            app,
            map={},
            _sock=listener,
            dispatcher=lanes,
            adj=adj,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def maintenance(self, now: float) -> None:
        """Look after the connections: called about once a second."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.look_at_clock(self._receive_seconds):
                self._metrics.refused.labels("time").inc()
        self.task_dispatcher.expire()
        self._metrics.connections.set(len(self.active_channels))
