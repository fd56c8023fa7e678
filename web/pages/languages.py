"""The languages of the pages: which there are, and which one is answered in.

What is written in templates and here in English is the key; `translations/` has the others. The
JSON API, the command line and the log are English.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, request, url_for
from flask_babel import Babel, get_locale

LANGUAGES: Final = {"en": "English", "ja": "日本語"}
"""The languages that there are, by code, each with its own name for itself."""

ARGUMENT = "lang"
"""In an address, what asks for a language."""

COOKIE = "language"

A_YEAR = 365 * 86_400


def register(app: Flask) -> None:
    """Answer every page in the reader's language."""
    Babel(app, default_translation_directories="translations", locale_selector=chosen)
    app.context_processor(_offer_to_templates)
    app.after_request(_remember)


def chosen() -> str:
    """Return the code of the language to answer in.

    The address says it, or what was said before (a cookie), or the browser's own settings.
    """
    for code in (request.args.get(ARGUMENT), request.cookies.get(COOKIE)):
        if code in LANGUAGES:
            return code
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def language_url(code: str) -> str:
    """Return this request's page in another language; the start page where it has no address."""
    if request.method != "GET" or request.endpoint is None:
        return url_for("pages.home", lang=code)
    asked: dict[str, Any] = request.args.to_dict(flat=False)
    asked[ARGUMENT] = code
    # `_anchor` and its like steer `url_for`, and are no business of an address.
    asked = {name: value for name, value in asked.items() if not name.startswith("_")}
    return url_for(request.endpoint, **{**asked, **(request.view_args or {})})


def _offer_to_templates() -> dict[str, Any]:
    return {
        "language": str(get_locale() or "en"),
        "languages": LANGUAGES,
        "language_url": language_url,
    }


def _remember(response: Response) -> Response:
    code = request.args.get(ARGUMENT)
    if code in LANGUAGES:
        response.set_cookie(
            COOKIE,
            code,
            max_age=A_YEAR,
            path=request.script_root or "/",
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response
