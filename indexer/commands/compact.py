"""`lookalike compact`: a new snapshot from what is stored, and an end to what is gone."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.amounts import BYTES
from indexer.console import index_option, json_option, progress, write_json

if TYPE_CHECKING:
    from indexer.compaction import Compacted
    from indexer.recipe import Recipe

LOWEST = 19
"""How much a compaction in the background gives way, as `nice` counts."""


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
@click.option(
    "--memory",
    type=BYTES,
    metavar="SIZE",
    help="What a process that searches may take, such as 2GB, from now on: the FAISS index is"
    " chosen by it.",
)
@click.option("--quiet", is_flag=True, help="Say nothing unless something goes wrong.")
@click.option(
    "--background",
    is_flag=True,
    help="As a server does it: at the lowest priority, and only where enough has changed.",
)
def compact(
    index_folder: Path,
    as_json: bool,
    recipe: str | None,
    dims: int | None,
    variance: float | None,
    memory: int | None,
    quiet: bool,
    background: bool,
) -> None:
    """Build a new snapshot from the stored features, without reading a picture.

    What changed since the last one is searched beside it, and a new one makes that fast again. What
    was removed from the catalogue is then removed from the disk: features, small pictures, pictures
    that were given to the index itself, and old snapshots. Searches and writes go on meanwhile.

    Also for another recipe, or where `lookalike verify` found the snapshot damaged.
    """
    if background:
        os.nice(LOWEST)
    from indexer.compaction import compact as run  # noqa: PLC0415
    from indexer.errors import IndexBusy  # noqa: PLC0415

    shown = progress(as_json or quiet)
    chosen = _chosen(index_folder, recipe, dims, variance)
    try:
        done = run(index_folder, shown, recipe=chosen, memory=memory, only_if_due=background)
    except IndexBusy:
        if not background:
            raise
        if as_json:
            write_json({"busy": True})
        return
    if as_json:
        write_json(asdict(done))
    elif not quiet:
        shown.say(_told(index_folder, done))


def _chosen(
    folder: Path, recipe: str | None, dims: int | None, variance: float | None
) -> Recipe | None:
    if recipe is None and dims is None and variance is None:
        return None
    from indexer.sync import IndexOptions, wanted_recipe  # noqa: PLC0415

    return wanted_recipe(folder, IndexOptions(recipe=recipe, dims=dims, variance=variance))


def _told(folder: Path, done: Compacted) -> str:
    if done.built:
        changes = "1 change" if done.changed == 1 else f"{done.changed:,} changes"
        said = f"Snapshot {done.snapshot} serves from {folder}, with {changes}."
        if not done.vectors:
            said += " There is no listing left to find."
    else:
        return f"Snapshot {done.snapshot} goes on serving: {done.changed:,} changes are too few."
    gone = {} if done.tidied is None else asdict(done.tidied)
    names = {
        "features": "features",
        "thumbnails": "small pictures",
        "pictures": "pictures",
        "snapshots": "old snapshots",
    }
    parts = [f"{gone[key]:,} {name}" for key, name in names.items() if gone.get(key)]
    return f"{said} Removed for good: {', '.join(parts)}." if parts else said
