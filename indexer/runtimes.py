"""What runs the network: the choices, and what `auto` makes of them. Imports nothing heavy."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from indexer.errors import UsageError

RUNTIMES = ("auto", "litert", "openvino", "keras")

OPENVINO_FILE = "network.xml"
"""OpenVINO's form of an index's network; its weights lie beside it."""

OPENVINO_WEIGHTS = "network.bin"

OPENVINO_SUMS = "openvino.json"
"""The SHA-256 of both, for `lookalike verify`."""


def require_runtime(name: str) -> None:
    """Raise UsageError unless `name` is one of `RUNTIMES`."""
    if name not in RUNTIMES:
        raise UsageError(
            f"There is no runtime {name!r}.",
            hint=f"Use {', '.join(RUNTIMES[:-1])} or {RUNTIMES[-1]}.",
        )


def openvino_usable() -> bool:
    """Return whether OpenVINO is installed, on a processor whose int8 it was made for."""
    return platform.machine().lower() in ("x86_64", "amd64") and find_spec("openvino") is not None


def runtime_of(name: str, folder: Path) -> str:
    """Return what `name` means for an index.

    `auto` is OpenVINO where the index holds OpenVINO's form of its network and OpenVINO is
    installed, else LiteRT, which always serves.
    """
    if name != "auto":
        return name
    return "openvino" if (folder / OPENVINO_FILE).is_file() and openvino_usable() else "litert"
