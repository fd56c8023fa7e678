"""The documents that meet a condition."""

from __future__ import annotations

import numpy as np

from indexer.errors import QueryError
from indexer.field_bits import Bits, all_of, complement, size_of
from indexer.fields import FieldTable
from search.filters import Condition, Exact, Prefix, Present, Range, Term
from search.selection import Selection


def select(table: FieldTable, condition: Condition) -> Bits:
    """Return the documents that meet a condition, as packed bits, the lowest first.

    Parameters
    ----------
    table : FieldTable
        The columns of the documents.
    condition : Condition
        Checked (`Condition.check`).

    Returns
    -------
    ndarray of uint8, shape (ceil(table.total / 8),)

    Raises
    ------
    QueryError
        If it asks for the beginnings of values in a field that has too many different ones.
    """
    chosen = all_of(table.total)
    for term in condition.terms:
        chosen &= _of_term(table, term)
    return chosen


def selected(table: FieldTable, condition: Condition, total: int) -> Selection:
    """Return the same as a `Selection` of `total` positions; those past the table's are not in."""
    bits = select(table, condition)
    if size_of(total) > len(bits):
        bits = np.concatenate((bits, np.zeros(size_of(total) - len(bits), np.uint8)))
    return Selection(bits)


def _of_term(table: FieldTable, term: Term) -> Bits:
    texts = [value.text for value in term.values if isinstance(value, Exact)]
    found = table.equal(term.field, texts)
    for value in term.values:
        match value:
            case Prefix(text):
                found |= _starting(table, term.field, text)
            case Range(low, high, low_open, high_open):
                found |= table.between(term.field, low, high, (low_open, high_open))
            case Present():
                found |= table.present(term.field)
    return complement(found, table.total) if term.negated else found


def _starting(table: FieldTable, field: str, text: str) -> Bits:
    try:
        return table.starting(field, text)
    except QueryError as error:
        raise QueryError(f"{field}:{text}*: {error.message}", hint=error.hint) from error
