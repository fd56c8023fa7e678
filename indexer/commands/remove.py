"""`lookalike remove`: listings out of the catalogue; the next search does not find them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.console import any_index_option, json_option, write_json

if TYPE_CHECKING:
    from indexer.embedder import Embedder

SHOWN = 10
"""Ids that are not there, of those that are named."""


@click.command("remove", short_help="Remove listings; the next search does not find them.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--from",
    "file",
    type=click.File("r", encoding="utf-8-sig"),
    help="A file with an id a line; - for standard input.",
)
@click.option("--missing-ok", is_flag=True, help="Ids that are not there are no failure.")
@any_index_option
@json_option
def remove(
    ids: tuple[str, ...],
    file: io.TextIOBase | None,
    missing_ok: bool,
    index_folder: Path,
    as_json: bool,
) -> int:
    """Remove the listings of some IDs from the catalogue.

    The next search of any server on the index does not find them. Their features and pictures go
    from the disk with the next compaction. A listing that the catalogue's file still has comes back
    with the next `lookalike index`.
    """
    from indexer.errors import ListingNotFound, LookalikeError, UsageError  # noqa: PLC0415
    from indexer.milvus.address import is_milvus  # noqa: PLC0415
    from indexer.operations import Remove, Written  # noqa: PLC0415
    from indexer.writing import Writer  # noqa: PLC0415

    wanted = list(dict.fromkeys([*ids, *_lines(file)]))
    if not wanted:
        raise UsageError(
            "There is no id to remove.", hint="Name some, or a file of them with --from."
        )
    if is_milvus(index_folder):
        from indexer.milvus.moving import writer_of  # noqa: PLC0415 - an extra

        with writer_of(index_folder) as writer:
            outcomes = writer.write(map(Remove, wanted))
    else:
        outcomes = Writer(index_folder, _no_embedder).write(map(Remove, wanted))
    removed, missing = 0, []
    failed: LookalikeError | None = None
    for listing_id, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Written):
            removed += 1
        elif isinstance(outcome, ListingNotFound):
            missing.append(listing_id)
        else:
            failed = outcome
        if as_json:
            said = outcome.outcome if isinstance(outcome, Written) else outcome.code
            write_json({"id": listing_id, "outcome": said})
    if failed is not None:
        raise failed
    if not as_json:
        click.echo(_told(removed, missing), err=True)
    return 1 if missing and not missing_ok else 0


def _lines(file: io.TextIOBase | None) -> Iterator[str]:
    if file is not None:
        yield from filter(None, (line.strip() for line in file))


def _told(removed: int, missing: list[str]) -> str:
    said = f"Removed {removed:,} listing{'s' * (removed != 1)}."
    if not missing:
        return said
    more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
    return f"{said} Not there: {', '.join(missing[:SHOWN])}{more}."


def _no_embedder() -> Embedder:
    raise AssertionError("Removing embeds nothing.")
