"""`lookalike search`: photos in, look-alikes out, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import any_index_option, json_option, out, write_json
from indexer.errors import PictureError, QueryError, UsageError
from indexer.runtimes import RUNTIMES
from search.bad_photos import tell_bad_photo

if TYPE_CHECKING:
    from indexer.listing import Region
    from search.engine import Engine
    from search.facets import Facet
    from search.query import Example, Hit, Page, Query


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


def parse_example(text: str) -> Example:
    """Turn ``PHOTO``, ``id:LISTING`` or either with ``=WEIGHT`` behind it into an example."""
    from search.query import Example  # noqa: PLC0415

    what, mark, number = text.rpartition("=")
    weight = 1.0
    if mark and not Path(text).exists():
        try:
            weight = float(number)
        except ValueError:
            what = text
    else:
        what = text
    if what.startswith("id:"):
        return Example(listing_id=what.removeprefix("id:"), weight=weight)
    return Example(photo=Path(what), weight=weight)


@click.command("search", short_help="Find the listings that look like a photo.")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@any_index_option
@json_option
@click.option("--id", "listing_id", help="Look for listings like this one instead of a photo.")
@click.option(
    "--like",
    "likes",
    multiple=True,
    metavar="WHAT[=WEIGHT]",
    help="One of several things to be like at once: a photo, or id:LISTING. Repeat it.",
)
@click.option(
    "--unlike",
    "unlikes",
    multiple=True,
    metavar="WHAT[=WEIGHT]",
    help="What to be unlike, beside --like. Repeat it.",
)
@click.option("-k", "k", default=10, show_default=True, help="How many hits.")
@click.option(
    "--region", callback=parse_region, metavar="X,Y,W,H", help="The part of the photo that matters."
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="TEXT",
    help='What listings must meet, such as "category:shoes price:10..50". Repeated: all of them.',
)
@click.option("--fold", is_flag=True, help="Show listings of the same picture as one hit.")
@click.option("--facets", is_flag=True, help="Tell what the filter leaves to choose from, too.")
@click.option("--pages", type=click.IntRange(1), default=1, help="How many pages of hits.")
@click.option("--cursor", help="Go on where a page ended: its next_cursor, and nothing else.")
@click.option("--min-score", type=float, help="Leave out hits that score lower (0 to 1).")
@click.option(
    "--prior/--no-prior",
    default=True,
    help="Whether the predicted category takes part in the ranking, or similarity alone.",
)
@click.option(
    "--montage",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of the photos and their hits.",
)
@click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    default="auto",
    show_default=True,
    help="What runs the network; auto: openvino for an index made with it, else litert.",
)
def search(
    photos: tuple[Path, ...],
    index_folder: Path,
    as_json: bool,
    listing_id: str | None,
    likes: tuple[str, ...],
    unlikes: tuple[str, ...],
    k: int,
    region: Region | None,
    filters: tuple[str, ...],
    fold: bool,
    facets: bool,
    pages: int,
    cursor: str | None,
    min_score: float | None,
    prior: bool,
    montage: Path | None,
    runtime: str,
) -> None:
    """Find the listings that look like each of PHOTOS, or like the listing --id.

    Several --like and --unlike make one question. With --json, one page of hits a line, in the
    order of the photos; for a photo that cannot be used, what is wrong with it.
    """
    if bool(photos) + (listing_id is not None) + bool(likes) + (cursor is not None) != 1:
        raise UsageError(
            "A search takes photos, a listing's id, --like or --cursor.",
            hint="lookalike search PHOTO..., or lookalike search --id ID",
        )
    if cursor is not None and (filters or fold or facets or unlikes or region or min_score):
        raise UsageError("A cursor carries what was asked for.", hint="Give nothing beside it.")
    from search.engine import Engine  # noqa: PLC0415 - FAISS
    from search.query import Query  # noqa: PLC0415

    options: dict[str, Any] = {
        "k": k,
        "min_score": min_score,
        "prior": prior,
        "filter": " ".join(filters),
        "fold": fold,
    }
    if cursor is not None:
        queries = [Query(cursor=cursor)]
    elif likes or unlikes:
        queries = [
            Query(
                positives=tuple(map(parse_example, likes)),
                negatives=tuple(map(parse_example, unlikes)),
                **options,
            )
        ]
    elif photos:
        queries = [Query(photo=photo, region=region, **options) for photo in photos]
    else:
        queries = [Query(listing_id=listing_id, **options)]
    engine = Engine.open(index_folder, runtime=runtime)
    answered: list[tuple[Query, Page]] = []
    code = 0
    try:
        for query in queries:
            counted = engine.view().facets(query.condition) if facets else None
            try:
                for number, page in enumerate(_pages(engine, query, pages)):
                    answered.append((query, page))
                    _show(query, page, as_json, None if number else counted)
            except (PictureError, QueryError) as error:
                code = max(code, tell_bad_photo(query.photo, error, as_json=as_json))
    finally:
        # What was answered before an error is not lost.
        if montage is not None and answered:
            _montage(engine, answered, montage)
        engine.close()
    if code:
        raise click.exceptions.Exit(code)


def _pages(engine: Engine, query: Query, count: int) -> Iterator[Page]:
    """Yield the first page of an answer, and those behind it up to a count."""
    from search.query import Query  # noqa: PLC0415

    page = engine.search(query)
    yield page
    for _ in range(count - 1):
        if page.next_cursor is None:
            return
        page = engine.search(Query(cursor=page.next_cursor))
        yield page


def _montage(engine: Engine, answered: list[tuple[Query, Page]], path: Path) -> None:
    from search.montage import write_montage  # noqa: PLC0415

    write_montage(engine, answered, path)
    click.echo(f"The hits are drawn in {path}.", err=True)


def _show(query: Query, page: Page, as_json: bool, facets: list[Facet] | None) -> None:
    from search.answer import page_as_dict  # noqa: PLC0415

    if as_json:
        # There is no server here: a picture is where the catalogue says it is.
        write_json(
            page_as_dict(
                page,
                thumbnail_url=lambda _: "",
                image_url=lambda listing, place: listing.pictures[place].uri,
                facets=facets,
            )
        )
        return
    console = out()
    what = _named(query)
    if not page.hits:
        why = "there is no other listing"
        if query.condition:
            why = "no listing like it meets the filter"
        elif query.min_score is not None:
            why = "nothing scores as much as was asked for"
        console.print(f"No hits for {what}: {why}.", markup=False)
        _show_facets(facets)
        return
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    took = f"  {page.took_ms['total']:.0f} ms, snapshot {page.snapshot}"
    console.print(Text.assemble((f"Like {what}", "bold"), (took, "dim")), soft_wrap=True)
    if page.category:
        guesses = ", ".join(f"{name} {confidence:.0%}" for name, confidence in page.category[:3])
        console.print(Text(f"Category: {guesses}", "dim"))
    if not page.close_match:
        console.print("No close match; these are the nearest there are.")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("#", "Score", "Similarity"):
        table.add_column(name, justify="right")
    for name in ("Id", "Title", "Category"):
        table.add_column(name, overflow="fold")
    for hit in page.hits:
        mark = " =" if hit.near_duplicate else ""
        table.add_row(
            str(hit.rank),
            f"{hit.score:.2f}",
            f"{hit.similarity:.3f}{mark}",
            hit.listing.id,
            _title(hit),
            hit.listing.category,
        )
    console.print(table)
    _show_facets(facets)
    if page.next_cursor:
        console.print(Text("There are more: --pages, or --json and --cursor.", "dim"))
    console.print()


def _title(hit: Hit) -> str:
    """Return a hit's title and how many listings are folded under it."""
    count = len(hit.similar_offers)
    offers = f"+{count} similar {'offer' if count == 1 else 'offers'}" if count else ""
    return "  ".join(filter(None, (hit.listing.title, offers)))


def _show_facets(facets: list[Facet] | None) -> None:
    for facet in facets or []:
        if facet.low is not None and facet.high is not None:
            said = f"{facet.low:g} to {facet.high:g}"
        else:
            said = ", ".join(f"{one.value} {one.count:,}" for one in facet.values if one.count)
        out().print(f"{facet.field}: {said or 'nothing'}", markup=False, highlight=False)


def _named(query: Query) -> str:
    if query.cursor is not None:
        return "what was asked before"

    def one(example: Example) -> str:
        shown = example.photo.name if isinstance(example.photo, Path) else example.listing_id
        return str(shown)

    if not query.positives:
        return one(query.examples[0]) if query.photo else f"listing {query.listing_id}"
    said = " and ".join(map(one, query.positives))
    return said + (f", unlike {' and '.join(map(one, query.negatives))}" if query.negatives else "")
