"""Which pages of other sites may ask the API (CORS): those that the setting `cors_origins` names.

Cookies are never let through: such a page shows a key of its own, or reads what is open.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Flask
from flask_cors import CORS

from indexer.errors import UsageError
from web.answers.request_ids import HEADER
from web.settings import Settings

ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)

API: Final = re.compile("/api/")

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

SENT: Final = ("Authorization", "Content-Type", "If-None-Match", HEADER)
"""Headers that a page may send."""

TOLD: Final = (
    "ETag",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Server-Timing",
    HEADER,
)
"""Headers of the answer that a page may read."""

SECONDS: Final = 600
"""How long a browser remembers what it may send."""


def register(app: Flask, settings: Settings) -> None:
    """Let pages of the sites that are named ask an application's API.

    Raises
    ------
    UsageError
        If the setting `cors_origins` names what is no origin.
    """
    named = origins_of(settings.cors_origins)
    if not named:
        return
    # Words would be taken for patterns if they looked like some.
    exact = [re.compile(rf"{re.escape(one)}\Z", re.IGNORECASE) for one in named]
    CORS(
        app,
        resources={
            API: {
                "origins": "*" if named == ["*"] else exact,
                "methods": METHODS,
                "allow_headers": SENT,
                "expose_headers": TOLD,
            }
        },
        send_wildcard=True,
        supports_credentials=False,
        allow_private_network=False,
        intercept_exceptions=False,  # errors are answers like others here
        max_age=SECONDS,
    )


def origins_of(said: str) -> list[str]:
    """Return the origins that a setting names, ``["*"]`` for all of them.

    Raises
    ------
    UsageError
        If one of them is none.
    """
    named = [one.rstrip("/") for one in re.split(r"[\s,]+", said.strip()) if one]
    if [one.lower() for one in named] in ([], ["none"]):
        return []
    if "*" in named:
        return ["*"]
    for one in named:
        if not ORIGIN.fullmatch(one):
            raise UsageError(
                f"The setting cors_origins names {one!r}, which is no origin.",
                hint="Write https://shop.example, several of them with commas between, * for all"
                " sites or none.",
            )
    return named
