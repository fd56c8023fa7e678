"""Milvus beside FAISS on the same hard vectors: recall, median and p99, filtered too.

    python -m benchmarks.milvus_scale --real INDEX --count 100000 --out FOLDER

INDEX is an index of real pictures, whose vectors the hard ones are drawn around. A Milvus server
(the package milvus) is started on this machine, and filled through the schema of an index; both
are asked one question at a time, in turns. Writes FOLDER/milvus-COUNT.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.scale import build, searched
from benchmarks.scale_engines import Process
from benchmarks.scale_vectors import exact, mapped, questions, real_vectors, recall, write_vectors
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.schema import create

ASKED = 300
SHARES = (0.1, 0.01)
EFFORTS = (64, 128, 256, 512)
ROWS = 5000
COLLECTION = "bench"


def fill(milvus: Milvus, vectors: np.ndarray, prices: np.ndarray) -> dict:
    """Write all vectors, and wait until the index is over all of them; return the seconds."""
    create(milvus, vectors.shape[1])
    start = time.perf_counter()
    for at in range(0, len(vectors), ROWS):
        rows = [
            {
                "picture": at + n,
                "vector": vector,
                **dict.fromkeys(("listing", "label", "title", "name", "url", "place"), 0),
                **dict.fromkeys(("content", "region", "category", "currency", "document"), ""),
                "price": float(prices[at + n]),
                "said": {},
            }
            for n, vector in enumerate(vectors[at : at + ROWS].astype(np.float32))
        ]
        milvus.insert(COLLECTION, rows, timeout=120)
    written = time.perf_counter() - start
    milvus.flush(COLLECTION, timeout=600)
    while True:
        said = milvus.describe_index(COLLECTION, "vector")
        left = int(said.get("pending_index_rows", 0))
        if not left and int(said.get("indexed_rows", 0)) >= len(vectors):
            break
        time.sleep(1)
    built = time.perf_counter() - start
    milvus.release_collection(COLLECTION, timeout=120)
    milvus.load_collection(COLLECTION, timeout=600)
    return {"write_s": written, "indexed_s": built}


def ask(milvus: Milvus, asked: np.ndarray, true: np.ndarray, effort: int, **options: str) -> dict:
    """Ask one question at a time."""
    found, times = [], []
    for n, vector in enumerate(np.concatenate([asked[:20], asked])):
        start = time.perf_counter()
        (hits,) = milvus.search(
            COLLECTION,
            data=[vector.tolist()],
            limit=10,
            search_params={"metric_type": "IP", "params": {"ef": effort}},
            **options,
        )
        if n >= 20:
            times.append(time.perf_counter() - start)
            found.append(np.array([hit["id"] for hit in hits]))
    return {
        "recall": recall(found, true),
        "median_ms": 1000 * float(np.median(times)),
        "p99_ms": 1000 * float(np.quantile(times, 0.99)),
    }


def measure(address: str, real: np.ndarray, count: int, work: Path) -> dict:
    """Build both and ask both."""
    dims = real.shape[1]
    write_vectors(work / "vectors.f16", real, count)
    vectors = mapped(work / "vectors.f16", dims)
    asked = questions(real)[:ASKED]
    prices = np.random.default_rng(5).random(count)
    truths = {"all": exact(vectors, asked)}
    masks = {str(share): prices < share for share in SHARES}
    truths |= {name: exact(vectors, asked, mask) for name, mask in masks.items()}
    found: dict = {
        "count": count,
        "dims": dims,
        "faiss": {"build": build(work, dims)},
        "milvus": {},
    }
    milvus = Milvus(Address.parse(address), timeout=60)
    found["milvus"]["build"] = fill(milvus, vectors, prices)
    engine = Process("Lookalike", work, dims)
    engine.tell("open", work, dims)
    found["faiss"]["all"] = searched(engine, asked, truths["all"])
    for name, mask in masks.items():
        engine.tell("allow", mask, name)
        found["faiss"][name] = searched(engine, asked, truths[name])
    engine.end()
    for effort in EFFORTS:
        said = ask(milvus, asked, truths["all"], effort, consistency_level="Eventually")
        found["milvus"][f"ef {effort}"] = said
    for name in masks:
        found["milvus"][name] = ask(
            milvus,
            asked,
            truths[name],
            256,
            filter=f"price > -1e308 and price < {name}",
            consistency_level="Eventually",
        )
    few = asked[:50]
    found["milvus"]["strong"] = ask(
        milvus, few, truths["all"][:50], 256, consistency_level="Strong"
    )
    milvus.close()
    return found


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=128, help="Of the vectors, the first ones.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--address", help="Of a server that runs already, with a collection bench.")
    given = parser.parse_args()
    real = real_vectors(given.real)[:, : given.dims]
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        if given.address:
            found = measure(given.address, real, given.count, Path(folder))
        else:
            from milvus import MilvusServer

            server = MilvusServer()
            server.set_base_dir(f"{folder}/milvus")
            server.start()
            try:
                address = f"milvus://127.0.0.1:{server.listen_port}/{COLLECTION}"
                found = measure(address, real, given.count, Path(folder))
            finally:
                server.server_proc.kill()
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"milvus-{given.count}.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
