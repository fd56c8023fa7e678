"""`lookalike export`: the catalogue with its vectors as one Parquet file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from indexer.console import any_index_option, json_option, progress, write_json


@click.command("export", short_help="Write the catalogue and its vectors to a Parquet file.")
@click.argument("target", type=click.Path(path_type=Path))
@any_index_option
@json_option
@click.option(
    "--features/--no-features",
    default=True,
    show_default=True,
    help="Whether what vectors are made of is exported too; import needs it.",
)
@click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    show_default=True,
    help="Whether the small pictures that the page shows are exported too.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace the files that are there, once the new ones are."
)
def export(
    target: Path,
    index_folder: Path,
    as_json: bool,
    features: bool,
    thumbnails: bool,
    overwrite: bool,
) -> None:
    """Write ids, fields, vectors and features of all listings to the Parquet file TARGET.

    The network is copied beside it, as NAME.network.tflite. `lookalike import` makes an index of
    the two on any machine; searches and writes go on meanwhile.
    """
    from indexer.exporting import export as run  # noqa: PLC0415
    from indexer.milvus.address import Address, is_milvus  # noqa: PLC0415

    shown = progress(as_json)
    export_ = partial(run, index_folder)
    if is_milvus(index_folder):
        from indexer.milvus.pull import pull  # noqa: PLC0415 - an extra

        export_ = partial(pull, Address.parse(index_folder))
    done = export_(
        target,
        features=features,
        thumbnails=thumbnails,
        overwrite=overwrite,
        progress=shown,
    )
    if as_json:
        write_json(
            {
                "export": str(target),
                "network": str(done.network),
                "listings": done.listings,
                "pictures": done.pictures,
            }
        )
    else:
        shown.say(
            f"{target} holds {done.listings:,} listings with {done.pictures:,} pictures; the"
            f" network that goes with it is {done.network}."
        )
