"""How an index of a million vectors builds, answers, filters and remembers; peers beside it.

    python -m benchmarks.scale --real INDEX --count 1000000 [--ten-million] [--peers] --out FOLDER

INDEX is an index of real pictures, whose vectors the hard ones are drawn around. Features of a
width of 768 are written of which the first columns are the vector, so that an identity projection
keeps it. --ten-million adds ten times as many (vectors only) and fits the growth. --peers builds
hnswlib, usearch and LanceDB on the same vectors (pip install hnswlib usearch lancedb pyarrow; half
an hour) and asks them in turns. Writes FOLDER/scale.md and FOLDER/scale.json; --work holds 2 to
10 GB meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import scale_report
from benchmarks.scale_engines import ENGINES, Process
from benchmarks.scale_vectors import (
    SHARES,
    WIDTH,
    exact,
    mapped,
    masks,
    questions,
    real_vectors,
    recall,
    write_vectors,
)
from indexer.faiss_index import write_faiss
from indexer.projection import Projection
from indexer.recipe import Recipe

ROUNDS = 3
DELETED = 0.1


def identity(dims: int) -> Projection:
    """Return a projection that keeps the first columns of the features as they are."""
    recipe = Recipe(name="identity", power=1, unit_features=False, dims=dims, whitening=0)
    zeros, ones = np.zeros(WIDTH, np.float32), np.ones(dims, np.float32)
    return Projection(recipe, zeros, np.eye(dims, WIDTH, dtype=np.float32), ones, ones, 1, zeros)


def project(features: Path, folder: Path, dims: int) -> float:
    """Turn stored features into vectors, and return the seconds."""
    start = time.perf_counter()
    projection, rows = identity(dims), mapped(features, WIDTH)
    with (folder / "vectors.f16").open("wb") as file:
        for at in range(0, len(rows), 8192):
            projection.transform(rows[at : at + 8192]).astype(np.float16).tofile(file)
    return time.perf_counter() - start


def build(folder: Path, dims: int, memory: int | None = None) -> dict:
    """Build the FAISS index of the vectors of a folder, and say how long it took."""
    start = time.perf_counter()
    said = write_faiss(folder / "index.faiss", mapped(folder / "vectors.f16", dims), memory)
    seconds = time.perf_counter() - start
    (folder / "said.json").write_text(json.dumps(said))
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    kept = ("index.faiss", "codes.u8", "fresh.faiss", "vectors.f16")
    return {**said, "seconds": seconds, "bytes": {name: files.get(name, 0) for name in kept}}


def start_to_answer(folder: Path, dims: int, times: int = 3) -> dict:
    """Start a process, have it open the index and answer; return the median run."""
    command = [sys.executable, "-m", "benchmarks.scale_start", str(folder), str(dims)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(times)
    ]
    return sorted(runs, key=lambda run: run["answered"])[times // 2]


def figures(answers: list, true: np.ndarray) -> dict:
    """Return what rounds of answers to the same questions come to; the failure, where one did."""
    if isinstance(answers[0], str):
        return {"failed": answers[0]}
    times = np.concatenate([times for _, times in answers]) * 1000
    return {
        "recall": recall(answers[-1][0], true),
        "median_ms": float(np.median(times)),
        "p99_ms": float(np.quantile(times, 0.99)),
    }


def searched(engine: Process, asked: np.ndarray, true: np.ndarray, effort: int = 0) -> dict:
    """Ask one engine some rounds of the same questions."""
    engine.tell("search", asked[:20], effort)
    return figures([engine.tell("search", asked, effort) for _ in range(ROUNDS)], true)


def filtered(engine: Process, asked: np.ndarray, selections: dict, truths: dict) -> dict:
    """Ask within selections, in turns with questions without one."""
    found = {}
    for name, mask in selections.items():
        plain, within, first = [], [], None
        for _ in range(ROUNDS):
            engine.tell("allow", None, None)
            plain.append(engine.tell("search", asked, 0))
            engine.tell("allow", mask, name)
            first = first or float(engine.tell("search", asked[:1], 0)[1][0]) * 1000
            within.append(engine.tell("search", asked, 0))
        usual = figures(plain, truths["all"])["median_ms"]
        one = figures(within, truths[name])
        found[name] = {**one, "ratio": one["median_ms"] / usual, "first_ms": first}
    engine.tell("allow", None, None)
    return found


def tuned(engine: Process, asked: np.ndarray, true: np.ndarray, goal: float) -> int:
    """Return the least effort with which an engine reaches a recall; its greatest where none."""
    ladder = ENGINES[engine.name].ladder
    for effort in ladder:
        answer = engine.tell("search", asked[:200], effort)
        if isinstance(answer, str) or recall(answer[0], true[:200]) >= goal:
            return effort
    return ladder[-1]


def side_by_side(
    folder: Path, peers: list[str], asked: np.ndarray, selections: dict, truths: dict
) -> dict:
    """Build the peers and ask all engines in turns: all vectors, filters, and after deletes."""
    chosen = {f"s{n}": selections[f"random {share:g}"] for n, share in enumerate(SHARES)}
    np.savez(folder / "random.npz", **chosen)
    engines, found, dims = [], {}, asked.shape[1]
    for name in ("Lookalike", *peers):
        builder = Process(name, folder, dims)
        seconds = builder.tell("build", folder, dims)
        builder.end()
        print(
            f"{name}: built in {seconds if isinstance(seconds, str) else round(seconds)}",
            flush=True,
        )
        engine = Process(name, folder, dims)
        opened = engine.tell("open", folder, dims)
        found[name] = {"build_s": seconds, "open_s": opened}
        if not isinstance(opened, str):
            engines.append(engine)
    goal = recall(engines[0].tell("search", asked, 0)[0], truths["all"]) - 0.002
    efforts = {engine.name: tuned(engine, asked, truths["all"], goal) for engine in engines}

    def turns(what: str, true: np.ndarray, few: np.ndarray) -> None:
        rounds = {engine.name: [] for engine in engines}
        for _ in range(ROUNDS):
            for engine in engines:
                rounds[engine.name].append(engine.tell("search", few, efforts[engine.name]))
        for name, answers in rounds.items():
            found[name][what] = figures(answers, true[: len(few)])

    turns("all", truths["all"], asked)
    for engine in engines:
        found[engine.name].update(effort=efforts[engine.name], resident=engine.tell("resident"))
    for share in SHARES:
        name = f"random {share:g}"
        for engine in engines:
            engine.tell("allow", selections[name], name)
        turns(name, truths[name], asked[:100])
    for engine in engines:
        engine.tell("allow", None, None)
        found[engine.name]["delete_s"] = engine.tell("delete", truths["dead"], truths["count"])
    turns("after deletes", truths["living"], asked)
    for engine in engines:
        engine.end()
    return found


def measure(folder: Path, real: np.ndarray, asked: np.ndarray, peers: list[str]) -> dict:
    """Measure an index that is built: its start, its memory, searches, filters, deletes, peers."""
    dims = real.shape[1]
    vectors = mapped(folder / "vectors.f16", dims)
    count = len(vectors)
    selections = masks(vectors, real)
    truths = {"all": exact(vectors, asked)}
    for name, mask in selections.items():
        truths[name] = exact(vectors, asked, mask)
    dead = np.sort(np.random.default_rng(4).choice(count, int(DELETED * count), replace=False))
    living = np.ones(count, np.bool_)
    living[dead] = False
    truths.update(dead=dead, count=count, living=exact(vectors, asked, living))
    np.save(folder / "questions.npy", asked)
    found = {"count": count, "start": start_to_answer(folder, dims)}
    engine = Process("Lookalike", folder, dims)
    engine.tell("open", folder, dims)
    found["search"] = searched(engine, asked, truths["all"])
    found["resident"] = engine.tell("resident")
    found["filters"] = filtered(engine, asked, selections, truths)
    found["resident_after_filters"] = engine.tell("resident")
    engine.tell("delete", dead, count)
    found["deleted"] = searched(engine, asked, truths["living"])
    engine.end()
    if peers:
        found["peers"] = side_by_side(folder, peers, asked, selections, truths)
    return found


def growth(small: dict, large: dict) -> dict:
    """Return the exponents of what grows with the number of vectors."""
    factor = math.log(large["count"] / small["count"])

    def exponent(*keys: str) -> float:
        one, other = small, large
        for key in keys:
            one, other = one[key], other[key]
        return math.log(other / one) / factor

    return {
        "build": exponent("build", "seconds"),
        "memory": exponent("resident", "anonymous"),
        "median": exponent("search", "median_ms"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--ten-million", action="store_true")
    peers = [name for name in ENGINES if name != "Lookalike"]
    parser.add_argument("--peers", nargs="*", choices=peers, help="all where none is named")
    parser.add_argument("--work", type=Path, default=Path("data/scale"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--keep", action="store_true", help="leave the vectors and indexes in --work"
    )
    options = parser.parse_args()
    peers = peers if options.peers == [] else options.peers or []
    options.out.mkdir(parents=True, exist_ok=True)
    options.work.mkdir(parents=True, exist_ok=True)
    real = real_vectors(options.real)
    dims, asked = real.shape[1], questions(real)
    results: dict = {"dims": dims, "sizes": [], "cores": os.cpu_count()}
    for count in (options.count, 10 * options.count)[: 1 + options.ten_million]:
        folder = options.work / str(count)
        folder.mkdir(exist_ok=True)
        print(f"{count:,} vectors", flush=True)
        projected = None
        if count == options.count:
            write_vectors(folder / "features.f16", real, count, WIDTH)
            projected = project(folder / "features.f16", folder, dims)
            (folder / "features.f16").unlink()
        else:
            write_vectors(folder / "vectors.f16", real, count)
        built = build(folder, dims)
        print(json.dumps(built), flush=True)
        found = measure(folder, real, asked, peers if count == options.count else [])
        results["sizes"].append({**found, "build": {**built, "projected": projected}})
        if len(results["sizes"]) == 2:
            results["growth"] = growth(*results["sizes"])
        (options.out / "scale.json").write_text(json.dumps(results, indent=1))
        (options.out / "scale.md").write_text(scale_report.markdown(results))
        if not options.keep:
            shutil.rmtree(folder)
    print((options.out / "scale.md").read_text())


if __name__ == "__main__":
    main()
