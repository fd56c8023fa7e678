"""Counts of fields' values for an index in Milvus, made here: Milvus 2.3 has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from indexer.fields import CORE_TYPES, FieldTable
from indexer.milvus.meta import Fields
from indexer.milvus.rows import Document
from search.facets import Facet, Part, facets, worth_a_facet
from search.filters import Condition

COUNTED = 5000
"""Pictures whose fields are counted, at most; of a larger index, there are no facets."""


def counted(
    documents: Iterable[Document],
    condition: Condition,
    fields: Fields,
    names: Sequence[str] | None,
) -> list[Facet]:
    """Count the values of fields among the listings that meet a condition.

    Parameters
    ----------
    documents : iterable of Document
        All listings that have a vector.
    condition : Condition
        Checked.
    fields : Fields
        Attributes.
    names : sequence of str or None
        Fields; those that divide the catalogue where None.
    """
    table = FieldTable.empty(fields.types)
    for document in documents:
        table.add(document.fields)
    whole = np.packbits(np.ones(table.total, np.bool_), bitorder="little")
    parts = [Part(table, whole)]
    kinds = {**fields.types, **CORE_TYPES}
    asked = worth_a_facet(parts, fields.types) if names is None else names
    return facets(parts, condition, fields.types, [name for name in asked if name in kinds])
