"""`lookalike index`: a catalogue into an index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.amounts import BYTES
from indexer.console import any_index_option, json_option, out, progress, write_json
from indexer.errors import UsageError
from indexer.runtimes import RUNTIMES

if TYPE_CHECKING:
    from indexer.options import Outlook, Report

FIELDS = ("id", "image", "title", "category", "price", "currency", "url")
REJECTED = 3

KINDS = {
    "added": "added",
    "pictures_changed": "other pictures",
    "fields_changed": "other fields",
    "removed": "removed",
}
SHOWN = 5
"""Ids of each kind that a dry run shows; `--json` gives a few more."""


def column_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--id-column` and its like, one for each field of a listing."""
    for field in reversed(FIELDS):
        command = click.option(
            f"--{field}-column",
            f"column_{field}",
            metavar="NAME",
            help=f"The column that holds the {field}, if its name does not say so.",
        )(command)
    return command


@click.command("index", short_help="Index a catalogue, or bring its index up to date.")
@click.argument("catalog")
@any_index_option
@json_option
@click.option(
    "--weights",
    help="auto, imagenet, nsfwjs or a Keras weights file; for a new index, auto.",
)
@click.option(
    "--scaling",
    type=click.Choice(["minus1_1", "0_1"]),
    help="Pixel values that a weights file of your own expects.",
)
@click.option("--input-size", type=int, help="Pixels a side of the network's input; 299.")
@click.option(
    "--recipe",
    type=click.Choice(["default", "wide", "regions", "seed"]),
    help="How features become vectors.",
)
@click.option("--dims", type=int, help="Principal components to keep; 128.")
@click.option(
    "--variance", type=float, help="Keep as many as explain this share of the variance, as 0.95."
)
@click.option(
    "--keep-features",
    type=click.Choice(["all", "mixed7", "average", "regions"]),
    help="Layers whose features are stored: all (6 KB a picture), mixed7 (3 KB), its average alone"
    " (1.5 KB) or regions, which"
    " is all and what --recipe regions needs (7.5 KB, kept for that recipe without being asked).",
)
@click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    default="auto",
    show_default=True,
    help="What runs the network. openvino (an extra) is the fastest, keras is float32, slower, and"
    " can use a GPU; auto is openvino for an index that was made with it, else litert.",
)
@click.option(
    "--format",
    "source_format",
    help="Kind of catalogue, where it cannot be told: folder, csv, tsv, jsonl, parquet, tfrecord,"
    " google-product-search, shopify, merchant.",
)
@click.option("--encoding", default="utf-8-sig", help="Of a text catalogue.  [default: utf-8]")
@column_options
@click.option("--retry-failed", is_flag=True, help="Try rejected pictures again.")
@click.option(
    "--check-urls/--no-check-urls",
    default=True,
    show_default=True,
    help="Ask the hosts of pictures at URLs that did not change whether the pictures did: by ETag,"
    " else by time and size.",
)
@click.option(
    "--recheck-urls",
    is_flag=True,
    help="Download all those pictures instead and compare their contents, as for hosts that say"
    " nothing.",
)
@click.option(
    "--allow-removals", is_flag=True, help="Let more than a fifth of the listings go at once."
)
@click.option(
    "--replace",
    is_flag=True,
    help="Build the index anew beside the one that serves, with other --weights or --input-size"
    " perhaps, and swap the two when it is done.",
)
@click.option(
    "--memory",
    type=BYTES,
    metavar="SIZE",
    help="What a process that searches may take, such as 2GB: the FAISS index is chosen by it.",
)
@click.option(
    "--ray",
    metavar="ADDRESS|local",
    help="Embed on a Ray cluster (an extra): HOST:PORT of its head, auto on one of its nodes, or"
    " local for one on this machine.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder in which an index in Milvus is made; data/milvus-COLLECTION.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--max-failures",
    default="0",
    show_default=True,
    metavar="N|N%",
    help="Rejected pictures up to which the exit code is 0; above, it is 3.",
)
@click.option("--quiet", is_flag=True, help="No progress bars and no summary.")
def index(
    catalog: str,
    index_folder: Path,
    as_json: bool,
    source_format: str | None,
    encoding: str,
    max_failures: str,
    quiet: bool,
    replace: bool,
    work: Path | None,
    **options: Any,
) -> None:
    """Index CATALOG, or bring its index up to date.

    CATALOG is a folder of pictures (sub-folders become categories), a CSV, TSV, JSONL, Parquet
    or TFRecord file, a Google Product Search bulk CSV, a Shopify product CSV or a Google Merchant
    feed, here or at a URL. Run it again at any time: only what changed is embedded.
    """
    if options["recheck_urls"] and not options["check_urls"]:
        raise UsageError(
            "--recheck-urls and --no-check-urls exclude one another.", hint="Give one of them."
        )
    tolerated = parse_max_failures(max_failures)
    from indexer.milvus.address import work_folder  # noqa: PLC0415
    from indexer.replacing import replace_index  # noqa: PLC0415
    from indexer.sources import SourceOptions, open_source  # noqa: PLC0415
    from indexer.sync import IndexOptions, index_catalogue  # noqa: PLC0415

    columns = {field: options.pop(f"column_{field}") for field in FIELDS}
    source = open_source(
        catalog,
        SourceOptions(
            columns={field: name for field, name in columns.items() if name},
            format=source_format,
            encoding=encoding,
        ),
    )
    shown = progress(quiet)
    folder, milvus = work_folder(index_folder, work)
    pushed = None
    try:
        run = replace_index if replace else index_catalogue
        report = run(folder, source, IndexOptions(**options), shown)
        if milvus is not None and report.outlook is None:
            from indexer.milvus.push import push  # noqa: PLC0415 - an extra

            pushed = push(folder, milvus, shown)
    except KeyboardInterrupt:
        shown.say("What is embedded so far is kept. Run the same command again to go on.")
        raise
    if as_json:
        write_json(
            asdict(report) if pushed is None else {**asdict(report), "milvus": asdict(pushed)}
        )
    elif not quiet:
        for line in summary(report, folder):
            shown.say(line)
        if pushed is not None:
            shown.say(pushed.told())
        if report.outlook is not None:
            show_ids(report.outlook)
    total = report.plan.added + report.plan.changed + report.plan.unchanged
    if report.failures > tolerated(total):
        raise click.exceptions.Exit(REJECTED)


