"""How often a client may ask: by key, or by address where there is none.

Every request counts, also one that is refused for another reason; to sign in, only what fails.
What needs nothing (`/health`, the files of the page) is not counted.
"""

from __future__ import annotations

import os
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits.errors import ConfigurationError, StorageError

from indexer.errors import UsageError
from web.access.loopback import client_network
from web.access.rate_storage import SCHEME
from web.access.scopes import caller, client, needed
from web.answers.problems import answer
from web.errors import TooManyRequests
from web.monitoring.metrics import FOLDER
from web.settings import Settings, current_settings

Group: TypeAlias = Literal["search", "write", "read", "sign_in"]

SEARCHES: Final = frozenset(
    {
        "search.search",
        "photos.search",
        "photos.share",
        "photos.shared",
        "explain.explain_hit",
        "why.why_photo",
    }
)
"""What looks at a photo, or may: a thousand times the work of a page."""

SIGN_IN: Final = "5 per minute"
"""Attempts that fail, for each address. Nobody guesses a key, but nobody needs to try either."""

PATIENCE: Final = 0.5
"""Seconds to wait for another machine that counts: as long as that, its clients wait too."""

FILE: Final = "rate-limits.sqlite"

SAID: Final = {
    "search": "Too many searches.",
    "write": "Too many writes.",
    "read": "Too many requests.",
    "sign_in": "Too many attempts to sign in.",
}


def register(app: Flask, settings: Settings) -> None:
    """Count the requests of an application.

    Raises
    ------
    UsageError
        If there is nothing that counts under the setting `rate_storage`.
    """
    limiter = Limiter(
        _who,
        application_limits=[
            ApplicationLimit(_rate, scope=lambda _: _group() or "none"),
            ApplicationLimit(_rate_of_signing_in, scope="sign_in", deduct_when=_failed),
        ],
        storage_uri=_storage(settings.rate_storage),
        storage_options=_options(settings.rate_storage),
        strategy="fixed-window",
        # Another machine that counts may be away, or the disk full: each worker then counts for
        # itself until that is over.
        in_memory_fallback_enabled=True,
    )
    try:
        limiter.init_app(app)
    except ConfigurationError as error:
        raise _unknown_storage(error) from None
    app.extensions["lookalike.limiter"] = limiter
    app.register_error_handler(RateLimitExceeded, _refuse)
    app.after_request(_tell)


def described(settings: Settings) -> str:
    """Say what the limits are, for the start-up line."""
    rates = {
        "searches": settings.rate_search,
        "writes": settings.rate_write,
        "other requests": settings.rate_read,
    }
    said = [rate.replace(" per ", f" {what} per ") for what, rate in rates.items() if rate != "off"]
    return f"{', '.join(said)} for each client" if said else "no rate limits"


def _group() -> Group | None:
    """Return which limit the request that is under way comes under."""
    endpoint = request.endpoint
    if endpoint is None or request.method == "OPTIONS":
        return None
    if endpoint in SEARCHES:
        return "search"
    if endpoint == "signing_in.sign_in":
        return "sign_in"
    scope = needed(endpoint, request.method)
    if scope == "open":
        return None
    return "write" if scope == "write" else "read"


def _rate() -> str:
    """Return the rate of the request that is under way; nothing where there is none."""
    group, settings = _group(), current_settings()
    if group is None or group == "sign_in":
        return ""
    rate = {
        "search": settings.rate_search,
        "write": settings.rate_write,
        "read": settings.rate_read,
    }[group]
    key = caller().key
    if group == "search" and key is not None and key.rate is not None:
        rate = key.rate
    return "" if rate == "off" else rate


def _rate_of_signing_in() -> str:
    return SIGN_IN if _group() == "sign_in" else ""


def _failed(response: Response) -> bool:
    """Tell whether an attempt to sign in counts: an office has one address and many people."""
    return response.status_code == HTTPStatus.UNAUTHORIZED


def _who() -> str:
    if _group() == "sign_in":
        return f"address:{client_network(request.remote_addr)}"
    return client()


def _refuse(_: RateLimitExceeded) -> ResponseReturnValue:
    seconds = _standing()[2]
    return answer(
        TooManyRequests(
            SAID[_group() or "read"],
            hint=f"Try again in {seconds} second{'s' * (seconds != 1)}.",
            seconds=seconds,
        )
    )


def _standing() -> tuple[int, int, int]:
    """Return the limit, what is left of it, and in how many seconds all of it is there again."""
    limit = current_app.extensions["lookalike.limiter"].current_limit
    reset, remaining = limit.window
    return limit.limit.amount, remaining, max(1, int(reset - time.time() + 0.999))


def _tell(response: Response) -> Response:
    limit = current_app.extensions["lookalike.limiter"].current_limit
    # Whoever reads headers is a program; pages and thumbnails need not be looked up once more.
    if limit is None or not (request.path.startswith("/api/") or limit.breached):
        return response
    try:
        most, remaining, seconds = _standing()
    except StorageError:  # it was there when the request came, and the next one tells
        return response
    response.headers["RateLimit-Limit"] = str(most)
    response.headers["RateLimit-Remaining"] = str(remaining)
    response.headers["RateLimit-Reset"] = str(seconds)
    return response


def _storage(said: str) -> str:
    if said != "auto":
        return said
    together = os.environ.get(FOLDER)
    return f"{SCHEME}://{Path(together) / FILE if together else ''}"


def _options(said: str) -> dict[str, Any]:
    options: dict[str, Any] = {"wrap_exceptions": True}
    if said.startswith("redis"):
        options |= {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}
    return options


def _unknown_storage(error: ConfigurationError) -> UsageError:
    # The setting may have a password in it, and so may the error.
    if "prerequisite" in str(error) or "minimum version" in str(error):
        return UsageError(
            "What LOOKALIKE_RATE_STORAGE names needs a package, or a newer version of one.",
            hint="For Redis: pip install 'lookalike[redis]'.",
        )
    return UsageError(
        "LOOKALIKE_RATE_STORAGE names nothing that can count.",
        hint="It is auto, or such as redis://HOST:6379.",
    )
