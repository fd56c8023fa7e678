"""The JSON API: why a hit is a hit."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from search.explain import as_dict, explain
from search.query import Query
from web.engine import current_engine
from web.models_explain import ExplainAnswer, ExplainFields, ExplainJson
from web.openapi import blueprint, route
from web.uploads import (
    FORM,
    JSON,
    body_as,
    fields_as,
    from_json_or_form,
    photo_from_base64,
    photo_from_form,
)

explaining = blueprint("explain", "Why a listing was found.", url_prefix="/api/v1")


class ExplainForm(ExplainFields):
    """A hit to explain as a form: the photo that it was found by, and which hit."""

    image: bytes = Field(
        description="The photo's file.", json_schema_extra={"type": "string", "format": "binary"}
    )


@route(
    explaining,
    "post",
    "/explain",
    answers=ExplainAnswer,
    errors=(400, 404, 413, 415, 503),
    bodies={FORM: ExplainForm, JSON: ExplainJson},
)
def explain_hit() -> Response:
    """Show where a photo, or a listing, and a hit agree.

    Each of the two pictures is divided into places, and each place has its part in the
    similarity: all places of one picture and its constant add up to it. The photo comes as the
    file of a multipart form, or in base64 as JSON; a listing that is indexed can be named instead.
    """
    query, listing_id = from_json_or_form(_asked_in_json, query_and_hit_from_form)
    explanation = explain(current_engine(), query, listing_id)
    return jsonify({"listing_id": listing_id, **as_dict(explanation)})


def query_and_hit_from_form() -> tuple[Query, str]:
    """Read a photo and the hit to explain from a multipart form."""
    photo = photo_from_form()
    asked = fields_as(ExplainFields)
    return Query(photo=photo, region=asked.region), asked.listing_id


def _asked_in_json() -> tuple[Query, str]:
    asked = body_as(ExplainJson)
    photo = None if asked.image_base64 is None else photo_from_base64(asked.image_base64)
    query = Query(photo=photo, listing_id=asked.query_listing_id, region=asked.region)
    return query, asked.listing_id
