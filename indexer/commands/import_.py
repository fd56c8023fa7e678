"""`lookalike import`: exported listings into an index."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from indexer.console import index_option, json_option, progress, write_json


@click.command("import", short_help="Take exported listings over into an index.")
@click.argument(
    "exports",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@index_option
@json_option
def import_(exports: tuple[Path, ...], index_folder: Path, as_json: bool) -> None:
    """Take over the listings of files that `lookalike export` wrote, without reading a picture.

    The index is made where there is none. Listings that are there already become what the export
    says, others stay. After a crash, the same command goes on where it stopped.
    """
    from indexer.importing import import_exports  # noqa: PLC0415

    shown = progress(as_json)
    done = import_exports(exports, index_folder, shown)
    if as_json:
        write_json(asdict(done))
    else:
        shown.say(
            f"{done.added:,} listings added, {done.changed:,} changed, {done.unchanged:,} as they"
            f" were. Snapshot {done.snapshot} serves from {index_folder}."
        )
