"""The API's words for why a hit was found; see `web.api.models` for the others."""

from __future__ import annotations

from pydantic import ConfigDict, Field, model_validator

from web.api.models import (
    BASE64,
    Explanation,
    ListingId,
    RegionField,
    ShareOfPhoto,
    Strict,
    exactly_one,
)


class ExplainFields(Strict):
    """The fields that go with a photo in a form, to have a hit explained."""

    listing_id: ListingId = Field(description="The hit.")
    region: RegionField = None


class ExplainJson(Strict):
    """A hit to explain as JSON: with one of `image_base64` and `query_listing_id`."""

    model_config = ConfigDict(json_schema_extra=exactly_one("image_base64", "query_listing_id"))

    listing_id: ListingId = Field(description="The hit.")
    image_base64: str | None = Field(
        None,
        description="The encoded photo (JPEG, PNG, WebP, ...) in base64.",
        json_schema_extra=BASE64,
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


class ExplainAnswer(Explanation):
    """Where a photo, or a listing, and a hit agree."""

    listing_id: str = Field(description="The hit.")
