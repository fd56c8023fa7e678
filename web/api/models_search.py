"""What a search takes over the API, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from search.filters import MAX_LENGTH
from search.query import MAX_EXAMPLES, MAX_K, MAX_WEIGHT
from web.api.model_rules import exactly_one, region_of_a_photo, require_photo, wrong
from web.api.models import BASE64, ListingId, RegionField, ShareOfPhoto, Strict
from web.fetching.addresses import MAX_URL


def _whole(value: Any) -> Any:
    """Let 10.0 be 10, as it is in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


FILTER: dict[str, Any] = {"format": "filter"}
CURSOR: dict[str, Any] = {"format": "cursor"}

Hits = Annotated[
    int,
    Field(ge=1, le=MAX_K, description="How many hits."),
    BeforeValidator(_whole),
]
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
        json_schema_extra=FILTER,
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
PhotoUrl = Annotated[
    str | None,
    Field(
        max_length=MAX_URL,
        description="The http(s) URL of a photo, which the server fetches from the open internet."
        " Where its operator has turned that off: 422 `url_search_disabled`.",
    ),
]
WithFacets = Annotated[
    bool, Field(description="Whether to answer what the filter leaves to choose from, too.")
]
Explained = Annotated[
    bool,
    Field(
        description="Whether the first three hits say where they agree with what was searched"
        " with: one photo or one listing. It takes some five times as long."
    ),
]
CursorText = Annotated[
    str | None,
    Field(
        description="The `next_cursor` of a page, to go on from there. It carries the question and"
        " all that was asked for with it, so that nothing else is sent. Good for a day.",
        json_schema_extra=CURSOR,
    ),
]


Sort = Annotated[
    Literal["similarity", "price", "-price"],
    Field(
        description="`price` puts the closest hits in order, at most 200 and only such as are"
        " related: the cheapest first, without a price last; `-price` the dearest first. `rank` is"
        " then the place in that order."
    ),
]


def _nothing_beside_a_cursor(given: set[str]) -> None:
    beside = sorted(given - {"cursor"})
    if "cursor" in given and beside:
        raise wrong(
            "A cursor carries all that was asked for.",
            hint=f"Send it without {' and '.join(beside)}.",
        )


MISSING = (
    "Send a photo as image_base64, its address as image_url, or a listing's id as listing_id.",
    "Add 'positives': what to look for, beside what it shall be unlike.",
)
"""What to do about a search with nothing, and about one with negative examples alone."""

NO_EXAMPLES = {"type": "array", "maxItems": 0}


class ExampleJson(Strict):
    """One of several pictures that a question is made of: a photo, or a listing."""

    model_config = ConfigDict(
        json_schema_extra=region_of_a_photo(exactly_one("image_base64", "listing_id", "image_url"))
    )

    image_base64: str | None = Field(
        None, description="The encoded photo in base64.", json_schema_extra=BASE64
    )
    listing_id: ListingId | None = Field(None, description="A listing; left out of the answer.")
    image_url: PhotoUrl = None
    region: ShareOfPhoto | None = None
    weight: float = Field(
        1.0, gt=0, le=MAX_WEIGHT, allow_inf_nan=False, description="Beside the others."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> ExampleJson:
        given = (self.image_base64, self.listing_id, self.image_url)
        if sum(value is not None for value in given) != 1:
            raise wrong(
                "An example is exactly one of image_base64, listing_id and image_url.",
                hint="Make an example of its own for each photo and each listing.",
            )
        require_photo(self.region, self.image_base64, self.image_url)
        return self


class Page(Strict):
    """Which page of hits, whatever is searched with."""

    k: Hits = 10
    min_score: MinScore = None
    category_prior: CategoryPrior = True
    filter: FilterText = ""
    fold_duplicates: Fold = False
    facets: WithFacets = False
    explain: Explained = False
    sort: Sort = "similarity"


def _one_question() -> dict[str, Any]:
    schema = region_of_a_photo(
        exactly_one("image_base64", "listing_id", "image_url", "positives", "cursor")
    )
    *_, several, cursor = schema["oneOf"]
    for branch in schema["oneOf"]:
        if branch is not several:
            branch["properties"] |= {"positives": NO_EXAMPLES, "negatives": NO_EXAMPLES}
    several["properties"] |= {"positives": {"minItems": 1}, "explain": {"const": False}}
    cursor["maxProperties"] = 1
    return schema


class SearchJson(Page):
    """A search as JSON: one of `image_base64`, `listing_id`, `positives`, or a `cursor` alone."""

    model_config = ConfigDict(json_schema_extra=_one_question())

    image_base64: str | None = Field(
        None,
        description="The encoded photo (JPEG, PNG, WebP, ...) in base64.",
        json_schema_extra=BASE64,
    )
    listing_id: ListingId | None = Field(None, description="Find what is like this listing.")
    image_url: PhotoUrl = None
    positives: list[ExampleJson] = Field(
        [], max_length=MAX_EXAMPLES, description="Find what is like all of these at once."
    )
    negatives: list[ExampleJson] = Field(
        [], max_length=MAX_EXAMPLES - 1, description="And not like these."
    )
    region: ShareOfPhoto | None = None
    cursor: CursorText = None

    @model_validator(mode="after")
    def _exactly_one(self) -> SearchJson:
        if self.cursor is not None:
            _nothing_beside_a_cursor(self.model_fields_set)
            return self
        given = (self.image_base64, self.listing_id, self.image_url, self.positives or None)
        count = sum(value is not None for value in given)
        if count != 1:
            raise wrong(
                "A search takes exactly one of image_base64, listing_id, positives, image_url and"
                " cursor.",
                hint="Leave the others out." if count else MISSING[bool(self.negatives)],
            )
        require_photo(self.region, self.image_base64, self.image_url)
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
