"""Saying no in time: what the server in front of the application tells of requests too many.

It answers nothing itself that has an address. It lets go of the body and asks the application,
which answers in its own shape: JSON under /api, a page elsewhere.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from flask import Flask, request

from web.errors import Overloaded

Reason: TypeAlias = Literal["memory", "queue", "waited"]

OVERLOADED: Final = "lookalike.overloaded"
"""Set in the WSGI environment, to a reason, by a server that has no room for the request."""

SAID: Final[dict[str, str]] = {
    "memory": "There is no memory left for the request.",
    "queue": "Too many requests wait for their turn already.",
    "waited": "The request has waited too long for its turn.",
}


def register(app: Flask) -> None:
    """Answer requests that the server in front has no room for; before anything else is done."""
    app.before_request(_refuse)


def _refuse() -> None:
    reason = request.environ.get(OVERLOADED)
    if reason:
        raise Overloaded(SAID[reason])
