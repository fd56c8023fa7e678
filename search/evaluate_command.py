"""`lookalike evaluate`: how good the answers are, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.console import index_option, json_option, progress, write_json
from indexer.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from indexer.progress import Progress
    from search.evaluation import Evaluation, Photos

LISTED = 10
"""Photos left out, and unknown listings, that are told one by one; --json has all."""


@click.command("evaluate", short_help="Measure how good the answers are.")
@click.argument("queries", type=click.Path(path_type=str))
@index_option
@json_option
@click.option(
    "-k",
    "k",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="The most hits that figures are of.",
)
@click.option(
    "--compare",
    "recipes",
    multiple=True,
    metavar="RECIPE",
    help="Compare recipes on the same photos, such as default, wide, regions and seed; current"
    " is the index's own. Give it once for each; differences are to the first.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw precision by rank into this .png or .svg file.",
)
@click.option(
    "--plot-recall",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw what an approximate index finds and how long it takes into this file.",
)
def evaluate(
    queries: str,
    index_folder: Path,
    as_json: bool,
    k: int,
    recipes: tuple[str, ...],
    plot: Path | None,
    plot_recall: Path | None,
) -> None:
    """Measure how good the answers are, on photos whose right answers are known.

    QUERIES is a CSV with the columns image (a path or URL), and listing (the id of the listing
    that the photo shows) or category or both. Every figure has the interval in which it lies in
    95 of 100 such samples of photos. Beside it stands what similarity alone reaches, and what the
    predicted category and dice do: random listings of it.
    """
    from indexer.recipe import RECIPES  # noqa: PLC0415 - NumPy
    from search import evaluate as evaluating  # noqa: PLC0415 - FAISS, scikit-learn
    from search.comparing import CURRENT  # noqa: PLC0415
    from search.engine import Engine  # noqa: PLC0415
    from search.queries import read_queries  # noqa: PLC0415

    known = (*RECIPES, CURRENT)
    if unknown := [name for name in recipes if name not in known]:
        raise UsageError(
            f"There is no recipe {unknown[0]!r}.", hint=f"There are: {', '.join(known)}."
        )
    if plot is not None or plot_recall is not None:
        _require_plots()
    photos = read_queries(queries)
    shown = progress(as_json)
    engine = Engine.open(index_folder)
    try:
        result = evaluating.evaluate(engine, photos, recipes=recipes, k=k, progress=shown)
    finally:
        engine.close()
    if as_json:
        write_json(result.as_dict())
    else:
        from search.evaluate_tables import show  # noqa: PLC0415

        _say_left_out(result.photos, shown)
        show(result)
    if plot is not None:
        _draw(result, plot)
    if plot_recall is not None:
        _draw_recall(result, plot_recall)


def _say_left_out(photos: Photos, shown: Progress) -> None:
    told = [
        f"{one.origin}: {one.image} is left out: {one.reason}" for one in photos.unreadable[:LISTED]
    ]
    if len(photos.unreadable) > LISTED:
        told.append(f"{len(photos.unreadable) - LISTED:,} more photos are left out.")
    told += [
        f"{origin}: the catalogue has no listing {listing!r}."
        for origin, listing in photos.unknown_listings[:LISTED]
    ]
    if len(photos.unknown_listings) > LISTED:
        more = len(photos.unknown_listings) - LISTED
        told.append(f"{more:,} more photos name listings that the catalogue does not have.")
    for category, count in photos.unknown_categories.items():
        told.append(
            f"The catalogue has no category {category!r}, which {count:,}"
            f" {'photo names' if count == 1 else 'photos name'}."
        )
    if photos.nothing_left:
        told.append(
            f"{photos.nothing_left:,} photos have nothing left to find: their right answers have"
            " no other picture in the index."
        )
    for line in told:
        shown.say(line)


def _require_plots() -> None:
    try:
        import search.plots  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingExtra("Plots", "plot") from error


def _draw(result: Evaluation, path: Path) -> None:
    from search.plots import plot_precision  # noqa: PLC0415

    if not result.curves:
        raise UsageError(
            "There is no precision to draw: no photo can be judged by category.",
            hint="Add a column 'category' to the photos, or categories to the catalogue.",
        )
    plot_precision(
        path,
        {name: [one.value for one in curve] for name, curve in result.curves.items()},
        {
            name: ([one.low for one in curve], [one.high for one in curve])
            for name, curve in result.curves.items()
        },
        about=f"share of the first k hits that are of the photo's category,"
        f" {result.photos.by_category:,} photos",
    )
    click.echo(f"Precision by rank is drawn in {path}.", err=True)


def _draw_recall(result: Evaluation, path: Path) -> None:
    from search.plots import plot_recall_latency  # noqa: PLC0415

    if result.trade is None:
        raise UsageError(
            f"The index is exact ({result.factory}): it finds everything, and there is no trade to"
            " draw.",
            hint="Above 20,000 pictures the index is approximate.",
        )
    plot_recall_latency(
        path, result.trade.points, chosen=result.trade.chosen, exact_ms=result.trade.exact_ms
    )
    click.echo(f"Recall against time is drawn in {path}.", err=True)
