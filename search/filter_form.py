"""A condition as a form: what is ticked, what is typed, and what stands beside as chips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from indexer.errors import QueryError
from indexer.field_values import ATTRIBUTES, FieldType, normal, number_of, number_text
from search.facets import Facet
from search.filters import Condition, Exact, Prefix, Present, Range, Term, Value, parse

Url = Callable[[str], str]
"""The text of a filter, perhaps empty, to the address of the page with it."""

WORDS: Final = {
    "true": "Yes",
    "false": "No",
    "is": "{field}: {value}",
    "not": "{field}: not {value}",
    "with": "With {field}",
    "without": "Without {field}",
    "above": "above {low}",
    "from": "from {low}",
    "below": "below {high}",
    "up-to": "up to {high}",
    "between": "{low} to {high}",
}
"""What is said of values, where a page has no words of its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a page needs to show a condition.

    Attributes
    ----------
    facets : list of dict
        ``field``, ``label``, ``type``; ``values``: a list of ``value``, ``count``, ``selected``,
        ``term`` (the text that asks for it) and ``url`` (of the page with it ticked or unticked);
        for numbers ``min``, ``max``, ``chosen_min``, ``chosen_max``, texts, perhaps empty.
    chips : list of dict
        ``text`` and ``url``, of the page without it: one for each value that is asked for.
    kept : str
        What the form's fields do not say, as a filter; sent along as it is.
    """

    facets: list[dict[str, Any]]
    chips: list[dict[str, str]]
    kept: str


def from_form(filters: Iterable[str], ranges: Mapping[str, tuple[str, str]]) -> Condition:
    """Return the condition that a form says.

    Parameters
    ----------
    filters : iterable of str
        Each a filter. Those that only ask for values of one field are choices: several for the same
        field are met by any of them, as ticked boxes are. All others must be met each.
    ranges : mapping of str to (str, str)
        By field, the least and the greatest number, each perhaps empty.

    Raises
    ------
    QueryError
        If a filter cannot be read, or an end of a range is no number.
    """
    terms: list[Term] = []
    choices: dict[str, tuple[Value, ...]] = {}
    for text in filters:
        said = parse(text).terms
        if len(said) == 1 and _is_choice(said[0]):
            choices[said[0].field] = choices.get(said[0].field, ()) + said[0].values
        else:
            terms += said
    terms += (Term(field, values) for field, values in choices.items())
    for field, ends in ranges.items():
        low, high = _ends(field, ends)
        if math.isfinite(low) or math.isfinite(high):
            terms.append(Term(field, (Range(low, high),)))
    return parse(str(Condition.of(terms)))  # which checks how long it has become


def form_of(
    facets: Sequence[Facet],
    condition: Condition,
    url: Url,
    *,
    label: Callable[[str], str] = str,
    words: Mapping[str, str] = WORDS,
) -> Form:
    """Return a condition and the facets that belong to it as a page shows them.

    Parameters
    ----------
    facets : sequence of Facet
        Of this condition.
    condition : Condition
        Checked.
    url : callable
        Gives the address of the page with another filter.
    label : callable, optional
        Gives the name of a field as people read it.
    words : mapping of str to str, optional
        What is said of values, as `WORDS`, in the language of the page.
    """

    def named(field: str) -> str:
        return label(field.removeprefix(ATTRIBUTES))

    shown = {
        (facet.field, normal(value.value)): value.value
        for facet in facets
        for value in facet.values
    }
    types = {facet.field: facet.type for facet in facets}
    said = {field: term for field in types if (term := _said(condition, field, types[field]))}
    kept = [term for term in condition.terms if said.get(term.field) != term]
    return Form(
        [_facet(facet, condition, said.get(facet.field), url, named, words) for facet in facets],
        [
            {
                "text": _chip(named(term.field), term, value, shown, types.get(term.field), words),
                "url": url(str(_less(condition, term, value))),
            }
            for term in condition.terms
            for value in term.values
        ],
        str(Condition(tuple(kept))),
    )


def _is_choice(term: Term) -> bool:
    return not term.negated and all(isinstance(value, Exact) for value in term.values)


def _said(condition: Condition, field: str, kind: FieldType) -> Term | None:
    """Return the one term that the form's own inputs for a field can say."""
    terms = [term for term in condition.terms if term.field == field and not term.negated]
    if kind == "number":
        terms = [
            term
            for term in terms
            if len(term.values) == 1
            and isinstance(value := term.values[0], Range)
            and not (value.low_open or value.high_open)
        ]
    else:
        terms = [term for term in terms if _is_choice(term)]
    return terms[0] if len(terms) == 1 else None


