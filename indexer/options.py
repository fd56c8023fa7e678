"""What a sync is asked for, and what it says it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.errors import UsageError
from indexer.pictures import LIMITS, PictureLimits
from indexer.pipeline import Embedded
from indexer.staging import Plan
from indexer.versions import Checked

REMOVALS = 0.2
"""Share of the catalogue that a sync removes without being told that this is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """How a catalogue is indexed. None means: as the index has it, or the default.

    Attributes
    ----------
    weights : str or None
        ``auto``, ``imagenet``, ``nsfwjs`` or a path.
    scaling : str or None
        Pixel values a weights file of one's own expects, ``minus1_1`` or ``0_1``.
    input_size : int or None
        Pixels a side of the network's input.
    recipe : str or None
        A name of `indexer.recipe.RECIPES`.
    dims, variance
        Another size for that recipe.
    keep_features : str or None
        A key of `indexer.model.KEEP`.
    runtime : str
        A name of `indexer.runtimes.RUNTIMES`.
    limits : PictureLimits
        What a picture may weigh.
    allow_removals : bool
        Whether more than `REMOVALS` of the listings may go at once.
    retry_failed : bool
        Whether pictures that were rejected before are tried again.
    check_urls : bool
        Whether hosts are asked if pictures at URLs that did not change have changed.
    recheck_urls : bool
        Whether those pictures are all downloaded, and their contents compared, instead.
    memory : int or None
        Bytes that a process which searches may take: kept, and the FAISS index is chosen by it.
    ray : str or None
        Address of a Ray cluster that embeds, ``local`` for one on this machine; None for this
        process.
    dry_run : bool
        Only compare.
    """

    weights: str | None = None
    scaling: str | None = None
    input_size: int | None = None
    recipe: str | None = None
    dims: int | None = None
    variance: float | None = None
    keep_features: str | None = None
    runtime: str = "auto"
    limits: PictureLimits = LIMITS
    allow_removals: bool = False
    retry_failed: bool = False
    check_urls: bool = True
    recheck_urls: bool = False
    memory: int | None = None
    ray: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a dry run found beside the plan's numbers.

    Attributes
    ----------
    fields_only : int
        Changed listings of which no picture has to be read.
    pictures : int
        Pictures that would be read, those that an earlier run left over included. Those whose
        content is known already are not embedded.
    urls : int
        Pictures at URLs whose hosts would be asked.
    first : mapping of str to tuple of str
        The first ids of each kind: ``added``, ``pictures_changed``, ``fields_changed``,
        ``removed``.
    """

    fields_only: int
    pictures: int
    urls: int
    first: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync did.

    Attributes
    ----------
    plan : Plan
        In listings.
    work : Embedded or None
        In pictures; None for a dry run.
    failures : int
        Pictures that are rejected now, from this run or an earlier one.
    snapshot : str or None
        The snapshot that serves now.
    urls : Checked or None
        What hosts said of pictures at URLs; None where they were not asked.
    outlook : Outlook or None
        Of a dry run only.
    replaced : bool
        Whether a whole new index took the place of the one before.
    without_pictures : int
        Listings that no search can find, since they have no picture.
    """

    plan: Plan
    work: Embedded | None
    failures: int
    snapshot: str | None
    urls: Checked | None = None
    outlook: Outlook | None = None
    replaced: bool = False
    without_pictures: int = 0


def check_removals(plan: Plan, removable: int, options: IndexOptions) -> None:
    """Raise UsageError where more than `REMOVALS` of what can be removed would be, unasked."""
    if plan.removed > REMOVALS * removable and not options.allow_removals:
        raise UsageError(
            f"This catalogue lacks {plan.removed:,} of the {removable:,} listings that are indexed,"
            " so nothing was changed.",
            hint="If they are really gone, add --allow-removals; if this is another catalogue,"
            " index it into another folder with --index DIR.",
        )
