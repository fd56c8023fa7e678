"""`lookalike explain`: why a listing is a hit, as a picture and in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import any_index_option, json_option, out, write_json
from indexer.errors import UsageError
from search.commands import parse_region

if TYPE_CHECKING:
    from indexer.listing import Region
    from search.engine import Engine
    from search.explain import Explanation
    from search.query import Query


@click.command("explain", short_help="Show why a listing looks like a photo.")
@click.argument("names", nargs=-1, metavar="[PHOTO] LISTING_ID")
@any_index_option
@json_option
@click.option("--id", "query_id", help="Explain the likeness to this listing instead of a photo.")
@click.option(
    "--region", callback=parse_region, metavar="X,Y,W,H", help="The part of the photo that matters."
)
@click.option(
    "--out",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The picture to write.  [default: why.png, and none with --json]",
)
def explain(
    names: tuple[str, ...],
    index_folder: Path,
    as_json: bool,
    query_id: str | None,
    region: Region | None,
    sheet: Path | None,
) -> None:
    """Show which places of PHOTO and of the listing LISTING_ID make them alike.

    Writes both pictures side by side, bright where they agree. With --json, the numbers: what
    every place adds, which together with one constant makes up the similarity.
    """
    if len(names) != (1 if query_id is not None else 2):
        raise UsageError(
            "A photo, or a listing's id, is compared with one listing.",
            hint="lookalike explain PHOTO LISTING_ID, or lookalike explain --id ID LISTING_ID",
        )
    from search import explain as explaining  # noqa: PLC0415 - NumPy
    from search.engine import Engine  # noqa: PLC0415 - FAISS
    from search.query import Query  # noqa: PLC0415

    listing_id = names[-1]
    query = Query(
        photo=None if query_id is not None else Path(names[0]), listing_id=query_id, region=region
    )
    engine = Engine.open(index_folder)
    try:
        explanation = explaining.explain(engine, query, listing_id)
        if not as_json:
            sheet = sheet or Path("why.png")
        if sheet is not None:
            _write(engine, query, listing_id, explanation, sheet)
    finally:
        engine.close()
    if as_json:
        write_json({"listing_id": listing_id, **explaining.as_dict(explanation)})
    else:
        _show(explanation, listing_id, sheet)


def _write(
    engine: Engine, query: Query, listing_id: str, explanation: Explanation, sheet: Path
) -> None:
    from search.heatmap import write_sheet  # noqa: PLC0415 - Pillow

    def called(wanted: str) -> str:
        return engine.listing(wanted)[0].title or wanted

    asked = query.photo.name if isinstance(query.photo, Path) else called(query.listing_id or "")
    write_sheet(explanation, (asked, called(listing_id)), sheet, engine.limits)


def _show(explanation: Explanation, listing_id: str, sheet: Any) -> None:
    console = out()
    console.print(
        f"Similarity to {listing_id}: {explanation.similarity:.3f}"
        f" (stored {explanation.stored_similarity:.3f})"
    )
    for side, cells, constant in (
        ("query", explanation.query_map, explanation.query_constant),
        ("hit", explanation.hit_map, explanation.hit_constant),
    ):
        console.print(f"  {side:<6} places {cells.sum():+.3f}   constant {constant:+.3f}")
    click.echo(f"Drawn in {sheet}.", err=True)
