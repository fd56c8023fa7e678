"""How long an answer took, told with it: `Server-Timing`, which browsers and proxies look for."""

from __future__ import annotations

import time
from typing import Final

from flask import Flask, Response, g, request

WAITED: Final = "lookalike.waited"
"""In the WSGI environment, the seconds for which the request has waited for its turn."""

HEADER: Final = "Server-Timing"


def register(app: Flask) -> None:
    """Time the answers of the API; what a search says of itself stays."""
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    if not request.path.startswith("/api/"):
        return response
    said = [response.headers[HEADER]] if HEADER in response.headers else []
    waited = request.environ.get(WAITED)
    if waited is not None:
        said.append(f"queue;dur={waited * 1000:.1f}")
    if "began" in g:
        said.append(f"app;dur={(time.perf_counter() - g.began) * 1000:.1f}")
    if said:
        response.headers[HEADER] = ", ".join(said)
    return response
