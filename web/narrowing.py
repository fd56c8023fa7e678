"""The filter of a page: read from its address, and shown with what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict

from indexer.errors import QueryError
from indexer.field_values import FieldType
from search.facets import Facet
from search.filter_form import Form, Url, form_of, from_form
from search.filters import Condition
from web.errors import Problem, problem_of
from web.wording import label

if TYPE_CHECKING:
    from search.live import View

FROM, UP_TO = "min.", "max."
"""What the names of a range's ends begin with, before its field's."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter, as it is searched with and as it is shown.

    Attributes
    ----------
    condition : Condition
        What is searched within: as much of what the address says as can be.
    problem : Problem or None
        Why that is not all of it.
    form : Form
        Facets and chips; nothing where the index has no fields to filter by.
    action, clear : str
        Where the form leads, and the page without a filter.
    """

    condition: Condition
    problem: Problem | None
    form: Form = field(default_factory=lambda: Form([], [], ""))
    action: str = ""
    clear: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """What `_filters.html` needs."""
        return {
            "problem": self.problem,
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
        Gives the address of the page with another filter.
    """
    error: QueryError | None = None
    for filters, ranges in _readings(args):
        try:
            condition = from_form(filters, ranges).check(_types(view))
            facets = _useful(view.facets(condition), condition)
        except QueryError as found:
            # The rest of what was chosen is not lost with what cannot be read.
            error = error or found
            continue
        form = form_of(facets, condition, url, label=label)
        return Narrowing(condition, _told(error), form, url(""), url(""))
    asked = any(_readings_of(args))
    return Narrowing(Condition(), _told(error) if asked else None, clear=url(""))


def _readings(args: MultiDict[str, str]) -> Iterator[tuple[list[str], dict[str, tuple[str, str]]]]:
    """Yield all that an address says, then less and less of it."""
    filters, ranges = _readings_of(args)
    yield filters, ranges
    if ranges:
        yield filters, {}
    if filters:
        yield [], {}


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
