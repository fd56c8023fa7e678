"""One line for each request: what was asked, what it came to, and nothing that is anybody's secret.

A path is told by its rule, since ids and tokens stand in it; of a client its key's id, and its
address only where the setting `log_addresses` says so.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from flask import Flask, Response, request

from web.access.scopes import client
from web.answers.request_ids import KNOWN
from web.settings import Settings

log = logging.getLogger("lookalike.access")

NOTED: Final = "lookalike.noted"
"""Where the application writes what it knows of a request, into the WSGI environment."""

QUIET: Final = ("/health", "/ready")
"""What something asks every few seconds, and nobody wants to read."""


def register(app: Flask, settings: Settings) -> None:
    """Note what the lines tell of each request that the application answers, if lines there are."""
    log.setLevel(logging.INFO if settings.access_log else logging.CRITICAL)
    if not settings.access_log:
        return

    def note(response: Response) -> Response:
        who = client()
        if who.startswith("address:") and not settings.log_addresses:
            who = "-"
        route = request.url_rule.rule if request.url_rule is not None else "none"
        request.environ[NOTED] = {"client": who, "route": route}
        return response

    app.after_request(note)


def tell(task: Any, environ: dict[str, Any]) -> None:
    """Write the line of a request that waitress has answered, or could not."""
    if not log.isEnabledFor(logging.INFO):
        return
    asked = task.request
    noted = environ.get(NOTED, {})
    method = str(getattr(asked, "command", "") or "-")[:20]
    # A file that is sent as one is not counted as it goes.
    expected = (task.content_length or 0) if method != "HEAD" and task.has_body else 0
    told = {
        "method": method,
        "route": noted.get("route", "none"),
        "status": int(task.status[:3]) if task.wrote_header else 0,
        "bytes": task.content_bytes_written or expected,
        "ms": round((time.monotonic() - asked.complete) * 1000, 1),
        "waited_ms": round(asked.waited * 1000, 1),
        "client": noted.get("client", "-"),
        "request_id": environ.get(KNOWN, ""),
    }
    if told["route"] in QUIET and told["status"] < 400:
        return
    log.info("%(method)s %(route)s %(status)d %(bytes)d B %(ms).1f ms %(client)s", told, extra=told)
