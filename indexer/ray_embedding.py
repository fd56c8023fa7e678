"""Pending pictures embedded by a Ray cluster, and kept by the one writer as on one machine.

The driver cuts what is pending into partitions, an actor pool of Ray Data embeds them, and what
comes back is made durable in the same checkpoints as a local run's. Nothing else is remembered:
what is not in the catalogue yet is pending, and goes out again with the next run. Results arrive in
the order in which they are ready, so that a slow or lost worker holds up nobody.
"""

from __future__ import annotations

import logging
import os
from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from indexer.catalog import Catalog
from indexer.embedding import record_runtime
from indexer.errors import ClusterError
from indexer.features import feature_file
from indexer.listing import Picture
from indexer.model import MODEL_FILE, Network
from indexer.options import IndexOptions
from indexer.pictures import Prepared
from indexer.pipeline import Embedded, PendingPictures
from indexer.progress import Progress
from indexer.ray_cluster import connected
from indexer.ray_ledger import start_ledger
from indexer.ray_tables import to_table
from indexer.ray_unread import Unread
from indexer.ray_worker import Load, Order, Worker, load_litert, load_openvino, mark
from indexer.runtimes import OPENVINO_FILE, OPENVINO_WEIGHTS, runtime_of
from indexer.steps import NO_PIXELS, Task
from indexer.thumbnails import Thumbnails

PARTITION = 64
"""Pictures of a partition at most: what a lost worker loses of each that it was given."""

SHARES = 12
"""Partitions for each core at least, so that all of them end at about the same time."""

WINDOW = 500_000
"""Pictures that are given out before more are read from the catalogue."""

LOADERS = {"litert": load_litert, "openvino": load_openvino}


