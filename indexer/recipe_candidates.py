"""The recipes that a calibration tries, in rounds: each varies one thing of the best so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from indexer.model import FEATURES
from indexer.recipe import Recipe

WIDEST = 512
LAYERS = (
    ("mixed7_avg",),
    ("mixed6_avg", "mixed7_avg"),
    ("mixed5_avg", "mixed6_avg", "mixed7_avg"),
    ("mixed7_avg", "mixed7_max"),
    ("mixed7_rmac",),
    ("mixed6_avg", "mixed7_rmac"),
    ("mixed5_avg", "mixed6_avg", "mixed7_rmac"),
)
DIMS = (64, 128, 256, WIDEST)
WHITENING = (0.1, 0.25, 0.4)
POWERS = (0.35, 0.5, 0.7)


def rounds(kept: int) -> Iterator[Callable[[Recipe], list[Recipe]]]:
    """Yield what to vary, one thing after the other, of the best so far.

    Parameters
    ----------
    kept : int
        How many of `indexer.model.FEATURES` the index keeps.

    Yields
    ------
    callable
        Returns the recipes to try beside the best one, which it is given.
    """

    def layers(best: Recipe) -> list[Recipe]:
        known = [names for names in LAYERS if {*names} <= {*FEATURES[:kept]}]
        return [replace(best, features=names, dims=dims) for names in known for dims in (128, 256)]

    yield layers
    yield lambda best: [replace(best, dims=dims) for dims in DIMS]
    yield lambda best: [replace(best, whitening=exponent) for exponent in WHITENING]
    yield lambda best: [replace(best, power=power) for power in POWERS]
