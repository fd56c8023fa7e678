"""The JSON API, version 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify
from pydantic import Field

from search.answer import listing_as_dict, page_as_dict
from search.facets import Facet
from search.query import Page, Query
from web.access.strangers import asked_by_stranger
from web.api.explain import explained
from web.api.models import FILE, FullListing, ListingPath, PageAnswer, StatusAnswer
from web.api.models_search import SearchFields, SearchJson, SimilarQuery
from web.api.openapi import blueprint, route
from web.api.privacy import without_paths
from web.api.uploads import (
    FORM,
    JSON,
    Search,
    from_json_or_form,
    search_from_form,
    search_from_json,
)
from web.engine import current_engine
from web.learning import search_and_learn
from web.pages.sorting import answered
from web.pages.urls import image_url, thumbnail_url

api = blueprint("search", "Photos, and the listings like them.", url_prefix="/api/v1")


class SearchForm(SearchFields):
    """A search as a form: a photo and what goes with it. An empty field counts as left out."""

    image: bytes = Field(description="The photo's file.", json_schema_extra=FILE)


@route(
    api,
    "post",
    "/search",
    answers=PageAnswer,
    errors=(400, 404, 410, 413, 415, 503),
    bodies={FORM: SearchForm, JSON: SearchJson},
)
def search() -> Response:
    """Find the listings that look like a photo.

    The photo comes as the file of a multipart form, or in base64 as JSON; a listing that is
    indexed can be named instead, or several of either that the hits shall be like and unlike. A
    page's `next_cursor`, sent as JSON and alone, gets the next page.
    """
    asked = from_json_or_form(search_from_json, search_from_form)
    return _answered(asked, answered(asked.query, asked.sort, search_and_learn))


@route(api, "get", "/listings/<listing_id>", answers=FullListing, errors=(404, 503))
def get_listing(path: ListingPath) -> Response:
    """Return a listing and its pictures."""
    listing, keys = current_engine().listing(path.listing_id)
    shown = listing_as_dict(listing, keys, thumbnail_url=thumbnail_url, image_url=image_url)
    shown["pictures"] = [
        {
            "image_url": image_url(listing, position),
            "thumbnail_url": thumbnail_url(key) if key else None,
        }
        for position, key in enumerate(keys)
    ]
    return jsonify(shown)


@route(api, "get", "/listings/<listing_id>/similar", answers=PageAnswer, errors=(404, 410, 503))
def get_similar(path: ListingPath, query: SimilarQuery) -> Response:
    """Find the listings that look like a listing."""
    if query.cursor is not None:
        current_engine().listing(path.listing_id)  # a cursor must not outlive what it is asked of
        return answer_page(answered(Query(cursor=query.cursor)))
    asked = Query(
        listing_id=path.listing_id,
        k=query.k,
        min_score=query.min_score,
        prior=query.category_prior,
        filter=query.filter,
        fold=query.fold_duplicates,
    )
    page = answered(asked, query.sort)
    return _answered(Search(asked, query.facets, query.explain), page)


@route(api, "get", "/status", answers=StatusAnswer, errors=(503,))
def get_status() -> Response:
    """Describe what is served."""
    status = current_engine().status()
    if asked_by_stranger():
        status = {**status, "version": ""}
    return jsonify(without_paths(status))


def facets_of(query: Query) -> list[Facet]:
    """Return what a query's filter leaves to choose from, in the whole catalogue."""
    return current_engine().view().facets(query.condition)


def _answered(asked: Search, page: Page) -> Response:
    facets = facets_of(asked.query) if asked.facets else None
    return answer_page(page, facets, explained(asked.query, page) if asked.explain else [])


def answer_page(
    page: Page,
    facets: list[Facet] | None = None,
    explanations: Sequence[dict[str, Any] | None] = (),
) -> Response:
    """Answer a page of hits, with its timing where browsers and proxies look for it."""
    body = page_as_dict(page, thumbnail_url=thumbnail_url, image_url=image_url, facets=facets)
    for hit, explanation in zip(body["hits"], explanations, strict=False):
        hit["explanation"] = explanation
    response = jsonify(body)
    response.headers["Server-Timing"] = ", ".join(
        f"{stage};dur={ms}" for stage, ms in body["took_ms"].items()
    )
    return response
