"""`lookalike import`: exported listings into an index."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from indexer.console import any_index_option, json_option, progress, write_json


@click.command("import", short_help="Take exported listings over into an index.")
@click.argument(
    "exports",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@any_index_option
@json_option
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder in which an index in Milvus is made; data/milvus-COLLECTION.",
)
def import_(
    exports: tuple[Path, ...], index_folder: Path, as_json: bool, work: Path | None
) -> None:
    """Take over the listings of files that `lookalike export` wrote, without reading a picture.

    The index is made where there is none. Listings that are there already become what the export
    says, others stay. After a crash, the same command goes on where it stopped.
    """
    from indexer.importing import import_exports  # noqa: PLC0415
    from indexer.milvus.address import work_folder  # noqa: PLC0415

    shown = progress(as_json)
    folder, milvus = work_folder(index_folder, work)
    done = import_exports(exports, folder, shown)
    pushed = None
    if milvus is not None:
        from indexer.milvus.push import push  # noqa: PLC0415 - an extra

        pushed = push(folder, milvus, shown)
    if as_json:
        write_json(asdict(done) if pushed is None else {**asdict(done), "milvus": asdict(pushed)})
    else:
        shown.say(
            f"{done.added:,} listings added, {done.changed:,} changed, {done.unchanged:,} as they"
            f" were. Snapshot {done.snapshot} serves from {folder}."
        )
        if pushed is not None:
            shown.say(pushed.told())
