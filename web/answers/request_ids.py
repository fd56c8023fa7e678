"""A name for each request: in the answer, in every line of the log, and where something failed."""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

from flask import Flask, Response, g, has_request_context, request

from web.access.key_shape import hidden

HEADER: Final = "X-Request-ID"

KNOWN: Final = "lookalike.request_id"
"""Where the name stands in the WSGI environment, for the server in front of the application."""

SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A client's own name for its request that is taken over: nothing that could forge a log."""


def register(app: Flask) -> None:
    """Put the name of its request on every answer of an application."""
    app.after_request(_tell)


def request_id() -> str:
    """Return the name of the request that is under way: the client's own, or a new one.

    Empty where none is under way.
    """
    if not has_request_context():
        return ""
    found: str | None = g.get("request_id")
    if found is None:
        found = g.request_id = sane_or_new(request.headers.get(HEADER, ""))
        request.environ[KNOWN] = found
    return found


def sane_or_new(said: str) -> str:
    """Return what a client calls its request, or a new name where that is nothing for a log."""
    # A key has such letters, too.
    return said if SANE.fullmatch(said) and hidden(said) == said else uuid4().hex


def _tell(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    return response
