"""How bodies come in: what waitress does with one that is too large, done kindly.

Waitress on its own answers an oversized request with plain text and hangs up while the client is
still sending, which most clients report as a broken connection. Here the rest of such a body is
read and let go, up to a bound, and the application answers in its own shape.
"""

from __future__ import annotations

import io
import json
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from web.errors import Problem
from web.headers import HEADERS
from web.uploads import REFUSED

LET_GO = 64 * 2**20
"""How many bytes too many are read before the connection is cut after all."""


class Nowhere:
    """A buffer that keeps nothing."""

    def append(self, data: bytes) -> None:
        """Let go of some bytes."""

    def getfile(self) -> io.BytesIO:
        """Return what was kept."""
        return io.BytesIO()

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def __len__(self) -> int:
        return 0


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request, and past the body that is too large."""

    expect_continue = False
    refused = False
    cut = False
    let_go = 0

    def received(self, data: bytes) -> int:
        """Take some bytes of the request; return how many belong to it."""
        consumed: int = self._pass_over(data) if self.refused else super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self._refuse()
        return consumed

    def _refuse(self) -> None:
        self.error = None
        self.refused = True
        # Of a client that asks before it sends there is nothing to read.
        self.cut = bool(self.expect_continue) or self.content_length > LET_GO
        self.completed = self.cut or bool(self.body_rcv.completed)
        self.expect_continue = False
        self.body_rcv.getbuf().close()
        self.body_rcv.buf = Nowhere()
        self.headers["CONTENT_LENGTH"] = "0"

    def _pass_over(self, data: bytes) -> int:
        consumed: int = self.body_rcv.received(data)
        self.let_go += consumed
        if self.body_rcv.completed:
            self.completed = True
        elif self.body_rcv.error or self.let_go > LET_GO:
            self.cut = self.completed = True
        return consumed


class ApplicationTask(WSGITask):  # type: ignore[misc]
    """Runs the application, telling it where a body was let go."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        if self.request.refused:
            environ[REFUSED] = True
        return environ

    def execute(self) -> None:
        """Answer, and hang up on a client that has not finished sending."""
        if self.request.cut:
            self.set_close_on_finish()
        super().execute()


class RefusalTask(ErrorTask):  # type: ignore[misc]
    """Answers what is no HTTP that the application could be asked about."""

    def execute(self) -> None:
        """Answer in the shape of every other error."""
        error = self.request.error
        code = error.reason.lower().replace(" ", "_")
        problem = Problem(error.code, code, f"{error.reason}.")
        body = json.dumps(problem.body).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(
            [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *HEADERS.items()]
        )
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that is served by the above."""

    parser_class = Parser
    task_class = ApplicationTask
    error_task_class = RefusalTask
