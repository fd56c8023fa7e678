"""A whole index of a million listings: build, serve, and write to it while it is searched.

    python -m benchmarks.scale_live --real INDEX --count 1000000 [--seconds 60] [--work FOLDER]

INDEX is an index of real pictures: its network is used, and the hard vectors are drawn around its
vectors. Listings with a price, a brand and the category of the nearest of thirty real vectors are
put straight into a catalogue, with features of a width of 768 (mixed7's average) whose first
columns are the vector; the snapshot is built by `indexer.build.build_snapshot` with a projection
that keeps them. Prints JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from pathlib import Path

import numpy as np

import indexer.build
from benchmarks.scale import identity
from benchmarks.scale_engines import resident
from benchmarks.scale_vectors import WIDTH, exact, hard_vectors, questions, real_vectors
from indexer.catalog import DONE, Catalog
from indexer.listing import Listing, Picture
from indexer.model import MODEL_FILE, installed_network
from indexer.operations import Put, Ready
from indexer.progress import SILENT
from indexer.writing import Writer
from search.engine import Engine
from search.filters import parse
from search.keeping_up import KeepingUp
from search.query import Query
from search.ranking import rank

CATEGORIES, BRANDS = 30, 1000
RATE = 100
"""Searches, and writes, a second."""


def fill(folder: Path, real: np.ndarray, count: int) -> None:
    """Make a catalogue of `count` listings with one picture each, and their features."""
    generator = np.random.default_rng(5)
    kinds = real[generator.choice(len(real), CATEGORIES, replace=False)].T
    blocks = hard_vectors(real, count)
    categories = np.concatenate([(block @ kinds).argmax(axis=1) for block in blocks]).tolist()
    prices = np.round(generator.lognormal(3, 1, count), 2).tolist()
    brands = generator.zipf(1.3, count) % BRANDS
    with Catalog(folder, create=True) as catalog, catalog.writing():
        db = catalog.db
        change = catalog.next_change()
        db.executemany(
            "INSERT INTO listings VALUES (?, ?, ?, ?, ?, 'EUR', '', ?, '', x'', ?, 0)",
            (
                (
                    n + 1,
                    f"l{n}",
                    f"Product {n}",
                    f"category {categories[n]}",
                    prices[n],
                    json.dumps({"brand": f"brand {brands[n]}"}),
                    change,
                )
                for n in range(count)
            ),
        )
        db.executemany(
            "INSERT INTO embeddings VALUES (?, ?, '', 400, 400)",
            ((n, f"{n:064x}") for n in range(count)),
        )
        db.executemany(
            "INSERT INTO pictures VALUES (?, ?, 0, ?, '', '', ?, ?, '', ?)",
            ((n + 1, n + 1, f"/pictures/{n}.jpg", DONE, n, change) for n in range(count)),
        )
        catalog.set_meta("rows", str(count))
        catalog.set_meta("feature_width", str(WIDTH))
    with (folder / "features.f16").open("wb") as file, (folder / "features.crc").open("wb") as sums:
        for block in hard_vectors(real, count):
            rows = padded(block)
            rows.tofile(file)
            np.array([zlib.crc32(row) for row in rows], np.uint32).tofile(sums)


def padded(vectors: np.ndarray) -> np.ndarray:
    """Return features whose first columns are the vectors."""
    rows = np.zeros((len(vectors), WIDTH), np.float16)
    rows[:, : vectors.shape[1]] = vectors
    return rows


def build(folder: Path, dims: int) -> dict:
    """Build the snapshot from the stored features; categories are learned as always."""
    projection = identity(dims)
    indexer.build.fitting_projection = lambda *_: (projection, {"rows": [0], "photos": None})
    network = installed_network(folder)
    started = time.perf_counter()
    with Catalog(folder) as catalog:
        indexer.build.build_snapshot(folder, catalog, network, projection.recipe, SILENT)
    return {"build_s": time.perf_counter() - started}


class Given(Writer):
    """Writes listings whose features are given."""

    def __init__(self, folder: Path, vectors: np.ndarray) -> None:
        super().__init__(folder, lambda: None)
        self.vectors = padded(vectors)

    def _ready(self, operation, catalog, thumbnails, network):
        if not isinstance(operation, Put):
            return []
        n = int(operation.id[1:])
        content = hashlib.sha256(operation.id.encode()).hexdigest()
        features = self.vectors[n % len(self.vectors)].astype(np.float32)
        return [Ready(f"/new/{n}.jpg", content, "", 400, 400, b"JPEG", features)]


def write_for(folder: Path, real: np.ndarray, seconds: float) -> dict:
    """Put, patch and remove listings at `RATE` a second."""
    writer = Given(folder, next(hard_vectors(real, 10_000, seed=9, block=10_000)))
    first = int(time.time()) * 10_000  # other listings each time
    took, n, started = [], 0, time.perf_counter()
    while (now := time.perf_counter()) < started + seconds:
        due = started + n / RATE
        if now < due:
            time.sleep(due - now)
        begun = time.perf_counter()
        if n % 10 == 9:
            writer.remove(f"n{first + n - 5}")
        else:
            writer.put(Listing(f"n{first + n}", (Picture("", b"x"),), "New", "category 1", 5.0))
        took.append(time.perf_counter() - begun)
        n += 1
    return {
        "writes": n,
        "rate": n / (time.perf_counter() - started),
        "median_ms": 1000 * float(np.median(took)),
        "p99_ms": 1000 * float(np.quantile(took, 0.99)),
    }


def search_for(engine: Engine, asked: np.ndarray, seconds: float) -> dict:
    """Search at `RATE` a second, each time with all writes so far."""
    took, n, started = [], 0, time.perf_counter()
    while (now := time.perf_counter()) < started + seconds:
        due = started + n / RATE
        if now < due:
            time.sleep(due - now)
        begun = time.perf_counter()
        rank(engine.view(), asked[n % len(asked)][None], 10, prior=False)
        took.append(time.perf_counter() - begun)
        n += 1
    view = engine.view()
    return {
        "searches": n,
        "rate": n / (time.perf_counter() - started),
        "median_ms": 1000 * float(np.median(took)),
        "p99_ms": 1000 * float(np.quantile(took, 0.99)),
        "fresh": len(view.living),
        "dead": view.dead.count,
        **resident(),
    }


def timed(work, times: int) -> float:
    """Return the median milliseconds of `work(n)`."""
    took = []
    for n in range(times):
        begun = time.perf_counter()
        work(n)
        took.append(time.perf_counter() - begun)
    return 1000 * float(np.median(took))


def in_engine(folder: Path, asked: np.ndarray) -> dict:
    """Measure one search after the other in this process."""
    engine = Engine.open(folder)
    for n in range(20):
        rank(engine.view(), asked[n][None], 10, prior=False)
    found = {
        "rank_ms": timed(lambda n: rank(engine.view(), asked[n][None], 10, prior=False), 500),
        "rank_with_prior_ms": timed(lambda n: rank(engine.view(), asked[n][None], 10), 200),
        "page_by_listing_ms": timed(
            lambda n: engine.search(Query(listing_id=f"l{n}", prior=False)), 200
        ),
    }
    truth = exact(engine.snapshot.vectors, asked)
    view = engine.view()
    hits = [rank(view, one[None], 10, prior=False).candidates for one in asked]
    overlap = [
        len({c.position for c in page} & set(true.tolist())) / len(true)
        for page, true in zip(hits, truth, strict=True)
    ]
    found["recall_at_10"] = float(np.mean(overlap))
    for text in ('category:"category 1"', "price:..10", 'brand:"brand 7"'):
        within = view.within(parse(text))
        begun = time.perf_counter()
        rank(view, asked[0][None], 10, prior=False, within=within)
        first = 1000 * (time.perf_counter() - begun)

        def filtered(n: int, text: str = text) -> None:
            rank(view, asked[n][None], 10, prior=False, within=view.within(parse(text)))

        found[f"filter {text}"] = {
            "share": within.count / view.count,
            "first_ms": first,
            "median_ms": timed(filtered, 200),
        }
    found["facets_ms"] = timed(lambda _: view.facets(parse("")), 5)
    found.update(resident())
    engine.close()
    return found


def served(folder: Path) -> dict:
    """Start the server; measure until it answers, and its memory after some searches."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "serve", "--index", str(folder), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOOKALIKE_COMPACT": "off"},
    )
    line = process.stderr.readline()
    url = next(word for word in line.split() if word.startswith("http://"))
    threading.Thread(target=process.stderr.read, daemon=True).start()

    def ask(n: int) -> dict:
        with urllib.request.urlopen(f"{url}/api/v1/listings/l{n}/similar") as answer:
            return json.load(answer)

    ready = time.perf_counter() - started
    ask(0)
    first = time.perf_counter() - started
    took = timed(ask, 200)
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("Rss")
    )
    process.terminate()
    process.wait()
    return {
        "ready_s": ready,
        "first_answer_s": first,
        "http_similar_ms": took,
        "anonymous_mb": int(status["RssAnon"].split()[0]) / 1024,
        "mapped_mb": int(status["RssFile"].split()[0]) / 1024,
    }


