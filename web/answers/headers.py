"""The headers that every answer carries, errors and static files included."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from web.pages.urls import static_version

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # data: for the small preview of a photo that was searched with, which is stored nowhere.
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

FOREVER = "public, max-age=31536000, immutable"
"""For what never changes under its URL."""

WATCHED: Final = frozenset({"health.get_health", "health.get_ready"})
"""Routes that tell of this moment only."""


def register(app: Flask) -> None:
    """Put the headers on every answer of the application."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.blueprint == "strip":
        # Its own policy says who may frame it, which this older header cannot.
        del response.headers["X-Frame-Options"]
    if request.endpoint == "static":
        _let_static_files_be_kept(response)
    elif "Cache-Control" not in response.headers:
        # Pages may be kept for "back", and are asked for anew otherwise; answers may not.
        kept = request.method in ("GET", "HEAD") and not request.path.startswith("/api/")
        kept = kept and request.endpoint not in WATCHED
        response.headers["Cache-Control"] = "no-cache" if kept else "no-store"
    return response


def _let_static_files_be_kept(response: Response) -> None:
    name = (request.view_args or {}).get("filename", "")
    version = request.args.get("v", "")
    if response.status_code < 400 and version and version == static_version(name):
        response.headers["Cache-Control"] = FOREVER
