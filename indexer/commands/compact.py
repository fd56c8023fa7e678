"""`lookalike compact`: a new snapshot from what is stored."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import index_option, json_option, progress, write_json


@click.command("compact", short_help="Build a new snapshot from the stored features.")
@index_option
@json_option
@click.option(
    "--recipe",
    type=click.Choice(["default", "wide", "regions", "seed"]),
    help="Another recipe.",
)
@click.option("--dims", type=int, help="Principal components to keep.")
@click.option("--variance", type=float, help="Keep as many as explain this share of the variance.")
def compact(
    index_folder: Path,
    as_json: bool,
    recipe: str | None,
    dims: int | None,
    variance: float | None,
) -> None:
    """Build a new snapshot from the stored features, without reading a picture.

    For another recipe, or where `lookalike verify` found the snapshot damaged.
    """
    from indexer.rebuild import rebuild  # noqa: PLC0415

    shown = progress(as_json)
    name = rebuild(index_folder, recipe, dims, variance, shown)
    if as_json:
        write_json({"snapshot": name})
    else:
        shown.say(f"Snapshot {name} serves from {index_folder}.")
