"""What was done to an index in Milvus."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was done to an index in Milvus.

    Attributes
    ----------
    index : str
        Its address.
    written, removed : int
        Listings.
    listings, vectors : int
        How many are there now.
    expected : int
        Listings of the work folder.
    overlap : float or None
        The share of the ten nearest, by comparing all vectors of the folder, that Milvus finds;
        None where services wrote to it too, so that the two hold other listings.
    """

    index: str
    written: int
    removed: int
    listings: int
    vectors: int
    expected: int
    overlap: float | None

    def told(self) -> str:
        """Say it in a line."""
        found = ""
        if self.overlap is not None:
            found = f" Of the ten nearest, its searches find {self.overlap:.1%}."
        here = ""
        if self.listings != self.expected:
            here = f" The work folder has {self.expected:,}."
        return (
            f"Milvus: {self.written:,} listings written, {self.removed:,} removed;"
            f" {self.listings:,} with {self.vectors:,} vectors are in {self.index}.{here}{found}"
        )
