"""CSV, TSV and files with semicolons: rows of cells below a line of names."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from indexer.errors import SourceError
from indexer.listing import Listing
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import require
from indexer.sources.files import base_name, is_url
from indexer.sources.rows import RowReader
from indexer.sources.text import encoding_of, lines

# A cell of HTML with a picture in it is longer than the module's 128 KiB; a limit there must be,
# or one quotation mark that is never closed would read the rest of the file as one cell.
csv.field_size_limit(4 << 20)


class Table:
    """A file of rows.

    Parameters
    ----------
    location : str
        A path or a URL.
    options : SourceOptions
        Its encoding is used.
    usual : str, optional
        The delimiter to take where the first line does not tell.

    Attributes
    ----------
    first : list of str
        The cells of the first row that has any.
    delimiter : str

    Raises
    ------
    SourceError
        The file cannot be read or is empty.
    """

    def __init__(self, location: str, options: SourceOptions, usual: str = ",") -> None:
        self.location = location
        self.name = base_name(location)
        self._encoding = encoding_of(location, options.encoding)
        self.delimiter = usual
        head = next((line for line in lines(location, self._encoding) if line.strip()), None)
        if head is None:
            raise SourceError(f"{self.name} is empty.")
        self.delimiter = _delimiter(head, usual)
        self.first = next((cells for _, cells in self.rows()), [])

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Read the file from the start.

        Yields
        ------
        line : int
            Where the row starts, counted from 1.
        cells : list of str
            At least one of them is not blank.
        """
        reader = csv.reader(
            lines(self.location, self._encoding), delimiter=self.delimiter, strict=True
        )
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                raise SourceError(
                    f"{self.name}, line {line} is not well-formed: {problem}.",
                    hint="A quotation mark inside a quoted cell is written twice.",
                ) from problem
            if any(cell.strip() for cell in cells):
                yield line, cells

    def named_rows(self, bad: BadRows | None = None) -> Iterator[tuple[str, dict[str, str]]]:
        """Read the rows below the header.

        Parameters
        ----------
        bad : BadRows, optional
            Is told of rows with too many cells, which are an error where it is left out.

        Yields
        ------
        origin : str
        row : dict of str to str
            Column to cell. Columns without a name are left out: they are a program's row numbers.

        Raises
        ------
        SourceError
            A row has more cells than the header, or there is no row.
        """
        rows = self.rows()
        _, header = next(rows)
        names = column_names(header)
        origin = ""
        for line, cells in rows:
            origin = f"{self.name}, line {line}"
            if any(cell.strip() for cell in cells[len(names) :]):
                error = SourceError(
                    f"{origin} has {len(cells)} cells, but there are {len(names)} columns.",
                    hint="A cell with the delimiter in it is written in quotation marks.",
                )
                if bad is None:
                    raise error
                bad.add(error)
                continue
            padded = cells + [""] * (len(names) - len(cells))
            pairs = zip(names, padded, strict=False)
            yield origin, {name: cell.strip() for name, cell in pairs if name}
        if not origin:
            raise SourceError(f"{self.name} has no listings: nothing follows its first line.")


class DelimitedSource(Source):
    """A catalogue in a table with a header.

    Parameters
    ----------
    table : Table
    options : SourceOptions
    format : str
        ``"csv"``, ``"tsv"`` or ``"merchant"`` (Google's feed as a table).

    Raises
    ------
    SourceError
        There is no column for the id or for the picture, or no row.
    """

    def __init__(self, table: Table, options: SourceOptions, format: str) -> None:
        self.location = table.location
        self.format = format
        self._table = table
        names = [name for name in column_names(table.first) if name]
        require(names, options.columns, table.name)
        next(table.named_rows(BadRows()), None)
        self._reader = RowReader(table.location, options.columns, breadcrumbs=format == "merchant")

    def listings(self) -> Iterator[Listing]:
        """Read the rows in their order."""
        with BadRows() as bad:
            for origin, row in self._table.named_rows(bad):
                listing = bad.read(self._reader.listing, row, origin)
                if listing is not None:
                    yield listing

    def count(self) -> int | None:
        """Count the rows of a local file; a remote one would be fetched twice."""
        return None if is_url(self.location) else count_or_none(self._table.named_rows())


def column_names(header: list[str]) -> list[str]:
    """Clean the names of the columns; the second ``image`` becomes ``image 2``."""
    seen: dict[str, int] = {}
    names = []
    for name in map(str.strip, header):
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name} {seen[name]}" if name and seen[name] > 1 else name)
    return names


def count_or_none(rows: Iterator[object]) -> int | None:
    """Count rows; None where one of them is wrong, which reading the listings will report."""
    try:
        return sum(1 for _ in rows)
    except SourceError:
        return None


def _delimiter(head: str, usual: str) -> str:
    """Choose the delimiter that cuts the first line into the most cells."""

    def cells(delimiter: str) -> tuple[int, bool]:
        row = next(csv.reader([head[:65536]], delimiter=delimiter))
        return len(row), delimiter == usual

    return max(",;\t", key=cells)
