"""Amounts as people write them on a command line: 100M listings, 64GB of memory."""

from __future__ import annotations

import re
from typing import Any

import click

FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
MOST = 10**12


class Amount(click.ParamType[int]):
    """A number of listings (1.5k, 100M, 2B) or of bytes (64GB, 512MiB).

    Parameters
    ----------
    name : str
        What the help calls it.
    unit : str
        A pattern of what may follow the number.
    """

    def __init__(self, name: str, unit: str) -> None:
        self.name = name
        self._pattern = re.compile(rf"(\d+(?:\.\d+)?)\s*{unit}", re.IGNORECASE)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the whole number that a text stands for."""
        match = self._pattern.fullmatch(str(value).replace(",", "").strip())
        if match is None:
            self.fail(f"{value!r} is no {self.name}, such as {self._example}.", param, ctx)
        factor, binary = match["factor"].lower(), "binary" in match.groupdict() and match["binary"]
        found = round(float(match[1]) * (BINARY if binary else FACTORS)[factor])
        if not 1 <= found <= 1000 * MOST:
            self.fail(f"{value!r} is out of range.", param, ctx)
        return found

    @property
    def _example(self) -> str:
        return "64GB" if self.name == "amount of memory" else "100M"


LISTINGS = Amount("number", "(?P<factor>[kmb]?)")
BYTES = Amount("amount of memory", "(?:(?P<factor>[kmgt])(?P<binary>i?)b?)")
