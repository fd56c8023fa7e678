"""How many listings a filter would leave, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.field_bits import Bits, Mask, count_of, mask_of
from indexer.fields import CORE_TYPES, FieldTable, FieldType
from search.filter_select import select
from search.filters import Condition, Exact

TOP = 20
FEW = 300
"""Different values up to which a text field is worth a facet of its own."""

SHARE = 0.02
"""Of the documents that must have a field for that."""

NEVER = frozenset(("id", "title", "url"))


class Part(NamedTuple):
    """Documents that are searched together with those of other parts.

    `counted` are packed bits over the table's documents: one living document of each listing (see
    `indexer.fields.first_documents`), so that listings are counted and not their pictures.
    """

    table: FieldTable
    counted: Bits


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value as it was first written, how many listings have it, and whether it is asked for."""

    value: str
    count: int
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """What a field holds among the listings that meet all that is said of *other* fields.

    Attributes
    ----------
    field : str
        As it is filtered by.
    type : FieldType
        ``text``, ``boolean`` or ``number``.
    values : tuple of FacetValue
        Commonest first; those that the filter names are always among them. Empty for numbers.
    low, high : float or None
        The least and the greatest number; None for texts, or without any listing.
    quartiles : tuple of 3 floats or None
        A quarter, half and three quarters of the numbers are at most these.
    """

    field: str
    type: FieldType
    values: tuple[FacetValue, ...] = ()
    low: float | None = None
    high: float | None = None
    quartiles: tuple[float, float, float] | None = None


def facets(
    parts: Sequence[Part],
    condition: Condition,
    types: Mapping[str, FieldType],
    fields: Iterable[str],
    *,
    top: int = TOP,
) -> list[Facet]:
    """Count the values of some fields among the listings that meet a condition.

    A field's counts leave out what the condition says of that field itself: they tell what another
    choice would give. Counts are exact; where a snapshot and its delta are counted together, which
    values are the `top` is decided by the commonest of each.

    Parameters
    ----------
    parts : sequence of Part
        The snapshot's documents and the delta's.
    condition : Condition
        Checked.
    types : mapping of str to FieldType
        Of the attributes.
    fields : iterable of str
        Fields with too many different values to keep their texts are left out of the answer.
    top : int, optional
        How many values a facet lists.
    """
    kinds = {**types, **CORE_TYPES}
    masks: dict[Condition, list[Mask]] = {}
    found = []
    for field in fields:
        others = condition.without(field)
        if others not in masks:
            masks[others] = [
                mask_of(select(part.table, others) & part.counted, part.table.total)
                for part in parts
            ]
        facet = (_numbers if kinds[field] == "number" else _values)(
            parts, masks[others], field, kinds[field], condition, top
        )
        if facet is not None:
            found.append(facet)
    return found


def worth_a_facet(
    parts: Sequence[Part], types: Mapping[str, FieldType], *, limit: int = 10
) -> list[str]:
    """Return the fields that divide the catalogue: category and price first, then attributes.

    Left out are those that few listings have, that all have the same, and those of which nearly
    each has another. The largest part decides.
    """
    if not parts:
        return []
    table = max(parts, key=lambda part: part.table.total).table
    least = max(1, SHARE * table.total)
    counts = {}
    for field, kind in {**CORE_TYPES, **types}.items():
        column = None if field in NEVER else table.column(field)
        if column is None:
            continue
        most = np.inf if kind == "number" else FEW
        having = table.documents(field)
        if having >= least and (2 <= column.distinct <= most or field == "category"):
            counts[field] = having
    first = [field for field in CORE_TYPES if field in counts]
    rest = sorted(counts.keys() - set(first), key=lambda field: (-counts[field], field))
    return [*first, *rest][:limit]


def _values(
    parts: Sequence[Part],
    masks: list[Mask],
    field: str,
    kind: FieldType,
    condition: Condition,
    top: int,
) -> Facet | None:
    columns = [(part.table.column(field), mask) for part, mask in zip(parts, masks, strict=True)]
    known = [(column, mask) for column, mask in columns if column is not None]
    tallies = [tally for column, mask in known if (tally := column.tally(mask)) is not None]
    if len(tallies) < len(known) or not known:
        return None
    chosen = _chosen(condition, field)
    candidates = dict.fromkeys(chosen)
    for tally in tallies:
        candidates.update(dict.fromkeys(tally.top(2 * top)))
    counts = {key: sum(tally.count(key) for tally in tallies) for key in candidates}
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    listed = [key for place, key in enumerate(ranked) if place < top or key in chosen]
    return Facet(
        field,
        kind,
        tuple(
            FacetValue(
                next((shown for tally in tallies if (shown := tally.shown(key))), key),
                counts[key],
                key in chosen,
            )
            for key in listed
        ),
    )


def _numbers(
    parts: Sequence[Part],
    masks: list[Mask],
    field: str,
    kind: FieldType,
    condition: Condition,
    top: int,
) -> Facet:
    arrays: list[NDArray[np.float64]] = []
    for part, mask in zip(parts, masks, strict=True):
        column = part.table.column(field)
        numbers = None if column is None else column.numbers(mask)
        if numbers is not None and len(numbers):
            arrays.append(numbers)
    if not arrays:
        return Facet(field, kind)
    ordered = arrays[0] if len(arrays) == 1 else np.sort(np.concatenate(arrays), kind="stable")
    one, two, three = (float(ordered[(len(ordered) - 1) * part // 4]) for part in (1, 2, 3))
    return Facet(field, kind, (), float(ordered[0]), float(ordered[-1]), (one, two, three))


def _chosen(condition: Condition, field: str) -> set[str]:
    """Return the values that a condition asks for in a field."""
    return {
        value.text
        for term in condition.terms
        if term.field == field and not term.negated
        for value in term.values
        if isinstance(value, Exact)
    }


def listings_of(parts: Sequence[Part], condition: Condition) -> int:
    """Return how many listings meet a condition."""
    return sum(count_of(select(part.table, condition) & part.counted) for part in parts)
