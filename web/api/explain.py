"""The JSON API: why a hit is a hit."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import Field

from indexer.errors import PictureError, QueryError
from search.explain import as_dict, explain
from search.query import Page, Query
from web.api.models import FILE
from web.api.models_explain import ExplainAnswer, ExplainFields, ExplainJson, WhyFields
from web.api.openapi import blueprint, route
from web.api.uploads import (
    FORM,
    IN_A_FORM,
    JSON,
    body_as,
    fields_as,
    from_json_or_form,
    photo_from_base64,
    photo_from_form,
)
from web.engine import current_engine
from web.errors import InvalidRequest
from web.fetching.fetching import fetch_picture

EXPLAINED = 3
"""Hits of a page that are explained: each takes as long as two searches."""

explaining = blueprint("explain", "Why a listing was found.", url_prefix="/api/v1")


class ExplainForm(ExplainFields):
    """A hit to explain as a form: the photo that it was found by, and which hit.

    An empty field counts as left out.
    """

    image: bytes = Field(description="The photo's file.", json_schema_extra=FILE)


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
    file of a multipart form, or as JSON in base64 or by its address; a listing that is indexed can
    be named instead.
    """
    query, listing_id = from_json_or_form(_asked_in_json, query_and_hit_from_form)
    explanation = explain(current_engine(), query, listing_id)
    return jsonify({"listing_id": listing_id, **as_dict(explanation)})


def explained(query: Query, page: Page) -> list[dict[str, Any] | None]:
    """Explain the first hits of a page; None for one whose picture is gone.

    Raises
    ------
    InvalidRequest
        If the query is made of several examples.
    """
    if query.positives:
        raise InvalidRequest(
            "Hits are explained for one photo or one listing.", hint="Leave 'explain' out."
        )
    found: list[dict[str, Any] | None] = []
    for hit in page.hits[:EXPLAINED]:
        try:
            found.append(as_dict(explain(current_engine(), query, hit.listing.id)))
        except (PictureError, QueryError):  # it was found all the same, and that is the answer
            found.append(None)
    return found


def query_and_hit_from_form(*, by_url: bool = False) -> tuple[Query, str]:
    """Read a photo and the hit to explain from a multipart form.

    Parameters
    ----------
    by_url : bool, optional
        True where the form may have the photo's address in its place.
    """
    photo = photo_from_form() if by_url else photo_from_form(by_url=False, hint=IN_A_FORM)
    asked = fields_as(WhyFields if by_url else ExplainFields)
    return Query(photo=photo, region=asked.region), asked.listing_id


def _asked_in_json() -> tuple[Query, str]:
    asked = body_as(ExplainJson)
    photo = None
    if asked.image_url is not None:
        photo = fetch_picture(asked.image_url)
    elif asked.image_base64 is not None:
        photo = photo_from_base64(asked.image_base64)
    query = Query(photo=photo, listing_id=asked.query_listing_id, region=asked.region)
    return query, asked.listing_id
