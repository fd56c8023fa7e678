"""What a catalogue's values mean: ids, attributes and lists of pictures."""

from __future__ import annotations

import datetime
import json
import math
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from indexer.errors import SourceError
from indexer.listing import Attribute
from indexer.sources.files import PICTURE_ENDINGS, ending, is_url

MAX_ID = 200


def text_of(value: object) -> str:
    """Write a value as the text of a field; a whole float without its ``.0``, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(text_of, value)))
    return str(value).strip()


def clean_id(value: object, origin: str) -> str:
    """Check a listing's id, and write a slash in it as ``:``.

    Raises
    ------
    SourceError
        It is empty, too long, or holds what cannot stand in a URL.
    """
    name = text_of(value).replace("/", ":")
    if not name:
        raise SourceError(f"{origin}: the listing has no id.")
    if len(name) > MAX_ID:
        raise SourceError(
            f"{origin}: the id '{name[:40]}…' has {len(name)} characters;"
            f" at most {MAX_ID} are possible."
        )
    # Cc, Cs, Zl and Zp: control characters, halves of a pair, ends of lines.
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        raise SourceError(f"{origin}: the id {name!a} holds a control character.")
    if name in (".", ".."):
        raise SourceError(f"{origin}: '{name}' cannot be an id.")
    return name


def attribute(value: object) -> Attribute | None:  # noqa: PLR0911
    """Turn any value into an attribute.

    Parameters
    ----------
    value : object
        A cell of CSV or a value of JSON, Parquet or TFRecord.

    Returns
    -------
    Attribute or None
        Text, whole numbers of 64 bits, finite numbers and booleans stay what they are; a list of
        those becomes a list of texts; dates become ISO 8601; anything deeper becomes JSON text.
        None for what says nothing: null, empty text, bytes, not-a-number.
    """
    match value:
        case None | bytes():
            return None
        case bool():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case str():
            return value.strip() or None
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple() if all(isinstance(part, str | int | float | None) for part in value):
            return [text for text in map(text_of, value) if text] or None
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def flattened(value: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Write nested objects as one: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``; lists stay."""
    flat: dict[str, object] = {}
    for key, part in value.items():
        if isinstance(part, Mapping):
            flat.update(flattened(part, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = part
    return flat


def picture_references(value: object, origin: str) -> list[str]:
    """Find the paths and URLs in one value of a picture's column.

    Parameters
    ----------
    value : object
        One reference; several with ``|`` between them; several with ``,`` or ``;`` between them
        where every part is a URL, or every part ends as a picture does; or a list, which may be
        written as JSON and may hold objects with the reference as ``url``, ``src`` or ``path``.
    origin : str
        For the message.

    Raises
    ------
    SourceError
        The value is neither text nor a list of texts.
    """
    match value:
        case None:
            return []
        case str():
            return _split(value.strip(), origin)
        case list() | tuple():
            return [found for part in value for found in picture_references(part, origin)]
        case Mapping():
            named = (value.get(key) for key in ("url", "src", "path"))
            return picture_references(next(filter(None, named), None), origin)
        case bytes():
            raise SourceError(
                f"{origin}: the column for the picture holds the picture itself.",
                hint="Write the pictures to files, and the files' paths in the catalogue.",
            )
        case _:
            raise SourceError(f"{origin}: {value!r} is no picture's path or URL.")


def _split(cell: str, origin: str) -> list[str]:
    if cell.startswith("["):
        try:
            return picture_references(json.loads(cell), origin)
        except (ValueError, RecursionError):
            pass  # a file may be called "[1].jpg"
    if "|" in cell:
        return [part for part in map(str.strip, cell.split("|")) if part]
    for separator in ",;":
        parts = [part for part in map(str.strip, cell.split(separator)) if part]
        if len(parts) > 1 and (
            all(map(is_url, parts))
            # Image servers write "https://…/w_100,h_200/a.jpg": such a comma separates nothing.
            or (not is_url(parts[0]) and all(ending(part) in PICTURE_ENDINGS for part in parts))
        ):
            return parts
    return [cell] if cell else []
