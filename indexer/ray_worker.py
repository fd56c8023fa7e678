"""One worker of a Ray cluster: partitions of pending pictures in, features and thumbnails out.

What it does to a picture is `indexer.steps`, as on one machine. Whatever goes wrong with the worker
itself is told in the answer, and not raised: Ray would start it again, for ever. What a worker dies
of, the next one learns from `indexer.ray_ledger`.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedder import Embedder, OpenVINOEmbedder
from indexer.errors import LookalikeError
from indexer.flights import READERS, ordered_map
from indexer.model import MODEL_FILE
from indexer.paths import cache_folder
from indexer.pictures import PictureLimits
from indexer.ray_ledger import DEATHS, NOTHING, Trial
from indexer.ray_tables import from_table, result_schema
from indexer.sources.fetching import has_url_version
from indexer.steps import Steps, Task
from indexer.versions import UNTOLD

if TYPE_CHECKING:
    import pyarrow

Load = Callable[[Path], Embedder]
"""Loads a network from the folder that holds its files."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker has to know before its first picture.

    Attributes
    ----------
    folder : str
        The index's, as the driver names it.
    input_size : int
        Pixels a side of the network's input.
    width : int
        Features that are kept of a picture.
    limits : PictureLimits
        What a picture may weigh.
    load : callable
        Loads the network.
    files : object reference
        To a mapping of names to bytes: the network's files.
    known : object reference
        To an array of uint64, sorted: `mark` of the pictures whose features are there already.
    salt : bytes
        Of those marks.
    release : str
        The driver's version of Lookalike.
    ledger : actor handle
        Who is told what is begun and ended.
    """

    folder: str
    input_size: int
    width: int
    limits: PictureLimits
    load: Load
    files: Any
    known: Any
    salt: bytes
    release: str
    ledger: Any


class Worker:
    """Embeds one partition after the other on one core.

    Parameters
    ----------
    order : Order
        What is to be done.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._host = socket.gethostname()
        self._steps: Steps | None = None
        self._known: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def __call__(self, partition: pyarrow.Table) -> pyarrow.Table:
        """Embed a partition.

        Parameters
        ----------
        partition : pyarrow.Table
            Columns of `to_table`.

        Returns
        -------
        pyarrow.Table
            Columns of `result_schema`, a row for each picture; or one row that says in `broken`
            why this worker cannot work.
        """
        from pyarrow import Table  # noqa: PLC0415 - an extra

        tasks = list(from_table(partition))
        trial = Trial(self._order.ledger, tasks[0].number)
        deaths = trial.begin()
        try:
            _require_some_alive(deaths, len(tasks))
            steps = self._steps = self._steps or self._begin()
            if deaths:
                rows = list(self._one_by_one(steps, tasks, trial, deaths))
            else:
                with ThreadPoolExecutor(READERS) as readers:
                    read = ordered_map(readers, steps.read, tasks, 2 * READERS)
                    rows = [self._embedded(steps, task) for task in read]
        except (LookalikeError, OSError) as error:
            rows = [self._broken(error)]
        table = Table.from_pylist(rows, schema=result_schema())
        trial.end()
        return table

    def _begin(self) -> Steps:
        import ray  # noqa: PLC0415 - an extra

        order = self._order
        here = version("lookalike")
        if here != order.release:
            raise LookalikeError(
                f"It has Lookalike {here}, and not {order.release}.",
                hint="Install the same version on every node.",
            )
        self._known = ray.get(order.known)
        folder = kept_network(ray.get(order.files))
        embedder = order.load(folder)
        return Steps(Path(order.folder), embedder, order.input_size, order.width, order.limits)

    def _one_by_one(
        self, steps: Steps, tasks: list[Task], trial: Trial, deaths: Mapping[int, int]
    ) -> Iterator[dict[str, object]]:
        """Embed a partition that workers died of; leave out what they died of too often."""
        # A suspect comes first, so that the next death, if it is one, costs little.
        for task in sorted(tasks, key=lambda task: -deaths.get(task.number, 0)):
            died = deaths.get(task.number, 0)
            if died < DEATHS:
                trial.hold(task.number)
                yield self._embedded(steps, steps.read(task))
                continue
            task.reason = (
                f"Its worker died {died} times while reading it: of a crash of the decoder, or for"
                " want of memory."
            )
            if has_url_version(task.picture.uri):
                task.version = UNTOLD  # only when it changes, a sync tries it again
            yield self._row(task, unread=False)

    def _embedded(self, steps: Steps, task: Task) -> dict[str, object]:
        unread = not task.content
        if task.content and self._is_known(task):
            task.known = -1  # which row it is, the driver looks up
        return self._row(steps.embed(steps.prepare(task)), unread)

    def _row(self, task: Task, unread: bool) -> dict[str, object]:
        prepared, features = task.prepared, task.features
        return {
            "number": task.number,
            "uri": task.picture.uri,
            "region": task.region,
            "version": task.version,
            "content": task.content,
            "reason": task.reason,
            "unread": unread,
            "unreached": task.unreached,
            "width": prepared.width if prepared else 0,
            "height": prepared.height if prepared else 0,
            "thumbnail": prepared.thumbnail if prepared else None,
            "features": None if features is None else features.tobytes(),
            "host": self._host,
            "broken": "",
            "hint": "",
        }

    def _is_known(self, task: Task) -> bool:
        wanted = mark(task.content, task.region, self._order.salt)
        place = int(np.searchsorted(self._known, np.uint64(wanted)))
        return place < len(self._known) and int(self._known[place]) == wanted

    def _broken(self, error: Exception) -> dict[str, object]:
        row = dict.fromkeys(result_schema().names)
        hint = error.hint if isinstance(error, LookalikeError) else ""
        said = error.message if isinstance(error, LookalikeError) else f"{error}."
        return {**row, "host": self._host, "broken": said, "hint": hint}


