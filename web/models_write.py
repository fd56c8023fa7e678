"""What the API takes to write listings, and what it answers, as pydantic models."""

from __future__ import annotations

import math
import unicodedata
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from indexer.errors import SourceError
from indexer.listing import Attribute
from indexer.operations import MAX_PICTURES
from indexer.sources.values import MAX_ID, clean_id
from web.models import ErrorDetail, Strict

MAX_ATTRIBUTES = 100
MAX_NAME = 100
MAX_VALUE = 10_000
MAX_VALUES = 100
MAX_LINES = 1_000
MAX_PRICE = 1e15


def _plain(text: str) -> str:
    """Let no character through that shows nothing and breaks what shows it."""
    if any(
        unicodedata.category(letter) in ("Cc", "Cs") for letter in text if letter not in "\t\r\n"
    ):
        raise ValueError("it holds a control character")
    return text.strip()


def _id(text: str) -> str:
    if "/" in text:
        raise ValueError("an id holds no slash; write it as ':'")
    try:
        clean = clean_id(text, "")
    except SourceError as error:
        raise ValueError(error.message.removeprefix(": ").rstrip(".")) from error
    if clean != text:
        raise ValueError("an id neither begins nor ends with a space")
    return text


Id = Annotated[str, Field(max_length=MAX_ID, description="The listing's id."), AfterValidator(_id)]


def _value(value: object) -> object:
    match value:
        case bool():
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case float() if math.isfinite(value):
            return value
        case str() if len(value) <= MAX_VALUE:
            return _plain(value)
        case list() if len(value) <= MAX_VALUES and all(isinstance(one, str) for one in value):
            if sum(map(len, value)) <= MAX_VALUE:
                return [_plain(one) for one in value]
    raise ValueError(
        f"a value is text of at most {MAX_VALUE:,} characters, a number, true or false, or a list"
        f" of at most {MAX_VALUES} texts"
    )


VALUE_SCHEMA = {
    "anyOf": [
        {"type": "string", "maxLength": MAX_VALUE},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}, "maxItems": MAX_VALUES},
    ]
}
Value = Annotated[Attribute, PlainValidator(_value), WithJsonSchema(VALUE_SCHEMA)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_plain)]
Attributes = Annotated[
    dict[Name, Value],
    Field(
        max_length=MAX_ATTRIBUTES,
        description="Anything else that is to be said: text, numbers, true or false, and lists of"
        " text.",
    ),
]
Title = Annotated[str, Field(max_length=1000), AfterValidator(_plain)]
Category = Annotated[str, Field(max_length=500), AfterValidator(_plain)]
Currency = Annotated[str, Field(max_length=20), AfterValidator(_plain)]
Url = Annotated[str, Field(max_length=4000), AfterValidator(_plain)]
Price = Annotated[float, Field(ge=0, le=MAX_PRICE, allow_inf_nan=False)]
Pictures = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=MAX_PICTURES,
        description="The encoded pictures in base64, the one that is shown first.",
    ),
]


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ListingFields(Strict):
    """What a listing says, beside its pictures."""

    title: Title = ""
    category: Category = ""
    price: Price | None = None
    currency: Currency = ""
    url: Url = Field("", description="Where the listing is in the shop.")


class ListingForm(ListingFields):
    """A listing as a form: its pictures' files and its fields; any other field is an attribute."""

    image: list[bytes] = Field(
        description="The pictures' files, the one that is shown first.",
        json_schema_extra={"items": {"type": "string", "format": "binary"}},
    )
    attributes: str = Field("", description="Attributes as JSON, where they are no text.")


class ListingJson(ListingFields):
    """A listing as JSON, with its pictures in base64."""

    attributes: Attributes = Field({})
    image_base64: Annotated[Pictures | None, BeforeValidator(_one_or_more)] = Field(
        None, description="A picture, or several."
    )
    images_base64: Pictures | None = Field(None, description="The same, by another name.")
    image_url: str | list[str] | None = Field(
        None, description="The URL of a picture. This server fetches none: 422."
    )

    @property
    def pictures(self) -> list[str]:
        """The pictures in base64."""
        return self.image_base64 or self.images_base64 or []

    @model_validator(mode="after")
    def _by_one_name(self) -> ListingJson:
        if self.image_base64 is not None and self.images_base64 is not None:
            raise ValueError("Give the pictures in image_base64 or in images_base64, not in both")
        return self


class PatchJson(Strict):
    """What is to change of a listing; what is not named stays. null empties a field."""

    title: Title | None = None
    category: Category | None = None
    price: Price | None = None
    currency: Currency | None = None
    url: Url | None = None
    attributes: Annotated[
        dict[Name, Value | None],
        Field(max_length=MAX_ATTRIBUTES, description="null takes an attribute away."),
    ] = Field({})


class PutLine(ListingJson):
    """A line of a batch that makes a listing what is said here."""

    op: Literal["put"]
    id: Id


class PatchLine(PatchJson):
    """A line of a batch that changes fields of a listing."""

    op: Literal["patch"]
    id: Id


class DeleteLine(Strict):
    """A line of a batch that takes a listing out."""

    op: Literal["delete"]
    id: Id


class BatchLine(RootModel[Annotated[PutLine | PatchLine | DeleteLine, Field(discriminator="op")]]):
    """A line of a batch."""


class WriteAnswer(BaseModel):
    """What became of a write. It is durable, and the next search knows of it."""

    id: str
    outcome: Literal["created", "replaced", "patched", "removed", "unchanged"]


class LineAnswer(BaseModel):
    """What became of a line of a batch: an `outcome`, or an `error`."""

    line: int = Field(ge=1, description="The line's number, from 1.")
    id: str | None = None
    outcome: Literal["created", "replaced", "patched", "removed", "unchanged"] | None = None
    error: ErrorDetail | None = None
