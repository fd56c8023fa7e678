"""Networks for a cluster's workers that cost nothing but time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from tests.conftest import FakeEmbedder


class SlowEmbedder(FakeEmbedder):
    """Slow enough that there is a middle in which something can happen."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        time.sleep(0.04)
        return super().embed(pixels)


def load(folder: Path) -> SlowEmbedder:
    """Load it, from a folder that was made for it."""
    assert (folder / "network.tflite").read_bytes() == b"no network at all"
    return SlowEmbedder()
