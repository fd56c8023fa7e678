"""The filter and the order of a page: read from its address, shown with what there is to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict

from indexer.errors import QueryError
from indexer.field_values import FieldType
from search.facets import Facet
from search.filter_form import Form, Url, form_of, from_form
from search.filters import Condition, Exact, Term
from web.answers.problems import Problem, problem_of
from web.pages.sorting import CHEAPEST, DEAREST, SIMILARITY, checked_sort
from web.pages.urls import kept_arguments, with_arguments
from web.pages.wording import label

if TYPE_CHECKING:
    from search.live import View

FROM, UP_TO = "min.", "max."
"""What the names of a range's ends begin with, before its field's."""

PRICE: Final = "price"

ORDERS: Final = (
    (SIMILARITY, _("Closest first")),
    (CHEAPEST, _("Cheapest first")),
    (DEAREST, _("Dearest first")),
)
"""The orders as they are offered."""

SAID: Final = {
    "true": _("Yes"),
    "false": _("No"),
    "is": _("{field}: {value}"),
    "not": _("{field}: not {value}"),
    "with": _("With {field}"),
    "without": _("Without {field}"),
    "above": _("above {low}"),
    "from": _("from {low}"),
    "below": _("below {high}"),
    "up-to": _("up to {high}"),
    "between": _("{low} to {high}"),
}
"""`search.filter_form.WORDS`, in the reader's language."""

Only = Callable[[str], str | None]
"""From a category to the page narrowed to it; None where a filter speaks of categories already."""


def _not_offered(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter, as it is searched with and as it is shown.

    Attributes
    ----------
    condition : Condition
        What is searched within: as much of what the address says as can be.
    problem : Problem or None
        Why that is not all of it, or what is wrong with the order.
    left_out : bool
        Whether it is not all of it.
    form : Form
        Facets and chips; nothing where the index has no fields to filter by.
    action, clear : str
        Where the form leads, and the page without a filter.
    sort : str
        The order, one of `web.pages.sorting.SORTS`.
    sorts : list of dict
        The orders to choose from: ``name``, ``label`` and ``url``; none without any price.
    hidden : list of (str, str)
        What else the address says, to be sent along with the form.
    only : callable
        From a category to the page narrowed to it, or None.
    """

    condition: Condition
    problem: Problem | None
    left_out: bool = False
    form: Form = field(default_factory=lambda: Form([], [], ""))
    action: str = ""
    clear: str = ""
    sort: str = SIMILARITY
    sorts: list[dict[str, Any]] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    only: Only = _not_offered

    @property
    def shown(self) -> dict[str, Any]:
        """What `_hits.html` and `_filters.html` need."""
        return {
            "problem": self.problem,
            "left_out": self.left_out,
            "sort": self.sort,
            "sorts": self.sorts,
            "hidden": self.hidden,
            "only": self.only,
            "filtered": bool(self.condition),
            "facets": self.form.facets,
            "chips": self.form.chips,
            "kept": self.form.kept,
            "filter_action": self.action,
            "filter_clear": self.clear,
        }


def narrowing(view: View, args: MultiDict[str, str], url: Url) -> Narrowing:
    """Read the filter of an address.

    Parameters
    ----------
    view : View
        What is searched.
    args : MultiDict
        The address's: ``filter``, repeated, and ``min.FIELD`` and ``max.FIELD``.
    url : callable
        Gives the address of the page with another filter; what else `args` say is added to it.
    """
    error: QueryError | None = None
    sort = SIMILARITY
    try:
        sort = checked_sort(args.get("sort", ""))
    except QueryError as found:
        error = found
    kept = kept_arguments(args, "like", "unlike")
    ordered = [*kept, *([("sort", sort)] if sort != SIMILARITY else [])]

    def address(filter_: str) -> str:
        return with_arguments(url(filter_), ordered)

    said = _readings_of(args)
    types = _types(view)
    for filters, ranges in _readings(said, types):
        try:
            condition = from_form(filters, ranges).check(types)
            facets = view.facets(condition)
        except QueryError as found:
            # The rest of what was chosen is not lost with what cannot be read.
            error = error or found
            continue
        here = url(str(condition))
        priced = any(facet.field == PRICE and facet.low != facet.high for facet in facets)
        form = form_of(_useful(facets, condition), condition, address, label=label, words=_said())
        for facet in form.facets:
            if facet["field"] in said[1] and facet["field"] not in ranges:
                # What cannot be used stays as it was typed, to be corrected.
                facet["chosen_min"], facet["chosen_max"] = said[1][facet["field"]]
        return Narrowing(
            condition,
            _told(error),
            (filters, ranges) != said,
            form,
            action=address(""),
            clear=address(""),
            sort=sort,
            sorts=_orders(here, kept) if priced or sort != SIMILARITY else [],
            hidden=ordered,
            only=_only(condition, types, address),
        )
    problem = _told(error) if any(said) or error else None
    return Narrowing(Condition(), problem, any(said), clear=address(""), hidden=kept)


def _orders(here: str, kept: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": text,
            "url": with_arguments(here, kept + ([("sort", name)] if name != SIMILARITY else [])),
        }
        for name, text in ORDERS
    ]


def _only(condition: Condition, types: Mapping[str, FieldType], url: Url) -> Only:
    if "category" in condition.fields():
        return _not_offered

    def narrowed(name: str) -> str:
        term = Term("category", (Exact(name),))
        return url(str((condition & Condition((term,))).check(types)))

    return narrowed


def _readings(
    said: tuple[list[str], dict[str, tuple[str, str]]], types: Mapping[str, FieldType]
) -> Iterator[tuple[list[str], dict[str, tuple[str, str]]]]:
    """Yield all that an address says, then what of it can be used by itself, then less and less."""
    filters, ranges = said
    yield filters, ranges
    filters = [text for text in filters if _is_usable([text], {}, types)]
    ranges = {name: ends for name, ends in ranges.items() if _is_usable([], {name: ends}, types)}
    if (filters, ranges) != said:
        yield filters, ranges
    if ranges:
        yield filters, {}
    if filters:
        yield [], {}


def _is_usable(
    filters: list[str], ranges: dict[str, tuple[str, str]], types: Mapping[str, FieldType]
) -> bool:
    try:
        from_form(filters, ranges).check(types)
    except QueryError:
        return False
    return True


def _readings_of(args: MultiDict[str, str]) -> tuple[list[str], dict[str, tuple[str, str]]]:
    filters = [text for text in args.getlist("filter") if text.strip()]
    named = {
        name.removeprefix(start): None
        for name in args
        for start in (FROM, UP_TO)
        if name.startswith(start)
    }
    ends = {name: (args.get(FROM + name, ""), args.get(UP_TO + name, "")) for name in named}
    return filters, {name: two for name, two in ends.items() if any(map(str.strip, two))}


def _types(view: View) -> Mapping[str, FieldType]:
    return view.told.filters.types


def _useful(facets: list[Facet], condition: Condition) -> list[Facet]:
    """Leave out what leaves nothing to choose."""
    return [
        facet
        for facet in facets
        if facet.field in condition.fields()
        or len(facet.values) > 1
        or (facet.low is not None and facet.low != facet.high)
    ]


def _told(error: QueryError | None) -> Problem | None:
    return None if error is None else problem_of(error)


def _said() -> dict[str, str]:
    return {name: str(words) for name, words in SAID.items()}