def live(folder: Path, real: np.ndarray, asked: np.ndarray, seconds: float) -> dict:
    """Search with and without another process that writes, in turns."""
    engine = Engine.open(folder)
    keeping_up = KeepingUp(lambda: engine)  # as the server does
    keeping_up.start()
    search_for(engine, asked, 5)
    found: dict = {"without": [], "with": [], "writes": []}
    command = [sys.executable, "-m", "benchmarks.scale_live", "--write", str(seconds)]
    command += ["--work", str(folder)]
    np.save(folder / "real.npy", real)
    for _ in range(2):
        found["without"].append(search_for(engine, asked, seconds / 2))
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(3)
        found["with"].append(search_for(engine, asked, seconds - 3))
        found["writes"].append(json.loads(writer.communicate()[0]))
    keeping_up.close()
    engine.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--work", type=Path, default=Path("data/scale-live"))
    parser.add_argument("--write", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave the index in --work")
    options = parser.parse_args()
    if options.write:
        print(
            json.dumps(write_for(options.work, np.load(options.work / "real.npy"), options.write))
        )
        return
    folder = options.work
    real = real_vectors(options.real)
    asked = questions(real)
    results: dict = {"count": options.count}
    if not (folder / "CURRENT").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("network.json", MODEL_FILE):
            shutil.copy(options.real / name, folder / name)
        started = time.perf_counter()
        fill(folder, real, options.count)
        results["filled_s"] = time.perf_counter() - started
        results.update(build(folder, real.shape[1]))
        print(json.dumps(results), flush=True)
    for name, stage in (
        ("served", lambda: served(folder)),
        ("engine", lambda: in_engine(folder, asked)),
        ("live", lambda: live(folder, real, asked, options.seconds)),
    ):
        results[name] = stage()
        print(json.dumps({name: results[name]}, indent=1), flush=True)
    if not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
