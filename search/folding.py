"""Hits that show the same picture, folded under the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from search.live import View
from search.near_duplicates import compare
from search.ranking import Candidate
from search.small_pictures import SmallPictures

if TYPE_CHECKING:
    from search.engine import Engine

ALIKE = 0.6
"""Cosine from which on two hits are compared."""

LEADERS = 4
"""Better hits that a hit is compared with, at most: the most similar ones."""


def folded(
    engine: Engine, view: View, candidates: Sequence[Candidate]
) -> list[tuple[Candidate, ...]]:
    """Put copies of one picture together (`search.near_duplicates`).

    Parameters
    ----------
    engine : Engine
        For its catalogue and thumbnails.
    view : View
        What was searched.
    candidates : sequence of Candidate
        Best first.

    Returns
    -------
    list of tuple of Candidate
        In the order of the best of each, which comes first in it.
    """
    if not candidates:
        return []
    positions = np.array([candidate.position for candidate in candidates], np.int64)
    vectors = view.vectors(positions)
    similarities = np.tril(vectors @ vectors.T, -1)
    nearest = np.argsort(-similarities, axis=1)[:, :LEADERS]
    pairs = [
        (int(better), place)
        for place in range(len(candidates))
        for better in nearest[place]
        if better < place and similarities[place, better] >= ALIKE
    ]
    leader = list(range(len(candidates)))
    for better, place in _copies(engine, view, positions, pairs):
        if leader[place] == place:
            leader[place] = leader[better]
    groups: dict[int, list[Candidate]] = {}
    for place, candidate in enumerate(candidates):
        groups.setdefault(leader[place], []).append(candidate)
    return [tuple(group) for group in groups.values()]


def _copies(
    engine: Engine, view: View, positions: np.ndarray, pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return those pairs of places whose pictures are copies."""
    looked = sorted({place for pair in pairs for place in pair})
    numbers = dict(zip(looked, view.pictures(positions[looked]).tolist(), strict=True))
    smalls = SmallPictures(engine).load(numbers.values())
    seen = [(a, b) for a, b in pairs if numbers[a] in smalls and numbers[b] in smalls]
    if not seen:
        return []
    copies = compare(
        np.stack([smalls[numbers[a]] for a, _ in seen]),
        np.stack([smalls[numbers[b]] for _, b in seen]),
    ).copies
    return [pair for pair, copy in zip(seen, copies.tolist(), strict=True) if copy]
