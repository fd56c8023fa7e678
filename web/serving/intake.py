"""How requests come in: what waitress does with one that is too much, done kindly.

Waitress on its own answers an oversized request with plain text and hangs up while the client is
still sending, which most clients report as a broken connection. Here the rest of such a body is
read and let go, up to a bound, and the application answers in its own shape. The same becomes of a
body that there is no memory for. And who takes too long to send one is told so.
"""

from __future__ import annotations

import io
import time
from typing import Any, Literal

from waitress.parser import HTTPRequestParser
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from web.serving.memory import Memory
from web.serving.overload import Reason

LET_GO = 64 * 2**20
"""How many bytes too many are read before the connection is cut after all."""

LONGEST_LINE = 16 * 2**10
"""Bytes of a line that stands between the parts of a chunked body."""

SLOWEST = 32 * 2**10
"""Bytes a second that a client may take its time with."""


class RequestTimeout(Error):  # type: ignore[misc]
    """The request did not come in within its time."""

    code = 408
    reason = "Request Timeout"


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
    """Reads a request, and past a body that is too much.

    Parameters
    ----------
    adj : waitress.adjustments.Adjustments
        The limits that waitress knows.
    memory : Memory
        What bodies are kept in.

    Attributes
    ----------
    refused : bool
        Whether the body was let go.
    overloaded : {"memory", "queue", "waited"} or None
        Why, where it was not for its size.
    cut : bool
        Whether the client has not finished sending, and is hung up on.
    began, complete : float
        When its first byte came, and its last; on the clock of `time.monotonic`.
    waited : float
        Seconds for which it has waited for its turn.
    """

    expect_continue = False
    # Of what is no HTTP waitress sets none of these, and names them in its log.
    command = path = ""
    error: Error | None

    def __init__(self, adj: Any, memory: Memory) -> None:
        super().__init__(adj)
        self.refused = False
        self.overloaded: Reason | None = None
        self.cut = False
        self.let_go = 0
        self.began = self.complete = time.monotonic()
        self.waited = 0.0
        self._memory = memory
        self._held = 0
        self._closed = False

    def received(self, data: bytes) -> int:
        """Take some bytes of the request; return how many belong to it."""
        if self.refused:
            consumed = self._pass_over(data)
        else:
            first = not self.headers_finished
            consumed = int(super().received(data))
            if isinstance(self.error, RequestEntityTooLarge):
                self._refuse()
            elif self._is_endless():
                self.error = BadRequest("A line of the chunked body is too long")
                self.completed = True
            elif not (self._has_room() if first else self._keep()):
                self._refuse("memory")
        self.complete = time.monotonic()
        return consumed

    def overdue(self, now: float, seconds: float) -> bool:
        """Tell whether the request takes too long to come in."""
        came = self.header_bytes_received + self.body_bytes_received + self.let_go
        return bool(now - self.began > seconds + came / SLOWEST)

    def give_up(self) -> None:
        """Stop waiting for the rest."""
        self.complete = time.monotonic()
        self.completed = True
        if self.refused:
            self.cut = True
        else:
            self.error = RequestTimeout("")

    def overload(self, reason: Reason) -> None:
        """Let go of a request that has come in, for want of time to answer it."""
        self.overloaded = reason
        self._let_go_of_body()

    def close(self) -> None:
        """Free what the body takes."""
        super().close()
        self.release()

    def release(self) -> None:
        """Give the memory back, for good: it may be called in the middle of `received`."""
        self._closed = True
        self._give_back()

    def _is_endless(self) -> bool:
        # waitress keeps what may become a line, and looks through all of it each time.
        lines = (getattr(self.body_rcv, name, b"") for name in ("control_line", "trailer"))
        return any(len(line) > LONGEST_LINE for line in lines)

    def _has_room(self) -> bool:
        return self.content_length <= 0 or self._memory.has_room(self.content_length)

    def _keep(self) -> bool:
        if self.body_rcv is None or self._closed:
            return True
        more = len(self.body_rcv) - self._held
        if not self._memory.take(more):
            return False
        self._held += more
        return True

    def _refuse(self, reason: Literal["memory"] | None = None) -> None:
        self.error = None
        self.refused = True
        self.overloaded = reason
        # Of a client that asks before it sends there is nothing to read.
        self.cut = bool(self.expect_continue) or self.content_length > LET_GO
        self.completed = self.cut or bool(self.body_rcv.completed)
        self.expect_continue = False
        self._let_go_of_body()

    def _let_go_of_body(self) -> None:
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
            self.body_rcv.buf = Nowhere()
        self.headers["CONTENT_LENGTH"] = "0"
        self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._memory.give_back(self._held)
            self._held = 0

    def _pass_over(self, data: bytes) -> int:
        consumed: int = self.body_rcv.received(data)
        self.let_go += consumed
        if self.body_rcv.completed:
            self.completed = True
        elif self.body_rcv.error or self.let_go > LET_GO or self._is_endless():
            self.cut = self.completed = True
        return consumed
