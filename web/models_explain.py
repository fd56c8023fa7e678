"""The API's words for why a hit was found; see `web.models` for the others."""

from __future__ import annotations

from pydantic import BaseModel, Field, model_validator

from web.models import ListingId, RegionField, ShareOfPhoto, Strict


class ExplainFields(Strict):
    """The fields that go with a photo in a form, to have a hit explained."""

    listing_id: ListingId = Field(description="The hit.")
    region: RegionField = None


class ExplainJson(Strict):
    """A hit to explain as JSON: with one of `image_base64` and `query_listing_id`."""

    listing_id: ListingId = Field(description="The hit.")
    image_base64: str | None = Field(
        None, description="The encoded photo (JPEG, PNG, WebP, ...) in base64."
    )
    query_listing_id: ListingId | None = Field(
        None, description="The listing that was searched with, instead of a photo."
    )
    region: ShareOfPhoto | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> ExplainJson:
        if (self.image_base64 is None) == (self.query_listing_id is None):
            raise ValueError(
                "A hit is explained for exactly one of image_base64 and query_listing_id"
            )
        return self


class SideAnswer(BaseModel):
    """One of the two pictures of an explanation."""

    constant: float = Field(
        description="What belongs to no place of it: it comes of comparing both pictures with the"
        " average one. All of `map` and this make up the similarity."
    )
    map: list[list[float]] = Field(
        description="What each place adds to the similarity, row by row from the top left; below"
        " zero where it speaks against it."
    )
    region: tuple[float, float, float, float] | None = Field(
        description="The part of the picture that the map is of; null for the whole."
    )
    picture: int | None = Field(
        description="The picture's place among its listing's; null for a photo."
    )


class ExplainAnswer(BaseModel):
    """Where a photo, or a listing, and a hit agree."""

    listing_id: str = Field(description="The hit.")
    similarity: float = Field(description="Cosine of the two pictures, computed anew.")
    stored_similarity: float = Field(description="The same from the index, as a search finds it.")
    rows: int = Field(description="Rows of each map.")
    columns: int = Field(description="Columns of each map.")
    query: SideAnswer
    hit: SideAnswer
