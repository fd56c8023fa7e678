"""Every error that leaves the server, in one shape, made in one place.

LookalikeError
├── MalformedBody          the body is not the JSON or the form that it says it is
├── BodyTooLarge           the body, or the photo in it, is over the limit
├── UnsupportedMediaType   the body is of a kind that this path does not take
├── InvalidRequest         a field is missing, unknown or out of its range
├── UrlSearchDisabled      the server does not fetch photos
├── FetchRefused           the URL is none that may be fetched
├── FetchFailed            nothing that could be used came from the URL
├── FetchBusy              too many pictures are being fetched
├── Overloaded             there is more to do than the server can do now
├── Unauthorized           it takes a key, and none was shown or it is not good
├── NotAllowed             who asks may not do this here
├── TooManyRequests        who asks has asked too often
├── KeysUnreadable         the file of keys is damaged, or may not be read
├── KeyNotFound            no key has this id or name
├── UploadNotFound         no catalogue was uploaded under this name
├── ShareGone              a photo that was shared is not kept any more, or never was
└── AddressUnavailable     the address to listen on is taken, or none of this machine
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from indexer.errors import IndexBusy, LookalikeError
from web.access.key_shape import hidden
from web.answers.request_ids import request_id
from web.api.privacy import path_for_log

log = logging.getLogger(__name__)

RETRY_AFTER = "5"
"""Seconds after which a client that was told "not yet" may ask again."""

JSON_PATHS = ("/api/", "/health", "/ready", "/metrics")

FRAGMENT = "X-Lookalike-Fragment"
"""The header by which the page's script asks for the part of a page that it shows in place."""


class MalformedBody(LookalikeError):
    """The body is not the JSON or the form that it says it is."""

    code = "malformed_body"
    status = 400


class BodyTooLarge(LookalikeError):
    """The body, or the photo in it, is over the limit."""

    code = "body_too_large"
    status = 413


class UnsupportedMediaType(LookalikeError):
    """The body is of a kind that this path does not take."""

    code = "unsupported_media_type"
    status = 415


class InvalidRequest(LookalikeError):
    """A field is missing, unknown or out of its range."""

    code = "invalid_request"
    status = 422


class UrlSearchDisabled(InvalidRequest):
    """The server does not fetch photos."""

    code = "url_search_disabled"


class FetchRefused(InvalidRequest):
    """The URL is none that may be fetched."""

    code = "fetch_refused"


class FetchFailed(InvalidRequest):
    """Nothing that could be used came from the URL."""

    code = "fetch_failed"


class FetchBusy(LookalikeError):
    """Too many pictures are being fetched."""

    code = "fetch_busy"
    status = 503


class Overloaded(LookalikeError):
    """There is more to do than the server can do now."""

    code = "overloaded"
    status = 503


class Unauthorized(LookalikeError):
    """It takes a key, and none was shown or it is not good."""

    code = "unauthorized"
    status = 401


class NotAllowed(LookalikeError):
    """Who asks may not do this here."""

    code = "not_allowed"
    status = 403


class TooManyRequests(LookalikeError):
    """Who asks has asked too often.

    Parameters
    ----------
    message, hint : str
        As of every error.
    seconds : int
        After which the next request is taken.
    """

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, hint: str = "", seconds: int) -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class KeysUnreadable(LookalikeError):
    """The file of keys is damaged, or may not be read."""

    code = "keys_unreadable"
    status = 503


class KeyNotFound(LookalikeError):
    """No key has this id or name."""

    code = "key_not_found"
    status = 404


class UploadNotFound(LookalikeError):
    """No catalogue was uploaded under this name."""

    code = "upload_not_found"
    status = 404


class ShareGone(LookalikeError):
    """A photo that was shared is not kept any more, or never was."""

    code = "share_gone"
    status = 410


class AddressUnavailable(LookalikeError):
    """The address to listen on is taken, or none of this machine."""

    code = "address_unavailable"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told of an error, whatever it was."""

    status: int
    code: str
    message: str
    hint: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whoever sends a key in a wrong place gets it back in words, in a log of theirs maybe.
        object.__setattr__(self, "message", hidden(self.message))
        object.__setattr__(self, "hint", hidden(self.hint))

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """Its JSON."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}


