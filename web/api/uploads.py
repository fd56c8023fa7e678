"""From a request to a query: forms, JSON, and the limits on both.

A photo is kept in memory and nowhere else, and the name of its file is not looked at.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from typing import IO, Any, NamedTuple, TypeVar

from flask import Flask, Request, request
from pydantic import BaseModel, ValidationError

from search.query import Example, Query
from web.api.models_search import ExampleJson, SearchFields, SearchJson
from web.errors import (
    BodyTooLarge,
    InvalidRequest,
    MalformedBody,
    UnsupportedMediaType,
    invalid,
)
from web.fetching.fetching import fetch_picture
from web.pages.sorting import SIMILARITY
from web.pages.wording import mebibytes
from web.settings import Settings, current_settings

Asked = TypeVar("Asked", bound=BaseModel)
Read = TypeVar("Read")

FORM = "multipart/form-data"
JSON = "application/json"

ROOM = 64 * 2**10
"""Bytes that a form or a JSON document may have around its photo."""

MAX_FIELDS = 32

REFUSED = "lookalike.refused"
"""Set in the WSGI environment by a server that let go of a body for being too large."""

ONE_OF_THREE = "Send a multipart form with the file in the field 'image', or JSON."


IN_A_FORM = "Send the photo's file in the field 'image': curl -F image=@photo.jpg"
"""What a program does about a form without a photo."""


class Search(NamedTuple):
    """A query, whether facets and explanations were asked for with it, and in which order."""

    query: Query
    facets: bool = False
    explain: bool = False
    sort: str = SIMILARITY


class MemoryRequest(Request):
    """A request whose uploaded files stay in memory; Werkzeug would put larger ones on disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


def register(app: Flask, settings: Settings) -> None:
    """Bound what a request's body may be."""
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = largest_body(settings)
    app.config["MAX_FORM_MEMORY_SIZE"] = ROOM
    app.config["MAX_FORM_PARTS"] = MAX_FIELDS
    app.before_request(_refuse_large_bodies)


def largest_body(settings: Settings) -> int:
    """Return the size of the largest body: a photo in base64, which takes a third more."""
    return settings.max_upload_bytes * 4 // 3 + ROOM


def from_json_or_form(by_json: Callable[[], Read], by_form: Callable[[], Read]) -> Read:
    """Read a request whose body is JSON or a multipart form; refuse any other."""
    if request.mimetype == JSON:
        return by_json()
    if request.mimetype == FORM:
        return by_form()
    raise not_taken(f"Send {FORM} with the file in the field 'image', or {JSON}.")


def not_taken(hint: str) -> UnsupportedMediaType:
    """Return the error of a body that is of another kind than those taken here."""
    kind = request.mimetype
    return UnsupportedMediaType(
        f"A body of type {kind} is not taken here." if kind else "Content-Type is missing.",
        hint=hint,
    )


def search_from_json() -> Search:
    """Read a search from a JSON body."""
    asked = body_as(SearchJson)
    if asked.cursor is not None:
        return Search(Query(cursor=asked.cursor))
    return _search(
        asked,
        photo=_photo_of(asked),
        listing_id=asked.listing_id,
        positives=tuple(map(_example, asked.positives)),
        negatives=tuple(map(_example, asked.negatives)),
    )


def _example(one: ExampleJson) -> Example:
    return Example(
        photo=_photo_of(one), listing_id=one.listing_id, region=one.region, weight=one.weight
    )


def _photo_of(asked: SearchJson | ExampleJson) -> bytes | None:
    if asked.image_url is not None:
        return fetch_picture(asked.image_url)
    return None if asked.image_base64 is None else photo_from_base64(asked.image_base64)


def search_from_form() -> Search:
    """Read a search from a multipart form, letting nothing unknown through."""
    photo = photo_from_form(by_url=False, hint=IN_A_FORM)
    return _search(fields_as(SearchFields), photo=photo)


def _search(asked: SearchFields | SearchJson, **searched_with: Any) -> Search:
    """Put what a search is made with to what is asked of its answer."""
    query = Query(
        **searched_with,
        k=asked.k,
        region=asked.region,
        min_score=asked.min_score,
        prior=asked.category_prior,
        filter=asked.filter,
        fold=asked.fold_duplicates,
    )
    return Search(query, asked.facets, asked.explain, asked.sort)


def photo_from_form(*, by_url: bool = True, hint: str = "Choose a photo first.") -> bytes:
    """Return the one photo of a multipart form: its file, or what its `image_url` leads to.

    Parameters
    ----------
    by_url : bool, optional
        False where a URL is no field of the form.
    hint : str, optional
        What to do where there is no photo.
    """
    if request.mimetype != FORM:
        raise not_taken(ONE_OF_THREE)
    files = request.files.getlist("image")
    if len(files) > 1:
        raise InvalidRequest("There is more than one image.", hint="Send one photo at a time.")
    photo = files[0].read() if files else b""
    # A form whose file field was left empty has a file without a name and without content.
    none = not files or (not photo and not files[0].filename)
    url = request.form.get("image_url", "").strip() if by_url else ""
    if url and not none:
        raise InvalidRequest(
            "There is a photo, and the address of one.", hint="Choose either of them."
        )
    if url:
        return fetch_picture(url)
    if none:
        raise InvalidRequest("There is no photo in the request.", hint=hint)
    return _bounded(photo)


def body_as(model: type[Asked]) -> Asked:
    """Read a JSON body, letting nothing unknown through."""
    try:
        return model.model_validate_json(request.get_data(cache=False), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            hint = f"Correct it: {first['ctx']['error']}."
            raise MalformedBody("The body is not JSON.", hint=hint) from error
        if not first["loc"] and first["type"].startswith("model"):
            raise InvalidRequest(
                "The body is no JSON object.", hint="Send one object, with the fields as its names."
            ) from error
        raise invalid(error) from error


def fields_as(model: type[Asked]) -> Asked:
    """Read what goes with the photo in a multipart form, letting nothing unknown through."""
    extra = set(request.files) - {"image"}
    if extra:
        raise InvalidRequest(f"There is no file {min(extra)!r} here.", hint="Send 'image' only.")
    for name, values in request.form.lists():
        if len(values) > 1:  # which of them would count?
            raise InvalidRequest(f"There is more than one {name!r}.", hint="Give it once.")
    given = {name: value for name, value in request.form.items() if value.strip()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error) from error


def photo_from_base64(text: str) -> bytes:
    """Return the photo in a JSON body."""
    compact = "".join(text.split())
    if not compact:
        raise InvalidRequest("The photo in base64 is empty.", hint="Send the bytes of its file.")
    most = current_settings().max_upload_bytes
    if len(compact) // 4 * 3 > most + 3:
        raise _too_large(most)
    try:
        return _bounded(base64.b64decode(compact, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(
            "image_base64 is not base64.",
            hint="Send the standard alphabet with its padding, without a 'data:' prefix.",
        ) from error


def _bounded(photo: bytes) -> bytes:
    most = current_settings().max_upload_bytes
    if len(photo) > most:
        raise _too_large(most)
    return photo


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The photo is larger than the {mebibytes(most)} allowed.",
        hint="Send a smaller one: 1000 pixels a side are plenty.",
    )


def _refuse_large_bodies() -> None:
    settings = current_settings()
    if request.mimetype == FORM:
        request.max_content_length = settings.max_upload_bytes + ROOM
    most = request.max_content_length or 0
    if REFUSED in request.environ or (request.content_length or 0) > most:
        raise _too_large(settings.max_upload_bytes)
