"""One worker of a Ray cluster: partitions of pending pictures in, features and thumbnails out.

What it does to a picture is `indexer.steps`, as on one machine. Whatever goes wrong with the worker
itself is told in the answer, and not raised: Ray would start it again, for ever.
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

from indexer.catalog_rows import parse_region
from indexer.embedder import Embedder, OpenVINOEmbedder
from indexer.errors import LookalikeError
from indexer.flights import READERS, ordered_map
from indexer.listing import Picture
from indexer.model import MODEL_FILE
from indexer.paths import cache_folder
from indexer.pictures import PictureLimits
from indexer.steps import Steps, Task

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
            Columns of `RESULT`, a row for each picture; or one row that says in `broken` why this
            worker cannot work.
        """
        from pyarrow import Table  # noqa: PLC0415 - an extra

        try:
            steps = self._steps = self._steps or self._begin()
            with ThreadPoolExecutor(READERS) as readers:
                read = ordered_map(readers, steps.read, from_table(partition), 2 * READERS)
                rows = [self._row(steps, task) for task in read]
        except (LookalikeError, OSError) as error:
            rows = [self._broken(error)]
        return Table.from_pylist(rows, schema=result_schema())

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

    def _row(self, steps: Steps, task: Task) -> dict[str, object]:
        unread = bool(task.reason) and not task.content
        if task.content and self._is_known(task):
            task.known = -1  # which row it is, the driver looks up
        task = steps.embed(steps.prepare(task))
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


def mark(content: str, region: str, salt: bytes) -> int:
    """Return 64 bits of a picture's content and region, which another salt makes others."""
    made = hashlib.blake2b(f"{content} {region}".encode(), digest_size=8, salt=salt)
    return int.from_bytes(made.digest(), sys.byteorder)


def to_table(tasks: list[Task]) -> pyarrow.Table:
    """Return pending pictures as a partition."""
    from pyarrow import Table  # noqa: PLC0415 - an extra

    return Table.from_pydict(
        {
            "number": [task.number for task in tasks],
            "uri": [task.picture.uri for task in tasks],
            "region": [task.region for task in tasks],
            "version": [task.version for task in tasks],
            "held": [task.held for task in tasks],
        }
    )


def from_table(partition: pyarrow.Table) -> Iterator[Task]:
    """Yield the pending pictures of a partition."""
    for row in partition.to_pylist():
        picture = Picture(row["uri"], region=parse_region(row["region"]))
        yield Task(row["number"], picture, row["region"], row["version"], row["held"])


def result_schema() -> pyarrow.Schema:
    """Return the columns of what a worker answers."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    texts = ("uri", "region", "version", "content", "reason", "host", "broken", "hint")
    return pa.schema(
        [
            ("number", pa.int64()),
            *((name, pa.string()) for name in texts),
            ("unread", pa.bool_()),
            ("unreached", pa.bool_()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("thumbnail", pa.binary()),
            ("features", pa.binary()),
        ]
    )


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
