"""What the API takes to write listings, and what it answers, as pydantic models."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
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
from web.api.model_rules import exactly_one
from web.api.models import BASE64, FILE, ID_SCHEMA, ErrorDetail, Strict
from web.fetching.addresses import MAX_URL

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


def _name(text: str) -> str:
    name = _plain(text)
    if not name:
        raise ValueError("a name holds more than spaces")
    return name


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


PLAIN = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
SHOWN = PLAIN.replace("]", r"\s]")
TEXT: dict[str, Any] = {"pattern": f"^{PLAIN}*$"}
"""Text without control characters, for the document."""

Id = Annotated[
    str,
    Field(max_length=MAX_ID, description="The listing's id.", json_schema_extra=ID_SCHEMA),
    AfterValidator(_id),
]


def _value(value: object) -> object:
    match value:
        case bool():
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case float() if -(2.0**63) <= value < 2.0**63:  # nor infinite, nor no number
            return value
        case str() if len(value) <= MAX_VALUE:
            return _plain(value)
        case list() if len(value) <= MAX_VALUES and all(isinstance(one, str) for one in value):
            if sum(map(len, value)) <= MAX_VALUE:
                return [_plain(one) for one in value]
    raise ValueError(
        f"a value is text of at most {MAX_VALUE:,} characters, a number within 64 bits, true or"
        " false, or a list"
        f" of at most {MAX_VALUES} texts"
    )


VALUE_SCHEMA = {
    "anyOf": [
        {"type": "string", "maxLength": MAX_VALUE, **TEXT},
        {"type": "number", "minimum": -(2**63), "exclusiveMaximum": 2**63},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string", **TEXT}, "maxItems": MAX_VALUES},
    ]
}
Value = Annotated[Attribute, PlainValidator(_value), WithJsonSchema(VALUE_SCHEMA)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_name)]
NAMES: dict[str, Any] = {
    "propertyNames": {"maxLength": MAX_NAME, "pattern": f"^{PLAIN}*{SHOWN}{PLAIN}*$"}
}
Attributes = Annotated[
    dict[Name, Value],
    Field(
        max_length=MAX_ATTRIBUTES,
        description="Anything else that is to be said: text, numbers, true or false, and lists of"
        " text.",
        json_schema_extra=NAMES,
    ),
]
Title = Annotated[
    str,
    Field(max_length=1000, description="What it is called.", json_schema_extra=TEXT),
    AfterValidator(_plain),
]
Category = Annotated[
    str,
    Field(
        max_length=500,
        description="The category that it is in; a deeper one as `shoes > boots`.",
        json_schema_extra=TEXT,
    ),
    AfterValidator(_plain),
]
Currency = Annotated[
    str,
    Field(max_length=20, description="As prices are given in, `EUR` say.", json_schema_extra=TEXT),
    AfterValidator(_plain),
]
Url = Annotated[
    str,
    Field(max_length=4000, description="Where the listing is in the shop.", json_schema_extra=TEXT),
    AfterValidator(_plain),
]
Price = Annotated[
    float, Field(ge=0, le=MAX_PRICE, allow_inf_nan=False, description="In `currency`.")
]
Pictures = Annotated[
    list[Annotated[str, Field(json_schema_extra=BASE64)]],
    Field(
        min_length=1,
        max_length=MAX_PICTURES,
        description="The encoded pictures in base64, the one that is shown first.",
    ),
]

PictureUrls = Annotated[
    list[Annotated[str, Field(max_length=MAX_URL)]],
    Field(min_length=1, max_length=MAX_PICTURES),
]


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _one_or_several(schema: dict[str, Any]) -> None:
    """Let a text stand for a list of one, in the document, too."""
    schema["anyOf"].insert(0, {"type": "string", **BASE64})


def _one_url_or_several(schema: dict[str, Any]) -> None:
    schema["anyOf"].insert(0, {"type": "string", "maxLength": MAX_URL})


class ListingFields(Strict):
    """What a listing says, beside its pictures."""

    title: Title = ""
    category: Category = ""
    price: Price | None = None
    currency: Currency = ""
    url: Url = ""


OTHER_FIELD: dict[str, Any] = {"type": "string", "maxLength": MAX_VALUE, **TEXT}


class ListingForm(ListingFields):
    """A listing as a form: its pictures' files and its fields; any other field is an attribute.

    An empty field counts as left out.
    """

    model_config = ConfigDict(json_schema_extra={"additionalProperties": OTHER_FIELD})

    image: list[bytes] = Field(
        description="The pictures' files, the one that is shown first.",
        json_schema_extra={"items": FILE, "minItems": 1, "maxItems": MAX_PICTURES},
    )
    attributes: str = Field(
        "",
        description="Attributes as JSON, where they are no text.",
        json_schema_extra={"format": "attributes", "contentMediaType": "application/json"},
    )


class ListingJson(ListingFields):
    """A listing as JSON, with its pictures in base64."""

    model_config = ConfigDict(
        json_schema_extra=exactly_one("image_base64", "images_base64", "image_url")
    )

    attributes: Attributes = Field({})
    image_base64: Annotated[Pictures | None, BeforeValidator(_one_or_more)] = Field(
        None,
        description="A picture, or several.",
        json_schema_extra=_one_or_several,
    )
    images_base64: Pictures | None = Field(None, description="The same, by another name.")
    image_url: Annotated[PictureUrls | None, BeforeValidator(_one_or_more)] = Field(
        None,
        description="The http(s) URL of a picture, or several: the server fetches them from the"
        " open internet and keeps them. Where its operator has turned that off: 422"
        " `url_search_disabled`.",
        json_schema_extra=_one_url_or_several,
    )

    @property
    def pictures(self) -> list[str]:
        """The pictures in base64."""
        return self.image_base64 or self.images_base64 or []

    @model_validator(mode="after")
    def _by_one_name(self) -> ListingJson:
        given = (self.image_base64, self.images_base64, self.image_url)
        if sum(value is not None for value in given) > 1:
            raise ValueError(
                "Give the pictures in one of image_base64, images_base64 and image_url"
            )
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
        Field(
            max_length=MAX_ATTRIBUTES,
            description="Those to add or to replace; null takes one away.",
            json_schema_extra=NAMES,
        ),
    ] = Field({})


class PutLine(ListingJson):
    """A line of a batch that makes a listing what is said here."""

    op: Literal["put"] = Field(description="What is to be done: `put`.")
    id: Id


class PatchLine(PatchJson):
    """A line of a batch that changes fields of a listing."""

    op: Literal["patch"] = Field(description="What is to be done: `patch`.")
    id: Id


class DeleteLine(Strict):
    """A line of a batch that takes a listing out."""

    op: Literal["delete"] = Field(description="What is to be done: `delete`.")
    id: Id


class BatchLine(RootModel[Annotated[PutLine | PatchLine | DeleteLine, Field(discriminator="op")]]):
    """A line of a batch."""


Outcome = Literal["created", "replaced", "patched", "removed", "unchanged"]
BECAME = "What became of it; `unchanged` where all was so already."


class WriteAnswer(BaseModel):
    """What became of a write. It is durable, and the next search knows of it."""

    id: str = Field(description="The listing's id.")
    outcome: Outcome = Field(description=BECAME)


class LineAnswer(BaseModel):
    """What became of a line of a batch: an `outcome`, or an `error`."""

    line: int = Field(ge=1, description="The line's number, from 1.")
    id: str | None = Field(None, description="The listing's id, where it could be read.")
    outcome: Outcome | None = Field(None, description=BECAME)
    error: ErrorDetail | None = Field(None, description="Why the line was not done.")
