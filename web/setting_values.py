"""The values of settings: where they are read from, and what they are held to.

What a setting is held to stands in the metadata of its field: its ``choices``, a pattern (``like``)
with a ``hint``, the least number (``least``, else 1); its ``kind``, where its default does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from indexer.errors import UsageError

PREFIX: Final = "LOOKALIKE_"

SWITCH: Final = {
    **dict.fromkeys(("on", "1", "true", "yes"), True),
    **dict.fromkeys(("off", "0", "false", "no"), False),
}
"""What turns a setting on or off."""


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def read(settings: Iterable[Field[Any]], environ: Mapping[str, str]) -> dict[str, Any]:
    """Read those settings that the environment names; an empty text names nothing.

    Raises
    ------
    UsageError
        If a value is not of its setting's kind.
    """
    texts = {setting: environ.get(variable(setting.name), "") for setting in settings}
    return {setting.name: _read(text, setting) for setting, text in texts.items() if text}


def misspelt(settings: Iterable[Field[Any]], environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that are nearly a setting's, each with the one that may be meant.

    Others that begin alike are left alone: they may be those of another program.
    """
    names = [setting.name.upper() for setting in settings]
    given = [name.removeprefix(PREFIX) for name in sorted(environ) if name.startswith(PREFIX)]
    others = {name: get_close_matches(name, names, n=1, cutoff=0.75) for name in given}
    return {
        PREFIX + name: PREFIX + close[0]
        for name, close in others.items()
        if close and name not in names
    }


def check(setting: Field[Any], given: Any) -> None:
    """Hold a value to what its setting says of itself.

    Raises
    ------
    UsageError
        If it is none of the choices, not like the pattern, or below the least.
    """
    choices = setting.metadata.get("choices")
    if choices is not None and given not in choices:
        raise UsageError(
            f"The setting {setting.name} is {given!r}.", hint=f"It is {_any_of(choices)}."
        )
    like = setting.metadata.get("like")
    if like is not None and not like.fullmatch(given):
        raise UsageError(
            f"The setting {setting.name} is {given!r}.",
            hint=setting.metadata.get("hint", 'Write a rate such as "300 per minute", or off.'),
        )
    least = setting.metadata.get("least", 1)
    if isinstance(given, int) and not isinstance(given, bool) and given < least:
        raise UsageError(f"The setting {setting.name} is {given}, and must be at least {least}.")


def _any_of(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _read(text: str, setting: Field[Any]) -> Any:
    """Read a value of the kind that is stated, or that a setting's default is of."""
    name, default = variable(setting.name), setting.default
    if isinstance(default, bool):
        if text.lower() not in SWITCH:
            raise UsageError(f"{name} is {text!r}, which is neither on nor off.")
        return SWITCH[text.lower()]
    kind: type[Path] | type[int] | type[str] = setting.metadata.get("kind", type(default))
    try:
        return kind(text)
    except ValueError as error:
        raise UsageError(f"{name} is {text!r}, which is no whole number.") from error
