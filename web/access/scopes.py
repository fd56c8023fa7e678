"""Who may do what: one table of all routes, and one check before each of them.

A route that the table does not name needs a key, so one that is forgotten is closed and not open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from indexer.errors import LookalikeError
from web.access.key_shape import hidden
from web.access.key_use import KeyUse
from web.access.keys import Key, KeyFile, Keys, Scope, keys_file
from web.access.loopback import client_network, require_loopback, require_own_page
from web.answers.wanted import fragment_wanted, json_wanted
from web.errors import NotAllowed, Unauthorized
from web.settings import Settings, current_settings

SAFE: Final = ("GET", "HEAD", "OPTIONS")

PRINTABLE: Final = "".join(map(chr, range(33, 127)))

Needed: TypeAlias = Literal["open", "read", "write", "admin", "metrics"]

NEEDED: Final[dict[str, Needed]] = {
    "static": "open",
    "health.get_health": "open",
    "health.get_ready": "open",
    "docs.openapi_json": "open",
    "docs.docs": "open",
    "docs.asset": "open",
    "signing_in.show": "open",
    "signing_in.sign_in": "open",
    "signing_in.sign_out": "open",
    "metrics.get_metrics": "metrics",
    "search.search": "read",
    "search.get_listing": "read",
    "search.get_similar": "read",
    "search.get_status": "read",
    "explain.explain_hit": "read",
    "pages.home": "read",
    "pages.listing_page": "read",
    "photos.search": "read",
    "photos.search_again": "read",
    "photos.share": "read",
    "photos.shared": "read",
    "photos.shared_photo": "read",
    "photos.forget": "read",
    "likes.like": "read",
    "strip.show": "read",
    "pictures.thumbnail": "read",
    "pictures.preview": "read",
    "why.why_listing": "read",
    "why.why_photo": "read",
    "map.show_map": "read",
    "map.points": "read",
    "map.sheet": "read",
    "map.still": "read",
    "writing.put_listing": "write",
    "writing.patch_listing": "write",
    "writing.delete_listing": "write",
    "writing.write_batch": "write",
    "admin.show": "admin",
    "admin.get_figures": "admin",
    "admin.begin_upload": "admin",
    "admin.receive_piece": "admin",
    "admin.get_upload": "admin",
    "admin.work_on_upload": "admin",
}
"""What each route needs, by endpoint. ``open`` needs nothing ever; ``read`` a key where the setting
`reads` says so; ``write`` what the setting `writes` says; ``admin`` a key always; ``metrics`` is
decided where metrics are told."""

HOW: Final = "Send it as the header 'Authorization: Bearer KEY'."

AGAIN: Final = "Load the page anew to sign in."

MAKE: Final = "On the server's machine, lookalike keys add NAME --scope {scope} makes one."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    key : Key or None
        The key that was shown, if it is a good one.
    by_cookie : bool
        Whether a browser sent it by itself, as of a person who signed in.
    problem : LookalikeError or None
        Why a key that was shown is none.
    """

    key: Key | None = None
    by_cookie: bool = False
    problem: LookalikeError | None = None


def register(app: Flask, settings: Settings) -> None:
    """Check every request of an application."""
    path = keys_file(settings.index, settings.keys)
    app.extensions["lookalike.keys"] = KeyFile(path)
    app.extensions["lookalike.key_use"] = KeyUse(path)
    app.before_request(_check)
    app.after_request(_keep_private)


def needed(endpoint: str, method: str) -> Needed:
    """Return what a route needs."""
    return NEEDED.get(endpoint, "read" if method in SAFE else "admin")


def require(scope: Scope) -> None:
    """Refuse the request that is under way unless who asks may do this.

    Parameters
    ----------
    scope : {"read", "write", "admin"}
        What is to be done.

    Raises
    ------
    Unauthorized
        If it takes a key, and none was shown or it is not good.
    NotAllowed
        If the key, the place that the request comes from or the server's settings forbid it.
    KeysUnreadable
        If it takes a key and the keys cannot be read.
    """
    asking, settings = caller(), current_settings()
    if asking.problem is not None:
        raise asking.problem
    if scope == "read" and settings.reads == "open":
        return
    if scope == "write" and _writes_from_here():
        return
    if asking.key is None:
        raise Unauthorized(f"This takes a key with the scope {scope}.", hint=_how_to_show(scope))
    if not asking.key.may(scope):
        raise NotAllowed(
            f"This takes a key with the scope {scope}, and yours has {asking.key.scope}.",
            hint="Ask whoever runs this server for one.",
        )
    if asking.by_cookie and request.method not in SAFE:
        require_own_page()


