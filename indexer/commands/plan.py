"""`lookalike plan`: what a catalogue of some size takes, before there is one."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.amounts import BYTES, LISTINGS
from indexer.console import index_option, json_option, out, write_json

if TYPE_CHECKING:
    from indexer.planning import Costs


@click.command("plan", short_help="Say what a catalogue of some size takes.")
@click.option(
    "--listings", type=LISTINGS, metavar="N", required=True, help="How many, such as 1.5k or 100M."
)
@click.option(
    "--dims", type=click.IntRange(1, 4096), default=128, show_default=True, help="Of a vector."
)
@click.option(
    "--memory",
    type=BYTES,
    metavar="SIZE",
    help="Of the machine, such as 64GB; this one's if not given.",
)
@click.option(
    "--keep-features",
    type=click.Choice(["average", "mixed7", "all", "regions"]),
    default="all",
    show_default=True,
    help="As for `lookalike index`.",
)
@click.option("--probe/--no-probe", default=True, help="Measure how fast this machine is (4 s).")
@index_option
@json_option
def plan(
    listings: int,
    dims: int,
    memory: int | None,
    keep_features: str,
    probe: bool,
    index_folder: Path,
    as_json: bool,
) -> None:
    """Say what a catalogue of some size takes: memory, disk, time, and how many machines.

    Counts one picture a listing.
    """
    from indexer.planning import EMBEDDED, MOST_PLANNED, costs  # noqa: PLC0415

    if listings > MOST_PLANNED:
        raise click.BadParameter(f"{listings:,} listings are more than there are.")
    if memory is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    slowness, rate, measured = _probed(index_folder) if probe else (1.0, EMBEDDED, "")
    found = costs(listings, dims, memory, keep=keep_features, rate=rate, slowness=slowness)
    if as_json:
        write_json(
            {
                "listings": listings,
                "dims": dims,
                "memory": memory,
                "keep_features": keep_features,
                **asdict(found),
                "disk": found.disk,
                "embedded_per_second": round(rate, 1),
                "measured_here": {"index": probe, "embedding": bool(measured)},
            }
        )
        return
    _show(listings, dims, memory, found, rate, slowness if probe else None, measured)


def _probed(index: Path) -> tuple[float, float, str]:
    """Return how many times as slow this machine is, what it embeds a second, and by what."""
    from indexer.planning import EMBEDDED, SPEED  # noqa: PLC0415
    from indexer.probing import embedding_rate, stored_model, work  # noqa: PLC0415

    model = stored_model(index)
    slowness = work() / SPEED
    if model is None:
        return slowness, EMBEDDED, ""
    return slowness, embedding_rate(model), str(model)


def _show(
    listings: int,
    dims: int,
    memory: int,
    found: Costs,
    rate: float,
    slowness: float | None,
    network: str,
) -> None:
    from rich.table import Table  # noqa: PLC0415 - 50 ms that --help need not pay

    table = Table(
        "",
        "a listing",
        "in all",
        title=f"{listings:,} listings of {dims} dimensions, one picture each",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("Memory: index", _size(found.resident), _size(found.resident * listings))
    table.add_section()
    for name, size in found.files.items():
        table.add_row(f"Disk: {name}", _size(size), _size(size * listings))
    table.add_row("Disk", _size(found.disk), _size(found.disk * listings))
    table.add_section()
    table.add_row("Embedding, once", f"{1000 / rate:.1f} ms", _time(found.embedding))
    table.add_row("Building the index", "", _time(found.build))
    console = out()
    console.width = min(console.width, 80)
    console.print(table)
    for line in (*_advice(found, memory), *_sources(found, rate, slowness, network)):
        console.print(line, soft_wrap=False)


def _advice(found: Costs, memory: int) -> list[str]:
    """Return what to use, and from when on something else."""
    given = _size(memory)
    lines = [f"Index: {found.choice.factory}."]
    if not found.fits:
        lines.append(_least(found, given))
    elif found.hot > memory:
        lines.append(
            f"Searches go through {_size(found.hot)}, more than {given}: they wait for the disk."
        )
    if found.machines > 1:
        lines.append(
            f"Ray: from about {found.ray_from:,} listings on, a day of embedding here;"
            f" {found.machines:,} machines like this one take a day for these."
        )
    else:
        lines.append(
            f"Ray: not yet; from about {found.ray_from:,} listings on, a day of embedding."
        )
    if found.milvus_from is not None:
        yet = "" if found.hot > memory else " not yet;"
        lines.append(
            f"Milvus:{yet} from about {found.milvus_from:,} listings on, when what searches go"
            f" through no longer fits {given}."
        )
    return lines


def _least(found: Costs, given: str) -> str:
    """Say how much memory it takes, where what there is does not do."""
    from indexer.planning import PROGRAM  # noqa: PLC0415

    enough = ""
    if found.hot > found.least:
        enough = f", and {_rounded_up(found.hot)} for searches that do not wait for the disk"
    return (
        f"It does not fit {given}: the program takes {_size(PROGRAM)} by itself, and these"
        f" listings take {_rounded_up(found.least)} with it at least{enough}."
    )


def _rounded_up(number: int) -> str:
    """Return bytes in words, not less than they are."""
    step = 10**6 if number < 10**9 else 10 ** (len(str(number)) - 2)
    return _size(-(-number // step) * step)


def _sources(found: Costs, rate: float, slowness: float | None, network: str) -> list[str]:
    """Return what was measured and what was extrapolated from it."""
    if network:
        said = f"Measured here just now: {rate:.1f} pictures/s with {network}, without decoding"
    else:
        said = (
            f"Not measured here, since there is no network yet (lookalike network --fetch):"
            f" {rate:.0f} pictures/s on two cores"
        )
    index = (
        "The time to build is extrapolated from a million vectors on a machine with AVX2"
        " (docs/scale.md)"
    )
    if slowness is not None:
        index += f"; this machine takes about {slowness:.1f} times as long by a probe"
    exact = "" if found.choice.exact else " Bytes follow from the formats."
    return [f"{said}.", f"{index}.{exact}"]


def _size(number: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return (
                f"{seconds / length:,.0f} {unit}"
                if seconds >= 10 * length
                else f"{seconds / length:.1f} {unit}"
            )
    return f"{max(1, seconds):.0f} s"
