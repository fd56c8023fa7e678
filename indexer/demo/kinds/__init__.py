"""Every kind of product that the demo shop sells, in the order in which they are dealt out."""

from __future__ import annotations

from indexer.demo.kinds import bags, clothes, furniture, gadgets, home, shoes
from indexer.demo.products import Kind

KINDS: tuple[Kind, ...] = (
    *shoes.KINDS,
    *home.KINDS,
    *clothes.KINDS,
    *bags.KINDS,
    *gadgets.KINDS,
    *furniture.KINDS,
)
