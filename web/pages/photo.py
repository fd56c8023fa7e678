"""The pages of a search with a photo: the answer, and answers that are shared for a while."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from indexer.listing import Region
from indexer.pictures import to_jpeg
from search.query import Example, Query
from web.api.uploads import photo_from_form
from web.engine import current_engine
from web.errors import NotAllowed
from web.fetching.fetching import is_fetching
from web.learning import search_and_learn
from web.pages.asked import LONGEST_SIDE, QUALITY, asked, opened, region_from_form
from web.pages.likes import examples_from
from web.pages.narrowing import Narrowing, narrowing
from web.pages.sharing import HOUR, current_shares
from web.pages.showing import is_part, part, shown_page
from web.pages.sorting import answered
from web.pages.urls import kept_arguments, with_arguments
from web.settings import current_settings

photos = Blueprint("photos", __name__)

HIDDEN = {
    "X-Robots-Tag": "noindex, nofollow",
    # The address is all that it takes to see the photo: no other site is to learn it.
    "Referrer-Policy": "no-referrer",
    # What was forgotten is not to be shown any more.
    "Cache-Control": "private, no-store",
}
"""The headers of all that is under a shared address."""

OWNER = "shared"
"""The cookie by which the browser that shared a photo may delete it."""


@photos.app_context_processor
def _offer_to_templates() -> dict[str, Any]:
    return {"fetches_urls": is_fetching()}


@photos.post("/search")
def search() -> ResponseReturnValue:
    """Show what looks like a photo: a page, or for the page's script the part of it that matters.

    The photo is not kept, so the answer has no address of its own; the listings in it have. What
    it is narrowed by is in the address, and the next page is asked for by a cursor alone.
    """
    cursor = request.form.get("cursor")
    if cursor:
        page = answered(Query(cursor=cursor))
        return part(
            "_more.html" if is_part() else "results.html", page=shown_page(page), later=True
        )
    photo, region = photo_from_form(), region_from_form()
    narrow = narrowing(current_engine().view(), request.args, _photo_url)
    query = _query(photo, region, narrow)
    # Of one photo is learned once, and not again with every filter, region or look back.
    again = narrow.condition or region or "again" in request.form
    page = answered(query, narrow.sort, None if again else search_and_learn)
    # Only the script has the photo still, and can send it once more: to ask "why?", to narrow.
    # It has no use for the photo in return, unless the browser cannot show it.
    scripted = is_part()
    here = scripted and "photo_back" not in request.form
    return part(
        "_results.html" if scripted else "results.html",
        page=shown_page(page),
        photo=asked(photo, region, "" if here else None),
        scripted=scripted,
        **(narrow.shown if scripted else {}),
    )


@photos.get("/search")
def search_again() -> ResponseReturnValue:
    """Lead whoever comes back to the address of an answer to the start page."""
    return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)


@photos.post("/share")
def share() -> ResponseReturnValue:
    """Keep a photo for a while under an address that shows its answer, and tell the address.

    What it is narrowed by is in that address, too.
    """
    if not is_part():  # a header that no other site can have a browser send here
        raise NotAllowed("Photos are shared from this server's own page.")
    shares = current_shares()
    photo, region = photo_from_form(by_url=False), region_from_form()
    narrow = narrowing(current_engine().view(), request.args, _photo_url)
    # Anew, so that nothing is kept of where and by whom it was taken.
    shared, key = shares.add(to_jpeg(opened(photo, LONGEST_SIDE), LONGEST_SIDE, QUALITY), region)
    address = _shared_url(shared.token, str(narrow.condition) or None, _external=True)
    address = with_arguments(address, narrow.hidden)
    response = part("_shared.html", address=address, shared=shared)
    response.headers.update(HIDDEN)
    response.set_cookie(
        OWNER,
        key,
        max_age=shares.hours * HOUR,
        path=_shared_url(shared.token),
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


@photos.get("/s/<token>")
def shared(token: str) -> ResponseReturnValue:
    """Show the answer to a photo that somebody shared."""
    kept = current_shares().get(token)
    cursor = request.args.get("cursor")
    url = partial(_shared_url, token)
    narrow: Narrowing | None = None
    if cursor:
        page = answered(Query(cursor=cursor))
    else:
        narrow = narrowing(current_engine().view(), request.args, lambda text: url(text or None))
        page = answered(_query(kept.photo, kept.region, narrow), narrow.sort)
    more = page.next_cursor and with_arguments(
        url(cursor=page.next_cursor), kept_arguments(request.args, "filter", "sort")
    )
    response = part(
        "_more.html" if cursor and is_part() else "shared.html",
        page=shown_page(page),
        photo=asked(kept.photo, kept.region, url_for("photos.shared_photo", token=token)),
        shared=kept,
        mine=current_shares().is_owner(token, request.cookies.get(OWNER, "")),
        later=bool(cursor),
        more_url=more,
        **(narrow.shown if narrow else {}),
    )
    response.headers.update(HIDDEN)
    return response


@photos.get("/s/<token>/photo")
def shared_photo(token: str) -> Response:
    """Return a photo that somebody shared."""
    response = Response(current_shares().get(token).photo, mimetype="image/jpeg")
    response.headers.update(HIDDEN)
    return response


@photos.post("/s/<token>/forget")
def forget(token: str) -> ResponseReturnValue:
    """Delete a photo that was shared, for the browser that shared it."""
    shares = current_shares()
    shares.get(token)
    if not shares.is_owner(token, request.cookies.get(OWNER, "")):
        raise NotAllowed(
            "Only the browser that shared a photo can delete it.",
            hint="It is deleted by itself once its time is over.",
        )
    shares.forget(token)
    response = part("forgotten.html")
    response.headers.update(HIDDEN)
    response.delete_cookie(OWNER, path=_shared_url(token))
    return response


def _query(photo: bytes, region: Region | None, narrow: Narrowing) -> Query:
    """Return what is asked by a photo, together with the listings that are liked or not."""
    k = current_settings().page_hits
    examples = examples_from(request.values).known(current_engine())
    if not examples:
        return Query(photo=photo, k=k, region=region, filter=narrow.condition, fold=True)
    return Query(
        positives=(Example(photo=photo, region=region), *examples.positives),
        negatives=examples.negatives,
        k=k,
        filter=narrow.condition,
        fold=True,
    )


def _photo_url(filter_: str) -> str:
    return url_for("photos.search", filter=filter_ or None)


def _shared_url(token: str, filter_: str | None = None, **more: Any) -> str:
    return url_for("photos.shared", token=token, filter=filter_, **more)
