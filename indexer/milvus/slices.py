"""The slices of an export: a run that was stopped goes on with them, and they become one file."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from indexer.errors import IndexDamaged, LookalikeError
from indexer.export_schema import arrow
from indexer.files import sync_file, sync_folder, write_durably

STALE = 24 * 60 * 60
"""Seconds after which slices are of another time, and are read again."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an export was begun with.

    Attributes
    ----------
    slices : int
        How many there are.
    counted : int
        How many listings there were.
    hold : str
        Under which it holds the features: whoever goes on with it takes them over.
    """

    slices: int
    counted: int
    hold: str


def begin(parts: Path, asked: dict[str, Any], slices: int, counted: int) -> Begun:
    """Begin, or go on with what was begun, unless that is another export.

    Parameters
    ----------
    parts : Path
        The folder of the slices; it is made, or emptied.
    asked : dict
        What makes it another export, fit for JSON.
    slices, counted : int
        What it is begun with, where it is.
    """
    said = parts / "said.json"
    names = [one.name for one in fields(Begun)]
    if said.is_file() and time.time() - said.stat().st_mtime < STALE:
        known = json.loads(said.read_bytes())
        if {name: known.get(name) for name in asked} == asked and all(n in known for n in names):
            return Begun(**{name: known[name] for name in names})
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    begun = Begun(slices, counted, secrets.token_hex(8))
    write_durably(said, json.dumps({**asked, **asdict(begun)}).encode())
    return begun


def join(parts: Path, target: Path, slices: int, check: Callable[[int], None]) -> tuple[int, int]:
    """Make one file of all slices; return how many listings and pictures it holds.

    The file that it takes the place of stays where `check`, told of the listings, raises.
    """
    parquet = arrow().parquet
    aside = target.with_name(f"{target.name}.part")
    listings, pictures = 0, 0
    first = parquet.read_schema(parts / "00000000.parquet")
    with parquet.ParquetWriter(
        aside, first, compression="zstd", use_dictionary=["category", "currency"]
    ) as writer:
        for place in range(slices):
            table = parquet.read_table(parts / f"{place:08d}.parquet", schema=first)
            listings += table.num_rows
            pictures += len(table.column("pictures").combine_chunks().flatten())
            writer.write_table(table)
    try:
        check(listings)
    except LookalikeError:
        aside.unlink()
        raise
    sync_file(aside)
    aside.replace(target)
    sync_folder(target.absolute().parent)
    return listings, pictures


def require_all(read: int, before: int, after: int) -> None:
    """Raise IndexDamaged where fewer listings were read than can have gone while they were."""
    if read < min(before, after) - abs(after - before):
        raise IndexDamaged(f"{read:,} of {before:,} listings could be read.", hint="Export again.")
