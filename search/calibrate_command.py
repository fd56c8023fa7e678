"""`lookalike calibrate`: the recipe that serves this very catalogue best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import index_option, json_option, out, progress, write_json
from indexer.errors import UsageError
from indexer.runtimes import RUNTIMES

if TYPE_CHECKING:
    from indexer.calibration import Choice


@click.command("calibrate", short_help="Choose the recipe that serves this catalogue best.")
@index_option
@json_option
@click.option(
    "--queries",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV of photos with their right answers (as for `lookalike evaluate`) to choose by,"
    " instead of the catalogue's own pictures.",
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder of customers' photos, without labels: photos are then compared as photos. Their"
    " features are kept in the index, the photos are not.",
)
@click.option(
    "--forget-photos",
    is_flag=True,
    help="Forget the photos of an earlier --photos, and what a server learned from queries.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be chosen, and change nothing.")
@click.option(
    "--runtime",
    type=click.Choice([name for name in RUNTIMES if name != "keras"]),
    default="auto",
    help="What runs the network, for --queries and --photos.",
)
def calibrate(
    index_folder: Path,
    as_json: bool,
    queries: Path | None,
    photos: Path | None,
    forget_photos: bool,
    dry_run: bool,
    runtime: str,
) -> None:
    """Choose the recipe that serves this catalogue best, and publish a snapshot made by it.

    The choice is made on stored features: no picture of the catalogue is read again. It is
    validated by the catalogue's categories, by its listings with several pictures, or by
    --queries, and falls on the default unless something is surely better.
    """
    if forget_photos and photos is not None:
        raise UsageError("--photos and --forget-photos exclude one another.", hint="Give one.")
    from search.calibration import run_calibration  # noqa: PLC0415 - FAISS, scikit-learn

    shown = progress(as_json)
    outcome = run_calibration(
        index_folder,
        queries=queries,
        photos=photos,
        forget_photos=forget_photos,
        dry_run=dry_run,
        runtime=runtime,
        progress=shown,
    )
    if as_json:
        write_json(
            {
                "recipe": outcome.choice.recipe.as_dict(),
                "why": outcome.choice.why,
                "tried": [_figures(one) for one in outcome.choice.tried],
                "photos": outcome.photos,
                "rejected": [{"photo": uri, "reason": why} for uri, why in outcome.rejected],
                "snapshot": outcome.snapshot,
            }
        )
        return
    for uri, why in outcome.rejected:
        shown.say(f"Left out {uri}: {why}")
    _show(outcome.choice)
    recipe = outcome.choice.recipe
    shown.say(outcome.choice.why)
    shown.say(
        f"Chosen: {recipe.name} ({' + '.join(recipe.features)}, {recipe.dims} dimensions, power"
        f" {recipe.power:g}, whitening {recipe.whitening:g})."
    )
    if outcome.photos:
        shown.say(f"Photos are centred by the mean of {outcome.photos:,} customers' photos.")
    if outcome.snapshot is None:
        shown.say("Nothing was changed.")
    else:
        shown.say(f"Snapshot {outcome.snapshot} serves from {index_folder}.")


def _figures(one: Any) -> dict[str, Any]:
    return {
        "recipe": one.recipe.as_dict(),
        **{
            name: None if value is None else round(value, 4)
            for name, value in (
                ("mrr", one.mean(one.found)),
                ("p_at_10", one.mean(one.alike)),
                ("p_at_10_with_prior", one.mean(one.guided)),
            )
        },
    }


def _show(choice: Choice) -> None:
    if not choice.tried:
        return
    from rich.table import Table  # noqa: PLC0415

    figures = {
        "MRR": [one.mean(one.found) for one in choice.tried],
        "P@10": [one.mean(one.alike) for one in choice.tried],
        "with prior": [one.mean(one.guided) for one in choice.tried],
    }
    known = {name: values for name, values in figures.items() if values[0] is not None}
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("Features")
    for name in ("Dims", "Power", "Whitening", *known):
        table.add_column(name, justify="right")
    for place, one in enumerate(choice.tried):
        recipe = one.recipe
        table.add_row(
            " + ".join(recipe.features),
            str(recipe.dims),
            f"{recipe.power:g}",
            f"{recipe.whitening:g}",
            *(f"{values[place]:.3f}" for values in known.values()),
            style="bold" if one is choice.best else None,
        )
    out().print(table)
