"""Pictures that the nodes of a Ray cluster cannot read: the driver's machine tries them itself.

With the same steps and the same network as theirs, so that what comes out is the same. A partition
at a time, and with no more bytes in memory than are in flight on one machine.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedder import Embedder, cores, embedder_class
from indexer.errors import ClusterError
from indexer.flights import READERS, ordered_map
from indexer.model import MODEL_FILE, Network
from indexer.options import IndexOptions
from indexer.progress import Progress
from indexer.sources.fetching import has_url_version
from indexer.sources.files import shown
from indexer.steps import Steps, Task

ENOUGH = 64
"""Files that this machine has to read for a cluster before it is told that this is no use."""

LONG = 5.0
"""Seconds after which a host was waited for in vain."""

VAIN = 32
"""How often that may happen in a row before the host is not asked again."""

FILES = (
    "Keep the pictures where every node finds them under the same path (a shared file system), or"
    " name them by URL (https://, s3://)."
)
"""What to do about files."""

URLS = "See to it that every node reaches their host, and has what it asks for."
"""What to do about URLs."""

Answer = dict[str, Any]
"""A row of what a worker answered."""


class LateEmbedder(Embedder):
    """A network that is loaded when the first picture comes, since mostly none does.

    Parameters
    ----------
    load : callable
        Loads it.
    """

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self.workers = cores()
        self._load = load
        self._loading = threading.Lock()
        self._loaded: Embedder | None = None

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the pooled features of one picture."""
        with self._loading:
            loaded = self._loaded = self._loaded or self._load()
        return loaded.embed(pixels)


@dataclass
class Unread:
    """What nodes could not read, embedded by this process.

    Attributes
    ----------
    steps : Steps
        What is done to a picture, as on one machine.
    look_up : callable
        Finds the features of a picture whose content is known.
    count : int
        Pictures that this machine could read, and the nodes could not.
    example : dict or None
        What a worker answered of the first of them, a file where there is one.
    """

    steps: Steps
    look_up: Callable[[Task], Task]
    count: int = 0
    example: Answer | None = None
    _files: int = 0
    _vain: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        folder: Path,
        network: Network,
        options: IndexOptions,
        width: int,
        look_up: Callable[[Task], Task],
    ) -> Unread:
        """Return it for an index; its network is loaded when it is needed."""
        late = LateEmbedder(
            lambda: embedder_class(options.runtime, folder).for_bulk(folder / MODEL_FILE)
        )
        return cls(Steps(folder, late, network.input_size, width, options.limits), look_up)

    def embedded(self, tasks: list[tuple[Task, Answer]]) -> Iterator[Task]:
        """Embed pictures that are as they were before a worker had them.

        Parameters
        ----------
        tasks : list of (Task, dict)
            And what a worker answered of each.
        """
        if not tasks:
            return
        with ThreadPoolExecutor(READERS) as readers, ThreadPoolExecutor(cores()) as others:
            read = ordered_map(readers, self._read, tasks, 2 * READERS)
            yield from ordered_map(others, self._finish, map(self._noted, read), 2 * cores())

    def require_sense(self, answered: int) -> None:
        """Raise where this machine had to read most files of those that were answered.

        A web server may have been down just when a worker asked it, so its pictures do not count.

        Raises
        ------
        ClusterError
            If it is so, and they are many.
        """
        if self._files >= ENOUGH and 2 * self._files > answered and self.example is not None:
            raise ClusterError(
                f"The worker on {self.example['host']} cannot read {shown(self.example['uri'])},"
                f" which this machine can; nor {self.count - 1:,} others of {answered:,}.",
                hint=FILES,
            )

    def tell(self, progress: Progress) -> None:
        """Say how many there were, if there were any."""
        if self.example is None:
            return
        one = self.count == 1
        progress.say(
            f"{self.count:,} picture{'' if one else 's'} could not be read by the cluster's nodes,"
            f" and {'was' if one else 'were'} embedded by this machine alone:"
            f" {shown(self.example['uri'])} on {self.example['host']}{'' if one else ', say'}."
            f" {FILES if self._files else URLS}"
        )

    def _read(self, given: tuple[Task, Answer]) -> tuple[Task, Answer]:
        task, answer = given
        host = answer["uri"].partition("://")[2].partition("/")[0]  # none of a file
        if host and self._vain[host] >= VAIN:
            # It would hold up the answers of all workers.
            task.reason, task.unreached = answer["reason"], answer["unreached"]
            task.version = answer["version"]
            return given
        began = time.monotonic()
        self.steps.read(task)
        if task.content:
            self._vain[host] = 0
        elif time.monotonic() - began > LONG:
            self._vain[host] += 1
        return given

    def _noted(self, given: tuple[Task, Answer]) -> Task:
        task, answer = given
        if not task.content:
            return task
        is_file = not has_url_version(answer["uri"])
        if self.example is None or (is_file and not self._files):
            self.example = answer
        self.count += 1
        self._files += is_file
        return self.look_up(task)

    def _finish(self, task: Task) -> Task:
        return self.steps.embed(self.steps.prepare(task))
