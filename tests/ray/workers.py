"""Networks for a cluster's workers that cost nothing but time, or their lives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

import indexer.steps
from indexer.errors import PictureError
from tests.conftest import FakeEmbedder

HIDDEN = "hidden"
"""A folder that workers of `load_in_trouble` do not see."""

DEADLY = b"deadly:"
"""Ends a picture that they die of; the name of a file follows, in which they note it."""


class SlowEmbedder(FakeEmbedder):
    """Slow enough that there is a middle in which something can happen."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        time.sleep(0.04)
        return super().embed(pixels)


def load(folder: Path) -> SlowEmbedder:
    """Load it, from a folder that was made for it."""
    assert (folder / "network.tflite").read_bytes() == b"no network at all"
    return SlowEmbedder()


def load_in_trouble(folder: Path) -> SlowEmbedder:
    """Load it in a process that does not see some pictures, and whose decoder is not sound."""
    fetch, prepare = indexer.steps.fetch_picture, indexer.steps.prepare

    def hiding(picture, **options):
        if HIDDEN in Path(picture.uri).parts:
            raise PictureError("The picture does not exist.") from FileNotFoundError()
        return fetch(picture, **options)

    def unsound(data, *arguments, **options):
        _, deadly, noted = data.rpartition(DEADLY)
        if deadly:
            with Path(os.fsdecode(noted)).open("a") as file:
                file.write("died\n")
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(60)  # Ray's handler of the signal may be a while
        return prepare(data, *arguments, **options)

    indexer.steps.fetch_picture, indexer.steps.prepare = hiding, unsound
    return load(folder)
