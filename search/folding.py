"""Hits that show the same picture, folded under the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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

Group = tuple[Candidate, ...]
"""Hits that show the same picture, best first."""


def folded(
    engine: Engine, view: View, candidates: Sequence[Candidate], groups: Sequence[Group] = ()
) -> list[Group]:
    """Put copies of one picture together (`search.near_duplicates`).

    Parameters
    ----------
    engine : Engine
        For its catalogue and thumbnails.
    view : View
        What was searched.
    candidates : sequence of Candidate
        Best first.
    groups : sequence of Group, optional
        Better ones that are put together already; copies of their first join them.

    Returns
    -------
    list of Group
        `groups` first, all in the order of the best of each.
    """
    if not candidates:
        return list(groups)
    together = [*(group[0] for group in groups), *candidates]
    positions = np.array([candidate.position for candidate in together], np.int64)
    numbers = view.pictures(positions)
    same = _same(engine, numbers.tolist())
    leader = list(range(len(together)))
    # The same file needs no look: a shop's "no picture yet" would cost thousands.
    looked = [place for place in leader if same[place] == place and place >= len(groups)]
    pairs = _alike(view.vectors(positions), np.array(looked, np.int64), same)
    for better, place in _copies(engine, numbers, pairs):
        if leader[place] == place:
            leader[place] = leader[better]
    found: dict[int, list[Candidate]] = {n: list(group) for n, group in enumerate(groups)}
    for place in range(len(groups), len(together)):
        found.setdefault(leader[same[place]], []).append(together[place])
    return [tuple(group) for group in found.values()]


def _same(engine: Engine, numbers: Sequence[int]) -> list[int]:
    """Return, for each picture, the place of the first that is made of the same bytes."""
    made_of = engine.made_of(numbers)
    first: dict[object, int] = {}
    # One that has gone meanwhile is like itself only.
    return [
        first.setdefault(made_of.get(number, f"gone {number}"), place)
        for place, number in enumerate(numbers)
    ]


def _alike(
    vectors: NDArray[np.float32], looked: NDArray[np.int64], same: Sequence[int]
) -> list[tuple[int, int]]:
    """Return pairs of places that are worth a look, each a better hit and one that is looked at."""
    if not len(looked):
        return []
    places = np.arange(len(vectors))
    similarities = vectors[looked] @ vectors.T
    similarities[(places >= looked[:, None]) | (np.array(same) != places)] = -1
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :LEADERS]
    return [
        (int(better), int(place))
        for row, place in enumerate(looked)
        for better in nearest[row]
        if similarities[row, better] >= ALIKE
    ]


def _copies(
    engine: Engine, numbers: NDArray[np.int64], pairs: Sequence[tuple[int, int]]
) -> Iterable[tuple[int, int]]:
    """Return those pairs of places whose pictures are copies."""
    looked = {place for pair in pairs for place in pair}
    smalls = SmallPictures(engine).load(int(numbers[place]) for place in looked)
    seen = [(a, b) for a, b in pairs if int(numbers[a]) in smalls and int(numbers[b]) in smalls]
    if not seen:
        return []
    copies = compare(
        np.stack([smalls[int(numbers[a])] for a, _ in seen]),
        np.stack([smalls[int(numbers[b])] for _, b in seen]),
    ).copies
    return [pair for pair, copy in zip(seen, copies.tolist(), strict=True) if copy]
