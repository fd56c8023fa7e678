"""From a request to what is written, and who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app, request
from pydantic import TypeAdapter, ValidationError

from indexer.embedder import Embedder
from indexer.errors import IndexBusy, LookalikeError
from indexer.listing import Attribute, Listing, Picture
from indexer.model import installed_network
from indexer.operations import FIELDS, MAX_PICTURES, Operation, Patch, Put, Remove, Written
from indexer.pictures import PictureLimits
from indexer.sources.values import MAX_ID, attribute
from indexer.writing import Writer
from web.access.scopes import require
from web.api.models_write import (
    MAX_ATTRIBUTES,
    Attributes,
    Id,
    ListingFields,
    ListingJson,
    PatchJson,
)
from web.api.uploads import ROOM, body_as, photo_from_base64
from web.engine import EngineHolder, SearchEngine, current_engine
from web.errors import InvalidRequest, invalid
from web.fetching.fetching import fetch_picture
from web.monitoring.metrics import current_metrics
from web.settings import current_settings

NO_PICTURE = "Give at least one; to change fields alone, send a PATCH."

FAILED = "failed"

ID: TypeAdapter[str] = TypeAdapter(Id)
ATTRIBUTES: TypeAdapter[dict[str, Attribute]] = TypeAdapter(Attributes)


def require_writer() -> None:
    """Refuse the request that is under way unless it may write: see `web.access.scopes.require`."""
    if request.method != "OPTIONS":  # by which a browser asks beforehand, and shows no key
        require("write")


def write(operation: Operation) -> Written:
    """Do an operation of this request.

    Raises
    ------
    LookalikeError
        If it cannot be done; nothing has changed then.
    """
    kind = kind_of(operation)
    try:
        (outcome,) = writer().write([operation])
    except LookalikeError:
        current_metrics().wrote(kind, FAILED)
        raise
    if isinstance(outcome, LookalikeError):
        current_metrics().wrote(kind, FAILED)
        raise outcome
    current_metrics().wrote(kind, outcome.outcome)
    return outcome


def writer() -> Writer:
    """Return what writes to the index that is served.

    Raises
    ------
    LookalikeError
        If there is none: what is acknowledged must be there for the next search.
    """
    engine = current_engine()
    most = min(engine.limits.max_bytes, current_settings().max_upload_bytes)
    limits = PictureLimits(max_bytes=most, max_pixels=engine.limits.max_pixels)
    of_engine: Callable[[PictureLimits], Writer] | None = getattr(engine, "writer", None)
    if of_engine is not None:  # it is no folder that is written to
        return of_engine(limits)
    return Writer(current_settings().index, _embedder, limits=limits)


def _embedder() -> Embedder:
    """Return the network of the index as it lies there now, even if it has just been replaced."""
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    engine: SearchEngine = holder.get()
    if installed_network(holder.path) != engine.network:
        raise IndexBusy(
            "The index has just been replaced by another.",
            hint="Try again in a few seconds; nothing of this write was kept.",
        )
    return engine.embedder()


# Single listings


def id_of(text: str) -> str:
    """Check an id that stands in a path.

    Raises
    ------
    InvalidRequest
        If no listing can have it.
    """
    if "\ufffd" in text:  # what stands for bytes that are no UTF-8: other ids have it too
        raise InvalidRequest(
            "The listing's id in the address is no UTF-8.",
            hint="Percent-encode its UTF-8 bytes.",
        )
    try:
        return ID.validate_python(text)
    except ValidationError as error:
        raise InvalidRequest(
            f"This cannot be a listing's id: {_said(error)}.",
            hint=f"Ids have 1 to {MAX_ID} characters, without slashes and control characters.",
        ) from error


def put_from_json(listing_id: str) -> Put:
    """Read a listing from a JSON body."""
    return put_of(listing_id, body_as(ListingJson))


def put_from_form(listing_id: str) -> Put:
    """Read a listing from a multipart form, in which every other field is an attribute."""
    request.max_form_parts = MAX_PICTURES + len(FIELDS) + MAX_ATTRIBUTES + 1
    request.max_form_memory_size = 16 * ROOM
    extra = set(request.files) - {"image"}
    if extra:
        raise InvalidRequest(f"There is no file {min(extra)!r} here.", hint="Send 'image' only.")
    files = [file.read() for file in request.files.getlist("image")]
    given = {
        name: [value for value in request.form.getlist(name) if value.strip()]
        for name in request.form
    }
    for name in (*FIELDS, "attributes"):
        if len(given.get(name, [])) > 1:
            raise InvalidRequest(f"There is more than one {name!r}.", hint="Give it once.")
    said = {name: given.pop(name)[0] for name in FIELDS if given.get(name)}
    document = "".join(given.pop("attributes", []))
    try:
        fields = ListingFields.model_validate(said)
        attributes = _attributes(document)
        for name in FIELDS:
            given.pop(name, None)
        attributes |= ATTRIBUTES.validate_python(
            {name: values[0] if len(values) == 1 else values for name, values in given.items()}
        )
    except ValidationError as error:
        raise invalid(error) from error
    # A file field that was left empty is a file without content.
    return Put(_listing(listing_id, fields, attributes, [file for file in files if file]))


def _attributes(document: str) -> dict[str, Attribute]:
    if not document:
        return {}
    try:
        return ATTRIBUTES.validate_json(document, strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise InvalidRequest("attributes is not JSON.", hint="Send an object.") from error
        raise


def patch_from_json(listing_id: str) -> Patch:
    """Read what is to change of a listing from a JSON body."""
    return patch_of(listing_id, body_as(PatchJson))


def put_of(listing_id: str, asked: ListingJson) -> Put:
    """Return what a listing in JSON asks for."""
    pictures = [photo_from_base64(text) for text in asked.pictures]
    pictures += map(fetch_picture, asked.image_url or ())
    return Put(_listing(listing_id, asked, asked.attributes, pictures))


def _listing(
    listing_id: str,
    fields: ListingFields,
    attributes: Mapping[str, Attribute],
    pictures: list[bytes],
) -> Listing:
    if not pictures:
        raise InvalidRequest(f"The listing {listing_id!r} has no picture.", hint=NO_PICTURE)
    cleaned = {name: attribute(value) for name, value in attributes.items()}
    return Listing(
        listing_id,
        tuple(Picture("", data) for data in pictures),
        fields.title,
        fields.category,
        fields.price,
        fields.currency,
        fields.url,
        {name: value for name, value in cleaned.items() if value is not None},
        "the API",
    )


def patch_of(listing_id: str, asked: PatchJson) -> Patch:
    """Return what a change in JSON asks for."""
    given = asked.model_fields_set & set(FIELDS)
    fields: dict[str, Any] = {name: getattr(asked, name) for name in given}
    for name in given - {"price"}:
        fields[name] = fields[name] or ""
    said = {
        name: None if value is None else attribute(value)
        for name, value in asked.attributes.items()
    }
    return Patch(listing_id, fields, said)


def kind_of(operation: Operation) -> str:
    """Return what a write is called in metrics."""
    return {Put: "put", Patch: "patch", Remove: "delete"}[type(operation)]


def _said(error: ValidationError) -> str:
    said: str = error.errors(include_url=False, include_input=False)[0]["msg"]
    return said.removeprefix("Value error, ").rstrip(".")
