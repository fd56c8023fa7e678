"""How the catalogue database keeps regions, and what it reports of pictures that were rejected."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.listing import Picture, Region

PICTURELESS = "NOT EXISTS (SELECT 1 FROM pictures p WHERE p.listing = listings.number)"
"""Of `listings`: those without a picture, which no search can find."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that was rejected, or a listing without any."""

    listing: str
    uri: str
    reason: str
    origin: str


def region_text(picture: Picture) -> str:
    """Return a picture's region as the database keeps it."""
    return ",".join(f"{value:g}" for value in picture.region) if picture.region else ""


def parse_region(text: str) -> Region | None:
    """Return the region that `region_text` wrote."""
    if not text:
        return None
    x, y, w, h = (float(part) for part in text.split(","))
    return x, y, w, h
