"""The page, or the part of one, that shows why a listing was found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from indexer.pictures import PictureLimits, to_jpeg
from search.explain import explain
from search.heatmap import draw
from search.query import Query
from web.answers.wanted import FRAGMENT
from web.api.explain import query_and_hit_from_form
from web.engine import current_engine
from web.pages.urls import data_url
from web.settings import current_settings

SIDE = 480
"""The longer side of each picture that is shown, in pixels."""

QUALITY = 82

why = Blueprint("why", __name__)


@why.get("/listings/<listing_id>/why/<other>")
def why_listing(listing_id: str, other: str) -> ResponseReturnValue:
    """Show why a listing is found by another."""
    return _answer(Query(listing_id=listing_id), other)


@why.post("/why")
def why_photo() -> ResponseReturnValue:
    """Show why a listing is found by a photo, which is sent once more: it was not kept.

    Of one that the browser does not have, because it cannot be shown, the address is sent.
    """
    return _answer(*query_and_hit_from_form(by_url=True))


def _answer(query: Query, other: str) -> ResponseReturnValue:
    """Answer with a page, or for the page's script with the part of it that matters."""
    engine = current_engine()
    found = explain(engine, query, other)
    limits = PictureLimits(max_pixels=current_settings().max_pixels)
    parts = (
        (query.listing_id, found.query, found.query_map, found.query_constant),
        (other, found.hit, found.hit_map, found.hit_constant),
    )
    sides: list[dict[str, Any]] = [
        {
            "listing": engine.listing(listing_id)[0] if listing_id is not None else None,
            "src": data_url(to_jpeg(draw(shown, cells, SIDE, limits), SIDE, QUALITY)),
            "places": float(cells.sum()),
            "constant": constant,
        }
        for listing_id, shown, cells, constant in parts
    ]
    template = "_why.html" if request.headers.get(FRAGMENT) else "why.html"
    response = make_response(render_template(template, similarity=found.similarity, sides=sides))
    response.vary.add(FRAGMENT)  # a browser that goes back must not show the part as the page
    return response