def parse_max_failures(text: str) -> Callable[[int], float]:
    """Return a function from the number of listings to how many failures are tolerated."""
    share = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise UsageError(
            f"--max-failures is {text!r}.", hint="Give a number, or a share such as 5%."
        )
    return (lambda total: total * number / 100) if share else (lambda _: number)


def summary(report: Report, folder: Path) -> list[str]:
    """Say in a few lines what a run did, or what it would do."""
    plan = report.plan
    listings = (
        f"{plan.added:,} added, {plan.changed:,} changed, {plan.removed:,} removed,"
        f" {plan.unchanged:,} unchanged"
    )
    if report.outlook is not None:
        return _would(report, report.outlook, listings)
    lines = [f"Listings: {listings}."]
    urls, work = report.urls, report.work
    if urls is not None and urls.asked:
        silent = f"; {urls.silent:,} URLs could not be checked" if urls.silent else ""
        lines.append(f"URLs: {urls.asked:,} checked, {urls.changed:,} changed{silent}.")
    if work is not None and work.unreached:
        lines.append(
            f"{work.unreached:,} URLs that changed could not be downloaded; their pictures stay as"
            " they were, and the next run tries again."
        )
    if work is not None and (work.embedded or work.reused or work.rejected):
        rate = (work.embedded + work.reused) / max(work.seconds, 1e-9)
        lines.append(
            f"Pictures: {work.embedded:,} embedded, {work.reused:,} known already,"
            f" {work.rejected:,} rejected, in {work.seconds:,.1f} s ({rate:,.1f} a second)."
        )
    if report.failures:
        lines.append(
            f"{report.failures:,} rejected in all; see why with:"
            f" lookalike status --failures --index {folder}"
        )
    if report.without_pictures:
        lines.append(
            f"{_bare(report.without_pictures)} and cannot be found; see which with:"
            f" lookalike status --failures --index {folder}"
        )
    lines.append(f"Snapshot {report.snapshot} serves from {folder}.")
    return lines


def _bare(listings: int) -> str:
    return "1 listing has no picture" if listings == 1 else f"{listings:,} listings have no picture"


def _would(report: Report, outlook: Outlook, listings: str) -> list[str]:
    lines = [f"Would do, in listings: {listings}."]
    if report.plan.changed:
        lines.append(
            f"Of those that changed, {report.plan.changed - outlook.fields_only:,} have other"
            f" pictures, and {outlook.fields_only:,} only other fields."
        )
    if report.without_pictures:
        lines.append(f"{_bare(report.without_pictures)} and could not be found.")
    if report.replaced:
        lines.append("Every picture would be read and embedded, into an index beside this one.")
        return lines
    lines.append(
        f"{outlook.pictures:,} pictures would be read, and embedded unless their content is known;"
        f" {outlook.urls:,} URLs would be asked whether they changed."
    )
    return lines


def show_ids(outlook: Outlook) -> None:
    """Print the first few ids of each kind, as a table on stdout."""
    from rich.table import Table  # noqa: PLC0415 - 50 ms that --help need not pay

    table = Table(box=None, pad_edge=False, show_header=False)
    for kind, ids in outlook.first.items():
        if ids:
            more = " …" if len(ids) > SHOWN else ""
            table.add_row(KINDS[kind], ", ".join(ids[:SHOWN]) + more)
    if table.row_count:
        out().print(table)
