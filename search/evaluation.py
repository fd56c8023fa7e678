"""What an evaluation found: the figures that `lookalike evaluate` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search.comparing import Compared
from search.metrics import Estimate
from search.queries import Unreadable
from search.serving import Times, Trade


@dataclass(frozen=True, slots=True)
class Photos:
    """Which photos were judged, and why others were not.

    Attributes
    ----------
    given : int
        Lines of the file.
    by_listing, by_category : int
        Photos that were judged so.
    unreadable : tuple of Unreadable
        Photos that could not be used.
    unknown_listings : tuple of (str, str)
        Where a listing is named that the catalogue does not have, and which.
    unknown_categories : mapping of str to int
        Categories that no listing has, and how many photos name each.
    in_catalogue : int
        Photos that are pictures of the catalogue themselves, left out of their own answers.
    nothing_left : int
        Photos whose right answer has no other picture in the index.
    """

    given: int
    by_listing: int
    by_category: int
    unreadable: tuple[Unreadable, ...]
    unknown_listings: tuple[tuple[str, str], ...]
    unknown_categories: Mapping[str, int]
    in_catalogue: int
    nothing_left: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the index, beside what it is worth.

    Attributes
    ----------
    name : str
        ``hit@5``, ``MRR``, ``P@10``, ``mAP``, ``recall@100``.
    value : Estimate
        As the index answers.
    plain : Estimate
        By similarity alone, without the category prior.
    dice : Estimate or None
        What random listings of the likeliest category reach; None without a category model.
    """

    name: str
    value: Estimate
    plain: Estimate
    dice: Estimate | None


@dataclass(frozen=True, slots=True)
class Classifier:
    """How well categories are predicted.

    Attributes
    ----------
    accuracy : Estimate
        Share of photos whose likeliest category is the right one.
    calibration_error : float
        How far its confidence is from its accuracy.
    """

    accuracy: Estimate
    calibration_error: float


@dataclass(frozen=True, slots=True)
class CloseMatch:
    """Whether a close match is one.

    Attributes
    ----------
    judged_by : str
        ``listing`` or ``category``.
    share : float
        Photos that have a close match.
    right_above, right_below : float or None
        Share of photos whose first hit is right, among those with a close match and the others.
    """

    judged_by: str
    share: float
    right_above: float | None
    right_below: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was measured.

    Attributes
    ----------
    snapshot, recipe : str
        What was measured.
    prior_weight : float
        Of the category prior; 0 where it takes no part.
    photos : Photos
        Which photos it was measured on.
    by_listing, by_category : tuple of Figure
        Empty where no photo could be judged so.
    classifier : Classifier or None
        None without a category model or categories.
    close_match : CloseMatch
        By listing where photos name listings.
    factory : str
        The FAISS index.
    ann_recall_at_10 : float
        Share of the ten nearest that it finds.
    trade : Trade or None
        What an approximate index would find in more or less time; None of an exact one.
    took_ms : mapping of str to Times
        By stage, one photo at a time.
    compared : tuple of Compared
        Recipes beside one another; empty where none were asked for.
    curves : mapping of str to tuple of Estimate
        P@1, P@2, ... by category.
    """

    snapshot: str
    recipe: str
    prior_weight: float
    photos: Photos
    by_listing: tuple[Figure, ...]
    by_category: tuple[Figure, ...]
    classifier: Classifier | None
    close_match: CloseMatch
    factory: str
    ann_recall_at_10: float
    trade: Trade | None
    took_ms: Mapping[str, Times]
    compared: tuple[Compared, ...]
    curves: Mapping[str, tuple[Estimate, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for `json.dumps`, with four decimals."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
