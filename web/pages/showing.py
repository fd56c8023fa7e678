"""What several pages share: parts of a page for its script, and listings as templates show them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, make_response, render_template, request

from indexer.errors import ListingNotFound
from indexer.listing import Listing
from search.answer import listing_as_dict, page_as_dict
from search.query import Page
from web.answers.problems import Problem
from web.answers.wanted import FRAGMENT
from web.engine import current_engine
from web.pages.sorting import SortedPage
from web.pages.urls import image_url, thumbnail_url

MOST_OFFERS = 10
"""Similar offers of a hit that are named; of more, how many there are."""


def is_part() -> bool:
    """Whether the page's script asks for the part that it shows in place."""
    return FRAGMENT in request.headers


def part(template: str, *, problem: Problem | None = None, **shown: Any) -> Response:
    """Answer with a template that is a page, or the part of one."""
    response = make_response(render_template(template, problem=problem, **shown))
    response.status_code = problem.status if problem else HTTPStatus.OK
    response.vary.add(FRAGMENT)  # a browser that goes back must not show the part as the page
    return response


def shown_page(page: Page) -> dict[str, Any]:
    """Return a page of hits as it is shown: with the first of each hit's similar offers."""
    shown = page_as_dict(page, thumbnail_url=thumbnail_url, image_url=image_url)
    shown["among"] = page.among if isinstance(page, SortedPage) else None
    for hit in shown["hits"]:
        hit["offers"] = []
        for id_ in hit["similar_offers"][:MOST_OFFERS]:
            try:
                hit["offers"].append(shown_listing(*current_engine().listing(id_)))
            except ListingNotFound:  # it has gone since
                hit["similar_offers"].remove(id_)
    return shown


def shown_listing(listing: Listing, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return a listing as it is shown, with the addresses of its pictures."""
    return listing_as_dict(listing, keys, thumbnail_url=thumbnail_url, image_url=image_url)
