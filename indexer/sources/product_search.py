"""The bulk-import CSV of Google Cloud Vision Product Search.

References
----------
https://cloud.google.com/vision/product-search/docs/csv-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from indexer.errors import SourceError
from indexer.listing import Attribute, Listing, Picture, Region
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source
from indexer.sources.columns import plain
from indexer.sources.delimited import Table
from indexer.sources.files import is_url, join
from indexer.sources.values import clean_id

_COLUMNS = (
    "image-uri",
    "image-id",
    "product-set-id",
    "product-id",
    "product-category",
    "product-display-name",
    "labels",
    "bounding-poly",
)
_CATEGORY = re.compile(r"(?:homegoods|apparel|toys|packagedgoods|general)(?:-v\d)?")
_HEADER = [plain(column) for column in _COLUMNS]


def is_product_search(first: list[str]) -> bool:
    """Tell by its first row whether a file is such a CSV, which has no header."""
    if len(first) != len(_COLUMNS):
        return False
    category, poly = first[4].strip(), first[7].strip()
    fits = all(first[at].strip() for at in (0, 2, 3)) and _CATEGORY.fullmatch(category)
    return _is_header(first) or bool(fits and _numbers(poly) is not None)


class ProductSearchSource(Source):
    """A bulk-import CSV; the rows of one product are one listing with several pictures.

    The labels become attributes, and the product sets the attribute ``product_set``. A
    bounding polygon of shares (0 to 1) becomes the picture's region; one of pixels does not, since
    the picture's size is not known here: the whole picture counts.

    Parameters
    ----------
    table : Table

    Raises
    ------
    SourceError
        The first row is not one of such a file.
    """

    format = "google-product-search"

    def __init__(self, table: Table) -> None:
        self.location = table.location
        self._table = table
        if not is_product_search(table.first):
            raise SourceError(
                f"{table.name} is not a Product Search CSV: each line has the {len(_COLUMNS)}"
                f" columns {', '.join(_COLUMNS)}.",
            )
        if next(self._rows(), None) is None:
            raise SourceError(f"{table.name} has no listings.")

    def listings(self) -> Iterator[Listing]:
        """Read the products in the order of their first rows.

        The whole file is read first: a product's rows need not be together. Such a file has at
        most 20,000 lines.
        """
        products: dict[str, _Product] = {}
        with BadRows() as bad:
            for line, cells in self._rows(bad):
                bad.read(self._take, products, cells, f"{self._table.name}, line {line}")
        for product in products.values():
            yield product.listing()

    def _take(self, products: dict[str, _Product], cells: list[str], origin: str) -> None:
        name = clean_id(cells[3], origin)
        product = products.setdefault(name, _Product(name, cells[5], cells[4], origin))
        product.add(cells, self.location)

    def count(self) -> int | None:
        """Count the products of a local file."""
        if is_url(self.location):
            return None
        try:
            return len({cells[3] for _, cells in self._rows()})
        except SourceError:  # reading the listings will report it
            return None

    def _rows(self, bad: BadRows | None = None) -> Iterator[tuple[int, list[str]]]:
        for line, cells in self._table.rows():
            if len(cells) > len(_COLUMNS):
                error = SourceError(
                    f"{self._table.name}, line {line} has {len(cells)} cells, but there are"
                    f" {len(_COLUMNS)} columns.",
                    hint="Labels and polygons, which hold commas, are written in quotation marks.",
                )
                if bad is None:
                    raise error
                bad.add(error)
                continue
            padded = [cell.strip() for cell in cells] + [""] * (len(_COLUMNS) - len(cells))
            if not _is_header(padded):
                yield line, padded


@dataclass
class _Product:
    id: str
    title: str
    category: str
    origin: str
    pictures: dict[Picture, None] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, None] = field(default_factory=dict)

    def add(self, cells: list[str], location: str) -> None:
        """Take what one more row says; the first row's name and category stay, as with Google."""
        if cells[0]:
            self.pictures[Picture(join(location, cells[0]), region=_region(cells[7]))] = None
        if cells[2]:
            self.sets[cells[2]] = None
        for label in filter(None, map(str.strip, cells[6].split(","))):
            key, _, value = (unquote(part).strip() for part in label.partition("="))
            values = self.labels.setdefault(key, [])
            if value and value not in values:
                values.append(value)

    def listing(self) -> Listing:
        named = {**self.labels, "product_set": list(self.sets)}
        attributes: dict[str, Attribute] = {
            key: values[0] if len(values) == 1 else values
            for key, values in named.items()
            if key and values
        }
        return Listing(
            id=self.id,
            pictures=tuple(self.pictures),
            title=self.title,
            category=self.category,
            attributes=attributes,
            origin=self.origin,
        )


def _is_header(cells: list[str]) -> bool:
    return [plain(cell) for cell in cells] == _HEADER


def _numbers(poly: str) -> list[float] | None:
    try:
        numbers = [float(part) for part in poly.split(",") if part.strip()]
    except ValueError:
        return None
    return numbers if len(numbers) % 2 == 0 else None


def _region(poly: str) -> Region | None:
    """Return the rectangle around a polygon of shares; None for pixels or anything else."""
    numbers = _numbers(poly) or []
    if len(numbers) < 4 or not all(0 <= number <= 1 for number in numbers):
        return None
    xs, ys = numbers[::2], numbers[1::2]
    left, top = min(xs), min(ys)
    width, height = max(xs) - left, max(ys) - top
    return (left, top, width, height) if width > 0 and height > 0 else None
