"""`lookalike duplicates`: listings that show the same picture, over the whole catalogue."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import index_option, json_option, out, progress, write_json

if TYPE_CHECKING:
    from search.duplicates import Group, Member

SHOWN = 20
"""Groups in the terminal; the files hold them all."""

NAMED = 5
"""Listings of a group in the terminal."""

COLUMNS = ("group", "id", "title", "category", "price", "currency", "url", "image")


@click.command("duplicates", short_help="Find listings that show the same picture.")
@index_option
@json_option
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the groups into this file, one listing a row.",
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the groups into this file, a page with their pictures in it.",
)
@click.option(
    "--min-similarity",
    type=click.FloatRange(0, 1),
    help="Compare only pictures with at least this similarity.  [default: 0.3]",
)
@click.option(
    "--neighbours",
    type=click.IntRange(1, 1000),
    help="Compare each picture with this many of its nearest.  [default: 20]",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def duplicates(
    index_folder: Path,
    as_json: bool,
    csv_file: Path | None,
    html_file: Path | None,
    min_similarity: float | None,
    neighbours: int | None,
    quiet: bool,
) -> None:
    """Find groups of listings that show the same picture: re-saved, resized, cropped by up to a
    tenth, or mirrored. The same thing in another colour is no duplicate.

    With --json, one group a line, largest first.
    """
    from search.duplicates import MIN_SIMILARITY, NEIGHBOURS, find_duplicates  # noqa: PLC0415 - FAISS
    from search.engine import Engine  # noqa: PLC0415

    engine = Engine.open(index_folder)
    try:
        groups = find_duplicates(
            engine,
            gate=MIN_SIMILARITY if min_similarity is None else min_similarity,
            neighbours=neighbours or NEIGHBOURS,
            progress=progress(quiet),
        )
        if csv_file is not None:
            _write_csv(groups, csv_file)
        if html_file is not None:
            from search.gallery import write_gallery  # noqa: PLC0415

            write_gallery(engine, groups, html_file)
    finally:
        engine.close()
    if as_json:
        for group in groups:
            write_json(group_as_dict(group))
    else:
        _show(groups)
    for path in (csv_file, html_file):
        if path is not None and not quiet:
            click.echo(f"The groups are in {path}.", err=True)


def group_as_dict(group: Group) -> dict[str, Any]:
    """Return a group ready for `json.dumps`."""
    return {
        "size": len(group.members),
        "similarity": round(group.similarity, 4),
        "listings": [
            {
                "id": member.listing.id,
                "title": member.listing.title,
                "category": member.listing.category,
                "price": member.listing.price,
                "currency": member.listing.currency,
                "url": member.listing.url,
                "picture": member.picture,
                "image": _image(member),
            }
            for member in group.members
        ],
    }


def _image(member: Member) -> str:
    return member.listing.pictures[member.picture].uri


def _write_csv(groups: list[Group], path: Path) -> None:
    from indexer.files import write_durably  # noqa: PLC0415

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number, group in enumerate(groups, start=1):
        for member in group.members:
            listing = member.listing
            words = listing.id, listing.title, listing.category
            price = "" if listing.price is None else listing.price
            rest = listing.currency, listing.url, _image(member)
            writer.writerow([number, *map(_cell, words), price, *map(_cell, rest)])
    write_durably(path, text.getvalue().encode("utf-8", "replace"))


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking what a listing says for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _show(groups: list[Group]) -> None:
    console = out()
    if not groups:
        console.print("No two listings show the same picture.")
        return
    from rich.table import Table  # noqa: PLC0415

    # A listing with several pictures may be in several groups.
    listings = len({member.listing.id for group in groups for member in group.members})
    many = "groups" if len(groups) > 1 else "group"
    console.print(f"{listings:,} listings share a picture with another, in {len(groups):,} {many}.")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("#", justify="right")
    table.add_column("Listings", justify="right")
    table.add_column("Similarity", justify="right")
    table.add_column("Ids", overflow="fold")
    table.add_column("First title", overflow="fold")
    for number, group in enumerate(groups[:SHOWN], start=1):
        ids = [_plain(member.listing.id) for member in group.members[:NAMED]]
        more = len(group.members) - len(ids)
        table.add_row(
            str(number),
            f"{len(group.members):,}",
            f"{group.similarity:.3f}",
            "  ".join([*ids, f"and {more:,} more"] if more else ids),
            _plain(group.members[0].listing.title),
        )
    console.print(table)
    if len(groups) > SHOWN:
        console.print(f"and {len(groups) - SHOWN:,} more: see them all with --html or --csv.")


def _plain(text: str) -> str:
    """Keep what a listing says from moving the terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