def may(scope: Scope) -> bool:
    """Tell whether who asks has shown a key of a scope."""
    key = caller().key
    return key is not None and key.may(scope)


def client() -> str:
    """Name who asks: ``key:ID``, or ``address:`` and an IP address (of IPv6, a network of 64 bits).

    Raises nothing: whoever shows no good key is an address.
    """
    key = caller().key
    return f"key:{key.id}" if key is not None else f"address:{client_network(request.remote_addr)}"


def caller() -> Caller:
    """Return who asks, found out once for each request."""
    found: Caller | None = g.get("caller")
    if found is None:
        found = g.caller = _find_caller()
    return found


def current_keys() -> Keys:
    """Return the keys of the server that handles this request, as of now.

    Raises
    ------
    KeysUnreadable
        If they cannot be read.
    """
    file: KeyFile = current_app.extensions["lookalike.keys"]
    return file.keys()


def _find_caller() -> Caller:
    from web.access.signing_in import signed_in_key  # noqa: PLC0415 - it needs this module, too

    kind, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    try:
        if kind.lower() == "bearer":
            keys = current_keys()
            key = keys.known(text.strip())
            # Where there are no keys, whoever sends one all the same is as good as without.
            if key is None and keys.keys:
                raise Unauthorized(
                    "This key is unknown, revoked or out of date.",
                    hint="Check that it is whole, or ask whoever runs this server for another.",
                )
        else:
            key = signed_in_key()
    except LookalikeError as problem:
        return Caller(problem=problem)
    if key is not None:
        use: KeyUse = current_app.extensions["lookalike.key_use"]
        use.note(key.id)
    return Caller(key, by_cookie=key is not None and kind.lower() != "bearer")


def _writes_from_here() -> bool:
    """Tell whether writing takes no key but nearness, which is checked then."""
    writes = current_settings().writes
    if writes == "off":
        raise NotAllowed(
            "This server's listings cannot be written over the API.",
            hint="Its operator has set LOOKALIKE_WRITES=off.",
        )
    if writes == "keys" and current_keys().keys:
        return False
    require_loopback(
        "Listings are written",
        "Write on the server's machine, or with a key: "
        "there, lookalike keys add NAME --scope write makes one."
        if writes == "keys"
        else "LOOKALIKE_WRITES=loopback is set.",
    )
    require_own_page()
    return True


def _how_to_show(scope: Scope) -> str:
    if not current_keys().keys:
        return MAKE.format(scope=scope)
    return AGAIN if fragment_wanted() else HOW


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None or request.method == "OPTIONS":  # a preflight shows no key
        return None
    scope = needed(request.endpoint, request.method)
    if scope == "open" or scope == "metrics":  # noqa: PLR1714 - the types are told apart so
        return None
    try:
        require(scope)
    except Unauthorized:
        if not _is_person():
            raise
        return _to_sign_in()
    return None


def _is_person() -> bool:
    """Tell whether a browser asks for a page, in whose place a form to sign in can be shown.

    The strip stands in a page of another site, where nobody signs in here.
    """
    return (
        "text/html" in request.headers.get("Accept", "")
        and not fragment_wanted()
        and not json_wanted()
        and request.blueprint != "strip"
        and "Authorization" not in request.headers
    )


def _to_sign_in() -> ResponseReturnValue:
    following = url_for("pages.home")
    if request.method in SAFE:
        following = quote(request.script_root + request.path)
        asked = quote(request.query_string, safe=PRINTABLE)
        following += f"?{asked}" if asked else ""
    answer = redirect(url_for("signing_in.show", next=hidden(following)), 303)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep_private(response: Response) -> Response:
    """Keep what takes a key out of caches that several people share."""
    if current_settings().reads == "keys" and request.endpoint is not None:
        shared = response.cache_control.public
        if shared and needed(request.endpoint, request.method) != "open":
            response.cache_control.public = False
            response.cache_control.private = True
    return response
