"""The product CSV that Shopify exports.

References
----------
https://help.shopify.com/en/manual/products/import-export/using-csv
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from indexer.errors import SourceError
from indexer.listing import Attribute, Listing
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import plain
from indexer.sources.delimited import Table, column_names, count_or_none
from indexer.sources.files import is_url
from indexer.sources.prices import currency_code
from indexer.sources.rows import last_part, pictures_of, read_price
from indexer.sources.values import clean_id

_REQUIRED = ("handle", "title", "imagesrc")
_COLUMNS = {
    "id": "Handle",
    "image": "Image Src",
    "title": "Title",
    "category": "Type",
    "price": "Variant Price",
    "currency": "Variant Price Currency",
    "url": "URL",
}
_ATTRIBUTES = {
    "vendor": "Vendor",
    "type": "Type",
    "product_category": "Product Category",
    "status": "Status",
    "published": "Published",
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
}

Row = dict[str, str]
Group = list[tuple[str, Row]]


def is_shopify(first: list[str]) -> bool:
    """Tell a Shopify export by its header."""
    names = set(map(plain, first))
    return names.issuperset(_REQUIRED)


class ShopifySource(Source):
    """A Shopify export; consecutive rows with one handle are one listing.

    Drafts, archived products and those that are not published are left out: no shopper sees them.

    The attributes are vendor, type, product category, status, published, SKU and barcode (of the
    first variant), the tags as a list, and every option with its values over all variants. What
    describes the page (the text's HTML, SEO) is left out.

    Parameters
    ----------
    table : Table
    options : SourceOptions

    Raises
    ------
    SourceError
        The header is not that of an export, or there is no row.
    """

    format = "shopify"

    def __init__(self, table: Table, options: SourceOptions) -> None:
        self.location = table.location
        self._table = table
        self._hidden = 0
        names = column_names(table.first)
        by_plain = {plain(name): name for name in names}
        asked = {**_COLUMNS, **options.columns}
        self._fields = {field: by_plain.get(plain(name), "") for field, name in asked.items()}
        self._names = by_plain
        for field in {"id": "", "image": "", **options.columns}:
            if not self._fields[field]:
                raise SourceError(
                    f"{table.name} has no column '{asked[field]}' (for the {field}) among:"
                    f" {', '.join(filter(None, names))}."
                )
        next(table.named_rows(BadRows()), None)

    def listings(self) -> Iterator[Listing]:
        """Read the products in their order."""
        self._hidden = 0
        with BadRows() as bad:
            for group in self._groups(bad):
                if self._is_hidden(group):
                    self._hidden += 1
                elif (listing := bad.read(self._listing, group)) is not None:
                    yield listing

    def count(self) -> int | None:
        """Count the products of a local file."""
        if is_url(self.location):
            return None
        return count_or_none(group for group in self._groups() if not self._is_hidden(group))

    def left_out(self) -> str:
        """Say how many products shoppers do not see."""
        if not self._hidden:
            return ""
        products = "1 product" if self._hidden == 1 else f"{self._hidden:,} products"
        return f"{products} left out: drafts, archived or not published."

    def _is_hidden(self, group: Group) -> bool:
        rows = [row for _, row in group]
        status, published = self._first(rows, "Status"), self._first(rows, "Published")
        return status.casefold() in ("draft", "archived") or published.casefold() == "false"

    def _groups(self, bad: BadRows | None = None) -> Iterator[Group]:
        handle = self._fields["id"]
        for _, rows in groupby(self._table.named_rows(bad), key=lambda pair: pair[1][handle]):
            yield list(rows)

    def _listing(self, group: Group) -> Listing:
        origin = group[0][0]
        rows = [row for _, row in group]
        priced = ((at, cell) for at, row in group if (cell := self._field(row, "price")))
        price, currency = read_price(*next(priced, (origin, ""))[::-1])
        product_category = self._first(rows, "Product Category")
        return Listing(
            id=clean_id(self._field(rows[0], "id"), origin),
            pictures=pictures_of(self._references(rows), self.location),
            title=next(filter(None, (self._field(row, "title") for row in rows)), ""),
            category=next(filter(None, (self._field(row, "category") for row in rows)), "")
            or last_part(product_category),
            price=price,
            currency=currency_code(self._field(rows[0], "currency")) or currency,
            url=self._field(rows[0], "url"),
            attributes=self._attributes(rows),
            origin=origin,
        )

    def _references(self, rows: list[Row]) -> list[str]:
        """Return the product's pictures by their position, then those of variants only."""

        def position(row: Row) -> float:
            written = self._cell(row, "Image Position")
            return int(written) if written.isdecimal() else float("inf")

        sources = [self._field(row, "image") for row in sorted(rows, key=position)]
        variants = [self._cell(row, "Variant Image") for row in rows]
        return list(filter(None, sources + variants))

    def _attributes(self, rows: list[Row]) -> dict[str, Attribute]:
        attributes: dict[str, Attribute] = {}
        for name, column in _ATTRIBUTES.items():
            if value := self._first(rows, column):
                attributes[name] = value
        tags = [tag for tag in map(str.strip, self._first(rows, "Tags").split(",")) if tag]
        if tags:
            attributes["tags"] = tags
        for number in (1, 2, 3):
            option = self._first(rows, f"Option{number} Name")
            values = [self._cell(row, f"Option{number} Value") for row in rows]
            unique = list(dict.fromkeys(filter(None, values)))
            # A product without variants has the option "Title" with "Default Title".
            if option and unique and unique != ["Default Title"]:
                attributes.setdefault(option.casefold(), unique)
        return attributes

    def _field(self, row: Row, field: str) -> str:
        return row.get(self._fields[field], "")

    def _cell(self, row: Row, column: str) -> str:
        return row.get(self._names.get(plain(column), ""), "")

    def _first(self, rows: list[Row], column: str) -> str:
        return next(filter(None, (self._cell(row, column) for row in rows)), "")
