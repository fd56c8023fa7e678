"""Where the time goes: indexing, one photo to its hits, and decoding against the bare library.

    python -m benchmarks.stages [--data FOLDER] [--pictures 96] [--photos 40] [--runtime litert]

Times are of the processor where they say so (a busy machine changes those little), and medians;
what is compared takes turns, picture by picture. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from benchmarks.machine import data_folder, pictures_of, spread
from benchmarks.main_job import Server, index
from indexer import pictures as loader
from indexer.colour import to_srgb
from indexer.decoder import LIMITS, decode
from indexer.embedder import embedder_class
from indexer.model import MODEL_FILE

MS = 1000
SIDE = 299
MEGAPIXELS = {"0.2": (400, 533), "2": (1224, 1632), "12": (3000, 4000)}
"""Sizes that are decoded: of a shop's pictures, of a small photo and of a phone's."""

Times = dict[str, list[float]]


class Clock:
    """Adds up times by stage, in ms."""

    def __init__(self, of: Callable[[], float] = time.thread_time) -> None:
        self.times: Times = defaultdict(list)
        self._of = of

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = self._of()
        yield
        self.times[name].append((self._of() - started) * MS)


def scale_of(thumbnail: int = loader.THUMBNAIL_SIDE) -> Callable[[int, int], int]:
    """Return what `indexer.pictures.prepare` tells the decoder of a whole picture."""
    return lambda width, height: min(min(width, height) // SIDE, max(width, height) // thumbnail)


def load_in_stages(data: bytes, clock: Clock) -> np.ndarray:
    """Do what the loader does, each step timed by itself."""
    with clock.stage("hash (SHA-256)"):
        hashlib.sha256(data).hexdigest()
    with clock.stage("decode, flatten, turn"):
        decoded = decode(data, LIMITS, scale_of())
    image = decoded.image
    with clock.stage("resize, sRGB"):
        square = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        pixels = np.asarray(to_srgb(square, decoded.profile))
    with clock.stage("thumbnail: resize"):
        small = to_srgb(loader._shrink(image, loader.THUMBNAIL_SIDE), decoded.profile)
    with clock.stage("thumbnail: encode"):
        loader._encode(small, loader.THUMBNAIL_QUALITY)
    return pixels


def indexing(pictures: list[tuple[Path, str]], runtime: str, scratch: Path) -> Times:
    """Return the processor's ms of each stage of indexing, for each picture.

    The stages of a picture are timed in one thread, with an interpreter of one thread as in bulk;
    what is done once for many (reading the catalogue, checkpoints, the snapshot) in a real run,
    as a share of it for each picture.
    """
    index(scratch / "warm", pictures, runtime)
    shares = Clock(time.process_time)
    with (
        timed(shares, "catalogue: read, compare", "indexer.sync.stage"),
        timed(shares, "snapshot: fit, build, publish", "indexer.sync.publish"),
        timed(shares, "write: features, thumbnails, rows", "indexer.pipeline.Pipeline._checkpoint"),
    ):
        index(scratch / "shares", pictures, runtime)
    clock = Clock()
    embedder = embedder_class(runtime, scratch / "warm")(scratch / "warm" / MODEL_FILE)
    whole = Clock(time.process_time)  # OpenVINO computes in threads of its own
    for path, _ in pictures:
        with clock.stage("read"):
            data = path.read_bytes()
        pixels = load_in_stages(data, clock)
        with whole.stage("network"):
            embedder.embed(pixels)
    spreads = {name: [sum(times) / len(pictures)] for name, times in shares.times.items()}
    return {**clock.times, **whole.times, **spreads}


@contextmanager
def timed(clock: Clock, stage: str, target: str) -> Iterator[None]:
    """Time every call of a function meanwhile."""
    from pkgutil import resolve_name

    wrapped = resolve_name(target)

    def inside(*arguments: Any, **options: Any) -> Any:
        with clock.stage(stage):
            return wrapped(*arguments, **options)

    with mock.patch(target, inside):
        yield


def photo_stages(folder: Path, photos: list[tuple[Path, str]], runtime: str) -> Times:
    """Return the ms of the clock of each stage from a photo to its hits, by a real server."""
    clock = Clock(time.perf_counter)
    server = Server(folder, runtime)
    edge = "bench"
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    before = (
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    connection = server.connection
    try:
        for path, _ in [*photos[:3], *photos]:
            data = path.read_bytes()
            with clock.stage("decode, bare Pillow"):
                bare(data)
            with clock.stage("over HTTP, all"):
                body = before + data + f"\r\n--{edge}--\r\n".encode()
                connection.request("POST", "/api/v1/search", body, headers)
                answer = connection.getresponse()
                page = json.loads(answer.read())
            took, times = page["took_ms"], clock.times
            times["decode, resize, sRGB, hash"].append(took["decode"])
            times["network"].append(took["embed"])
            times["search"].append(took["search"])
            others = took["total"] - took["decode"] - took["embed"]
            times["in the engine, neither decode nor network"].append(others)
            times["request, answer, client"].append(times["over HTTP, all"][-1] - took["total"])
    finally:
        server.stop()
    return {name: times[3:] for name, times in clock.times.items()}


def bare(data: bytes, scale: Callable[[int, int], int] | None = None) -> None:
    """Decode as the library does by itself, at the reduction that the loader asks for."""
    image = Image.open(io.BytesIO(data))
    wanted = (scale or scale_of())(*image.size)
    power = next(power for power in (8, 4, 2, 1) if power <= max(1, wanted))
    if power > 1:
        image.draft(None, (image.width // power, image.height // power))
    image.load()


def sized(data: bytes, size: tuple[int, int]) -> bytes:
    """Make a JPEG of another size, with the grain of a photo."""
    image = Image.open(io.BytesIO(data)).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    grain = np.random.default_rng(0).normal(0, 4, (*size[::-1], 1))
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def decoding(photo: bytes, rounds: int) -> dict[str, dict[str, float]]:
    """Return the processor's ms to decode each of `MEGAPIXELS`, ours and the bare library's."""
    found = {}
    for name, size in MEGAPIXELS.items():
        data, clock = sized(photo, size), Clock()
        for _ in range(rounds + 1):
            with clock.stage("bare, whole"):
                bare(data, lambda *_: 1)
            with clock.stage("bare, reduced"):
                bare(data)
            with clock.stage("ours"):
                decode(data, LIMITS, scale_of())
            with clock.stage("ours, to the network's input"):
                loader.prepare(data)
        found[name] = {stage: median(times[1:]) for stage, times in clock.times.items()}
    return found


def means(times: Times) -> dict[str, float]:
    """Return the mean of each stage: these add up."""
    return {name: mean(values) for name, values in times.items()}


def medians(times: Times) -> dict[str, float]:
    """Return the median of each stage: no one picture counts for more than another."""
    return {name: median(values) for name, values in times.items()}


def table(times: dict[str, float], *, share: bool = False) -> list[str]:
    """Lay stages out as a Markdown table."""
    total = sum(times.values())
    head = ["| stage | ms | share |", "|---|---|---|"] if share else ["| stage | ms |", "|---|---|"]
    lines = [
        f"| {name} | {ms:.2f} |" + (f" {ms / total:.1%} |" if share else "")
        for name, ms in times.items()
    ]
    return [*head, *lines, *([f"| together | {total:.2f} | |"] if share else [])]


def decode_table(found: dict[str, dict[str, float]]) -> list[str]:
    """Lay decoding out as a Markdown table."""
    stages = list(next(iter(found.values())))
    head = ["| megapixels | " + " | ".join(stages) + " | ours / bare |", "|---" * 6 + "|"]
    lines = [
        f"| {name} | "
        + " | ".join(f"{times[stage]:.2f} ms" for stage in stages)
        + f" | {times['ours'] / times['bare, reduced']:.2f} |"
        for name, times in found.items()
    ]
    return [*head, *lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--runtime", nargs="+", default=["litert"])
    asked = parser.parse_args()
    catalogue, queries = pictures_of(data_folder(asked.data))
    with tempfile.TemporaryDirectory() as scratch:
        for runtime in asked.runtime:
            folder = Path(scratch) / runtime
            folder.mkdir()
            times = indexing(spread(catalogue, asked.pictures), runtime, folder)
            print(f"Indexing, {runtime}: the processor's time for a picture\n")
            print("\n".join(table(means(times), share=True)))
            hits = photo_stages(folder / "warm", spread(queries, asked.photos), runtime)
            print(f"\nOne photo to its hits, {runtime}\n")
            print("\n".join(table(medians(hits))) + "\n")
    print("Decoding, the processor's time\n")
    print("\n".join(decode_table(decoding(catalogue[0][0].read_bytes(), 20))))


if __name__ == "__main__":
    main()
