"""Recipe: how features become vectors. A named, recorded choice like the network's weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from indexer.errors import UsageError
from indexer.model import CHANNELS, FEATURES, KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is done to features before they are compared.

    Attributes
    ----------
    name : str
        ``default``, ``seed`` or what a person called it.
    features : tuple of str
        Which of `indexer.model.FEATURES`, concatenated.
    power : float
        Exponent of each value; .5 is the square root (Jégou and Chum 2012).
    unit_features : bool
        Whether features are scaled to unit length before PCA.
    dims : int or None
        Principal components kept; None to choose them by `variance`.
    variance : float or None
        Share of the variance that the kept components must explain.
    whitening : float
        Components are divided by eigenvalue ** whitening: 0 is plain PCA, .5 full whitening.
    """

    name: str
    features: tuple[str, ...] = ("mixed7_avg",)
    power: float = 0.5
    unit_features: bool = True
    dims: int | None = 128
    variance: float | None = None
    whitening: float = 0.25

    def __post_init__(self) -> None:
        if self.dims is not None and self.dims < 1:
            raise UsageError(f"--dims is {self.dims}, and must be at least 1.")
        if self.variance is not None and not 0 < self.variance <= 1:
            raise UsageError(
                f"--variance is {self.variance:g}, and must be above 0 and at most 1.",
                hint="For example --variance 0.95.",
            )
        unknown = set(self.features) - set(FEATURES)
        if unknown or not self.features:
            raise UsageError(f"There are no features named {', '.join(sorted(unknown))}.")

    @property
    def width(self) -> int:
        """How many values go into PCA."""
        return CHANNELS * len(self.features)

    @property
    def keep(self) -> str:
        """What a new index keeps for it, a key of `indexer.model.KEEP`."""
        return "all" if self._needed <= KEEP["all"] else "regions"

    def require_kept(self, width: int) -> None:
        """Raise UsageError unless the first `width` columns of the features are enough."""
        if self._needed * CHANNELS > width:
            raise UsageError(
                f"The recipe {self.name!r} needs features that this index does not keep.",
                hint=f"Index into another folder with --keep-features {self.keep}.",
            )

    @property
    def _needed(self) -> int:
        return 1 + max(FEATURES.index(name) for name in self.features)

    def sized(self, dims: int | None, variance: float | None) -> Recipe:
        """Return this recipe with another choice of dimensions; None and None changes nothing."""
        if dims is not None and variance is not None:
            raise UsageError("--dims and --variance exclude one another.", hint="Give one of them.")
        if dims is None and variance is None:
            return self
        return replace(self, dims=dims, variance=variance)

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest keeps."""
        return {**asdict(self), "features": list(self.features)}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Recipe:
        """Return the recipe that `as_dict` wrote."""
        return cls(**{**kept, "features": tuple(kept["features"])})


DEFAULT = Recipe(name="default")
"""Average pooling, square root, unit length, PCA to 128, half whitening (docs/quality.md)."""

SEED = Recipe(
    name="seed",
    features=("mixed7_max",),
    power=1.0,
    unit_features=False,
    dims=100,
    whitening=0.0,
)
"""The public recipe that everything is compared with: maximum pooling, PCA to 100, cosine."""

WIDE = Recipe(
    name="wide",
    features=("mixed5_avg", "mixed6_avg", "mixed7_avg"),
    power=0.35,
    dims=256,
    whitening=0.2,
)
"""The layers before mixed7 too, which tell one listing from another like it (docs/quality.md)."""

REGIONS = Recipe(name="regions", features=("mixed6_avg", "mixed7_rmac"), dims=256)
"""The maxima over parts of the picture, and a layer before them (docs/quality.md)."""

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, WIDE, REGIONS, SEED)}
