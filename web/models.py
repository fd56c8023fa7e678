"""The API's words: what it takes and what it answers, as pydantic models.

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
    model_validator,
)

from indexer.listing import Attribute
from search.query import MAX_EXAMPLES, MAX_K, MAX_WEIGHT

ListingId = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Hits = Annotated[int, Field(ge=1, le=MAX_K, description="How many hits.")]
MinScore = Annotated[
    float | None, Field(ge=0, le=1, description="Hits that score lower are left out.")
]
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


CategoryPrior = Annotated[
    bool,
    Field(
        description="Whether the predicted category takes part in the ranking, or similarity alone."
    ),
]


class ExampleJson(Strict):
    """One of several pictures that a question is made of: a photo, or a listing."""

    image_base64: str | None = Field(None, description="The encoded photo in base64.")
    listing_id: ListingId | None = Field(None, description="A listing; left out of the answer.")
    region: ShareOfPhoto | None = None
    weight: float = Field(
        1.0, gt=0, le=MAX_WEIGHT, allow_inf_nan=False, description="Beside the others."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> ExampleJson:
        if (self.image_base64 is None) == (self.listing_id is None):
            raise ValueError("An example is exactly one of image_base64 and listing_id")
        return self


class SearchJson(Strict):
    """A search as JSON: one of `image_base64`, `listing_id`, `positives` and `image_url`."""

    image_base64: str | None = Field(
        None, description="The encoded photo (JPEG, PNG, WebP, ...) in base64."
    )
    listing_id: ListingId | None = Field(None, description="Find what is like this listing.")
    image_url: str | None = Field(
        None, description="The URL of a photo. This server fetches none: 422."
    )
    positives: list[ExampleJson] = Field(
        [], max_length=MAX_EXAMPLES, description="Find what is like all of these at once."
    )
    negatives: list[ExampleJson] = Field(
        [], max_length=MAX_EXAMPLES, description="And not like these."
    )
    k: Hits = 10
    region: ShareOfPhoto | None = None
    min_score: MinScore = None
    category_prior: CategoryPrior = True

    @model_validator(mode="after")
    def _exactly_one(self) -> SearchJson:
        given = (self.image_base64, self.listing_id, self.image_url, self.positives or None)
        if sum(value is not None for value in given) != 1:
            raise ValueError(
                "A search takes exactly one of image_base64, listing_id, positives and image_url"
            )
        return self


class SearchFields(Strict):
    """The fields that go with a photo in a form."""

    k: Hits = 10
    region: RegionField = None
    min_score: MinScore = None
    category_prior: CategoryPrior = True


class SimilarQuery(Strict):
    """The query string of a search by listing."""

    k: Hits = 10
    min_score: MinScore = None
    category_prior: CategoryPrior = True


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
    listing: ListingAnswer


class CategoryAnswer(BaseModel):
    """A category that the photo may be of."""

    name: str
    confidence: float


class PageAnswer(BaseModel):
    """A page of hits, best first."""

    hits: list[HitAnswer]
    close_match: bool = Field(
        description="Whether the best hit is closer than what chance finds in this catalogue."
    )
    next_cursor: str | None
    category: list[CategoryAnswer]
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
