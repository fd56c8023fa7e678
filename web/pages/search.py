"""The pages that people look at."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from indexer.errors import IndexNotReady, QueryError
from indexer.listing import Listing
from search.filters import Exact, Term
from search.query import Query
from web.access.strangers import asked_by_stranger
from web.answers.problems import problem_of
from web.engine import current_engine
from web.pages.narrowing import Narrowing, narrowing
from web.pages.showing import is_part, part, shown_listing, shown_page
from web.pages.sorting import answered
from web.pages.urls import (
    is_public,
    listing_url,
    preview_url,
    similar_url,
    static_url,
    thumbnail_url,
    why_url,
    with_arguments,
)
from web.settings import current_settings

pages = Blueprint("pages", __name__)


@pages.app_context_processor
def _offer_to_templates() -> dict[str, Any]:
    return {
        "listing_url": listing_url,
        "preview_url": preview_url,
        "why_url": why_url,
        "is_public": is_public,
        "static_url": static_url,
        "settings": current_settings(),
    }


@pages.get("/")
def home() -> ResponseReturnValue:
    """Show where to drop a photo, and some listings to start from."""
    try:
        samples = current_engine().sample(current_settings().samples)
    except IndexNotReady as error:
        if asked_by_stranger():
            raise
        page = render_template("setup.html", problem=problem_of(error))
        return page, HTTPStatus.SERVICE_UNAVAILABLE
    return render_template("home.html", samples=[shown_listing(*sample) for sample in samples])


@pages.get("/listings/<listing_id>")
def listing_page(listing_id: str) -> ResponseReturnValue:
    """Show a listing and what looks like it; for the page's script, only the latter."""
    engine = current_engine()
    listing, keys = engine.listing(listing_id)
    narrow = narrowing(engine.view(), request.args, partial(similar_url, listing_id))
    cursor = request.args.get("cursor")
    page = None
    if cursor:
        page = answered(Query(cursor=cursor))
    else:
        query = Query(
            listing_id=listing_id,
            k=current_settings().page_hits,
            filter=narrow.condition,
            fold=True,
        )
        try:
            page = answered(query, narrow.sort)
        except QueryError:  # all of its pictures were rejected, so there is nothing to compare
            narrow = Narrowing(narrow.condition, None)
    more = page and page.next_cursor
    here = str(narrow.condition)
    template = "listing.html"
    if is_part():
        template = "_more.html" if cursor else "_similar.html"
    return part(
        template,
        listing=shown_listing(listing, keys),
        thumbnails=[thumbnail_url(key) if key else None for key in keys],
        page=page and shown_page(page),
        later=bool(cursor),
        only_category=_only_url(listing),
        filter_here=with_arguments(similar_url(listing_id, here), narrow.hidden),
        more_url=more and with_arguments(similar_url(listing_id, here, cursor=more), narrow.hidden),
        **narrow.shown,
    )


def _only_url(listing: Listing) -> str:
    """Return the page of a listing, narrowed to what is of its category."""
    return similar_url(listing.id, str(Term("category", (Exact(listing.category),))))
