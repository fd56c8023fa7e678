"""`lookalike backup`: a copy of an index that is in use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from indexer.console import index_option, json_option, progress, write_json


@click.command("backup", short_help="Copy an index that is in use, and check the copy.")
@click.argument("target", type=click.Path(path_type=Path))
@index_option
@json_option
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    show_default=True,
    help="Whether the small pictures that the page shows are copied too.",
)
def backup(target: Path, index_folder: Path, as_json: bool, thumbnails: bool) -> None:
    """Copy an index to TARGET as it is at one moment, while it is searched and written to.

    TARGET must not be there yet, or be empty. The copy is checked, and is an index by itself:
    `lookalike search --index TARGET` works.
    """
    from indexer.backup import back_up  # noqa: PLC0415

    shown = progress(as_json)
    said = back_up(index_folder, target, thumbnails=thumbnails, progress=shown)
    if as_json:
        write_json({"backup": str(target), **asdict(said)})
    else:
        shown.say(
            f"{target} holds {said.listings:,} listings, {said.size / 1e6:,.1f} MB, and is sound."
        )
