"""QUERIES.csv: photos whose right answers are known, read and embedded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.embedder import cores
from indexer.errors import LookalikeError, SourceError
from indexer.listing import Picture
from indexer.pictures import LIMITS, PictureLimits, content_hash, prepare
from indexer.pipeline import READERS, ordered_map
from indexer.progress import SILENT, Progress
from indexer.sources import SourceOptions, read_picture
from indexer.sources.delimited import Table, column_names
from indexer.sources.files import join
from indexer.sources.values import text_of

if TYPE_CHECKING:
    from indexer.embedder import Embedder

IMAGE, LISTING, CATEGORY = "image", "listing", "category"


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo and what it should find.

    Attributes
    ----------
    picture : Picture
        Where the photo is.
    listing : str
        The id of the listing that it shows; '' where that is not said.
    category : str
        The category of what it shows; '' where that is not said.
    origin : str
        Where it was read: ``"queries.csv, line 12"``.
    """

    picture: Picture
    listing: str
    category: str
    origin: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo that could not be used, and why."""

    origin: str
    image: str
    reason: str


@dataclass(frozen=True, slots=True)
class EmbeddedPhotos:
    """Photos through the network; those that could not be used are left out.

    Attributes
    ----------
    photos : tuple of LabelledPhoto
        Q of them.
    features : ndarray of float32, shape (Q, F)
    contents : tuple of str
        `indexer.pictures.content_hash` of each.
    unreadable : tuple of Unreadable
    """

    photos: tuple[LabelledPhoto, ...]
    features: NDArray[np.float32]
    contents: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]


def read_queries(path: str | Path) -> list[LabelledPhoto]:
    """Read photos and their right answers from a table.

    Parameters
    ----------
    path : str or Path
        Of a CSV, a file with semicolons or a TSV, or its URL. Column ``image`` is a path, from the
        file's folder on, or a URL; beside it stand ``listing``, ``category`` or both.

    Raises
    ------
    SourceError
        If the file cannot be read, a column is missing or a row says too little.
    """
    table = Table(str(path), SourceOptions())
    columns = {name.casefold(): name for name in column_names(table.first)}
    lacking = IMAGE not in columns or not columns.keys() & {LISTING, CATEGORY}
    if lacking:
        first = next(line for line, _ in table.rows())
        need = f"'{IMAGE}'" if IMAGE not in columns else f"'{LISTING}' or '{CATEGORY}'"
        raise SourceError(
            f"{table.name}, line {first} has no column {need};"
            f" it has: {', '.join(name for name in columns.values() if name)}.",
            hint="The first line names the columns: image, and listing (the id of the right"
            " answer) or category or both.",
        )
    if next(islice(table.rows(), 1, None), None) is None:
        raise SourceError(f"{table.name} has no photos: nothing follows its first line.")
    return list(_photos(table, columns))


def _photos(table: Table, columns: dict[str, str]) -> Iterator[LabelledPhoto]:
    for origin, row in table.named_rows():
        image, listing, category = (
            text_of(row.get(columns.get(name, ""))) for name in (IMAGE, LISTING, CATEGORY)
        )
        if not image:
            raise SourceError(f"{origin} names no image.")
        if not listing and not category:
            raise SourceError(
                f"{origin} names neither a listing nor a category.",
                hint="Without the right answer, an answer cannot be judged; remove the line.",
            )
        picture = Picture(join(table.location, image))
        yield LabelledPhoto(picture, listing.replace("/", ":"), category, origin)


def embed_photos(
    photos: Sequence[LabelledPhoto],
    embedder: Embedder,
    input_size: int,
    limits: PictureLimits = LIMITS,
    progress: Progress = SILENT,
) -> EmbeddedPhotos:
    """Read and embed photos, several at once; what cannot be read stops nothing.

    Parameters
    ----------
    photos : sequence of LabelledPhoto
        Any number.
    embedder : Embedder
        Made for many pictures.
    input_size : int
        Pixels a side of its input.
    limits : PictureLimits, optional
        What a photo may weigh.
    progress : Progress, optional
        Is shown the photos' number.
    """

    def read(photo: LabelledPhoto) -> bytes | str:
        try:
            return read_picture(photo.picture, max_bytes=limits.max_bytes)
        except LookalikeError as error:
            return str(error)

    def embed(data: bytes | str) -> tuple[NDArray[np.float32], str] | str:
        if isinstance(data, str):
            return data
        try:
            pixels = prepare(data, input_size, limits=limits).pixels
        except LookalikeError as error:
            return str(error)
        return embedder.embed(pixels), content_hash(data)

    kept: list[LabelledPhoto] = []
    features: list[NDArray[np.float32]] = []
    contents: list[str] = []
    unreadable: list[Unreadable] = []
    threads = max(embedder.workers, cores())
    with (
        ThreadPoolExecutor(READERS) as readers,
        ThreadPoolExecutor(threads) as workers,
        progress.track("Embedding the photos", len(photos), "pictures") as advance,
    ):
        encoded = ordered_map(readers, read, photos, 2 * READERS)
        results = ordered_map(workers, embed, encoded, 2 * threads)
        for photo, result in zip(photos, results, strict=True):
            if isinstance(result, str):
                unreadable.append(Unreadable(photo.origin, photo.picture.uri, result))
            else:
                kept.append(photo)
                features.append(result[0])
                contents.append(result[1])
            advance(1)
    stacked = np.stack(features) if features else np.zeros((0, 0), np.float32)
    return EmbeddedPhotos(tuple(kept), stacked, tuple(contents), tuple(unreadable))
