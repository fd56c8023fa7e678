"""The OpenAPI document made whole: examples, keys, headers, and what Flask serves by itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from web.api.openapi_errors import ERRORS
from web.api.openapi_examples import ANSWERS, PARAMETERS, REQUESTS
from web.api.uploads import FORM

BEARER = "key"
"""What the document calls the way in which keys travel."""

SECURITY_SCHEMES = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that `lookalike keys` made: `Authorization: Bearer KEY`. Its scope"
        " is read, write (which reads, too) or admin. Without one, a server answers what it leaves"
        " open: searching, as a rule, and writing for programs on its own machine while there is no"
        " key at all.",
    }
}

HEADERS: dict[str, dict[str, Any]] = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "How a key is sent: `Bearer`.",
        "schema": {"type": "string"},
    },
    "Server-Timing": {
        "description": "How many milliseconds it took: of a search what `took_ms` says, then `app`"
        " for all that was done, and `queue` for the wait before that.",
        "schema": {"type": "string"},
    },
    "X-Request-ID": {
        "description": "What the request is called in the server's log: as the request itself said"
        " under this name, where that is at most 64 letters, digits, dots, dashes and underscores.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "What the answer is recognised by. A request that sends it back as"
        " `If-None-Match` is answered 304, without a body, while nothing has changed.",
        "schema": {"type": "string"},
    },
}

OF_STATUS = {
    "401": ("WWW-Authenticate",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}

TAGGED = ("get_status", "get_listing", "get_openapi")
"""Operations whose answers are the same until something changes."""

ERROR = {"$ref": "#/components/schemas/ErrorAnswer"}


def completed(document: dict[str, Any], root: str = "") -> dict[str, Any]:
    """Return the document with all that cannot be said where a route is made.

    Parameters
    ----------
    document : dict
        As flask-openapi3 makes it. It is left as it is.
    root : str, optional
        The prefix under which the server is reached.
    """
    whole: dict[str, Any] = copy.deepcopy(document)
    whole["servers"] = [{"url": root or "/", "description": "This server."}]
    whole["paths"] |= copy.deepcopy(OTHERS)
    whole["components"]["securitySchemes"] = SECURITY_SCHEMES
    whole["components"]["headers"] = HEADERS
    whole["tags"].append({"name": "operations", "description": "The rest of what is served."})
    for path, operation in _operations(whole):
        _complete(path, operation)
    forms = set(_forms(whole))
    for name, schema in whole["components"]["schemas"].items():
        for field in schema.get("properties", {}).values():
            _describe(field)
            if name in forms:
                _never_null(field)
    return whole


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _complete(path: str, operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    # An empty requirement: without a key, it is up to the server's settings.
    operation["security"] = [{}, {BEARER: []}] if "401" in operation["responses"] else []
    answers = operation["responses"]
    for status in sorted(answers):
        answer = answers[status] = dict(answers.pop(status))
        if int(status) >= 400:
            answer |= _error(int(status))
        elif name in ANSWERS:
            (content,) = answer["content"].values()
            content["examples"] = {"An answer": {"value": ANSWERS[name]}}
        headers = ["X-Request-ID", *OF_STATUS.get(status, ())]
        if path.startswith("/api/"):
            headers.append("Server-Timing")
        if name in TAGGED and status == "200":
            headers.append("ETag")
        answer["headers"] = {one: {"$ref": f"#/components/headers/{one}"} for one in headers}
    for kind, examples in REQUESTS.get(name, {}).items():
        operation["requestBody"]["content"][kind]["examples"] = {
            said: {"value": value} for said, value in examples.items()
        }
    for parameter in operation.get("parameters", []):
        _never_null(parameter["schema"])
        if parameter["name"] in PARAMETERS.get(name, {}):
            parameter["example"] = PARAMETERS[name][parameter["name"]]


def _describe(field: dict[str, Any]) -> None:
    """Let a field that may be null say what it is: pydantic says so of the part that is not."""
    for part in field.get("anyOf", ()):
        if "description" in part:
            field.setdefault("description", part.pop("description"))


def _forms(document: dict[str, Any]) -> Iterator[str]:
    for _, operation in _operations(document):
        form = operation.get("requestBody", {}).get("content", {}).get(FORM)
        if form:
            yield form["schema"]["$ref"].rpartition("/")[2]


def _never_null(field: dict[str, Any]) -> None:
    """Take null out of what is text in the end: a field of a form, or of a query string."""
    kinds = [part for part in field.get("anyOf", ()) if part != {"type": "null"}]
    if len(kinds) == 1:
        del field["anyOf"]
        field |= {name: value for name, value in kinds[0].items() if name not in field}
    if field.get("type") == ["string", "null"]:
        field["type"] = "string"
    if field.get("default", "") is None:
        del field["default"]


def _error(status: int) -> dict[str, Any]:
    about, code, message, hint = ERRORS[status]
    value = {"error": {"code": code, "message": message, "hint": hint}}
    return {
        "description": about,
        "content": {"application/json": {"schema": ERROR, "examples": {code: {"value": value}}}},
    }


def _plain(
    name: str, summary: str, kind: str, schema: dict[str, Any], *errors: int
) -> dict[str, Any]:
    return {
        "get": {
            "tags": ["operations"],
            "summary": summary,
            "description": f"{summary}.",
            "operationId": name,
            "responses": {
                "200": {"description": "OK", "content": {kind: {"schema": schema}}},
                **{str(status): {} for status in (*errors, 500)},
            },
        }
    }


OTHERS = {
    "/metrics": _plain(
        "get_metrics",
        "Answer the server's numbers in Prometheus' format",
        "text/plain",
        {"type": "string"},
        401,
        403,
        429,
    ),
    "/api/v1/openapi.json": _plain(
        "get_openapi", "Answer this document", "application/json", {"type": "object"}
    ),
    "/api/v1/docs": _plain(
        "get_docs",
        "Show this document, to be read and tried out",
        "text/html",
        {"type": "string"},
    ),
}
"""What is served by plain routes of Flask."""
