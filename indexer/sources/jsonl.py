"""JSON Lines: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from indexer.errors import SourceError
from indexer.listing import Listing
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import require
from indexer.sources.files import base_name, is_url
from indexer.sources.rows import RowReader
from indexer.sources.text import encoding_of, lines
from indexer.sources.values import flattened

_LOOK_AHEAD = 100
_HINT = "Every line must be one JSON object; `jq -c '.[]'` writes a JSON list so."


class JsonLinesSource(Source):
    """A catalogue of one JSON object a line.

    Nested objects are flattened: ``{"price": {"amount": 5}}`` has a column ``price.amount``.

    Parameters
    ----------
    location : str
        A path or a URL.
    options : SourceOptions

    Raises
    ------
    SourceError
        None of the first lines has an id or a picture, or there is no line.
    """

    format = "jsonl"

    def __init__(self, location: str, options: SourceOptions) -> None:
        self.location = location
        self._name = base_name(location)
        self._encoding = encoding_of(location, options.encoding)
        self._reader = RowReader(location, options.columns)
        # An object leaves out what it does not know: the columns are those of many together.
        names: dict[str, None] = {}
        with BadRows() as bad:
            for origin, line in islice(self._lines(), _LOOK_AHEAD):
                try:
                    names.update(dict.fromkeys(_object(line, origin)))
                except SourceError as error:
                    bad.add(error)
            if names:  # `listings` finds the bad ones again, and those further on
                bad.clear()
        require(names, options.columns, self._name)

    def listings(self) -> Iterator[Listing]:
        """Read the objects in their order."""
        with BadRows() as bad:
            for origin, line in self._lines():
                if (listing := bad.read(self._listing, line, origin)) is not None:
                    yield listing

    def count(self) -> int | None:
        """Count the lines of a local file; a remote one would be fetched twice."""
        if is_url(self.location):
            return None
        return sum(1 for line in lines(self.location, self._encoding) if line.strip())

    def _listing(self, line: str, origin: str) -> Listing:
        try:
            return self._reader.listing(_object(line, origin), origin)
        except RecursionError as problem:
            raise SourceError(f"{origin} is nested too deeply.") from problem

    def _lines(self) -> Iterator[tuple[str, str]]:
        origin = ""
        for number, line in enumerate(lines(self.location, self._encoding), 1):
            if line.strip():
                origin = f"{self._name}, line {number}"
                yield origin, line
        if not origin:
            raise SourceError(f"{self._name} has no listings.")


def _object(line: str, origin: str) -> dict[str, object]:
    try:
        value = json.loads(line, parse_constant=_no_constant)
        if isinstance(value, dict):
            return flattened(value)
    except (ValueError, RecursionError) as problem:
        raise SourceError(
            f"{origin} is not JSON: {problem}.",
            hint=_HINT,
        ) from problem
    raise SourceError(f"{origin} is not a JSON object.", hint=_HINT)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
