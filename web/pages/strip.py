"""What is similar to a listing, as a strip for the pages of other sites.

Everything else here refuses to be framed. The strip is framed where the setting `embed_origins`
allows it, and shows nothing but what anybody can see: it sets no cookie and asks for none.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, make_response, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale

from indexer.errors import ListingNotFound, QueryError, UsageError
from search.query import Query
from web.engine import current_engine
from web.pages.languages import LANGUAGES
from web.pages.showing import shown_page
from web.settings import Settings, current_settings

COUNT: Final = 6
MOST: Final = 24
"""Listings of a strip that says nothing, and the most that it may ask for."""

THEMES: Final = ("auto", "light", "dark")

ORIGIN: Final = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:(\d{1,5}|\*))?", re.IGNORECASE)

FOR_A_WHILE: Final = "private, max-age=300"
"""A shopper who goes from product to product and back need not ask again."""

strip = Blueprint("strip", __name__)


@strip.record
def _check_origins(state: BlueprintSetupState) -> None:
    settings: Settings = state.app.extensions["lookalike.settings"]
    frame_ancestors(settings.embed_origins)


@strip.get("/strip/<listing_id>")
def show(listing_id: str) -> ResponseReturnValue:
    """Show the listings most similar to one, to be framed by the page of another site."""
    language = request.args.get("language", "")
    with force_locale(language if language in LANGUAGES else str(get_locale() or "en")):
        return _answer(listing_id)


def frame_ancestors(origins: str) -> str:
    """Return the sites of the setting `embed_origins` as a content security policy names them.

    Parameters
    ----------
    origins : str
        ``none``, ``*``, or origins separated by spaces or commas: ``https://shop.example``.

    Raises
    ------
    UsageError
        If one of them is no origin.
    """
    named = [origin for origin in re.split(r"[\s,]+", origins.strip()) if origin]
    if [origin.lower() for origin in named] in ([], ["none"]):
        return "'none'"
    for origin in named:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise UsageError(
                f"The setting embed_origins names {origin!r}, which is no origin.",
                hint="Write https://shop.example, several of them with commas between, * for all"
                " sites or none.",
            )
    return " ".join(named)


def _answer(listing_id: str) -> ResponseReturnValue:
    theme = request.args.get("theme", "")
    count = request.args.get("count", COUNT, type=int)
    status, hits = HTTPStatus.OK, []
    try:
        hits = _similar(listing_id, min(max(count, 1), MOST))
    except ListingNotFound:  # an empty strip takes no room on the page that asks for it
        status = HTTPStatus.NOT_FOUND
    response = make_response(
        render_template(
            "strip.html",
            hits=hits,
            theme=theme if theme in THEMES else THEMES[0],
            # In a language of its own, which need not be that of the request.
            language=str(get_locale() or "en"),
        ),
        status,
    )
    response.headers["Content-Security-Policy"] = _policy()
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = FOR_A_WHILE if status == HTTPStatus.OK else "no-store"
    return response


def _similar(listing_id: str, count: int) -> list[dict[str, Any]]:
    """Return the hits that are shown; none of a listing that cannot be compared."""
    engine = current_engine()
    engine.listing(listing_id)  # says so if there is none
    try:
        page = engine.search(Query(listing_id=listing_id, k=count, fold=True))
    except QueryError:  # all of its pictures were rejected, so there is nothing to compare
        return []
    hits: list[dict[str, Any]] = shown_page(page)["hits"]
    return hits


def _policy() -> str:
    ancestors = frame_ancestors(current_settings().embed_origins)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {ancestors}",
        )
    )
