"""The pages that people look at."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from indexer.errors import IndexNotReady, ListingNotFound, PictureError, QueryError
from indexer.listing import Listing
from indexer.pictures import PictureLimits, open_picture, to_jpeg
from search.answer import listing_as_dict, page_as_dict
from search.query import Page, Query
from web.engine import current_engine
from web.errors import FRAGMENT, Problem, problem_of
from web.learning import search_and_learn
from web.narrowing import Narrowing, narrowing
from web.settings import current_settings
from web.uploads import photo_from_form
from web.urls import (
    data_url,
    image_url,
    is_public,
    listing_url,
    preview_url,
    similar_url,
    static_url,
    thumbnail_url,
    why_url,
)

QUERY_PREVIEW_SIDE = 320

MOST_OFFERS = 10
"""Similar offers of a hit that are named; of more, how many there are."""

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
        return render_template("setup.html", problem=problem_of(error))
    return render_template("home.html", samples=[_shown(*sample) for sample in samples])


@pages.post("/search")
def search() -> ResponseReturnValue:
    """Show what looks like a photo: a page, or for the page's script the part of it that matters.

    The photo is not kept, so the answer has no address of its own; the listings in it have. What
    it is narrowed by is in the address, and the next page is asked for by a cursor alone.
    """
    cursor = request.form.get("cursor")
    if cursor:
        page = current_engine().search(Query(cursor=cursor))
        return _part(
            "_more.html" if _is_part() else "results.html", page=_with_offers(page), later=True
        )
    photo = photo_from_form()
    narrow = narrowing(current_engine().view(), request.args, _photo_url)
    query = Query(photo=photo, k=current_settings().page_hits, filter=narrow.condition, fold=True)
    # Of one photo is learned once, and not again with every filter.
    page = current_engine().search(query) if narrow.condition else search_and_learn(query)
    # Only the script has the photo still, and can send it once more: to ask "why?", to narrow.
    scripted = _is_part()
    return _part(
        "_results.html" if scripted else "results.html",
        page=_with_offers(page),
        photo=_small(photo),
        scripted=scripted,
        **(narrow.shown if scripted else {}),
    )


@pages.get("/search")
def search_again() -> ResponseReturnValue:
    """Lead whoever comes back to the address of an answer to the start page."""
    return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)


@pages.get("/listings/<listing_id>")
def listing_page(listing_id: str) -> ResponseReturnValue:
    """Show a listing and what looks like it; for the page's script, only the latter."""
    engine = current_engine()
    listing, keys = engine.listing(listing_id)
    narrow = narrowing(engine.view(), request.args, partial(similar_url, listing_id))
    cursor = request.args.get("cursor")
    page = None
    if cursor:
        page = engine.search(Query(cursor=cursor))
    else:
        try:
            page = engine.search(
                Query(
                    listing_id=listing_id,
                    k=current_settings().page_hits,
                    filter=narrow.condition,
                    fold=True,
                )
            )
        except QueryError:  # all of its pictures were rejected, so there is nothing to compare
            narrow = Narrowing(narrow.condition, None)
    more = page and page.next_cursor
    template = "listing.html"
    if _is_part():
        template = "_more.html" if cursor else "_similar.html"
    return _part(
        template,
        listing=_shown(listing, keys),
        thumbnails=[thumbnail_url(key) if key else None for key in keys],
        page=page and _with_offers(page),
        later=bool(cursor),
        filter_here=similar_url(listing_id, str(narrow.condition)),
        more_url=more and similar_url(listing_id, str(narrow.condition), cursor=more),
        **narrow.shown,
    )


def _is_part() -> bool:
    """Whether the page's script asks for the part that it shows in place."""
    return FRAGMENT in request.headers


def _part(template: str, *, problem: Problem | None = None, **shown: Any) -> Response:
    response = make_response(render_template(template, problem=problem, **shown))
    response.status_code = problem.status if problem else HTTPStatus.OK
    response.vary.add(FRAGMENT)  # a browser that goes back must not show the part as the page
    return response


def _photo_url(filter_: str) -> str:
    return url_for("pages.search", filter=filter_ or None)


def _with_offers(page: Page) -> dict[str, Any]:
    """Return a page as it is shown: with the first of each hit's similar offers."""
    shown = page_as_dict(page, thumbnail_url=thumbnail_url, image_url=image_url)
    for hit in shown["hits"]:
        hit["offers"] = []
        for id_ in hit["similar_offers"][:MOST_OFFERS]:
            try:
                hit["offers"].append(_shown(*current_engine().listing(id_)))
            except ListingNotFound:  # it has gone since
                hit["similar_offers"].remove(id_)
    return shown


def _shown(listing: Listing, keys: tuple[str, ...]) -> dict[str, Any]:
    return listing_as_dict(listing, keys, thumbnail_url=thumbnail_url, image_url=image_url)


def _small(photo: bytes) -> str:
    """Return a photo as a small data: URL, to be shown beside what was found."""
    try:
        limits = PictureLimits(max_pixels=current_settings().max_pixels)
        image = open_picture(photo, at_least=QUERY_PREVIEW_SIDE, limits=limits)
    except PictureError:
        return ""  # what the engine could read and this cannot is only not shown
    return data_url(to_jpeg(image, QUERY_PREVIEW_SIDE, 80))
