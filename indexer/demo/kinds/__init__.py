"""Every kind of product that the demo shop sells, in the order in which they are dealt out."""

from __future__ import annotations

from indexer.demo.kinds import (
    backpacks,
    boots,
    cushions,
    dresses,
    furniture,
    handbags,
    hats,
    headgear,
    lamps,
    play,
    sneakers,
    tableware,
    tops,
    vases,
    watches,
)
from indexer.demo.products import Kind

KINDS: tuple[Kind, ...] = (
    *sneakers.KINDS,
    *boots.KINDS,
    *tableware.KINDS,
    *vases.KINDS,
    *lamps.KINDS,
    *cushions.KINDS,
    *tops.KINDS,
    *dresses.KINDS,
    *hats.KINDS,
    *handbags.KINDS,
    *backpacks.KINDS,
    *watches.KINDS,
    *headgear.KINDS,
    *play.KINDS,
    *furniture.KINDS,
)
