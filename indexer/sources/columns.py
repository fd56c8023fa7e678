"""Which column of a catalogue holds which field of a listing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from indexer.errors import SourceError, UsageError
from indexer.sources.base import FIELDS

# The usual names, best first; written as `plain` leaves them, or with blanks for reading.
_NAMES = {
    "id": (
        "id, listing id, product id, item id, sku, article id, uniq id, asin, handle, product code,"
        " article number, variant sku"
    ),
    "image": (
        "image, images, image link, image url, image urls, image links, image path, image paths,"
        " image uri, image src, image file, image filename, picture, pictures, picture url,"
        " picture path, photo, photos, photo url, photo path, main image, main image url,"
        " primary image, img, imgs, img url, img path, img src, filename, file, file path, path"
    ),
    "title": (
        "title, name, product name, product title, product display name, display name, item name,"
        " prod name"
    ),
    "category": (
        "category, product type, product category, category name, type, google product category,"
        " class, label, article type, main category, sub category, master category, categories"
    ),
    "price": (
        "price, price amount, price value, current price, selling price, sale price, final price,"
        " retail price, regular price, variant price, list price"
    ),
    "currency": "currency, currency code, price currency",
    "url": "url, link, product url, product link, page url, permalink",
}
_MORE_PICTURES = re.compile(
    r"(?:additional|other|extra|more|alternate|secondary)(?:image|picture|photo)s?"
    r"(?:link|url|path|src|file)?s?(\d*)"
)
_NUMBERED = re.compile(r"(?:image|picture|photo|img)(?:link|url|path|src|file)?(\d+)")


def plain(name: str) -> str:
    """Write a column's name without case, blanks, underscores, hyphens and dots."""
    return re.sub(r"[\s_\-.]+", "", name.casefold())


_USUAL = {field: tuple(map(plain, names.split(","))) for field, names in _NAMES.items()}


@dataclass(frozen=True)
class Columns:
    """The columns of one catalogue, sorted by what they hold.

    Attributes
    ----------
    fields : mapping of str to str
        Field of a listing to its column, for the fields that have one.
    pictures : tuple of str
        The columns with pictures: the field ``image``, then additional and numbered ones.
    rest : tuple of str
        The columns that become attributes.
    """

    fields: Mapping[str, str]
    pictures: tuple[str, ...]
    rest: tuple[str, ...]


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Check that columns are named for fields that listings have.

    Raises
    ------
    UsageError
        One is not.
    """
    for field in mapping:
        if field not in FIELDS:
            raise UsageError(
                f"A listing has no field '{field}' to name a column for.",
                hint=f"Its fields: {', '.join(FIELDS)}.",
            )


def find_columns(names: Iterable[str], mapping: Mapping[str, str]) -> Columns:
    """Sort columns by what they hold.

    Parameters
    ----------
    names : iterable of str
        All columns.
    mapping : mapping of str to str
        Field to column, where the person said so. It is believed even if there is no such column:
        no other one takes its place.
    """
    return _find(tuple(names), tuple(sorted(mapping.items())))


@lru_cache(maxsize=256)  # every line of JSON has columns of its own, mostly the same
def _find(names: tuple[str, ...], mapping: tuple[tuple[str, str], ...]) -> Columns:
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain(name), name)
    fields: dict[str, str] = {}
    asked = dict(mapping)
    for field, usual in _USUAL.items():
        if field in asked:
            wanted = asked[field]
            found = wanted if wanted in names else by_plain.get(plain(wanted))
        else:
            found = next((by_plain[name] for name in usual if name in by_plain), None)
        if found is not None:
            fields[field] = found
    taken = set(fields.values())
    more = _more_pictures(name for name in names if name not in taken)
    if "image" not in fields and "image" not in asked and more:
        fields["image"] = more.pop(0)
    pictures = ((fields["image"],) if "image" in fields else ()) + tuple(more)
    taken.update(pictures)
    return Columns(fields, pictures, tuple(name for name in names if name not in taken))


def _more_pictures(names: Iterable[str]) -> list[str]:
    numbered: list[tuple[int, str]] = []
    for name in names:
        match = _NUMBERED.fullmatch(plain(name)) or _MORE_PICTURES.fullmatch(plain(name))
        if match is not None:
            numbered.append((int(match[1] or 0), name))
    return [name for _, name in sorted(numbered, key=lambda pair: pair[0])]


def require(names: Iterable[str], mapping: Mapping[str, str], catalogue: str) -> Columns:
    """Sort columns by what they hold, and insist on those that a catalogue cannot do without.

    Parameters
    ----------
    names : iterable of str
        All columns.
    mapping : mapping of str to str
        Field to column, where the person said so.
    catalogue : str
        Its name, for the message.

    Raises
    ------
    SourceError
        There is no column for the id or for the picture, or none of a name that was given.
    """
    names = tuple(names)
    columns = find_columns(names, mapping)
    listed = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
    for field in ("id", "image", *mapping):
        if field in columns.fields:
            continue
        if field in mapping:
            raise SourceError(
                f"{catalogue} has no column '{mapping[field]}' (for the {field}) among: {listed}."
            )
        meaning = "the listing's id" if field == "id" else "the listing's picture"
        raise SourceError(
            f"{catalogue} has no column for {meaning} among: {listed}.",
            hint=f"Name it with --{field}-column.",
        )
    return columns
