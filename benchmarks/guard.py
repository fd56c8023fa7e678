"""Has anything become dearer? `make bench-check`, or `python -m benchmarks.guard [--renew]`.

Nothing is compared with a time that was measured on another day or another machine:

- ratios are of the processor's time, of our work to the bare library's on the same input, in turns
  in the same run;
- instructions are counted by valgrind, where it is installed, of one more piece of work of a kind
  (`benchmarks.pieces`), and of the whole of `lookalike --help`.

What each may be at most is kept in benchmarks/bounds.json, with what was measured when it was
written. What is over is measured again before it counts. --renew writes the file anew: after a
change that is worth its price, or with other versions of Pillow, NumPy or FAISS. Ends with 1 where
something is over its bound. Two to four minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest import mock

import numpy as np

from benchmarks.growth import Redrawn, write_catalogue
from benchmarks.machine import ROOT, machine, versions
from benchmarks.pieces import photo
from benchmarks.stages import bare

BOUNDS = ROOT / "benchmarks" / "bounds.json"
ROOM = {"ratios": 1.2, "instructions": 1.08}
"""What a renewed bound lets be more than what was measured."""

LISTINGS = 300

Check = Callable[[Path], float]


def drawn_index(folder: Path) -> Path:
    """Make a small index of drawn features, which needs no network to run."""
    from indexer.sources import open_source
    from indexer.sync import IndexOptions, index_catalogue

    table = write_catalogue(folder, LISTINGS)
    lines = table.read_text().splitlines(keepends=True)
    (folder / "hundred.csv").write_text("".join(lines[:101]))
    real = np.random.default_rng(0).gamma(0.5, 1, (64, 768)).astype(np.float32)
    with mock.patch("indexer.embedding.embedder_class", lambda *_: Redrawn(real)):
        options = IndexOptions(weights="auto", runtime="litert")
        index_catalogue(folder / "index", open_source(table), options)
    return folder / "index"


def ratio(ours: Callable[[], object], theirs: Callable[[], object], turns: int = 60) -> float:
    """Return the median, over turns, of the processor's time of ours to theirs."""
    found = []
    for _ in range(turns):
        times = []
        for work in (ours, theirs):
            started = time.thread_time()
            work()
            times.append(time.thread_time() - started)
        found.append(times[0] / times[1])
    return median(found[turns // 10 :])


def decode_to_pillow(index: Path) -> float:
    """Decoding against Pillow's own, at the size of a shop's picture."""
    from benchmarks.stages import scale_of
    from indexer.decoder import LIMITS, decode

    data = photo()
    return ratio(lambda: decode(data, LIMITS, scale_of()), lambda: bare(data))


def large_decode_to_pillow(index: Path) -> float:
    """The same of 12 megapixels, against Pillow's whole decoding: what reducing saves."""
    from benchmarks.stages import scale_of, sized
    from indexer.decoder import LIMITS, decode

    data = sized(photo(), (3000, 4000))
    return ratio(
        lambda: decode(data, LIMITS, scale_of()), lambda: bare(data, lambda *_: 1), turns=8
    )


def load_to_pillow(index: Path) -> float:
    """Loading with a thumbnail against Pillow's decoding, two resizings and encoding."""
    import io

    from PIL import Image

    from indexer.pictures import THUMBNAIL_QUALITY, prepare

    data = photo()

    def plain() -> None:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        np.asarray(image.resize((299, 299), Image.Resampling.BILINEAR))
        small = image.resize((300, 400), Image.Resampling.HAMMING)
        small.save(io.BytesIO(), "JPEG", quality=THUMBNAIL_QUALITY)

    return ratio(lambda: prepare(data, thumbnail=True), plain)


def nearest_to_faiss(index: Path) -> float:
    """Finding the nearest, compared exactly, against FAISS alone on eight times as many."""
    import faiss

    from indexer.snapshot import open_current
    from search.index import VectorIndex

    snapshot = open_current(index)
    ours, vectors = VectorIndex(snapshot), np.asarray(snapshot.vectors, np.float32)
    theirs = faiss.IndexFlatIP(vectors.shape[1])
    theirs.add(np.repeat(vectors, 8, axis=0))
    return ratio(
        lambda: [ours.nearest(vectors[n : n + 1], 10) for n in range(8)],
        lambda: [theirs.search(vectors[n : n + 1], 10) for n in range(8)],
    )


RATIOS: dict[str, Check] = {
    "decode / Pillow": decode_to_pillow,
    "decode 12 megapixels / Pillow, whole": large_decode_to_pillow,
    "load with thumbnail / Pillow": load_to_pillow,
    "nearest / FAISS on eight times as many": nearest_to_faiss,
}

PIECES = {"load": (2, 6), "search": (10, 30), "read": (1, 6)}
"""How often each piece runs, fewer and more times."""


def instructions(*arguments: str) -> int:
    """Count the instructions of a run of Python."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    counted = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*counted, sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"valgrind could not count {arguments[0]}:\n{done.stderr[-2000:]}")
    return int(found[1])


def count(name: str, index: Path) -> float:
    """Return the millions of instructions of one more piece of work."""
    if name == "lookalike --help":
        return instructions("lookalike", "--help") / 1e6
    few, more = PIECES[name]
    runs = [instructions("benchmarks.pieces", name, str(n), str(index)) for n in (few, more)]
    return (runs[1] - runs[0]) / (more - few) / 1e6


COUNTS = ("lookalike --help", *PIECES)


def measure(kind: str, name: str, index: Path) -> float:
    """Measure one thing."""
    return RATIOS[name](index) if kind == "ratios" else count(name, index)


def over(kind: str, name: str, index: Path, most: float) -> tuple[float, bool]:
    """Measure, and again where it is too much: what is dearer is so twice."""
    measured = measure(kind, name, index)
    if measured > most:
        measured = min(measured, measure(kind, name, index))
    return measured, measured > most


def kinds() -> dict[str, tuple[str, ...]]:
    """Return what can be measured here, by kind."""
    found = {"ratios": tuple(RATIOS)}
    if shutil.which("valgrind"):
        return {**found, "instructions": COUNTS}
    print("Instructions are not counted: valgrind is not installed.", file=sys.stderr)
    return found


def check(index: Path) -> int:
    """Compare everything with its bound, and return how many are over."""
    kept, failed = json.loads(BOUNDS.read_text()), 0
    print("| | measured | when renewed | at most | |\n|---|---|---|---|---|")
    for kind, names in kinds().items():
        for name in names:
            bound = kept[kind][name]
            measured, dearer = over(kind, name, index, bound["most"])
            failed += dearer
            print(
                f"| {name} ({kind}) | {measured:.4g} | {bound['measured']} | {bound['most']}"
                f" | {'DEARER' if dearer else 'kept'} |",
                flush=True,
            )
    if failed:
        changed = [f"{n} {v}" for n, v in versions().items() if kept["versions"].get(n) not in (v,)]
        print(
            f"{failed} over the bound. Mend it, or accept it with: python -m benchmarks.guard"
            f" --renew (other versions than then: {', '.join(changed) or 'none'})",
            file=sys.stderr,
        )
    return failed


def renew(index: Path) -> None:
    """Measure everything and write what it may be at most."""
    said: dict = json.loads(BOUNDS.read_text()) if BOUNDS.exists() else {}
    said |= {"machine": machine()["processor"], "versions": versions()}
    for kind, names in kinds().items():
        said[kind] = {}
        for name in names:
            # Instructions are nearly the same each time.
            turns = 2 if kind == "ratios" else 1
            measured = max(measure(kind, name, index) for _ in range(turns))
            said[kind][name] = {
                "measured": float(f"{measured:.4g}"),
                "most": float(f"{measured * ROOM[kind]:.4g}"),
            }
            print(name, said[kind][name], flush=True)
    BOUNDS.write_text(json.dumps(said, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--renew", action="store_true", help="Write the bounds anew.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        index = drawn_index(Path(scratch))
        if asked.renew:
            renew(index)
        else:
            sys.exit(1 if check(index) else 0)


if __name__ == "__main__":
    main()
