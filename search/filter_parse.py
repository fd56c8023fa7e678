"""Reading the text of a condition."""

from __future__ import annotations

import math
import re

from indexer.errors import QueryError
from indexer.field_values import normal, number_of
from search.filter_terms import (
    MAX_LENGTH,
    MAX_TERMS,
    MAX_VALUES,
    Exact,
    Prefix,
    Present,
    Range,
    Term,
    Value,
    quoted,
    wrong,
)

EXAMPLE = 'For example: category:shoes,boots price:10..50 -brand:"Acme & Co"'

_NAME = re.compile(r'[^\s",:=!<>]+')
_OPERATOR = re.compile(r"!=|>=|<=|[:=><]")
_BARE = re.compile(r'[^\s,"]+')
_SPACE = re.compile(r"\s*")


def terms_of(text: str) -> list[Term]:
    """Read all terms of a filter; see `search.filters.parse`."""
    check_length(text)
    reader = _Reader(text)
    terms = []
    while reader.more():
        terms.append(reader.term())
        if len(terms) > MAX_TERMS or reader.values > MAX_VALUES:
            raise QueryError(
                f"The filter has too many parts; at most {MAX_TERMS} terms and {MAX_VALUES} values"
                " are possible.",
                hint="Ask for fewer values at a time.",
            )
    return terms


def check_length(text: str) -> None:
    """Refuse a text that is too long."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"The filter has {len(text):,} characters; at most {MAX_LENGTH:,} are possible.",
            hint="Ask for fewer values at a time.",
        )


class _Reader:
    """A place in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.values = 0

    def more(self) -> bool:
        """Skip space, and tell whether something follows it."""
        self._match(_SPACE)
        return self._at < len(self._text)

    def term(self) -> Term:
        """Read one term."""
        start = self._at
        negated = self._text.startswith("-", start)
        self._at += negated
        name = self._name(start)
        place = self._at
        operator = self._match(_OPERATOR)
        if not operator:
            raise wrong(
                f"{name!r} stands without a value.",
                self._text,
                start,
                f"Write FIELD:VALUE, with quotes around a value that has spaces. {EXAMPLE}",
            )
        if operator in (">", "<", ">=", "<="):
            return Term(name, (self._bound(operator),), negated)
        values = [self._value(name)]
        while self._text.startswith(",", self._at):
            self._at += 1
            values.append(self._value(name))
        if self._at < len(self._text) and not self._text[self._at].isspace():
            raise wrong(
                "something stands behind a quoted value.",
                self._text,
                self._at,
                "Put a space between terms and a comma between values.",
            )
        if operator == "!=" and negated:
            raise wrong(
                f"{name} is negated twice.",
                self._text,
                place,
                f"Write either -{name}:VALUE or {name}!=VALUE.",
            )
        return Term(name, tuple(values), negated or operator == "!=")

    def _name(self, start: int) -> str:
        if self._text.startswith('"', self._at):
            name = self._quoted().strip()
        else:
            name = self._match(_NAME)
        if not name:
            raise wrong("a field's name is missing.", self._text, start, EXAMPLE)
        return name

    def _value(self, name: str) -> Value:
        self.values += 1
        start = self._at
        if self._text.startswith('"', start):
            text = normal(self._quoted())
            if self._text.startswith("*", self._at):
                self._at += 1
                return Prefix(text) if text else Present()
            if not text:
                raise wrong(
                    "a value is empty.",
                    self._text,
                    start,
                    f"To find what has no {name}, write -{name}:*",
                )
            return Exact(text)
        bare = self._match(_BARE)
        if not bare:
            raise wrong(
                f"{name} has no value here.",
                self._text,
                start,
                f"Write {name}:VALUE without a space; {name}:* for any value.",
            )
        if bare == "*":
            return Present()
        if ".." in bare:
            return self._range(bare, start)
        beginning = bare.removesuffix("*")
        if "*" in beginning:
            raise wrong(
                "a star stands for an end only.",
                self._text,
                start,
                f"Write {name}:BEGINNING*; a text with a star of its own needs quotes:"
                f" {name}:{quoted(bare)}",
            )
        return Exact(normal(bare)) if beginning == bare else Prefix(normal(beginning))

    def _range(self, bare: str, start: int) -> Range:
        ends = [
            infinite if not part else number_of(part)
            for part, infinite in zip(bare.split("..", 1), (-math.inf, math.inf), strict=True)
        ]
        low, high = ends
        if low is None or high is None or bare == "..":
            raise wrong(
                f"{bare!r} is no range of numbers.",
                self._text,
                start,
                "Write a range as 10..50, 10.. or ..50; a text with two dots needs quotes.",
            )
        if low > high:
            raise wrong(
                f"the range {bare} ends before it begins.",
                self._text,
                start,
                "Write the smaller number first.",
            )
        return Range(low, high)

    def _bound(self, operator: str) -> Range:
        start = self._at
        bare = self._match(_BARE)
        number = number_of(bare)
        if number is None or self._text[self._at : self._at + 1] in (",", '"'):
            raise wrong(
                f"behind {operator} must come one number.",
                self._text,
                start,
                f"For example: price{operator}10",
            )
        self.values += 1
        if operator.startswith(">"):
            return Range(low=number, low_open=operator == ">")
        return Range(high=number, high_open=operator == "<")

    def _quoted(self) -> str:
        """Read a text in quotes; a backslash makes a quote or a backslash part of it."""
        start = self._at
        letters: list[str] = []
        at = start + 1
        while at < len(self._text):
            letter = self._text[at]
            if letter == '"':
                self._at = at + 1
                return "".join(letters)
            if letter == "\\" and self._text[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                letter = self._text[at]
            letters.append(letter)
            at += 1
        raise wrong(
            "a quotation mark is not closed.",
            self._text,
            start,
            'Write \\" for one that belongs to the text.',
        )

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()
