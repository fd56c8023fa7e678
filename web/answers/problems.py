"""Every error that leaves the server, in one shape, made in one place.

What is told depends on who asks: see `web.access.strangers` and the page on security.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from indexer.errors import IndexBusy, LookalikeError, PictureError, QueryError
from web.access.key_shape import hidden
from web.access.strangers import asked_by_stranger, fit_for_strangers, is_operators
from web.answers.request_ids import request_id
from web.answers.wanted import fragment_wanted, json_wanted
from web.api.privacy import path_for_log
from web.errors import (
    BodyTooLarge,
    InvalidRequest,
    MalformedBody,
    TooManyRequests,
    Unauthorized,
)

log = logging.getLogger(__name__)

RETRY_AFTER: Final = "5"
"""Seconds after which a client that was told "not yet" may ask again."""


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


TOLD_INSTEAD: Final[dict[str, tuple[str, str]]] = {
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
    "store_unavailable": ("The index does not answer right now.", "Try again in a few seconds."),
    "index_too_new": ("The index was written by a newer Lookalike.", "Update this server."),
    "storage_error": (
        "The index cannot be written: the disk is full, or may not be written to.",
        "Nothing of this write was kept. Searches go on; the server's log says more.",
    ),
}
"""What is told instead of the words of an error that is the operator's to put right: those may
name files of this machine, which are no client's business. The log has them."""

UNUSABLE: Final = ("The index cannot be used right now.", "The server's log says why.")

NO_FAULT: Final = (
    "index_not_ready",
    "index_replaced",
    "fetch_busy",
    "overloaded",
    "keys_unreadable",
    "store_unavailable",
)
"""What an operator need not hear of, or has heard of once already."""

SHORT: Final = ("fetch_busy", "overloaded", "index_replaced", "store_unavailable")
"""What passes by itself, in seconds."""

TOLD_STRANGERS: Final[dict[str, tuple[str, str]]] = {
    "index_not_ready": ("Nothing is indexed yet.", "Try again later."),
    **{code: TOLD_INSTEAD[code] for code in SHORT},
}
"""The faults that a public server tells strangers apart. Of the others they hear that there is one,
and neither which (`UNAVAILABLE`) nor what is being done about it."""

UNAVAILABLE: Final = "unavailable"

OF_REQUESTS: Final = (QueryError, InvalidRequest, MalformedBody)

NO_PICTURE: Final = "The picture cannot be used."

NOT_NOW: Final = ("This cannot be done right now.", "Try again later.")

HTTP_HINTS: Final = {
    404: "Check the address.",
    405: "The Allow header lists the methods that this address takes.",
}


def register(app: Flask) -> None:
    """Answer every error of the application from here."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> ResponseReturnValue:
    """Answer an error: as JSON under /api, as a page elsewhere."""
    problem = problem_of(error)
    if json_wanted():
        response = jsonify(problem.body)
    else:
        part = "_error.html" if fragment_wanted() else "error.html"
        response = make_response(render_template(part, problem=problem))
    response.status_code = problem.status
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def problem_of(error: Exception) -> Problem:
    """Find what is told of an error; what is not told is logged."""
    if isinstance(error, LookalikeError):
        problem = _of_ours(error)
        return _for_strangers(problem, error) if asked_by_stranger() else problem
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


def _for_strangers(problem: Problem, error: LookalikeError) -> Problem:
    """Leave out what only the operator can do something with."""
    if problem.status >= 500:
        message, hint = TOLD_STRANGERS.get(problem.code, NOT_NOW)
        code = problem.code if problem.code in TOLD_STRANGERS else UNAVAILABLE
        return replace(problem, code=code, message=message, hint=hint)
    message = problem.message
    # What is wrong with a request is said in its own words, whatever they look like.
    if not isinstance(error, OF_REQUESTS) and is_operators(message):
        message = NO_PICTURE if isinstance(error, PictureError) else NOT_NOW[0]
    return replace(problem, message=message, hint=fit_for_strangers(problem.hint))


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