def _require_some_alive(deaths: Mapping[int, int], pictures: int) -> None:
    """Raise where workers die of whatever they are given."""
    if deaths.get(NOTHING, 0) > DEATHS:
        what = f"Its process died {deaths[NOTHING]} times before the first picture of a partition."
    else:
        lost = sum(n >= DEATHS for picture, n in deaths.items() if picture != NOTHING)
        if lost <= DEATHS or 2 * lost <= pictures:
            return
        what = f"Its process died {DEATHS} times at each of {lost} pictures of {pictures}."
    raise LookalikeError(
        what, hint="Give its node more memory, or fewer workers (Ray's --num-cpus); or see its log."
    )


def mark(content: str, region: str, salt: bytes) -> int:
    """Return 64 bits of a picture's content and region, which another salt makes others."""
    made = hashlib.blake2b(f"{content} {region}".encode(), digest_size=8, salt=salt)
    return int.from_bytes(made.digest(), sys.byteorder)


def kept_network(files: Mapping[str, bytes]) -> Path:
    """Return a folder of this machine that holds a network's files, writing what is not there.

    It is named by their contents, so that workers of one machine share it and a later run finds it.
    """
    named = hashlib.sha256()
    for name in sorted(files):
        named.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    folder = cache_folder() / "networks" / named.hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        # Compared as a whole: one that a power cut has left may be of the right size.
        if path.is_file() and path.read_bytes() == data:
            continue
        # Workers of one machine may write it at the same time.
        aside = path.with_name(f"{name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            aside.write_bytes(data)
            aside.replace(path)
        finally:
            with suppress(FileNotFoundError):
                aside.unlink()
    return folder


def load_litert(folder: Path) -> Embedder:
    """Load a network on LiteRT for one core."""
    return Embedder(folder / MODEL_FILE)


def load_openvino(folder: Path) -> Embedder:
    """Load a network on OpenVINO for one core."""
    return OpenVINOEmbedder(folder / MODEL_FILE)
