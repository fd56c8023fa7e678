"""One row of a catalogue, whatever it was written in, becomes a listing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from indexer.errors import SourceError
from indexer.listing import Attribute, Listing, Picture
from indexer.sources.columns import find_columns
from indexer.sources.files import join
from indexer.sources.prices import currency_code, parse_price
from indexer.sources.values import attribute, clean_id, picture_references, text_of

_NESTED = "attributes."
"""What `flattened` writes before the name of a listing's attribute that is given as an object."""


class RowReader:
    """Turn rows into listings.

    Parameters
    ----------
    location : str
        The catalogue's path or URL, which relative paths start from.
    mapping : mapping of str to str
        Field to column, where the person said so.
    breadcrumbs : bool, optional
        Whether a category may be written as ``Home > Kitchen > Mugs``. Its last part is then the
        category, and the whole stays as an attribute under the column's name.
    """

    def __init__(
        self, location: str, mapping: Mapping[str, str], *, breadcrumbs: bool = False
    ) -> None:
        self._location = location
        self._mapping = mapping
        self._breadcrumbs = breadcrumbs

    def listing(self, row: Mapping[str, object], origin: str) -> Listing:
        """Read one row.

        Parameters
        ----------
        row : mapping of str to object
            Column to value, flat.
        origin : str
            Where it was read.

        Raises
        ------
        SourceError
            It has no id, or its id, price or pictures cannot be read.
        """
        columns = find_columns(row, self._mapping)
        values = {field: row[column] for field, column in columns.fields.items()}
        price, currency = read_price(values.get("price"), origin)
        attributes = attributes_of({_own_name(name, row): row[name] for name in columns.rest})
        category = text_of(values.get("category"))
        if self._breadcrumbs and ">" in category:
            attributes[columns.fields["category"]] = category
            category = last_part(category)
        found = (ref for name in columns.pictures for ref in picture_references(row[name], origin))
        return Listing(
            id=clean_id(values.get("id"), origin),
            pictures=pictures_of(found, self._location),
            title=text_of(values.get("title")),
            category=category,
            price=price,
            currency=currency_code(text_of(values.get("currency"))) or currency,
            url=text_of(values.get("url")),
            attributes=attributes,
            origin=origin,
        )


def _own_name(name: str, names: Collection[str]) -> str:
    """Return the name that an attribute has inside its object, unless a column has it too."""
    own = name.removeprefix(_NESTED)
    return name if own in names else own


def read_price(value: object, origin: str) -> tuple[float | None, str]:
    """Read a price that may be missing.

    Returns
    -------
    price : float or None
    currency : str
        As `parse_price` returns it.

    Raises
    ------
    SourceError
        There is one, and it cannot be read.
    """
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        return None, ""
    try:
        return parse_price(value)
    except ValueError as problem:
        raise SourceError(
            f"{origin}: the price cannot be read: {problem}.",
            hint="Write it like 12.50 or 12.50 EUR, or name another column with --price-column.",
        ) from problem


def attributes_of(values: Mapping[str, object]) -> dict[str, Attribute]:
    """Turn values into attributes, and leave out those that say nothing."""
    named = ((name, attribute(value)) for name, value in values.items())
    return {name: value for name, value in named if value is not None}


def last_part(breadcrumbs: str) -> str:
    """Return the narrowest category of ``Home > Kitchen > Mugs``."""
    return next((part.strip() for part in breadcrumbs.split(">")[::-1] if part.strip()), "")


def pictures_of(references: Iterable[str], location: str) -> tuple[Picture, ...]:
    """Return a picture for each reference, once, in their order.

    Parameters
    ----------
    references : iterable of str
        Paths and URLs as the catalogue writes them.
    location : str
        The catalogue's path or URL.
    """
    return tuple(Picture(uri) for uri in dict.fromkeys(join(location, ref) for ref in references))
