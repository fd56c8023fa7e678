"""What a search takes over the API, as pydantic models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from search.filters import MAX_LENGTH
from search.query import MAX_EXAMPLES, MAX_K, MAX_WEIGHT
from web.models import ListingId, RegionField, ShareOfPhoto, Strict

Hits = Annotated[int, Field(ge=1, le=MAX_K, description="How many hits.")]
MinScore = Annotated[
    float | None, Field(ge=0, le=1, description="Hits that score lower are left out.")
]
CategoryPrior = Annotated[
    bool,
    Field(
        description="Whether the predicted category takes part in the ranking, or similarity alone."
    ),
]


FilterText = Annotated[
    str,
    Field(
        max_length=MAX_LENGTH,
        description="What listings must meet: `category:shoes,boots price:10..50 -brand:acme`"
        " (docs/filters.md).",
    ),
]
Fold = Annotated[
    bool,
    Field(
        description="Whether listings that show the same picture are one hit: the best of them,"
        " with the others as its `similar_offers`."
    ),
]
WithFacets = Annotated[
    bool, Field(description="Whether to answer what the filter leaves to choose from, too.")
]
CursorText = Annotated[
    str | None,
    Field(
        description="The `next_cursor` of a page, to go on from there. It carries the question and"
        " all that was asked for with it, so that nothing else is sent. Good for a day."
    ),
]


def _nothing_beside_a_cursor(given: set[str]) -> None:
    beside = sorted(given - {"cursor"})
    if "cursor" in given and beside:
        raise ValueError(
            f"a cursor carries all that was asked for: send it without {' and '.join(beside)}"
        )


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


class Page(Strict):
    """Which page of hits, whatever is searched with."""

    k: Hits = 10
    min_score: MinScore = None
    category_prior: CategoryPrior = True
    filter: FilterText = ""
    fold_duplicates: Fold = False
    facets: WithFacets = False


class SearchJson(Page):
    """A search as JSON: one of `image_base64`, `listing_id`, `positives`, or a `cursor` alone."""

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
    region: ShareOfPhoto | None = None
    cursor: CursorText = None

    @model_validator(mode="after")
    def _exactly_one(self) -> SearchJson:
        if self.cursor is not None:
            _nothing_beside_a_cursor(self.model_fields_set)
            return self
        given = (self.image_base64, self.listing_id, self.image_url, self.positives or None)
        if sum(value is not None for value in given) != 1:
            raise ValueError(
                "A search takes exactly one of image_base64, listing_id, positives, image_url and"
                " cursor"
            )
        return self


class SearchFields(Page):
    """The fields that go with a photo in a form."""

    region: RegionField = None


class SimilarQuery(Page):
    """The query string of a search by listing; a `cursor` stands alone."""

    cursor: CursorText = None

    @model_validator(mode="after")
    def _cursor_alone(self) -> SimilarQuery:
        if self.cursor is not None:
            _nothing_beside_a_cursor(self.model_fields_set)
        return self
