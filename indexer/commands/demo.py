"""`lookalike demo`: a catalogue to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import json_option, progress, write_json


@click.command("demo", short_help="Draw a small catalogue of products to try things on.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/demo"),
    show_default=True,
    help="The folder to draw into.",
)
@click.option("--listings", type=click.IntRange(1, 100_000), default=300, show_default=True)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="Another seed, other products."
)
@json_option
def demo(out: Path, listings: int, seed: int, as_json: bool) -> None:
    """Draw a small catalogue of products to try things on.

    Catalogue pictures in pictures/, customers' photos of the same products in photos/, catalog.csv
    and queries.csv. The same seed always draws the same products; nothing is downloaded.
    """
    from indexer.demo import draw_demo  # noqa: PLC0415

    shown = progress()
    with shown.track("Drawing the demo", listings, "listings") as advance:
        done = 0

        def tell(so_far: int, _total: int) -> None:
            nonlocal done
            advance(so_far - done)
            done = so_far

        drawn = draw_demo(out, listings=listings, seed=seed, progress=tell)
    if as_json:
        write_json(
            {
                "catalogue": str(drawn.catalogue),
                "queries": str(drawn.queries),
                "listings": drawn.listings,
                "photos": drawn.photos,
            }
        )
    else:
        shown.say(f"{drawn.listings:,} listings and {drawn.photos:,} customer photos in {out}.")
        shown.say(f"Index them with: lookalike index {drawn.catalogue}")
