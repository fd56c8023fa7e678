"""What a process that may be killed at any moment has begun and what it was told is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.durability.shop import Model, State

_write = os.write  # before anything wraps it

Step = tuple[str, State | None]
"""A listing's id and what it is after an operation; None where it is gone."""


class Ledger:
    """Lines appended to a file: a kill does not undo what the system has taken.

    Parameters
    ----------
    path : Path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def say(self, **said: Any) -> None:
        """Append a line."""
        _write(self._descriptor, json.dumps(said).encode() + b"\n")


def lines(path: Path, offset: int = 0) -> Iterator[dict[str, Any]]:
    """Yield a ledger's whole lines from a place in the file on."""
    if path.exists():
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


@dataclass
class Told:
    """What ledgers tell.

    Attributes
    ----------
    done : list of Step
        What was acknowledged, in order.
    open : list of Step
        What was begun and neither acknowledged nor refused.
    refused : dict of str to int
        How many operations were refused, by the error's code.
    reasons : list of str
        Why, in the system's words.
    wrong : list of str
        Errors that there must not be.
    counts : dict of str to int
        What else was done, by its name.
    points : list of str
        The calls that were made to fail.
    """

    done: list[Step] = field(default_factory=list)
    open: list[Step] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)

    def take(self, path: Path) -> None:
        """Take up what one process said."""
        begun: list[Step] = []
        for line in lines(path):
            match line:
                case {"begin": steps}:
                    begun = [(name, state) for name, state in steps]
                case {"refused": code, "why": why}:
                    self.refused[code] = self.refused.get(code, 0) + 1
                    self.reasons.append(f"{code}: {why}")
                    begun = []
                case {"done": _}:
                    self.done += begun
                    begun = []
                case {"wrong": text}:
                    self.wrong.append(text)
                    begun = []
                case {"did": name}:
                    self.counts[name] = self.counts.get(name, 0) + 1
                case {"point": name}:
                    self.points.append(name)
        self.open += begun

    def apply(self, model: Model) -> Model:
        """Return a model with what was acknowledged."""
        after = dict(model)
        for name, state in self.done:
            if state is None:
                after.pop(name, None)
            else:
                after[name] = state
        return after
