"""The command line of the server. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from indexer.runtimes import RUNTIMES

ONE_THREAD = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"
"""What keeps FAISS and NumPy to the thread that asks. The cores are the network's, or another
request's: threads that wait for a core there made the matrix product of a question, a fraction of a
millisecond by one thread, last up to 60. The network's own threads are not counted by these."""


@click.command()
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    envvar="LOOKALIKE_INDEX",
    default=Path("data/index"),
    show_default=True,
    show_envvar=True,
    help="The index to serve. It may not exist yet: it is taken up once it does.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address of this machine to serve on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to serve on; 0 takes a free one.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="How many requests are answered at once.  [default: the cores, at least 4]",
)
@click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    envvar="LOOKALIKE_RUNTIME",
    default="auto",
    show_default=True,
    show_envvar=True,
    help="What runs the network; auto: openvino for an index made with it, else litert.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer; each takes the memory that one takes, and maps the same files.",
)
# How a worker is told of its place: by the process that has begun it, and by nobody else.
@click.option("--worker", hidden=True)
def serve(
    index: Path,
    host: str,
    port: int,
    threads: int | None,
    runtime: str,
    workers: int,
    worker: str | None,
) -> None:
    """Serve the page and the JSON API."""
    # Before NumPy and FAISS are imported, which look at it then.
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    from web.serving.server import serve as run_server  # noqa: PLC0415
    from web.serving.server import serve_as  # noqa: PLC0415
    from web.serving.workers import Worker  # noqa: PLC0415
    from web.settings import Settings  # noqa: PLC0415

    settings = Settings.from_env(index=index, runtime=runtime)
    if worker is not None:
        serve_as(Worker.parsed(worker), settings, host, threads)
    else:
        run_server(settings, host, port, threads, workers)