TOLD_INSTEAD: dict[str, tuple[str, str]] = {
    "index_not_ready": (
        "Nothing is indexed yet.",
        "Index a catalogue with: lookalike index CATALOG",
    ),
    "fetch_busy": (
        "Too many pictures are being fetched at once.",
        "Try again in a few seconds, or send the picture itself.",
    ),
    "overloaded": (
        "The server has more to do than it can do now.",
        "Try again in a few seconds.",
    ),
    "keys_unreadable": (
        "The server's keys cannot be read, so nothing that takes a key is done.",
        "The server's log says why.",
    ),
    "index_replaced": (
        "The index has just been replaced by another.",
        "Try again in a few seconds.",
    ),
    "index_too_new": ("The index was written by a newer Lookalike.", "Update this server."),
    "storage_error": (
        "The index cannot be written: the disk is full, or may not be written to.",
        "Nothing of this write was kept. Searches go on; the server's log says more.",
    ),
}
"""What is told instead of the words of an error that is the operator's to put right: those may
name files of this machine, which are no client's business. The log has them."""

NO_FAULT = ("index_not_ready", "index_replaced", "fetch_busy", "overloaded", "keys_unreadable")
"""What an operator need not hear of, or has heard of once already."""

UNUSABLE = ("The index cannot be used right now.", "The server's log says why.")

HTTP_HINTS = {
    404: "Check the address.",
    405: "The Allow header lists the methods that this address takes.",
}


def register(app: Flask) -> None:
    """Answer every error of the application from here."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> ResponseReturnValue:
    """Answer an error: as JSON under /api, as a page elsewhere."""
    problem = problem_of(error)
    if request.path.startswith(JSON_PATHS):
        response = jsonify(problem.body)
    else:
        part = "_error.html" if request.headers.get(FRAGMENT) else "error.html"
        response = make_response(render_template(part, problem=problem))
    response.status_code = problem.status
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def problem_of(error: Exception) -> Problem:
    """Find what is told of an error; what is not told is logged."""
    if isinstance(error, LookalikeError):
        return _of_ours(error)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _of_http(error)
    log.error("%s %s failed.", request.method, path_for_log(request.path), exc_info=error)
    return Problem(
        500,
        "internal_error",
        "Something went wrong here.",
        "The fault is the server's, and is in its log under the request's id,"
        f" {request_id()}. Try again later.",
    )


def invalid(error: ValidationError) -> InvalidRequest:
    """Put the first complaint of pydantic in words."""
    first = error.errors(include_url=False, include_input=False)[0]
    # Of what is told apart by a tag (a line of a batch, by its "op"), pydantic names the tag too.
    steps = [str(step) for step in first["loc"] if step != "[key]"]
    place = ".".join(steps[1:] if steps[:1] in (["put"], ["patch"], ["delete"]) else steps)
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "extra_forbidden":
        return InvalidRequest(
            f"There is no field {place!r} here.", hint="Leave it out, or check how it is spelt."
        )
    if not place:
        return InvalidRequest(f"{said}.")
    return InvalidRequest(f"{place}: {said[:1].lower()}{said[1:]}.", hint=f"Correct {place!r}.")


def _of_ours(error: LookalikeError) -> Problem:
    later = isinstance(error, IndexBusy) or error.status == HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"Retry-After": RETRY_AFTER} if later else {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.seconds)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if error.status < 500:
        return Problem(error.status, error.code, error.message, error.hint, headers)
    if error.code not in NO_FAULT:
        log.error("%s %s: %s", request.method, path_for_log(request.path), hidden(str(error)))
    message, hint = TOLD_INSTEAD.get(error.code, UNUSABLE)
    return Problem(error.status, error.code, message, hint, headers)


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    phrase = HTTPStatus(status).phrase
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() not in ("content-type", "content-length")
    }
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Problem(
            status, BodyTooLarge.code, "The request is too large.", "Send a smaller one."
        )
    return Problem(
        status,
        phrase.lower().replace(" ", "_").replace("-", "_"),
        {
            404: "There is nothing at this address.",
            405: f"This address does not take {request.method}.",
        }.get(status, f"{phrase}."),
        HTTP_HINTS.get(status, ""),
        headers,
    )
