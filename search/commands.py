"""`lookalike search`: photos in, look-alikes out, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.console import index_option, json_option, out, write_json
from indexer.errors import UsageError

if TYPE_CHECKING:
    from indexer.listing import Region
    from search.engine import Engine
    from search.query import Page, Query


def parse_region(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Region | None:
    """Turn ``x,y,w,h`` into a region; its values are checked by `Query`."""
    if text is None:
        return None
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not x,y,width,height, four shares of the photo such as 0.1,0.2,0.5,0.5"
        ) from error
    return x, y, w, h


@click.command("search", short_help="Find the listings that look like a photo.")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@index_option
@json_option
@click.option("--id", "listing_id", help="Look for listings like this one instead of a photo.")
@click.option("-k", "k", default=10, show_default=True, help="How many hits.")
@click.option(
    "--region", callback=parse_region, metavar="X,Y,W,H", help="The part of the photo that matters."
)
@click.option("--min-score", type=float, help="Leave out hits that score lower (0 to 1).")
@click.option(
    "--montage",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of the photos and their hits.",
)
@click.option(
    "--runtime",
    type=click.Choice(["litert", "keras"]),
    default="litert",
    show_default=True,
    help="What runs the network.",
)
def search(
    photos: tuple[Path, ...],
    index_folder: Path,
    as_json: bool,
    listing_id: str | None,
    k: int,
    region: Region | None,
    min_score: float | None,
    montage: Path | None,
    runtime: str,
) -> None:
    """Find the listings that look like each of PHOTOS, or like the listing --id.

    With --json, one page of hits a line, in the order of the photos.
    """
    if bool(photos) == (listing_id is not None):
        raise UsageError(
            "A search takes photos or a listing's id.",
            hint="lookalike search PHOTO..., or lookalike search --id ID",
        )
    from search.engine import Engine  # noqa: PLC0415 - FAISS
    from search.query import Query  # noqa: PLC0415

    queries = [Query(photo=photo, k=k, region=region, min_score=min_score) for photo in photos] or [
        Query(listing_id=listing_id, k=k, min_score=min_score)
    ]
    engine = Engine.open(index_folder, runtime=runtime)
    answered: list[tuple[Query, Page]] = []
    try:
        for query in queries:
            page = engine.search(query)
            answered.append((query, page))
            _show(query, page, as_json)
    finally:
        # Photos that were answered before a bad one are not lost.
        if montage is not None and answered:
            _montage(engine, answered, montage)
        engine.close()


def _montage(engine: Engine, answered: list[tuple[Query, Page]], path: Path) -> None:
    from search.montage import write_montage  # noqa: PLC0415

    write_montage(engine, answered, path)
    click.echo(f"The hits are drawn in {path}.", err=True)


def _show(query: Query, page: Page, as_json: bool) -> None:
    from search.answer import page_as_dict  # noqa: PLC0415

    if as_json:
        # There is no server here: a picture is where the catalogue says it is.
        write_json(
            page_as_dict(
                page,
                thumbnail_url=lambda _: "",
                image_url=lambda listing, place: listing.pictures[place].uri,
            )
        )
        return
    from rich.table import Table  # noqa: PLC0415

    what = str(query.photo) if query.photo is not None else f"listing {query.listing_id}"
    table = Table(
        title=f"Like {what}  [dim]{page.took_ms['total']:.0f} ms, snapshot {page.snapshot}[/dim]",
        title_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("#", justify="right")
    table.add_column("Similarity", justify="right")
    for name in ("Id", "Title", "Category"):
        table.add_column(name, overflow="fold")
    for hit in page.hits:
        mark = " =" if hit.near_duplicate else ""
        table.add_row(
            str(hit.rank),
            f"{hit.similarity:.3f}{mark}",
            hit.listing.id,
            hit.listing.title,
            hit.listing.category,
        )
    console = out()
    if page.hits:
        console.print(table)
    else:
        console.print(f"Nothing is like {what} by at least the score that was asked for.")
    console.print()
