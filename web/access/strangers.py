"""To whom a public server tells less: whoever is neither its operator nor on its machine."""

from __future__ import annotations

import re
from typing import Final

from web.access.loopback import is_local_program
from web.access.scopes import may
from web.settings import current_settings

OPERATORS: Final = re.compile(
    r"lookalike[ \[-]"  # a command, or what pip is to install
    r"|LOOKALIKE_|pip install|(?<!\S)--[a-z]"
    r"|(?<![\w/:.])/(?!api/)[^\s/]+/|\b[A-Za-z]:\\"  # a file
)
"""What only the operator can do something with."""

MORE: Final = "Whoever runs this server can say more."


def asked_by_stranger() -> bool:
    """Tell whether the request that is under way comes from a stranger to a public server.

    Where the setting `public` is on, that is whoever shows no key with the scope admin and is no
    program on this machine.
    """
    return current_settings().public and not (is_local_program() or may("admin"))


def is_operators(text: str) -> bool:
    """Tell whether a text names files, commands, settings or packages of the server."""
    return OPERATORS.search(text) is not None


def fit_for_strangers(hint: str) -> str:
    """Return a hint without what only the operator can do something with.

    A sentence goes that names such, or what follows its "..., or"; where nothing is left, the
    operator is pointed to.
    """
    kept = [_without(sentence) for sentence in re.split(r"(?<=[.!?])\s+", hint)]
    return " ".join(filter(None, kept)) or (MORE if hint else "")


def _without(sentence: str) -> str:
    if not is_operators(sentence):
        return sentence
    first = sentence.partition(", or ")[0]
    return "" if first == sentence or is_operators(first) else f"{first}."
