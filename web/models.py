"""The API's words as pydantic models: what it answers, and what several of its paths take.

The OpenAPI document is made of these. What is answered comes from `search.answer`; a test holds
the two together.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from indexer.listing import Attribute

ListingId = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ShareOfPhoto = Annotated[
    tuple[Share, Share, Share, Share],
    Field(
        description="x, y, width and height of the part of the photo that matters, each as a"
        " share (0 to 1) of the upright photo.",
        examples=[(0.1, 0.1, 0.5, 0.8)],
    ),
]


class Strict(BaseModel):
    """What is asked: nothing that is not known is let through."""

    model_config = ConfigDict(extra="forbid")


def _split_region(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ValueError("a region is four numbers: x,y,width,height")
    return numbers


RegionField = Annotated[
    ShareOfPhoto | None,
    BeforeValidator(_split_region),
    WithJsonSchema(
        {
            "type": ["string", "null"],
            "description": "x,y,width,height of the part of the photo that matters, each as a"
            " share (0 to 1) of the upright photo.",
            "examples": ["0.1,0.1,0.5,0.8"],
        }
    ),
]
"""A region as it is written into a form."""


class ListingPath(BaseModel):
    """The id in a path."""

    listing_id: str = Field(description="The listing's id, percent-encoded.")


class ListingAnswer(BaseModel):
    """A listing, shown by one of its pictures."""

    id: str
    title: str
    category: str
    price: float | None
    currency: str
    url: str
    attributes: dict[str, Attribute]
    image_url: str | None = Field(description="The picture, as the shop has it or as a preview.")
    thumbnail_url: str | None = Field(description="A JPEG of at most 400 pixels a side.")


class PictureAnswer(BaseModel):
    """One picture of a listing."""

    image_url: str
    thumbnail_url: str | None


class FullListing(ListingAnswer):
    """A listing with all its pictures."""

    pictures: list[PictureAnswer]


class HitAnswer(BaseModel):
    """One listing of an answer."""

    rank: int = Field(ge=1)
    score: float = Field(
        description="0 to 1, falling with rank and comparable between queries; below .5, chance"
        " finds hits as close in this catalogue."
    )
    similarity: float = Field(description="Cosine to the listing's closest picture.")
    near_duplicate: bool = Field(description="Whether the two seem to be one picture.")
    similar_offers: list[str] = Field(
        description="Ids of listings that show the same picture, best first, where"
        " `fold_duplicates` asked for it."
    )
    listing: ListingAnswer


class CategoryAnswer(BaseModel):
    """A category that the photo may be of."""

    name: str
    confidence: float


class FacetValueAnswer(BaseModel):
    """A value of a field, and how many listings have it."""

    value: str
    count: int
    selected: bool = Field(description="Whether the filter asks for it.")


class FacetAnswer(BaseModel):
    """A field among the listings that meet what the filter says of all other fields."""

    field: str
    type: Literal["text", "number", "boolean"]
    values: list[FacetValueAnswer] = Field(description="Commonest first; none of a number.")
    min: float | None = Field(description="Of a number.")
    max: float | None
    quartiles: list[float] | None = Field(description="Three: a quarter, half, three quarters.")


class PageAnswer(BaseModel):
    """A page of hits, best first."""

    hits: list[HitAnswer]
    close_match: bool = Field(
        description="Whether the best hit is closer than what chance finds in this catalogue."
    )
    next_cursor: str | None = Field(
        description="Sent as `cursor`, it gets the next page; null where there is none."
    )
    category: list[CategoryAnswer]
    facets: list[FacetAnswer] | None = Field(description="Null where they were not asked for.")
    snapshot: str = Field(description="The name of the snapshot that was searched.")
    took_ms: dict[str, float] = Field(description="Milliseconds per stage.")


class StatusAnswer(BaseModel):
    """What is served."""

    model_config = ConfigDict(extra="allow")

    listings: int
    pictures: int
    failures: int
    vectors: int
    dims: int
    index: str
    recipe: dict[str, Any]
    network: dict[str, Any]
    snapshot: str
    created: str
    version: str
    categories: dict[str, Any]


class HealthAnswer(BaseModel):
    """That the process is alive."""

    status: Literal["ok"] = "ok"


class ReadyAnswer(BaseModel):
    """That an index is served."""

    status: Literal["ready"] = "ready"


class ErrorDetail(BaseModel):
    """What went wrong: a code for programs, a message and a hint for people."""

    code: str = Field(examples=["listing_not_found"])
    message: str
    hint: str


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    error: ErrorDetail
