"""What embedding on Ray costs against one process, in one run, in turns, on the same pictures.

    python -m benchmarks.ray_overhead CATALOG.csv QUERIES.csv [--rounds 3] [--pictures 400]
                                      [--count 100] [--runtime litert]

The catalogue's columns are image and category, and so are those of the queries. A cluster on this
machine (`--ray local`, as many workers as it has cores) against the pipeline of one process.
Measures, from when each worker has given its first partition to the end, so that what starts once
is told apart, pictures a second and what the processor does for a picture, which a busy machine
changes little (Linux); whether every picture's features are the same bytes; and whether every query
finds the same ten listings in the same order. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from indexer.catalog import Catalog
from indexer.embedder import cores
from indexer.features import feature_file
from indexer.progress import Advance
from indexer.ray_embedding import PARTITION, SHARES
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from search.engine import Engine
from search.query import Query


def processor_seconds() -> dict[int, float]:
    """Return what this process and all below it have used, by process (Linux)."""
    used: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks = int(fields[11]) + int(fields[12])
        used[int(path.parent.name)] = int(fields[1]), ticks / os.sysconf("SC_CLK_TCK")

    def is_ours(process: int) -> bool:
        while process in used:
            if process == os.getpid():
                return True
            process = used[process][0]
        return False

    return {process: seconds for process, (_, seconds) in used.items() if is_ours(process)}


EVERY = 8
"""Pictures between two looks at what processes have used."""


class Clock:
    """Notes when how many pictures were embedded, and what the processor did meanwhile."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.began = self.ended = (0.0, 0, 0.0)
        self.used: dict[int, float] = {}

    @contextmanager
    def track(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if what != "Embedding":
                return
            if done % EVERY == 0 or done == self.last:  # a worker may end before the last picture
                self.used |= processor_seconds()
            if done == self.first:
                self.used |= processor_seconds()
                self.began = time.perf_counter(), done, sum(self.used.values())
            if done == self.last:
                self.ended = time.perf_counter(), done, sum(self.used.values())

        yield advance

    def say(self, line: str) -> None:
        pass

    def rate(self) -> float:
        """Return pictures a second after the first ones."""
        return (self.ended[1] - self.began[1]) / (self.ended[0] - self.began[0])

    def work(self) -> float:
        """Return milliseconds of the processor for each of them."""
        return 1000 * (self.ended[2] - self.began[2]) / (self.ended[1] - self.began[1])


def pictures(path: Path, count: int) -> list[Path]:
    with path.open(newline="") as file:
        return [(path.parent / row["image"]).resolve() for row in csv.DictReader(file)][:count]


def index(folder: Path, catalogue: Path, clock: Clock, runtime: str, ray: str | None) -> float:
    options = IndexOptions(weights="auto", runtime=runtime, ray=ray)
    return index_catalogue(folder, open_source(catalogue), options, clock).work.seconds


def features(folder: Path) -> dict[str, bytes]:
    with Catalog(folder) as catalog:
        rows = catalog.db.execute(
            "SELECT uri, embedding FROM pictures WHERE embedding IS NOT NULL"
        ).fetchall()
        kept = feature_file(folder, catalog).read(np.array([row["embedding"] for row in rows]))
        return {row["uri"]: one.tobytes() for row, one in zip(rows, kept, strict=True)}


def found(folder: Path, photos: list[Path]) -> list[list[str]]:
    engine = Engine.open(folder)
    try:
        return [
            [hit.listing.id for hit in engine.search(Query(photo=p.read_bytes(), k=10)).hits]
            for p in photos
        ]
    finally:
        engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--count", type=int, default=100, help="queries")
    parser.add_argument("--runtime", default="litert")
    asked = parser.parse_args()
    chosen = pictures(asked.catalogue, asked.pictures)
    workers = cores()
    first = workers * min(PARTITION, max(1, len(chosen) // (SHARES * workers)))
    rates: dict[str, list[float]] = {"alone": [], "ray": []}
    seconds: dict[str, list[float]] = {"alone": [], "ray": []}
    works: dict[str, list[float]] = {"alone": [], "ray": []}
    with tempfile.TemporaryDirectory() as scratch:
        catalogue = Path(scratch) / "catalogue.csv"
        rows = [f"l{n},{path}" for n, path in enumerate(chosen)]
        catalogue.write_text("\n".join(["id,image", *rows]))
        for turn in range(asked.rounds):
            ways = [("alone", None), ("ray", "local")]
            for name, ray in ways if turn % 2 else reversed(ways):
                clock, folder = Clock(first, len(chosen)), Path(scratch) / f"{name}{turn}"
                seconds[name].append(index(folder, catalogue, clock, asked.runtime, ray))
                rates[name].append(clock.rate())
                works[name].append(clock.work())
                print(f"{name}: {rates[name][-1]:.2f}/s, {works[name][-1]:.1f} ms", file=sys.stderr)
        alone, ray = (Path(scratch) / f"{name}{asked.rounds - 1}" for name in rates)
        one, other = features(alone), features(ray)
        photos = pictures(asked.queries, asked.count)
        same = [a == b for a, b in zip(found(alone, photos), found(ray, photos), strict=True)]
    ratios = [r / a for r, a in zip(rates["ray"], rates["alone"], strict=True)]
    print(
        json.dumps(
            {
                "workers": workers,
                "pictures": len(chosen),
                "runtime": asked.runtime,
                "rates": {k: [round(v, 2) for v in vs] for k, vs in rates.items()},
                "ratios": [round(v, 3) for v in ratios],
                "ratio": round(median(ratios), 3),
                "processor_ms": {k: [round(v, 1) for v in vs] for k, vs in works.items()},
                "processor_ratio": round(median(works["alone"]) / median(works["ray"]), 3),
                "starting_s": round(median(seconds["ray"]) - median(seconds["alone"]), 1),
                "same_features": sum(one[uri] == other.get(uri) for uri in one),
                "same_top_10": sum(same),
                "queries": len(same),
                "load": os.getloadavg(),
            }
        )
    )


if __name__ == "__main__":
    main()
