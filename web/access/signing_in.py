"""Signing in: a person gives a key once, and the browser a cookie with each request.

The cookie is signed and says nothing but the key's id: a key that is revoked lets nobody in, with
whatever cookie. The secret that signs it lies with the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer

from web.access.key_shape import hidden
from web.access.keys import Key, Keys
from web.access.loopback import require_own_page
from web.access.scopes import caller, current_keys
from web.access.strangers import asked_by_stranger

COOKIE: Final = "lookalike_key"

SECONDS: Final = 12 * 3600
"""How long somebody stays signed in."""

MOST: Final = 200
"""Characters of a key that are looked at."""

signing_in = Blueprint("signing_in", __name__)


def signed_in_key() -> Key | None:
    """Return the key by which the person who asks has signed in, if it is still good.

    Raises
    ------
    KeysUnreadable
        If there is a cookie, and the keys cannot be read.
    """
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    keys = current_keys()
    if not keys.keys:  # nor is there a secret that anything could be signed with
        return None
    try:
        id_ = _signer(keys).loads(cookie, max_age=SECONDS)
    except BadData:
        return None
    return keys.by_id(id_) if isinstance(id_, str) else None


@signing_in.get("/sign-in")
def show() -> ResponseReturnValue:
    """Show the form, or go on where somebody has signed in already."""
    if signed_in_key() is not None:
        return redirect(_following(request.args), 303)
    return _form()


@signing_in.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Take a key, and give the cookie for it."""
    require_own_page()
    keys = current_keys()
    key = keys.known(request.form.get("key", "")[:MOST].strip())
    if key is None:
        return _form(_("This key is unknown, revoked or out of date. Check that it is whole."))
    answer = make_response(redirect(_following(request.form), 303))
    answer.set_cookie(
        COOKIE,
        _signer(keys).dumps(key.id),
        max_age=SECONDS,
        path=request.script_root or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return answer


@signing_in.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Take the cookie back."""
    require_own_page()
    answer = make_response(redirect(url_for("pages.home"), 303))
    answer.delete_cookie(COOKIE, path=request.script_root or "/", httponly=True, samesite="Strict")
    return answer


@signing_in.app_context_processor
def _offer_to_templates() -> dict[str, Any]:
    return {"signed_in": _name_of_key}


def _name_of_key() -> str:
    """Return the name of the key by which somebody has signed in; empty where nobody has."""
    asking = caller()
    return asking.key.name if asking.key is not None and asking.by_cookie else ""


def _form(trouble: str = "") -> ResponseReturnValue:
    answer = make_response(
        render_template(
            "sign_in.html",
            trouble=trouble,
            following=_following(request.values),
            # How to make one is told to who can.
            there_are_keys=bool(current_keys().keys) or asked_by_stranger(),
            # From a link on another site, a browser holds the cookie back. It sends it once this
            # page asks again by itself.
            again=request.headers.get("Sec-Fetch-Site") == "cross-site" and not trouble,
        ),
        HTTPStatus.UNAUTHORIZED if trouble else HTTPStatus.OK,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _following(given: Mapping[str, str]) -> str:
    """Return where to go next: a place of this server, whatever was asked for."""
    place = given.get("next", "")
    try:
        parts = urlsplit(place)
    except ValueError:
        return url_for("pages.home")
    ours = f"{request.script_root}/"
    # Browsers take a backslash for a slash and drop line ends: "/\elsewhere" and "/<tab>/elsewhere"
    # are other sites to them.
    odd = "\\" in place or any(ord(character) <= 32 for character in place)
    if parts.scheme or parts.netloc or odd or not place.startswith(ours) or place[1:2] == "/":
        return url_for("pages.home")
    return hidden(place)


def _signer(keys: Keys) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(keys.secret, salt="lookalike.sign-in")
