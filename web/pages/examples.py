"""The page of a search by several listings: like these, not like those."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from indexer.errors import QueryError
from search.filters import Condition
from search.query import Page, Query
from web.answers.problems import Problem, problem_of
from web.engine import SearchEngine, current_engine
from web.pages.likes import (
    LIKE,
    MOST,
    UNLIKE,
    Examples,
    closest_of,
    examples_from,
    likes_url,
    toggle_url,
)
from web.pages.narrowing import narrowing
from web.pages.showing import is_part, part, shown_listing, shown_page
from web.pages.sorting import answered
from web.pages.urls import with_arguments
from web.settings import current_settings

likes = Blueprint("likes", __name__)


@likes.app_context_processor
def _offer_to_templates() -> dict[str, Any]:
    return {"toggle_url": toggle_url, "most_likes": MOST}


@likes.get("/like")
def like() -> ResponseReturnValue:
    """Show what is like some listings and not like others; for the page's script, a part of it.

    All of it is in the address. Listings that have gone since are left out, which is said.
    """
    engine = current_engine()
    asked, problem = _examples()
    examples = asked.known(engine)
    narrow = narrowing(engine.view(), request.args, _filtered_url)
    page = None
    cursor = request.args.get("cursor")
    try:
        page = _answer(examples, narrow.condition, narrow.sort, cursor)
    except QueryError as error:  # they cancel each other out, say
        problem = problem or problem_of(error)
    shown = page and shown_page(page)
    if shown:
        closest = closest_of(engine, examples.like, [hit["listing"]["id"] for hit in shown["hits"]])
        for hit in shown["hits"]:
            hit["asked"] = closest.get(hit["listing"]["id"])
    narrowed = [("filter", str(narrow.condition))] if narrow.condition else []
    narrowed += [pair for pair in narrow.hidden if pair[0] == "sort"]
    here = with_arguments(likes_url(examples), narrowed)
    template = "likes.html"
    if is_part():
        template = "_more.html" if cursor else "_similar.html"
    return part(
        template,
        examples=examples,
        liked=_shown(engine, examples, LIKE, narrowed),
        unliked=_shown(engine, examples, UNLIKE, narrowed),
        gone=len(asked.arguments) - len(examples.arguments),
        samples=[] if examples.like else _samples(engine),
        page=shown,
        later=bool(cursor),
        filter_here=here,
        more_url=shown
        and shown["next_cursor"]
        and with_arguments(here, [("cursor", shown["next_cursor"])]),
        **{**narrow.shown, "problem": problem or narrow.problem},
    )


def _examples() -> tuple[Examples, Problem | None]:
    try:
        return examples_from(request.args), None
    except QueryError as error:
        return Examples(), problem_of(error)


def _answer(examples: Examples, condition: Condition, sort: str, cursor: str | None) -> Page | None:
    if cursor:
        return answered(Query(cursor=cursor))
    if not examples.like:
        return None
    return answered(
        Query(
            positives=examples.positives,
            negatives=examples.negatives,
            k=current_settings().page_hits,
            filter=condition,
            fold=True,
        ),
        sort,
    )


def _samples(engine: SearchEngine) -> list[dict[str, Any]]:
    return [shown_listing(*one) for one in engine.sample(current_settings().samples)]


def _filtered_url(filter_: str) -> str:
    return url_for("likes.like", filter=filter_ or None, _anchor="similar")


def _shown(
    engine: SearchEngine, examples: Examples, kind: str, narrowed: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return the listings of a kind as they are shown, each with the page without it."""
    ids = examples.like if kind == LIKE else examples.unlike
    return [
        {
            **shown_listing(*engine.listing(id_)),
            "without": with_arguments(likes_url(examples.toggled(kind, id_)), narrowed),
        }
        for id_ in ids
    ]
