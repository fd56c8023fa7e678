"""Answers that a client may keep and ask about again: `ETag`, and 304 where nothing has changed."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

KEPT: Final = frozenset({"search.get_status", "search.get_listing", "docs.openapi_json"})
"""What says the same until something changes. Pictures and the map have tags of their own."""


def register(app: Flask) -> None:
    """Tag an application's answers."""
    app.after_request(_tag)


def _tag(response: Response) -> Response:
    if request.endpoint in KEPT and response.status_code == 200:
        # Weak: it is the same however it is compressed.
        response.add_etag(weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
