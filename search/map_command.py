"""`lookalike map`: the catalogue as one picture, look-alikes side by side."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import index_option
from indexer.errors import UsageError


@click.command("map", short_help="Draw the catalogue as a map, look-alikes side by side.")
@index_option
@click.option(
    "--out",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the map into this .png or .jpg file.",
)
@click.option(
    "--method",
    type=click.Choice(["pca", "umap"]),
    help="Make the map anew and keep it for the page: principal components sorted on a grid (a"
    " second), or UMAP (a minute; needs the extra 'umap').",
)
@click.option(
    "--size",
    type=click.IntRange(200, 20_000),
    default=2400,
    show_default=True,
    help="The picture's width in pixels.",
)
def map(index_folder: Path, picture: Path | None, method: str | None, size: int) -> None:
    """Draw the catalogue as a map, look-alikes side by side.

    Without --method, it is the map that the page shows. A map is made for one snapshot: a listing
    that is removed leaves it at once, one that comes waits for the next snapshot. That one has the
    default map again until the command is run once more.
    """
    if picture is None and method is None:
        raise UsageError(
            "There is nothing to do.",
            hint="Draw the map with: lookalike map --out map.png",
        )
    from search.catalogue_map import (  # noqa: PLC0415
        lay_out,
        map_of,
        places,
        save_map,
        total_of,
    )
    from search.engine import Engine  # noqa: PLC0415 - FAISS

    engine = Engine.open(index_folder)
    try:
        snapshot = engine.snapshot
        drawn = map_of(snapshot) if method is None else lay_out(snapshot, method)
        if method is not None:
            save_map(snapshot, drawn)
            click.echo(f"The page shows this map, made by {method}.", err=True)
        if picture is not None:
            from search.map_picture import draw_map, save_picture  # noqa: PLC0415

            shown = places(engine, drawn)
            save_picture(draw_map(engine, drawn, shown, size), picture)
            click.echo(_told(total_of(drawn, shown), len(shown), picture), err=True)
    finally:
        engine.close()


def _told(total: int, shown: int, picture: Path) -> str:
    of = f" of {total:,}" if total > shown else ""
    return f"{shown:,}{of} listings are drawn in {picture}."
