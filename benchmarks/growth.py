"""How the cost of a picture grows with the catalogue: `python -m benchmarks.growth --real INDEX`.

Catalogues of --sizes pictures (1000 3000 10000 100000) are indexed by the whole program, from files
on disk to a published snapshot, but for the network: features are re-drawn around those of INDEX
(two real ones mixed, and noise), which the network would take 50 to 100 ms of the processor for,
however many there are. The files are small JPEGs, each with other bytes. Each size has a process of
its own. Prints Markdown: the processor's ms, bytes on the disk, and memory of the process's own
(its largest RssAnon), for a picture; and what a search takes afterwards. 100,000 take five minutes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from unittest import mock

import numpy as np
from PIL import Image

from benchmarks.machine import machine
from benchmarks.start import memory
from indexer.embedder import cores
from indexer.model import CHANNELS, FEATURES

SIZES = (1000, 3000, 10_000, 100_000)
NETWORK_MS = 98
"""Of the processor, for one picture on two cores with AVX2; see docs/performance.md."""


class Redrawn:
    """Stands in for the network: features around real ones, other ones at every call."""

    def __init__(self, real: np.ndarray) -> None:
        self.workers = cores()
        self._real = real
        self._spread = real.std(axis=0) * 0.5
        self._lock = threading.Lock()
        self._dice = np.random.default_rng(0)

    def for_bulk(self, model: Path) -> Redrawn:
        """Return itself: the network's file is not looked at."""
        return self

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Return features, of all parts that a network gives."""
        with self._lock:
            one, other = self._dice.integers(0, len(self._real), 2)
            share = self._dice.uniform(0.2, 0.8)
            noise = self._dice.standard_normal(self._real.shape[1], np.float32)
        mixed = share * self._real[one] + (1 - share) * self._real[other]
        drawn = np.zeros(len(FEATURES) * CHANNELS, np.float32)
        drawn[: len(mixed)] = np.maximum(0, mixed + noise * self._spread)
        return drawn


def real_features(index: Path) -> np.ndarray:
    """Return the stored features of an index, float32."""
    from indexer.catalog import Catalog
    from indexer.features import feature_file

    with Catalog(index) as catalog:
        rows = feature_file(index, catalog).open(int(catalog.meta("rows") or 0))
        return np.asarray(rows, np.float32)


def write_catalogue(folder: Path, count: int) -> Path:
    """Write small JPEGs and the table of them, of thirty categories."""
    made = []
    for colour in range(8):
        out = io.BytesIO()
        Image.new("RGB", (64, 80), (30 * colour, 128, 90)).save(out, "JPEG")
        made.append(out.getvalue())
    pictures = folder / "pictures"
    table = folder / "catalog.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "title", "category", "price"])
        for n in range(count):
            path = pictures / f"{n // 1000:03d}" / f"{n}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            # What follows the end of a JPEG is not looked at, but makes it another file.
            path.write_bytes(made[n % len(made)] + n.to_bytes(8, "big"))
            writer.writerow([f"p{n}", path, f"Product {n}", f"category {n % 30}", 1 + n % 90])
    return table


class Peak(threading.Thread):
    """The largest memory of its own that this process had, in MB, looked at every 20 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.own = max(self.own, memory("self")["own_mb"])

    def __enter__(self) -> Peak:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def measure(real: Path, count: int, folder: Path) -> dict[str, float]:
    """Index `count` pictures and search them; see the module."""
    from indexer.sources import open_source
    from indexer.sync import IndexOptions, index_catalogue
    from search.engine import Engine

    features = real_features(real)
    table, index = write_catalogue(folder, count), folder / "index"
    before = memory("self")["own_mb"]
    with (
        mock.patch("indexer.embedding.embedder_class", lambda *_: Redrawn(features)),
        Peak() as peak,
    ):
        clock, processor = time.perf_counter(), time.process_time()
        index_catalogue(index, open_source(table), IndexOptions(weights="auto", runtime="litert"))
        took = time.perf_counter() - clock, time.process_time() - processor
    size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    network = sum((index / name).stat().st_size for name in ("network.tflite", "network.json"))
    times = []
    with closing(Engine.open(index)) as engine:
        for n in range(60):
            started = time.perf_counter()
            engine.search(listing_id=f"p{n * count // 60}", k=10)
            times.append(time.perf_counter() - started)
    return {
        "pictures": count,
        "clock_ms": 1000 * took[0] / count,
        "processor_ms": 1000 * took[1] / count,
        "disk_bytes": (size - network) / count,
        "own_mb": peak.own,
        "own_mb_before": before,
        "search_ms": 1000 * median(times[10:]),
    }


def table(rows: list[dict[str, float]]) -> list[str]:
    """Lay the sizes out as Markdown, each beside the first."""
    first = rows[0]["processor_ms"] + NETWORK_MS
    return [
        "| pictures | processor, all but the network | with the network's"
        f" {NETWORK_MS} ms | on the disk | largest memory of its own | a search by listing |",
        "|---" * 6 + "|",
        *(
            f"| {row['pictures']:,.0f} | {row['processor_ms']:.2f} ms"
            f" | {row['processor_ms'] + NETWORK_MS:.1f} ms"
            f" ({(row['processor_ms'] + NETWORK_MS) / first:.2f})"
            f" | {row['disk_bytes'] / 1000:.2f} kB | {row['own_mb']:.0f} MB"
            f" | {row['search_ms']:.2f} ms |"
            for row in rows
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        with tempfile.TemporaryDirectory() as scratch:
            print(json.dumps(measure(asked.real, asked.sizes[0], Path(scratch))))
        return
    rows = []
    for size in asked.sizes:
        alone = [sys.executable, "-m", "benchmarks.growth", "--alone", "--real", str(asked.real)]
        done = subprocess.run([*alone, "--sizes", str(size)], stdout=subprocess.PIPE, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(f"{machine()['processor']}, {machine()['cores']} cores\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
