"""Google Merchant Center's product feed as XML: RSS 2.0 or Atom.

The parser is expat itself, told to refuse document type definitions: without one there are no
entities that could grow or reach for a file. (The feed as a table is read by `delimited`.)

References
----------
https://support.google.com/merchants/answer/7052112
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from indexer.errors import SourceError
from indexer.listing import Listing
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import require
from indexer.sources.files import base_name, opened
from indexer.sources.rows import RowReader

_GOOGLE = "http://base.google.com/ns/1.0"
_CHUNK = 1 << 16
_ROOTS = ("rss", "feed", "RDF")


def is_merchant_table(first: list[str]) -> bool:
    """Tell a feed that is a table by its header."""
    names = {name.strip().casefold().replace(" ", "_") for name in first}
    return names.issuperset(("id", "title", "link", "image_link"))


class MerchantSource(Source):
    """A product feed in XML, read item by item.

    Parameters
    ----------
    location : str
        A path or a URL.
    options : SourceOptions

    Raises
    ------
    SourceError
        It is not such a feed, or there is no item, or the first one has no id or picture.
    """

    format = "merchant"

    def __init__(self, location: str, options: SourceOptions) -> None:
        self.location = location
        self._name = base_name(location)
        self._reader = RowReader(location, options.columns, breadcrumbs=True)
        first = next(self._items(), None)
        if first is None:
            raise SourceError(f"{self._name} has no listings: there is no <item> or <entry> in it.")
        require(first[1], options.columns, self._name)

    def listings(self) -> Iterator[Listing]:
        """Read the items in their order."""
        with BadRows() as bad:
            for line, item in self._items():
                listing = bad.read(self._reader.listing, item, f"{self._name}, line {line}")
                if listing is not None:
                    yield listing

    def _items(self) -> Iterator[tuple[int, dict[str, object]]]:
        handler = _Handler(self._name)
        with opened(self.location) as file:
            while True:
                chunk = file.read(_CHUNK)
                try:
                    handler.parser.Parse(chunk, not chunk)
                except expat.ExpatError as problem:
                    raise SourceError(
                        f"{self._name}, line {problem.lineno} is not well-formed XML:"
                        f" {expat.errors.messages.get(problem.code, problem)}."
                    ) from problem
                yield from handler.finished
                handler.finished.clear()
                if not chunk:
                    return


class _Handler:
    """Collects the items as the parser meets them."""

    def __init__(self, name: str) -> None:
        self.finished: list[tuple[int, dict[str, object]]] = []
        self.parser = expat.ParserCreate(namespace_separator="\n")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._name = name
        self._depth = 0
        self._line = 0
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._item: list[tuple[bool, str, str]] | None = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("\n")[2]
        self._depth += 1
        if self._depth == 1 and name not in _ROOTS:
            raise SourceError(
                f"{self._name} is not a product feed: it starts with <{name}>, not <rss> or <feed>."
            )
        if self._item is not None:
            self._path.append(name)
            # Atom's <link href="…"/> has no text.
            self._texts.append([attributes.get("href", "")] if name == "link" else [])
        elif name in ("item", "entry"):
            self._item = []
            self._line = self.parser.CurrentLineNumber

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._item is None:
            return
        if not self._path:
            self.finished.append((self._line, _merged(self._item)))
            self._item = None
            return
        text = "".join(self._texts.pop()).strip()
        if text:
            self._item.append((tag.startswith(_GOOGLE), ".".join(self._path), text))
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def _refuse(self, *_: object) -> None:
        raise SourceError(
            f"{self._name}, line {self.parser.CurrentLineNumber} has a document type definition,"
            " which is not read: it can make a small file endless."
        )


def _merged(item: list[tuple[bool, str, str]]) -> dict[str, object]:
    """Return name to value; Google's own elements win over RSS' and Atom's of the same name."""
    google = {name for own, name, _ in item if own}
    values: dict[str, list[str]] = {}
    for own, name, text in item:
        if own or name not in google:
            values.setdefault(name, []).append(text)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}
