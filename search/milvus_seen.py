"""What a question to an index in Milvus has met, and what fields there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.field_values import FieldType
from indexer.milvus.rows import Document


@dataclass(frozen=True, slots=True)
class Types:
    """Where the page looks for the fields' types."""

    types: Mapping[str, FieldType]


@dataclass(frozen=True, slots=True)
class Told:
    """As `search.filtering.Told`, of which only the types are known."""

    filters: Types


@dataclass(slots=True)
class Seen:
    """A picture that was met."""

    listing: int
    label: int
    place: int
    content: str
    region: str
    vector: NDArray[np.float32] | None = None
    document: Document | None = None
