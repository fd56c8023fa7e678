"""Rows that cannot be read: one stops the rest, but all are looked for and told together."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from indexer.errors import SourceError

Arguments = ParamSpec("Arguments")
Read = TypeVar("Read")

MOST = 100
"""Bad rows after which no more are looked for."""

SHOWN = 10


class BadRows:
    """Collect the errors of a catalogue's rows; as a context, raise them as one at its end.

    A SourceError that ends the block itself, such as one of the file, is told with them.
    """

    def __init__(self) -> None:
        self._errors: list[SourceError] = []
        self._told: SourceError | None = None

    def __enter__(self) -> BadRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._errors or (self._told is not None and error is self._told):
            return
        if isinstance(error, SourceError):
            self._errors.extend(error.parts or (error,))
        elif error is not None:
            return
        raise together(self._errors)

    def add(self, error: SourceError) -> None:
        """Keep an error for the end; raise them all where there are `MOST`."""
        self._errors.append(error)
        if len(self._errors) == MOST:
            self._told = together(self._errors)
            raise self._told

    def clear(self) -> None:
        """Forget what was kept."""
        self._errors.clear()

    def read(
        self,
        read: Callable[Arguments, Read],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Read | None:
        """Read a row; return None where it cannot be read, and after any that could not."""
        try:
            value = read(*arguments, **named)
        except SourceError as error:
            self.add(error)
            return None
        return None if self._errors else value


def together(errors: list[SourceError]) -> SourceError:
    """Return one error that tells several; a single one as it is."""
    if len(errors) == 1:
        return errors[0]
    more = len(errors) - SHOWN
    told = [f"  {error.message}" for error in errors[:SHOWN]]
    if more > 0:
        told.append(f"  And {more} more{' at least' if len(errors) >= MOST else ''}.")
    kinds = {type(error) for error in errors}
    kind = kinds.pop() if len(kinds) == 1 else SourceError
    several = kind(
        "\n".join([f"{len(errors)} rows of the catalogue cannot be used:", *told]),
        hint=" ".join(dict.fromkeys(error.hint for error in errors if error.hint)),
    )
    several.parts = tuple(errors)
    return several
