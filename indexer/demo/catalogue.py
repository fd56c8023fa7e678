"""Writing the demo: pictures, photos, and the two tables that name them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.demo.canvas import Canvas
from indexer.demo.kinds import KINDS
from indexer.demo.photo import snap
from indexer.demo.products import CURRENCY, Product, dealt
from indexer.demo.scenes import detail, studio
from indexer.errors import UsageError

# Raised whenever a drawing changes, so that a folder drawn by an older Lookalike is drawn again.
VERSION = 1

SIZE = 540
MARKER = "demo.json"
CATALOGUE_COLUMNS = (
    "id",
    "image",
    "additional_images",
    "title",
    "category",
    "price",
    "currency",
    "brand",
    "colour",
    "material",
)
QUERY_COLUMNS = ("image", "listing", "category")
# A pool of processes takes about a second to start.
WORTH_A_POOL = 12

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DemoCatalogue:
    """A drawn catalogue on disk.

    Parameters
    ----------
    folder : Path
        Where it lies.
    catalogue, queries : Path
        The tables of listings and of customer photos.
    listings, photos : int
        How many there are.
    """

    folder: Path
    catalogue: Path
    queries: Path
    listings: int
    photos: int


def draw_demo(
    out: Path,
    *,
    listings: int = 300,
    seed: int = 7,
    progress: Progress | None = None,
    jobs: int | None = None,
) -> DemoCatalogue:
    """Draw a small catalogue of products, and customer photos of them.

    Everything is drawn here from the seed: the same seed gives the same bytes on the same machine.
    A folder that is already finished is left alone; one that was interrupted is drawn again.

    Parameters
    ----------
    out : Path
        The folder to write; made if need be.
    listings : int
        How many products.
    seed : int
        Which products.
    progress : callable, optional
        Called with the number of listings drawn and their total.
    jobs : int, optional
        How many processes draw; as many as there are cores by default. They are spawned, so a
        script that asks for more than one needs the usual ``if __name__ == "__main__"``.

    Returns
    -------
    DemoCatalogue
    """
    if listings < 1:
        raise UsageError(f"A catalogue of {listings} listings cannot be drawn.")
    if seed < 0:
        raise UsageError(f"{seed} is no seed.", hint="Any whole number from 0 on will do.")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file.", hint="Name a folder to write the demo to.")
    products = [dealt(KINDS, index, seed) for index in range(listings)]
    demo = DemoCatalogue(out, out / "catalog.csv", out / "queries.csv", listings, listings)
    label = {"version": VERSION, "seed": seed, "listings": listings, "photos": listings}
    expected = {path for product in products for path in _paths(product)}
    if _finished(demo, label, expected):
        return demo
    for name in ("pictures", "photos"):
        (out / name).mkdir(parents=True, exist_ok=True)
    (out / MARKER).unlink(missing_ok=True)
    _clear(out, expected)
    for done, _ in enumerate(_drawn(products, out, seed, jobs), start=1):
        if progress is not None:
            progress(done, listings)
    _write_tables(demo, products)
    _replace(out / MARKER, (json.dumps(label, indent=2) + "\n").encode())
    return demo


def _drawn(products: list[Product], out: Path, seed: int, jobs: int | None) -> Iterator[None]:
    """Draw every product, here or in other processes, yielding after each."""
    if jobs is None:
        jobs = os.cpu_count() or 1
    draw = partial(_draw, out=out, seed=seed)
    if jobs < 2 or len(products) < WORTH_A_POOL:
        yield from map(draw, range(len(products)))
        return
    # Spawned, not forked: the caller may hold threads (a test, a server) that a fork would lose.
    pool = ProcessPoolExecutor(
        min(jobs, len(products)), mp_context=get_context("spawn"), initializer=_ignore_interrupt
    )
    try:
        futures = [pool.submit(draw, i) for i in range(len(products))]
        for future in as_completed(futures):
            yield future.result()
    finally:
        # Reached by Ctrl-C too: what is under way finishes its file, the rest is dropped.
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which stops the pool in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _rng(product: Product, seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(product.id.encode()), purpose])


def _has_second(product: Product) -> bool:
    return zlib.crc32(product.id.encode()) % 6 == 0


def _paths(product: Product) -> list[str]:
    """Return the files of a product: its picture, its photo and perhaps a second picture."""
    paths = [f"pictures/{product.id}.jpg", f"photos/{product.id}.jpg"]
    return [*paths, f"pictures/{product.id}-2.jpg"] if _has_second(product) else paths


def _draw(index: int, *, out: Path, seed: int) -> None:
    """Draw one product's pictures and photo."""
    product = dealt(KINDS, index, seed)
    canvas = Canvas(SIZE)
    product.kind.draw(canvas, product.look)
    image = canvas.image()
    picture, photo, *second = (out / path for path in _paths(product))
    _save(picture, studio(image, product.kind.pose, _rng(product, seed, 1)), 90)
    for path in second:
        _save(path, detail(image, product.kind.pose, _rng(product, seed, 2)), 90)
    taken = snap(image, _rng(product, seed, 3))
    _save(photo, taken.image, taken.quality, taken.orientation)


def _save(path: Path, image: Image.Image, quality: int, orientation: int = 1) -> None:
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, exif=exif)
    _replace(path, buffer.getvalue())


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _finished(demo: DemoCatalogue, label: dict[str, int], expected: set[str]) -> bool:
    """Tell whether this very demo lies there already, with nothing missing."""
    try:
        found = json.loads((demo.folder / MARKER).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    if found != label or not (demo.catalogue.exists() and demo.queries.exists()):
        return False
    here = {
        f"{name}/{entry.name}"
        for name in ("pictures", "photos")
        for entry in os.scandir(demo.folder / name)
    }
    return expected <= here


def _clear(out: Path, expected: set[str]) -> None:
    """Remove what an earlier demo of other products left, and nothing else."""
    names = "|".join(re.escape(kind.name) for kind in KINDS)
    ours = re.compile(rf"\.?({names})-\d{{3,}}(-2)?\.jpg(\.part)?")
    for folder in ("pictures", "photos"):
        for path in (out / folder).iterdir():
            if ours.fullmatch(path.name) and f"{folder}/{path.name}" not in expected:
                path.unlink()


def _write_tables(demo: DemoCatalogue, products: list[Product]) -> None:
    listings, queries = [], []
    for product in products:
        picture, photo, *second = _paths(product)
        listings.append(
            (
                product.id,
                picture,
                *(second or [""]),
                product.title,
                product.kind.category,
                f"{product.price:.2f}",
                CURRENCY,
                product.brand,
                product.colour,
                product.material,
            )
        )
        queries.append((photo, product.id, product.kind.category))
    for path, columns, rows in (
        (demo.catalogue, CATALOGUE_COLUMNS, listings),
        (demo.queries, QUERY_COLUMNS, queries),
    ):
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
        _replace(path, text.getvalue().encode())
