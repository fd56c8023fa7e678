"""What a condition consists of."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from indexer.errors import QueryError
from indexer.field_values import number_text

MAX_LENGTH = 2000
MAX_TERMS = 50
MAX_VALUES = 200

_PLAIN = re.compile(r'[^\s",:=!<>*\\]+')


@dataclass(frozen=True, slots=True)
class Exact:
    """A value that equals a text, in its normal form; a number or boolean as it is written."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text)


@dataclass(frozen=True, slots=True)
class Prefix:
    """A text that starts with another, in its normal form."""

    text: str

    def __str__(self) -> str:
        return f"{quoted(self.text)}*"


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, either infinite, without the ends that are opened."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        low = "" if math.isinf(self.low) else number_text(self.low)
        high = "" if math.isinf(self.high) else number_text(self.high)
        return f"{low}..{high}"


@dataclass(frozen=True, slots=True)
class Present:
    """Any value."""

    def __str__(self) -> str:
        return "*"


Value = Exact | Prefix | Range | Present


@dataclass(frozen=True, slots=True)
class Term:
    """One field and what it must be, or must not be: any one of some values.

    A range without one of its ends (`price>10`) stands alone and is open on its other side.
    """

    field: str
    values: tuple[Value, ...]
    negated: bool = False

    def __str__(self) -> str:
        name = self.field if plain_name(self.field) else _in_quotes(self.field)
        match self.values:
            case (Range(low, _, True, _),):
                said = f">{number_text(low)}"
            case (Range(_, high, _, True),):
                said = f"<{number_text(high)}"
            case _:
                said = ":" + ",".join(map(str, self.values))
        return f"{'-' if self.negated else ''}{name}{said}"


def plain_name(name: str) -> bool:
    """Tell whether a field's name needs no quotes."""
    return bool(_PLAIN.fullmatch(name)) and not name.startswith("-")


def quoted(text: str) -> str:
    """Return a text as a filter's value, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and ".." not in text:
        return text
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def wrong(message: str, text: str, place: int, hint: str) -> QueryError:
    """Return the error of a mistake at a place of a filter."""
    near = text[max(0, place - 12) : place + 24].strip()
    return QueryError(
        f"The filter cannot be read at character {place + 1} ({near!r}): {message}", hint=hint
    )
