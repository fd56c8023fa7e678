"""The pages that people look at."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from indexer.errors import IndexNotReady, PictureError, QueryError
from indexer.listing import Listing
from indexer.pictures import PictureLimits, open_picture, to_jpeg
from search.answer import listing_as_dict, page_as_dict
from search.query import Query
from web.engine import current_engine
from web.errors import FRAGMENT, problem_of
from web.learning import search_and_learn
from web.settings import current_settings
from web.uploads import photo_from_form
from web.urls import (
    data_url,
    image_url,
    is_public,
    listing_url,
    preview_url,
    static_url,
    thumbnail_url,
    why_url,
)

QUERY_PREVIEW_SIDE = 320

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

    The photo is not kept, so the answer has no address of its own; the listings in it have.
    """
    photo = photo_from_form()
    page = search_and_learn(Query(photo=photo, k=current_settings().page_hits))
    template = "_results.html" if request.headers.get(FRAGMENT) else "results.html"
    return render_template(
        template,
        page=page_as_dict(page, thumbnail_url=thumbnail_url, image_url=image_url),
        photo=_small(photo),
        # Only the script has the photo still, and can send it once more to ask "why?".
        scripted=FRAGMENT in request.headers,
    )


@pages.get("/search")
def search_again() -> ResponseReturnValue:
    """Lead whoever comes back to the address of an answer to the start page."""
    return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)


@pages.get("/listings/<listing_id>")
def listing_page(listing_id: str) -> ResponseReturnValue:
    """Show a listing and what looks like it."""
    engine = current_engine()
    listing, keys = engine.listing(listing_id)
    try:
        page = engine.search(Query(listing_id=listing_id, k=current_settings().page_hits))
    except QueryError:  # all of its pictures were rejected, so there is nothing to compare
        page = None
    return render_template(
        "listing.html",
        listing=_shown(listing, keys),
        thumbnails=[thumbnail_url(key) if key else None for key in keys],
        page=page and page_as_dict(page, thumbnail_url=thumbnail_url, image_url=image_url),
    )


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
