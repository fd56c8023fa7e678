"""Milvus beside FAISS on the same hard vectors: recall, median and p99, filtered too.

    python -m benchmarks.milvus_scale --real INDEX --count 1000000 --out FOLDER

INDEX is an index of real pictures, whose vectors the hard ones are drawn around. A Milvus server
(the package milvus) is started on this machine, and filled through the schema of an index, with a
price and a brand each to filter by. Both are asked one question at a time, in turns: some rounds of
all questions without a filter and with each. Writes FOLDER/milvus-COUNT.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.scale import ROUNDS, build, figures
from benchmarks.scale_engines import Process
from benchmarks.scale_vectors import exact, mapped, questions, real_vectors, write_vectors
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import Fields
from indexer.milvus.rows import letters, slot
from indexer.milvus.schema import EF, create
from search.filters import parse
from search.milvus_filters import expression
from tests.milvus.server import Server

ASKED = 300
EFFORTS = (64, 128, EF, 512)
ROWS = 5000
COLLECTION = "bench"
BRANDS = 10
FIELDS = Fields({"brand": "text"}, {"brand": 1})
FILTERS = {"10 %": "price:..0.1", "1 %": "price:..0.01", "10 %, attribute": "brand:b0"}


def fill(milvus: Milvus, vectors: np.ndarray, prices: np.ndarray) -> dict:
    """Write all vectors, and wait until the index is over all of them; return the seconds."""
    create(milvus, vectors.shape[1])
    start = time.perf_counter()
    for at in range(0, len(vectors), ROWS):
        rows = [
            {
                "picture": at + n + 1,
                "vector": vector,
                "listing": at + n + 1,
                "since": at + n,
                **dict.fromkeys(("label", "title", "name", "url", "place"), 0),
                **dict.fromkeys(("content", "region", "category", "currency"), ""),
                "price": float(prices[at + n]),
                "said": {slot("brand", 0): letters(f"b{(at + n) % BRANDS}")},
                "document": "",
            }
            for n, vector in enumerate(vectors[at : at + ROWS].astype(np.float32))
        ]
        milvus.insert(COLLECTION, rows, timeout=600)
    written = time.perf_counter() - start
    print(f"written in {written:.0f} s", flush=True)
    milvus.flush(COLLECTION, timeout=1200)
    while True:
        said = milvus.describe_index(COLLECTION, "vector", timeout=600)
        left = int(said.get("pending_index_rows", 0))
        if not left and int(said.get("indexed_rows", 0)) >= len(vectors):
            break
        time.sleep(1)
    built = time.perf_counter() - start
    print(f"indexed in {built:.0f} s", flush=True)
    milvus.release_collection(COLLECTION, timeout=600)
    milvus.load_collection(COLLECTION, timeout=1200)
    return {"write_s": written, "indexed_s": built}


def ask(milvus: Milvus, asked: np.ndarray, effort: int, **options: str) -> tuple[list, np.ndarray]:
    """Ask one question at a time; return what was found, and the seconds."""
    found, times = [], []
    for vector in asked:
        start = time.perf_counter()
        (hits,) = milvus.search(
            COLLECTION,
            data=[vector.tolist()],
            limit=10,
            search_params={"metric_type": "IP", "params": {"ef": effort}},
            **{"consistency_level": "Eventually", **options},
        )
        times.append(time.perf_counter() - start)
        found.append(np.array([hit["id"] - 1 for hit in hits]))
    return found, np.array(times)


def memory_of(folder: Path) -> float:
    """Return the memory of its own that the server which runs in a folder takes, in bytes."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in str((path / "exe").readlink()):
                lines = (path / "status").read_text().splitlines()
                return 1024 * float(next(x for x in lines if x.startswith("RssAnon")).split()[1])
        except OSError:
            continue
    return float("nan")


def measure(address: str, real: np.ndarray, count: int, work: Path, server: Path) -> dict:
    """Build both and ask both, in turns."""
    dims = real.shape[1]
    write_vectors(work / "vectors.f16", real, count)
    vectors = mapped(work / "vectors.f16", dims)
    asked = questions(real)[:ASKED]
    prices = np.random.default_rng(5).random(count)
    masks = {
        "all": None,
        "10 %": prices <= 0.1,
        "1 %": prices <= 0.01,
        "10 %, attribute": np.arange(count) % BRANDS == 0,
    }
    truths = {name: exact(vectors, asked, mask) for name, mask in masks.items()}
    faiss = {"build": build(work, dims)}
    print(json.dumps(faiss), flush=True)
    milvus = Milvus(Address.parse(address), timeout=60)
    found: dict = {"count": count, "dims": dims, "faiss": faiss}
    found["milvus"] = {"build": fill(milvus, vectors, prices)}
    engine = Process("Lookalike", work, dims)
    engine.tell("open", work, dims)
    ways = {f"ef {effort}": ("all", effort, {}) for effort in EFFORTS}
    for name, text in FILTERS.items():
        condition = parse(text).check(FIELDS.types)
        ways[name] = (name, EF, {"filter": expression(condition, FIELDS)})
    mine: dict[str, list] = {name: [] for name in masks}
    theirs: dict[str, list] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):  # the first one warms both up
        for name, mask in masks.items():
            engine.tell("allow", mask, name)
            engine.tell("search", asked[:5], 0)
            mine[name][turn:] = [engine.tell("search", asked, 0)]
            for way, (of, effort, options) in ways.items():
                if of == name:
                    theirs[way][turn:] = [ask(milvus, asked, effort, **options)]
    faiss |= {name: figures(answers[1:], truths[name]) for name, answers in mine.items()}
    faiss["memory"] = engine.tell("resident")
    engine.end()
    found["milvus"] |= {
        way: figures(answers[1:], truths[ways[way][0]]) for way, answers in theirs.items()
    }
    found["milvus"]["memory"] = memory_of(server)
    strong = [ask(milvus, asked[:50], EF, consistency_level="Strong")]
    found["milvus"]["strong"] = figures(strong, truths["all"][:50])
    found["load"] = os.getloadavg()
    milvus.close()
    return found


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=128, help="Of the vectors, the first ones.")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    real = real_vectors(given.real)[:, : given.dims]
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    server = Server(patience=60)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            address = server.address(COLLECTION)
            found = measure(address, real, given.count, Path(folder), server.folder)
    finally:
        server.close()
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"milvus-{given.count}.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
