"""`lookalike verify`: is the index what it was when it was written."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import index_option, json_option, progress, write_json


@click.command("verify", short_help="Check every file of an index.")
@index_option
@json_option
def verify(index_folder: Path, as_json: bool) -> None:
    """Check every file of an index against its checksums, and say what is wrong.

    The exit code is 1 if anything is.
    """
    from indexer.verify import problems  # noqa: PLC0415

    found = list(problems(index_folder, progress(as_json)))
    if as_json:
        write_json({"problems": found})
    elif found:
        for problem in found:
            click.echo(f"- {problem}")
    else:
        click.echo(f"The index in {index_folder} is sound.")
    if found:
        raise click.exceptions.Exit(1)