def _facet(
    facet: Facet,
    condition: Condition,
    term: Term | None,
    url: Url,
    named: Callable[[str], str],
    words: Mapping[str, str],
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "field": facet.field,
        "label": named(facet.field),
        "type": facet.type,
        "values": [],
    }
    if facet.type == "number":
        chosen = term.values[0] if term else Range()
        ends = (chosen.low, chosen.high) if isinstance(chosen, Range) else (-math.inf, math.inf)
        entry["min"] = "" if facet.low is None else number_text(facet.low)
        entry["max"] = "" if facet.high is None else number_text(facet.high)
        entry["chosen_min"], entry["chosen_max"] = (
            number_text(end) if math.isfinite(end) else "" for end in ends
        )
        return entry
    for value in facet.values:
        exact = Exact(normal(value.value))
        entry["values"].append(
            {
                "value": _read(value.value, facet.type, words),
                "count": value.count,
                "selected": value.selected,
                "term": str(Term(facet.field, (exact,))),
                "url": url(str(_toggled(condition, facet.field, exact, term))),
            }
        )
    return entry


def _toggled(condition: Condition, field: str, value: Exact, term: Term | None) -> Condition:
    if term is None:
        return condition & Condition((Term(field, (value,)),))
    if value in term.values:
        return _less(condition, term, value)
    more = Term(field, (*term.values, value))
    return condition.without_term(term) & Condition((more,))


def _less(condition: Condition, term: Term, value: Value) -> Condition:
    """Return a condition without one value of one of its terms."""
    rest = condition.without_term(term)
    others = tuple(other for other in term.values if other != value)
    return rest & Condition((Term(term.field, others, term.negated),)) if others else rest


def _read(text: str, kind: FieldType | None, words: Mapping[str, str]) -> str:
    return words[text] if kind == "boolean" and text in ("true", "false") else text


def _chip(
    name: str,
    term: Term,
    value: Value,
    shown: Mapping[tuple[str, str], str],
    kind: FieldType | None,
    words: Mapping[str, str],
) -> str:
    match value:
        case Exact(text):
            said = _read(shown.get((term.field, text), text), kind, words)
        case Prefix(text):
            said = f"{text}…"
        case Present():
            return words["without" if term.negated else "with"].format(field=name)
        case Range(low, high, low_open, high_open):
            if math.isinf(high):
                said = words["above" if low_open else "from"].format(low=number_text(low))
            elif math.isinf(low):
                said = words["below" if high_open else "up-to"].format(high=number_text(high))
            else:
                ends = {"low": number_text(low), "high": number_text(high)}
                said = words["between"].format(**ends)
    return words["not" if term.negated else "is"].format(field=name, value=said)


def _ends(field: str, ends: tuple[str, str]) -> tuple[float, float]:
    """Read the ends of a range.

    Raises
    ------
    QueryError
        If one is no number, or they are the wrong way round.
    """
    found = []
    for text, infinite in zip(ends, (-math.inf, math.inf), strict=True):
        number = number_of(text) if text.strip() else infinite
        if number is None:
            raise QueryError(
                f"{field} is a number, and {text.strip()!r} is none.",
                hint="Give a number such as 49.50, or leave it empty.",
            )
        found.append(number)
    low, high = found
    if low > high:
        raise QueryError(
            f"The least {field} ({low:g}) is above the greatest ({high:g}).",
            hint="Exchange them, or leave one empty.",
        )
    return low, high
