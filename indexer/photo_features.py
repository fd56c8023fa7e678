"""Photos of a folder to features: for learning from them, not for showing them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from indexer.embedder import Embedder
from indexer.errors import PictureError, SourceError
from indexer.listing import Picture
from indexer.pictures import LIMITS, PictureLimits, prepare
from indexer.pipeline import ordered_map
from indexer.progress import Progress
from indexer.sources import read_picture


def embed_pictures(
    pictures: Iterable[Picture],
    count: int,
    embedder: Embedder,
    input_size: int,
    progress: Progress,
    limits: PictureLimits = LIMITS,
) -> tuple[NDArray[np.float32], list[int], list[tuple[str, str]]]:
    """Embed pictures that are not part of the catalogue.

    Parameters
    ----------
    pictures : iterable of Picture
        What to read.
    count : int
        How many there are, for the bar.
    embedder : Embedder
        The index's network.
    input_size : int
        Pixels a side of its input.
    progress : Progress
        Shows a bar.
    limits : PictureLimits, optional
        What a picture may weigh.

    Returns
    -------
    features : ndarray of float32, shape (P, F)
        Of those that could be used, in their order.
    which : list of int
        The place of each of them among `pictures`.
    rejected : list of (str, str)
        Where the others are, and what is wrong with each.
    """

    def work(picture: Picture) -> NDArray[np.float32] | str:
        try:
            data = read_picture(picture, max_bytes=limits.max_bytes)
            prepared = prepare(data, input_size, region=picture.region, limits=limits)
        except (PictureError, SourceError) as error:
            return error.message
        return embedder.embed(prepared.pixels)

    rows: list[NDArray[np.float32]] = []
    which: list[int] = []
    rejected: list[tuple[str, str]] = []
    listed = list(pictures)
    workers = embedder.workers
    with (
        progress.track("Embedding photos", count, "photos") as advance,
        ThreadPoolExecutor(workers) as pool,
    ):
        for place, outcome in enumerate(ordered_map(pool, work, listed, 2 * workers)):
            if isinstance(outcome, str):
                rejected.append((listed[place].uri, outcome))
            else:
                rows.append(outcome)
                which.append(place)
            advance(1)
    features = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
    return features, which, rejected
