"""The JSON API, version 1: writing listings."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, jsonify, request, stream_with_context

from indexer.operations import Operation, Remove
from web.api.batches import lines_of_batch, written_lines
from web.api.models import ListingPath
from web.api.models_write import (
    BatchLine,
    LineAnswer,
    ListingForm,
    ListingJson,
    PatchJson,
    WriteAnswer,
)
from web.api.openapi import blueprint, route
from web.api.uploads import FORM, JSON, from_json_or_form, not_taken
from web.api.writing import (
    id_of,
    patch_from_json,
    put_from_form,
    put_from_json,
    require_writer,
    write,
    writer,
)
from web.fetching.fetching import BATCH_SECONDS, allow_seconds

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")

LISTING = "/listings/<listing_id>"

writing = blueprint("writing", "Listings that come, change and go.", url_prefix="/api/v1")
writing.before_request(require_writer)


@route(
    writing,
    "put",
    LISTING,
    answers=WriteAnswer,
    errors=(400, 403, 409, 413, 415, 503, 507),
    bodies={FORM: ListingForm, JSON: ListingJson},
)
def put_listing(path: ListingPath) -> tuple[Response, int]:
    """Make a listing what is said here: add it, or replace the one of its id.

    Its pictures come as files of a multipart form, or in base64 as JSON. What is not said is empty
    afterwards. It is durable when it is answered, the next search finds it, and to say it twice is
    the same as to say it once. 201 where it is new, else 200.
    """
    name = id_of(path.listing_id)
    return _answer(from_json_or_form(lambda: put_from_json(name), lambda: put_from_form(name)))


@route(
    writing,
    "patch",
    LISTING,
    answers=WriteAnswer,
    errors=(400, 403, 404, 409, 413, 415, 503, 507),
    bodies={JSON: PatchJson},
)
def patch_listing(path: ListingPath) -> tuple[Response, int]:
    """Change fields of a listing; its pictures stay, and nothing is embedded again.

    Attributes are added to those that it has, or take their place; null takes one away.
    """
    if request.mimetype != JSON:
        raise not_taken(f"Send {JSON}.")
    return _answer(patch_from_json(path.listing_id))


@route(writing, "delete", LISTING, answers=WriteAnswer, errors=(403, 404, 409, 503, 507))
def delete_listing(path: ListingPath) -> tuple[Response, int]:
    """Take a listing out of the catalogue.

    The next search does not find it; its features and pictures go from the disk with the next
    compaction.
    """
    return _answer(Remove(path.listing_id))


@route(
    writing,
    "post",
    "/listings:batch",
    answers=LineAnswer,
    errors=(400, 403, 413, 415, 503),
    bodies={NDJSON[0]: BatchLine},
)
def write_batch() -> Response:
    """Do many writes: a JSON object a line in, and a JSON object a line out, in the same order.

    A line says `op` (put, patch or delete), `id`, and what the single writes take. One that is
    wrong is answered with its error, and does not stop the others; those before it are done first.
    At most 1,000 lines.
    """
    if request.mimetype not in NDJSON:
        raise not_taken(f"Send {NDJSON[0]}: one JSON object a line.")
    allow_seconds(BATCH_SECONDS)
    lines = lines_of_batch()
    answers = stream_with_context(written_lines(writer(), lines))
    return Response(answers, content_type=NDJSON[0])


def _answer(operation: Operation) -> tuple[Response, int]:
    written = write(operation)
    status = HTTPStatus.CREATED if written.outcome == "created" else HTTPStatus.OK
    return jsonify({"id": written.id, "outcome": written.outcome}), status


def _document() -> None:
    """Put into the document what `route` has no words for."""
    put = writing.paths["/api/v1/listings/{listing_id}"].put
    put.responses["201"] = put.responses["200"]
    content = writing.paths["/api/v1/listings:batch"].post.responses["200"].content
    content[NDJSON[0]] = content.pop("application/json")


_document()
