"""What kind of answer a request wants: JSON, a page, or the part of a page."""

from __future__ import annotations

from typing import Final

from flask import request

JSON_PATHS: Final = ("/api/", "/health", "/ready", "/metrics")
"""What programs ask for, and are answered in JSON also where something is wrong."""

SCRIPTS_PATH: Final = "/admin/"
"""What the admin page's script asks for, and a person at most by mistake."""

FRAGMENT: Final = "X-Lookalike-Fragment"
"""The header by which the page's script asks for the part of a page that it shows in place."""


def json_wanted() -> bool:
    """Tell whether a program asks."""
    if request.path.startswith(SCRIPTS_PATH):
        return "text/html" not in request.headers.get("Accept", "")
    return request.path.startswith(JSON_PATHS)


def fragment_wanted() -> bool:
    """Tell whether the page's script asks, for what it shows in place."""
    return bool(request.headers.get(FRAGMENT))
