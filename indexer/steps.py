"""One pending picture on its way: read, decoded, embedded. The same on one machine and on many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedder import Embedder
from indexer.errors import LookalikeError, NetworkMismatch
from indexer.listing import Picture
from indexer.pictures import PictureLimits, Prepared, content_hash, prepare
from indexer.sources.fetching import fetch_picture, has_url_version, is_gone, is_of_the_network
from indexer.stored import is_stored, stored_path
from indexer.versions import MISSING

NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


@dataclass(slots=True)
class Task:
    """One pending picture on its way through."""

    number: int
    picture: Picture
    region: str
    version: str = ""
    held: bool = False
    data: bytes = b""
    content: str = ""
    known: int | None = None
    thumbnail_kept: bool = False
    prepared: Prepared | None = None
    features: NDArray[np.float16] | None = None
    reason: str = ""
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done to a picture, and with what. Safe to use from several threads.

    Attributes
    ----------
    folder : Path
        The index's, which keeps some pictures itself.
    embedder : Embedder
        The network.
    input_size : int
        Pixels a side of its input.
    width : int
        Features that are kept of a picture.
    limits : PictureLimits
        What a picture may weigh.
    """

    folder: Path
    embedder: Embedder
    input_size: int
    width: int
    limits: PictureLimits

    def read(self, task: Task) -> Task:
        """Read a picture's bytes; why that was not possible, else."""
        try:
            picture = task.picture
            if is_stored(picture.uri):
                picture = replace(picture, uri=str(stored_path(self.folder, picture.uri)))
            fetched = fetch_picture(picture, max_bytes=self.limits.max_bytes)
            task.data, task.content = fetched.data, content_hash(fetched.data)
            if fetched.version is not None:
                task.version = fetched.version
        except LookalikeError as error:
            _not_read(task, error)
        return task

    def prepare(self, task: Task) -> Task:
        """Decode what was read, unless neither its pixels nor its thumbnail are needed."""
        if task.data and not (task.known is not None and task.thumbnail_kept):
            try:
                task.prepared = prepare(
                    task.data,
                    self.input_size,
                    region=task.picture.region,
                    thumbnail=True,
                    limits=self.limits,
                )
            except LookalikeError as error:
                task.reason = str(error)
        task.data = b""
        return task

    def embed(self, task: Task) -> Task:
        """Give a picture to the network, unless its features are known.

        Raises
        ------
        NetworkMismatch
            If the network gives fewer features than are kept.
        """
        if task.prepared is not None and task.known is None:
            features = self.embedder.embed(task.prepared.pixels)
            if len(features) < self.width:
                raise NetworkMismatch(
                    "The index's network is of an earlier version, and gives fewer features than"
                    " the index was told to keep.",
                    hint="Index into another folder with --index DIR.",
                )
            # As they are kept, so that the transaction that keeps them is short.
            task.features = features[: self.width].astype(np.float16)
            # A checkpoint's worth of pixels would be 70 MB.
            task.prepared = replace(task.prepared, pixels=NO_PIXELS)
        return task


def _not_read(task: Task, error: LookalikeError) -> None:
    """Note why a picture could not be read.

    One that was had from the same URL before stays as it was unless it is gone for good: a host
    that is down for an hour should not take its listings out of the search.
    """
    at_url = has_url_version(task.picture.uri)
    passing = is_of_the_network(error) and not is_gone(error)
    if at_url and passing and task.held and task.version:
        task.unreached = True
        return
    task.reason = str(error)
    if at_url:
        task.version = MISSING
