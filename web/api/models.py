"""The API's words as pydantic models: what it answers, and what several of its paths take.

The OpenAPI document is made of these. What is answered comes from `search.answer`; a test holds
the two together.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from indexer.listing import Attribute
from indexer.sources.values import MAX_ID

ID_INNER = r"[^/\x00-\x1f\x7f-\x9f\u2028\u2029]"
ID_END = ID_INNER.replace("]", r"\s]")
ID_SCHEMA: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_ID,
    "pattern": f"^{ID_END}({ID_INNER}*{ID_END})?$",
    "not": {"enum": [".", ".."]},
}
"""What can be a listing's id, for the document; `indexer.sources.values.clean_id` decides."""

BASE64: dict[str, Any] = {
    "format": "byte",
    "contentEncoding": "base64",
    "contentMediaType": "image/*",
}
FILE: dict[str, Any] = {"type": "string", "format": "binary", "contentMediaType": "image/*"}
"""What a picture is for the document: in JSON, and as a file of a form."""

ListingId = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
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

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return the schema, made once: flask-openapi3 asks at every request, 1 ms each."""
        if arguments or options:
            return super().model_json_schema(*arguments, **options)
        return cls._schema()

    @classmethod
    @cache
    def _schema(cls) -> dict[str, Any]:
        return super().model_json_schema()


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
            "format": "region",
            "examples": ["0.1,0.1,0.5,0.8"],
        }
    ),
]
"""A region as it is written into a form."""


class ListingPath(BaseModel):
    """The id in a path."""

    listing_id: str = Field(
        description="The listing's id, percent-encoded.", json_schema_extra=ID_SCHEMA
    )


class ListingAnswer(BaseModel):
    """A listing, shown by one of its pictures."""

    id: str = Field(description="Its id, unique in the catalogue.")
    title: str = Field(description="What it is called; empty where nothing was said.")
    category: str = Field(description="The category that it is in; empty where nothing was said.")
    price: float | None = Field(description="In `currency`; null where nothing was said.")
    currency: str = Field(description="As the catalogue writes it, `EUR` say.")
    url: str = Field(description="Where the listing is in the shop.")
    attributes: dict[str, Attribute] = Field(
        description="All else that is said of it: texts, numbers, booleans and lists of texts."
    )
    image_url: str | None = Field(description="The picture, as the shop has it or as a preview.")
    thumbnail_url: str | None = Field(description="A JPEG of at most 400 pixels a side.")


class PictureAnswer(BaseModel):
    """One picture of a listing."""

    image_url: str = Field(description="The picture, as the shop has it or as a preview.")
    thumbnail_url: str | None = Field(
        description="A JPEG of at most 400 pixels a side; null where the picture was rejected."
    )


class FullListing(ListingAnswer):
    """A listing with all its pictures."""

    pictures: list[PictureAnswer] = Field(description="All of them, the one shown first first.")


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


class Explanation(BaseModel):
    """Where two pictures agree."""

    similarity: float = Field(description="Cosine of the two pictures, computed anew.")
    stored_similarity: float = Field(description="The same from the index, as a search finds it.")
    rows: int = Field(description="Rows of each map.")
    columns: int = Field(description="Columns of each map.")
    query: SideAnswer = Field(description="The photo, or the listing that was searched with.")
    hit: SideAnswer = Field(description="The hit's picture that comes closest.")


class HitAnswer(BaseModel):
    """One listing of an answer."""

    rank: int = Field(ge=1, description="Its place among all hits, from 1.")
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
    listing: ListingAnswer = Field(
        description="The listing, shown by the picture that comes closest."
    )
    explanation: Explanation | None = Field(
        None,
        description="Of the first hits, where `explain` asked for it: where the two pictures agree."
        " Null where the hit's picture is gone.",
    )


class CategoryAnswer(BaseModel):
    """A category that the photo may be of."""

    name: str = Field(description="As the catalogue writes it.")
    confidence: float = Field(description="0 to 1: how likely it is.")


class FacetValueAnswer(BaseModel):
    """A value of a field, and how many listings have it."""

    value: str = Field(description="As it was first written.")
    count: int = Field(description="Listings, not pictures.")
    selected: bool = Field(description="Whether the filter asks for it.")


class FacetAnswer(BaseModel):
    """A field among the listings that meet what the filter says of all other fields."""

    field: str = Field(description="Its name, as a filter takes it.")
    type: Literal["text", "number", "boolean"] = Field(description="What its values are.")
    values: list[FacetValueAnswer] = Field(description="Commonest first; none of a number.")
    min: float | None = Field(description="The least, of a number.")
    max: float | None = Field(description="The greatest, of a number.")
    quartiles: list[float] | None = Field(description="Three: a quarter, half, three quarters.")


class PageAnswer(BaseModel):
    """A page of hits, best first."""

    hits: list[HitAnswer] = Field(description="One per listing, best first.")
    close_match: bool = Field(
        description="Whether the best hit is closer than what chance finds in this catalogue."
    )
    next_cursor: str | None = Field(
        description="Sent as `cursor`, it gets the next page; null where there is none."
    )
    category: list[CategoryAnswer] = Field(
        description="What the photo may be of, likeliest first; empty where the catalogue taught"
        " no categories."
    )
    facets: list[FacetAnswer] | None = Field(description="Null where they were not asked for.")
    snapshot: str = Field(description="The name of the snapshot that was searched.")
    took_ms: dict[str, float] = Field(
        description="Milliseconds per stage: `decode`, `embed`, `search` and `total`."
    )


class StatusAnswer(BaseModel):
    """What is served."""

    model_config = ConfigDict(extra="allow")

    listings: int = Field(description="Listings of the catalogue.")
    pictures: int = Field(description="Their pictures.")
    failures: int = Field(description="Pictures that could not be used.")
    vectors: int = Field(description="Vectors of the snapshot.")
    dims: int = Field(description="Dimensions of a vector.")
    index: str = Field(description="The FAISS index, in FAISS' words.")
    recipe: dict[str, Any] = Field(description="How vectors are made of features.")
    network: dict[str, Any] = Field(description="What makes the features, and its weights.")
    snapshot: str = Field(description="The name of the snapshot that is searched.")
    created: str = Field(description="When it was made, in ISO 8601.")
    version: str = Field(
        description="The Lookalike that made it; empty where a public server tells strangers."
    )
    categories: dict[str, Any] = Field(description="Listings per category, commonest first.")


class HealthAnswer(BaseModel):
    """That the process is alive."""

    status: Literal["ok"] = Field("ok", description="Always `ok`: else nothing is answered.")


class ReadyAnswer(BaseModel):
    """That an index is served."""

    status: Literal["ready"] = Field("ready", description="`ready`, or the answer is a 503.")


class ErrorDetail(BaseModel):
    """What went wrong: a code for programs, a message and a hint for people."""

    code: str = Field(
        description="For programs; it stays the same.", examples=["listing_not_found"]
    )
    message: str = Field(description="What is wrong, in a sentence.")
    hint: str = Field(description="What to do about it, in a sentence; may be empty.")


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    error: ErrorDetail = Field(description="What went wrong.")
