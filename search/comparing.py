"""Recipes beside one another on the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.progress import Advance
from search.judging import PLAIN, PRIOR, Judged, LabelledSet, judge
from search.metrics import Estimate, Values, bootstrap
from search.trial import Trial

CURRENT = "current"
"""The name of the snapshot's own recipe, as it was fitted."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of one recipe.

    Attributes
    ----------
    judged_by : str
        ``listing`` or ``category``.
    name : str
        ``hit@5``, ``P@10``, ...
    prior : bool
        Whether the category prior took part.
    value : Estimate
        Its mean over the photos.
    difference : Estimate or None
        To the first recipe, photo by photo; None for the first itself.
    significant : bool
        Whether the difference's interval leaves out zero.
    """

    judged_by: str
    name: str
    prior: bool
    value: Estimate
    difference: Estimate | None
    significant: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One recipe on trial.

    Attributes
    ----------
    name : str
        What it was asked for by.
    dims : int
        Length of its vectors.
    prior_weight : float
        Of the category prior; 0 where it takes no part.
    figures : tuple of ComparedFigure
        Those by listing first: by category, a classifier and dice do well too.
    """

    name: str
    dims: int
    prior_weight: float
    figures: tuple[ComparedFigure, ...]


Key = tuple[str, str, bool]
"""What it is judged by, the figure's name, whether the prior took part."""


def compare(
    trials: Sequence[Trial],
    names: Sequence[str],
    asked: LabelledSet,
    judged: tuple[Judged, Judged],
    ks: Sequence[int],
    advance: Advance = lambda _: None,
) -> tuple[Compared, ...]:
    """Judge recipes on the same photos, and each one's difference to the first.

    Parameters
    ----------
    trials : sequence of Trial
        The index's own first, then those that were fitted.
    names : sequence of str
        Which of them, in the order in which they are shown.
    asked : LabelledSet
        The photos.
    judged : (Judged, Judged)
        What the index's own came to, by listing and by category: which photos can be judged.
    ks : sequence of int
        Places that figures are of, ascending.
    advance : callable, optional
        Is told of every photo that is judged anew.
    """
    by_name = {trial.name: trial for trial in trials}
    chosen = [by_name[name] for name in dict.fromkeys(names)]
    results = [
        judged
        if trial is trials[0]
        else (
            judge(trial, asked, by_listing=True, advance=advance),
            judge(trial, asked, by_listing=False, advance=advance),
        )
        for trial in chosen
    ]
    # Where the catalogue has changed since the snapshot, not all can judge all.
    shared = tuple(
        sorted(set.intersection(*(set(result[n].photos) for result in results)))
        for n in range(2)
        if results
    )
    figures = [_figures(result, shared, ks) for result in results]
    return tuple(
        Compared(
            trial.name,
            trial.projection.dims,
            trial.categories.weight_ if trial.categories is not None else 0.0,
            _beside(values, None if n == 0 else figures[0]),
        )
        for n, (trial, values) in enumerate(zip(chosen, figures, strict=True))
    )


def _figures(
    judged: tuple[Judged, Judged], shared: Sequence[Sequence[int]], ks: Sequence[int]
) -> dict[Key, Values]:
    found, alike = judged
    figures: dict[Key, Values] = {}
    for prior, ranking in ((True, PRIOR), (False, PLAIN)):
        for by, one, photos in (("listing", found, shared[0]), ("category", alike, shared[1])):
            if not photos:
                continue
            rows = np.searchsorted(one.photos, photos)
            named = (one.by_listing if by == "listing" else one.by_category)(ranking, ks)
            figures |= {(by, name, prior): values[rows] for name, values in named.items()}
    return dict(sorted(figures.items(), key=lambda item: (item[0][0] != "listing", not item[0][2])))


def _beside(
    figures: dict[Key, Values], first: dict[Key, Values] | None
) -> tuple[ComparedFigure, ...]:
    values = {key: bootstrap(own[:, None])[0] for key, own in figures.items()}
    differences = {
        key: None if first is None else bootstrap((own - first[key])[:, None])[0]
        for key, own in figures.items()
    }
    return tuple(
        ComparedFigure(*key, value, change, change is not None and change.significant)
        for (key, value), change in zip(values.items(), differences.values(), strict=True)
    )
