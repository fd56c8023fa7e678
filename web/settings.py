"""What can be set about the server: one table, read by the environment, the docs and the code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from flask import current_app

from indexer.errors import UsageError
from indexer.runtimes import require_runtime
from search.query import MAX_K

PREFIX = "LOOKALIKE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the server behaves; each can be given as ``LOOKALIKE_`` and its name in capitals."""

    index: Path = field(default=Path("data/index"), metadata={"help": "The index to serve."})
    max_upload_bytes: int = field(
        default=16 * 2**20, metadata={"help": "The largest photo that is accepted, in bytes."}
    )
    max_pixels: int = field(
        default=100_000_000,
        metadata={
            "help": "The largest picture, a photo or the catalogue's, that is decoded, in pixels."
        },
    )
    runtime: str = field(
        default="auto",
        metadata={
            "help": "What runs the network: litert, openvino, keras, or auto: openvino for an index"
            " that was made with it, else litert."
        },
    )
    page_hits: int = field(
        default=24, metadata={"help": "How many similar listings the page shows."}
    )
    samples: int = field(
        default=24, metadata={"help": "How many listings the start page offers to begin with."}
    )
    preview_side: int = field(
        default=1200,
        metadata={"help": "The longest side of the large picture on a listing's page, in pixels."},
    )
    connections: int = field(
        default=100,
        metadata={
            "help": "How many connections may be open at once. Photos on their way in are kept in"
            " memory, so this times max_upload_bytes is the most that they can take."
        },
    )

    def __post_init__(self) -> None:
        require_runtime(self.runtime)
        for name, value in ((f.name, getattr(self, f.name)) for f in fields(self)):
            if isinstance(value, int) and value < 1:
                raise UsageError(f"The setting {name} is {value}, and must be at least 1.")
        if self.page_hits > MAX_K:
            raise UsageError(f"The setting page_hits is {self.page_hits}, and at most {MAX_K}.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """Read the settings from the environment; what is `given` wins.

        Raises
        ------
        UsageError
            If a value is not of its kind or out of its range.
        """
        values = {}
        for setting in fields(cls):
            text = environ.get(variable(setting.name), "")
            if text:
                kind: type[Path] | type[int] | type[str] = type(getattr(cls(), setting.name))
                try:
                    values[setting.name] = kind(text)
                except ValueError as error:
                    raise UsageError(
                        f"{variable(setting.name)} is {text!r}, which is no whole number."
                    ) from error
        return cls(**{**values, **given})


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def described() -> Iterator[tuple[str, str, str]]:
    """Yield each setting's environment variable, its default and what it is for."""
    for setting in fields(Settings):
        yield variable(setting.name), str(setting.default), setting.metadata["help"]


def current_settings() -> Settings:
    """Return the settings of the application that handles this request."""
    settings: Settings = current_app.extensions["lookalike.settings"]
    return settings
