"""What an exported catalogue looks like: a Parquet file that other programs can read too.

One row per listing. Vectors and features are lists of half-precision numbers, one of each per
picture; they are null for a picture that was rejected or not embedded yet. What holds for the
whole file stands in its metadata, under ``lookalike``, as JSON.
"""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.errors import MissingExtra, SourceError
from indexer.sources.files import base_name

FORMAT = 1
KEY = b"lookalike"

STATES = {0: "pending", 1: "done", 2: "rejected"}
"""How the catalogue's states of a picture are written."""

KEYS = {"network", "recipe", "feature_width", "features", "projection"}

NOT_OURS = "To index a catalogue that is in Parquet, use: lookalike index"


def arrow() -> Any:
    """Return the package pyarrow.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as problem:
        raise MissingExtra("Export and import", "parquet") from problem


def picture_type(*, features: bool, thumbnails: bool) -> Any:
    """Return the Arrow type of a picture."""
    pa = arrow()
    numbers = pa.list_(pa.float16())
    fields = [
        ("uri", pa.string()),
        ("region", pa.string()),
        ("version", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("content", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("vector", numbers),
    ]
    if features:
        fields.append(("features", numbers))
    if thumbnails:
        fields.append(("thumbnail", pa.binary()))
    return pa.struct(fields)


def schema(said: Mapping[str, Any], *, features: bool, thumbnails: bool) -> Any:
    """Return the Arrow schema of an export, with `said` as its metadata."""
    pa = arrow()
    texts = [(name, pa.string()) for name in ("id", "title", "category")]
    texts += [("price", pa.float64())]
    texts += [(name, pa.string()) for name in ("currency", "url", "attributes", "origin")]
    picture = picture_type(features=features, thumbnails=thumbnails)
    fields = [*texts, ("digest", pa.binary()), ("written", pa.bool_())]
    full = {"format": FORMAT, **said}
    return pa.schema(
        [*fields, ("pictures", pa.list_(picture))],
        metadata={KEY: json.dumps(full, ensure_ascii=False).encode()},
    )


def read_metadata(path: Path, metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """Return what an export says of itself.

    Raises
    ------
    SourceError
        If it is none, or a newer Lookalike wrote it.
    """
    name = base_name(str(path))
    try:
        said = json.loads((metadata or {})[KEY])
        form = int(said["format"])
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(
            f"{name} was not written by `lookalike export`.", hint=f"{NOT_OURS} {path}"
        ) from error
    if form > FORMAT:
        raise SourceError(
            f"{name} was exported by a newer Lookalike (format {form}, this one knows {FORMAT}).",
            hint="Upgrade with: pip install --upgrade lookalike",
        )
    missing = KEYS - set(said)
    if missing:
        raise SourceError(f"{name} does not say {', '.join(sorted(missing))}.")
    return dict(said)


def packed(path: Path) -> str:
    """Return a file's bytes as text."""
    return base64.b64encode(path.read_bytes()).decode("ascii")


def network_path(export: Path) -> Path:
    """Return where the network lies that belongs to an export."""
    return export.with_name(f"{export.name.removesuffix('.parquet')}.network.tflite")
