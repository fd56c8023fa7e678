"""Scores: how a hit compares with what this index answers by chance.

The ranking key of random pairs is this index's background. Its upper tail is fitted, so that a
key can be turned into how many listings of this catalogue would reach it by chance (an E-value,
as in sequence search: Karlin and Altschul 1990), and that into a score from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLOSE = 0.5
"""The score below which a hit is no close match."""

BY_CHANCE = 3.0
"""Listings of the catalogue that reach the key of score `CLOSE` by chance. Between what photos of
the catalogue's kind and photos of other things find (docs/quality.md)."""

FEWEST = 300
"""Listings that are reckoned with at least: the best of five by chance is no match either."""

SLOPE = 0.6
"""How fast the score rises with the rarity of its key: spreads usual hits over .3 to .9."""

TAIL = 0.01
"""Share of the background that is fitted; below it, the sample itself is looked up."""

STEPS = 64
"""Quantiles kept of the background's body."""


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """The background of one ranking key, fitted.

    With ``u`` the key that a share `TAIL` of random pairs exceeds and ``top`` the largest that a
    key can be, the tail is ``P(key > x) = TAIL * ((top - x) / (top - u)) ** shape``: a Pareto law
    in the distance to the top, whose exponent is estimated by maximum likelihood (Hill 1975).

    Attributes
    ----------
    body_ : tuple of float
        `STEPS` + 1 quantiles of the background from 0 to 1 - `TAIL`; the last is ``u``.
    shape_ : float
        The tail's exponent.
    top : float
        The largest key: 1 for a cosine, more by the weight of the category prior.
    listings : int
        How many listings there are to be hit by chance.
    """

    body_: tuple[float, ...]
    shape_: float
    top: float
    listings: int

    @classmethod
    def fit(cls, background: NDArray[np.floating], top: float, listings: int) -> ScoreModel:
        """Fit the background of random pairs.

        Parameters
        ----------
        background : ndarray of float, any shape
            Ranking keys of random pairs, at least one.
        top : float
            The largest that a key can be.
        listings : int
            How many listings the index holds.
        """
        values = np.sort(np.asarray(background, np.float64).ravel())
        body = np.quantile(values, np.linspace(0, 1 - TAIL, STEPS + 1))
        # Equal quantiles would make the score flat, and it must rise with the key.
        body = np.minimum(body + 1e-9 * np.arange(STEPS + 1), top - 1e-6)
        above = values[values > body[-1]]
        distances = np.log((top - body[-1]) / np.maximum(top - above, 1e-9))
        mean = float(distances.mean()) if len(distances) >= 10 else 0.25
        return cls(tuple(float(b) for b in body), 1 / max(mean, 1e-3), top, listings)

    def chance(self, keys: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the share of random pairs that reach each key; falls as the key rises."""
        keys = np.asarray(keys, np.float64)
        u = self.body_[-1]
        body = 1 - np.interp(keys, self.body_, np.linspace(0, 1 - TAIL, STEPS + 1))
        left = np.clip((self.top - keys) / (self.top - u), 1e-12, 1)
        shares: NDArray[np.float64] = np.where(keys > u, TAIL * left**self.shape_, body)
        return shares

    def score(self, keys: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return scores from 0 to 1, rising with the key and comparable between queries.

        With E = listings x chance, how many listings of a catalogue of this size, but of
        `FEWEST` at least, reach the key by chance,
        the score is 1 / (1 + (E / `BY_CHANCE`) ** `SLOPE`): `CLOSE` at `BY_CHANCE`, towards 1
        where none ever would.
        """
        expected = max(self.listings, FEWEST) * self.chance(keys)
        scores: NDArray[np.float64] = 1 / (1 + (expected / BY_CHANCE) ** SLOPE)
        return scores

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest keeps."""
        return {
            "body": list(self.body_),
            "shape": self.shape_,
            "top": self.top,
            "listings": self.listings,
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> ScoreModel:
        """Return the model that `as_dict` wrote."""
        return cls(tuple(kept["body"]), kept["shape"], kept["top"], kept["listings"])
