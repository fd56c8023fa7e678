"""`lookalike restore`: a backup becomes the index again."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import index_option, json_option, progress, write_json


@click.command("restore", short_help="Make a backup the index again.")
@click.argument("backup", type=click.Path(path_type=Path, file_okay=False))
@index_option
@json_option
@click.option(
    "--replace",
    is_flag=True,
    help="Put it in the place of the index that is there, which is kept beside it.",
)
def restore(backup: Path, index_folder: Path, as_json: bool, replace: bool) -> None:
    """Copy the index in BACKUP to --index, and check the copy before it takes its place.

    A server that runs goes on with it. What was written since the backup is not in it.
    """
    from indexer.restoring import restore as run  # noqa: PLC0415

    shown = progress(as_json)
    done = run(backup, index_folder, replace=replace, progress=shown)
    kept = None if done.kept is None else str(done.kept)
    if as_json:
        write_json(
            {
                "index": str(index_folder),
                "snapshot": done.said.snapshot,
                "listings": done.said.listings,
                "kept": kept,
            }
        )
        return
    shown.say(f"{index_folder} holds {done.said.listings:,} listings.")
    if kept is not None:
        shown.say(f"What was there lies in {kept}; remove it when nobody needs it any more.")
