"""The OpenAPI document: how a route is put into it, and the pages that show it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import metadata, resources
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    render_template,
    request,
    send_from_directory,
)
from flask_openapi3 import APIBlueprint, Info, OpenAPI, Tag
from pydantic import BaseModel, ValidationError

from web.answers.headers import FOREVER
from web.api.models import ErrorAnswer
from web.api.openapi_document import completed
from web.errors import invalid

View = TypeVar("View", bound=Callable[..., Any])

VERSION = "1"

ERRORS = {500: ErrorAnswer}
"""What every route may answer."""

API_ERRORS = ERRORS | dict.fromkeys((401, 403, 422, 429, 503), ErrorAnswer)
"""What every route of the API may answer."""

pages = Blueprint("docs", __name__)


def new_app(name: str) -> OpenAPI:
    """Return an application that documents itself; its own pages about that are turned off."""
    return OpenAPI(
        name,
        info=Info(
            title="Lookalike",
            version=VERSION,
            description="Finds the listings of a catalogue that look like a photo.",
        ),
        doc_ui=False,
        validation_error_model=ErrorAnswer,
        validation_error_callback=_raise_invalid,
    )


def blueprint(name: str, about: str, url_prefix: str = "") -> APIBlueprint:
    """Return a blueprint whose routes are in the document."""
    return APIBlueprint(
        name,
        __name__,
        url_prefix=url_prefix or None,
        abp_tags=[Tag(name=name, description=about)],
        abp_responses=API_ERRORS if url_prefix else ERRORS,
    )


def route(
    target: APIBlueprint,
    method: str,
    rule: str,
    *,
    answers: type[BaseModel],
    errors: tuple[int, ...] = (),
    bodies: dict[str, type[BaseModel]] | None = None,
) -> Callable[[View], View]:
    """Serve a function and document it, in the words of its docstring.

    Parameters
    ----------
    target : APIBlueprint
        Where the route belongs.
    method, rule : str
        ``"get"`` or ``"post"``, and Flask's rule.
    answers : model
        What it answers when all is well.
    errors : tuple of int, optional
        The statuses that it answers otherwise, besides those of every route.
    bodies : mapping of str to model, optional
        The bodies that it takes, by content type; the function reads them itself.
    """

    def decorate(view: View) -> View:
        summary, _, more = (inspect.getdoc(view) or "").partition("\n")
        add = getattr(target, method)
        add(
            rule,
            summary=summary.rstrip("."),
            description=" ".join(more.split()) or summary,
            operation_id=view.__name__,
            responses={200: answers, **dict.fromkeys(errors, ErrorAnswer)},
            openapi_extensions=_request_body(target, bodies) if bodies else None,
        )(view)
        return view

    return decorate


@pages.get("/openapi.json")
def openapi_json() -> Response:
    """Answer the OpenAPI document."""
    document = cast(Any, current_app).api_doc
    return jsonify(completed(document, request.script_root))


@pages.get("/docs")
def docs() -> str:
    """Show the document, to be read and tried out."""
    return render_template("docs.html", swagger=metadata.version("flask-openapi3-swagger"))


@pages.get("/docs/assets/<path:name>")
def asset(name: str) -> Response:
    """Answer a file of Swagger UI, as its package has it."""
    response = send_from_directory(_swagger(), name)
    response.headers["Cache-Control"] = FOREVER if "v" in request.args else "no-cache"
    return response


def _swagger() -> Path:
    return Path(str(resources.files("flask_openapi3_swagger"))) / "templates" / "swagger"


def _request_body(target: APIBlueprint, bodies: dict[str, type[BaseModel]]) -> dict[str, Any]:
    content = {}
    for mimetype, model in bodies.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        target.components_schemas.update(schema.pop("$defs", {}))
        target.components_schemas[model.__name__] = schema
        content[mimetype] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"requestBody": {"required": True, "content": content}}


def _raise_invalid(error: ValidationError) -> None:
    raise invalid(error)
