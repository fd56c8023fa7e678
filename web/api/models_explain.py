"""The API's words for why a hit was found; see `web.api.models` for the others."""

from __future__ import annotations

from pydantic import ConfigDict, Field, model_validator

from web.api.model_rules import exactly_one, region_of_a_photo, require_photo, wrong
from web.api.models import BASE64, Explanation, ListingId, RegionField, ShareOfPhoto, Strict
from web.api.models_search import PhotoUrl


class ExplainFields(Strict):
    """The fields that go with a photo in a form, to have a hit explained."""

    listing_id: ListingId = Field(description="The hit.")
    region: RegionField = None


class WhyFields(ExplainFields):
    """What goes with a photo in the page's form, in whose place its address may stand."""

    image_url: str | None = None


class ExplainJson(Strict):
    """A hit to explain as JSON, with what it was found by: a photo, its address, or a listing."""

    model_config = ConfigDict(
        json_schema_extra=region_of_a_photo(
            exactly_one("image_base64", "query_listing_id", "image_url")
        )
    )

    listing_id: ListingId = Field(description="The hit.")
    image_base64: str | None = Field(
        None,
        description="The encoded photo (JPEG, PNG, WebP, ...) in base64.",
        json_schema_extra=BASE64,
    )
    query_listing_id: ListingId | None = Field(
        None, description="The listing that was searched with, instead of a photo."
    )
    image_url: PhotoUrl = None
    region: ShareOfPhoto | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> ExplainJson:
        given = (self.image_base64, self.query_listing_id, self.image_url)
        if sum(value is not None for value in given) != 1:
            raise wrong(
                "A hit is explained for exactly one of image_base64, query_listing_id and"
                " image_url.",
                hint="Send what it was found by, beside its listing_id, and nothing else.",
            )
        require_photo(self.region, self.image_base64, self.image_url)
        return self


class ExplainAnswer(Explanation):
    """Where a photo, or a listing, and a hit agree."""

    listing_id: str = Field(description="The hit.")
