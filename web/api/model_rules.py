"""What the API's models ask of several fields at once, in their schemas and in their errors."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

PHOTOS = ("image_base64", "image_url")
"""The fields that bring a photo."""

GIVEN: dict[str, Any] = {"not": {"type": "null"}}
ABSENT: dict[str, Any] = {"type": "null"}


def exactly_one(*names: str) -> dict[str, Any]:
    """Say in a schema that one of some fields is given, and the others are null or left out."""
    return {
        "oneOf": [
            {
                "required": [name],
                "properties": {other: GIVEN if other == name else ABSENT for other in names},
            }
            for name in names
        ]
    }


def region_of_a_photo(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in a schema of `exactly_one` that a region goes with a photo only."""
    for branch in schema["oneOf"]:
        if not set(branch["required"]) & set(PHOTOS):
            branch["properties"]["region"] = ABSENT
    return schema


def require_photo(region: object, *photos: object) -> None:
    """Raise an error where there is a region, and none of the photos that it could be of."""
    if region is not None and not any(photo is not None for photo in photos):
        raise wrong(
            "A region is the part of a photo, and there is none.",
            hint="Leave 'region' out, or send image_base64 or image_url with it.",
        )


def wrong(message: str, *, hint: str) -> PydanticCustomError:
    """Return the error of a validator that says what to do, too."""
    return PydanticCustomError("value_error", "{said}", {"said": message, "hint": hint})