@dataclass(frozen=True, slots=True)
class RayEmbedding:
    """What embeds the pending pictures of an index on a Ray cluster.

    Attributes
    ----------
    folder : Path
        The index's.
    network : Network
        Its network.
    options : IndexOptions
        What a picture may weigh, what runs the network, and the cluster's address.
    """

    folder: Path
    network: Network
    options: IndexOptions

    def run(self, catalog: Catalog, progress: Progress) -> Embedded:
        """Embed what is pending in the index's catalogue.

        Raises
        ------
        ClusterError
            If the cluster cannot be reached, or a node of it cannot do its part.
        """
        runtime = runtime_of(self.options.runtime, self.folder)
        record_runtime(catalog, runtime)
        names = [MODEL_FILE]
        if runtime == "openvino":
            names += [OPENVINO_FILE, OPENVINO_WEIGHTS]
        files = {name: (self.folder / name).read_bytes() for name in names}
        address = self.options.ray or ""
        with ExitStack() as stack:
            with progress.track("Connecting to Ray", None, "steps"):
                ray = stack.enter_context(connected(address))
            features = feature_file(self.folder, catalog)
            thumbnails = stack.enter_context(closing(Thumbnails(self.folder)))
            cluster = Cluster(ray, self, files, LOADERS[runtime])
            pipeline = RayPipeline(catalog, features, thumbnails, cluster)
            embedded = pipeline.run(progress)
            pipeline.unread.tell(progress)
            return embedded


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connected cluster and what its workers are to do.

    Attributes
    ----------
    ray : module
        Connected.
    embedding : RayEmbedding
        Of which index.
    files : dict of str to bytes
        The network's.
    load : callable
        Loads them on a worker.
    """

    ray: Any
    embedding: RayEmbedding
    files: dict[str, bytes]
    load: Load


@dataclass
class RayPipeline(PendingPictures):
    """Embeds pending pictures on a cluster.

    Attributes
    ----------
    cluster : Cluster
        Which one.
    unread : Unread
        What its nodes could not read.
    """

    cluster: Cluster
    unread: Unread = field(init=False)
    _answered: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Prepare for what nodes cannot read."""
        of = self.cluster.embedding
        width = self.features.width
        self.unread = Unread.of(of.folder, of.network, of.options, width, self._look_up)

    def through(self, stack: ExitStack) -> Iterator[Task]:
        """Yield pictures as their partitions come back."""
        _quieten()
        order = self._order()
        pending = self.pending()
        while window := list(islice(pending, WINDOW)):
            # A generator that is left in the middle ends its workers when it is closed.
            answers = stack.enter_context(closing(self._answers(window, order)))
            for rows in answers:
                yield from self._judged(rows, window)

    def _order(self) -> Order:
        ray, embedding = self.cluster.ray, self.cluster.embedding
        salt = os.urandom(16)
        rows = self.catalog.db.execute("SELECT content, region FROM embeddings")
        known = np.fromiter((mark(row[0], row[1], salt) for row in rows), np.uint64)
        known.sort()
        return Order(
            str(embedding.folder.resolve()),
            embedding.network.input_size,
            self.features.width,
            embedding.options.limits,
            self.cluster.load,
            ray.put(self.cluster.files),
            ray.put(known),
            salt,
            version("lookalike"),
            start_ledger(ray),
        )

    def _answers(self, window: list[Task], order: Order) -> Generator[list[dict[str, Any]]]:
        """Give a window out; yield what workers say of each partition."""
        from ray.data import ActorPoolStrategy, from_arrow  # noqa: PLC0415 - an extra

        workers = max(1, int(self.cluster.ray.cluster_resources().get("CPU", 1)))
        size = min(PARTITION, max(1, len(window) // (SHARES * workers)))
        given = [to_table(window[at : at + size]) for at in range(0, len(window), size)]
        out = from_arrow(given).map_batches(
            Worker,
            fn_constructor_args=(order,),
            batch_size=None,
            batch_format="pyarrow",
            zero_copy_batch=True,
            num_cpus=1,
            # As many as there are cores now; as many as there will be, where the cluster grows.
            compute=ActorPoolStrategy(min_size=1, initial_size=workers),
        )
        try:
            tables: Iterable[Any] = out.iter_batches(
                batch_size=None, batch_format="pyarrow", prefetch_batches=0
            )
            for table in tables:
                yield table.to_pylist()
        except self.cluster.ray.exceptions.RayError as error:
            raise _in_words(error) from error

    def _judged(self, rows: list[dict[str, Any]], window: list[Task]) -> Iterator[Task]:
        """Yield the tasks of a partition; say so where its worker could not work."""
        for row in rows:
            if row["broken"]:
                raise ClusterError(
                    f"The worker on {row['host']} cannot embed pictures: {row['broken']}",
                    hint=row["hint"] or "See to that node, and run the same command again.",
                )
        unread = []
        for row in rows:
            if row["unread"]:
                at = bisect_left(window, row["number"], key=attrgetter("number"))
                # A copy: what becomes of it is not kept until the window's end.
                unread.append((replace(window[at]), row))
            elif (task := self._task(row)) is not None:
                yield task
        # Whoever cannot read what this machine can loses nothing by it.
        yield from self.unread.embedded(unread)
        self._answered += len(rows)
        self.unread.require_sense(self._answered)

    def _look_up(self, task: Task) -> Task:
        task.known = self.known(task)
        task.thumbnail_kept = self.thumbnails.has(task.content)
        return task

    def _task(self, row: dict[str, Any]) -> Task | None:
        task = Task(row["number"], Picture(row["uri"]), row["region"], row["version"])
        task.content, task.reason = row["content"], row["reason"]
        if row["thumbnail"] is not None:
            task.prepared = Prepared(
                NO_PIXELS, row["thumbnail"], row["width"], row["height"], task.content
            )
        if row["features"] is not None:
            task.features = np.frombuffer(row["features"], np.float16)
        elif task.prepared is not None and not task.reason:
            task.known = self.known(task)
            if task.known is None:  # two pictures with one mark: pending still, the next run's
                return None
        return task


def _quieten() -> None:
    from ray.data import DataContext  # noqa: PLC0415 - an extra

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _in_words(error: Exception) -> ClusterError:
    cause = getattr(error, "cause", None) or error.__cause__ or error
    lines = [line.strip() for line in str(cause).strip().splitlines() if line.strip()]
    said = lines[-1] if lines else type(error).__name__
    hint = "What is embedded so far is kept. Run the same command again to go on."
    if "No module named" in str(error):
        hint = "Install Lookalike, of the same version and with its ray extra, on every node."
    return ClusterError(f"The Ray cluster failed: {said}", hint=hint)
