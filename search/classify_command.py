"""`lookalike classify`: what kind of product a photo shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.console import any_index_option, json_option, out, write_json
from indexer.errors import PictureError, QueryError
from indexer.runtimes import RUNTIMES
from search.bad_photos import tell_bad_photo
from search.commands import parse_region

if TYPE_CHECKING:
    from indexer.listing import Region


@click.command("classify", short_help="Predict the category of a photo.")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@any_index_option
@json_option
@click.option(
    "--region", callback=parse_region, metavar="X,Y,W,H", help="The part of the photo that matters."
)
@click.option(
    "--runtime", type=click.Choice(RUNTIMES), default="auto", help="What runs the network."
)
def classify(
    photos: tuple[Path, ...],
    index_folder: Path,
    as_json: bool,
    region: Region | None,
    runtime: str,
) -> None:
    """Predict the category of each of PHOTOS, by the catalogue's own categories.

    Confidences are calibrated: of the answers that are 80 % sure, about 80 % are right.
    """
    from search.engine import Engine  # noqa: PLC0415 - FAISS

    engine = Engine.open(index_folder, runtime=runtime)
    code = 0
    try:
        if engine.snapshot.categories is None:
            raise QueryError(
                "This catalogue has no two categories that could be told apart.",
                hint="At least two categories of five listings each are needed; name the column"
                " with: lookalike index CATALOG --category-column NAME",
            )
        for photo in photos:
            try:
                said = engine.classify(photo, region)
            except (PictureError, QueryError) as error:
                code = max(code, tell_bad_photo(photo, error, as_json=as_json))
                continue
            if as_json:
                write_json(
                    {
                        "photo": str(photo),
                        "category": [
                            {"name": name, "confidence": round(confidence, 4)}
                            for name, confidence in said
                        ],
                    }
                )
            else:
                guesses = ", ".join(f"{name} {confidence:.0%}" for name, confidence in said)
                out().print(f"{photo.name}  {guesses}")
    finally:
        engine.close()
    if code:
        raise click.exceptions.Exit(code)
