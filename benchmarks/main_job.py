"""The main job against the plain recipe, in one run, interleaved, on the same weights.

    python -m benchmarks.main_job CATALOG.csv QUERIES.csv [--rounds 3] [--pictures 96]
                                  [--runtime litert openvino]

Both CSVs have columns image and category. Measures, in turns:
- pictures a second, from files on disk to a published index (the plain recipe: load and embed);
- seconds from one photo to the answer (here: over HTTP from a real server, as JSON);
- with --quality, P@10 and mAP by category of the default and the seed recipe (embeds everything).
The plain recipe and each runtime take turns on the same pictures.
Prints one JSON line, with the machine's processor.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import re
import secrets
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import numpy as np

from indexer.build import feature_file
from indexer.catalog import Catalog
from indexer.embedder import embedder_class
from indexer.model import MODEL_FILE
from indexer.pictures import prepare
from indexer.projection import Projection
from indexer.recipe import RECIPES
from indexer.runtimes import RUNTIMES
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from indexer.weights import find_weights


def rows(path: Path) -> list[tuple[Path, str]]:
    with path.open(newline="") as file:
        return [(path.parent / row["image"], row["category"]) for row in csv.DictReader(file)]


def write_catalogue(path: Path, pictures: list[tuple[Path, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "category"])
        writer.writerows([f"l{n}", str(p.resolve()), c] for n, (p, c) in enumerate(pictures))
    return path


def index(folder: Path, pictures: list[tuple[Path, str]], runtime: str) -> float:
    """Index pictures into a new folder; return the seconds it took."""
    catalogue = write_catalogue(folder.with_suffix(".csv"), pictures)
    started = time.perf_counter()
    index_catalogue(folder, open_source(catalogue), IndexOptions(weights="auto", runtime=runtime))
    return time.perf_counter() - started


class Server:
    """The real server, in a process of its own."""

    def __init__(self, folder: Path, runtime: str) -> None:
        options = ["--runtime", runtime, "--index", str(folder), "--port", "0"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lookalike", "serve", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"http://(\S+):(\d+)", line):
                self.connection = HTTPConnection(found[1], int(found[2]), timeout=60)
                return
        raise SystemExit("The server did not start.")

    def query(self, path: Path) -> None:
        boundary = secrets.token_hex(16)  # another one each time, as browsers have it
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode()
        body += path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        self.connection.request("POST", "/api/v1/search", body, kind)
        answer = self.connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"The server answered {answer.status}: {answer.read()!r}")
        json.loads(answer.read())

    def stop(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.wait()


def quality(
    folder: Path,
    catalogue: list[tuple[Path, str]],
    queries: list[tuple[Path, str]],
    runtime: str,
) -> dict:
    index(folder, catalogue, runtime)
    with Catalog(folder) as catalog:
        features = feature_file(folder, catalog).open(int(catalog.meta("rows") or 0))
        order = [
            row[0]
            for row in catalog.db.execute(
                "SELECT p.embedding FROM pictures p JOIN listings l ON l.number = p.listing"
                " ORDER BY l.number"
            )
        ]
    embedder = embedder_class(runtime, folder).for_photos(folder / MODEL_FILE)
    asked = np.stack([embedder.embed(prepare(p.read_bytes()).pixels) for p, _ in queries])
    have, want = np.array([c for _, c in catalogue]), np.array([c for _, c in queries])
    said = {}
    for name, recipe in RECIPES.items():
        fitted = Projection.fit(recipe, features[order])
        similarity = fitted.transform(asked) @ fitted.transform(features[order]).T
        match = have[np.argsort(-similarity, axis=1)] == want[:, None]
        precision = np.cumsum(match, 1) / np.arange(1, match.shape[1] + 1)
        said[name] = {
            "p_at_1": round(float(match[:, 0].mean()), 4),
            "p_at_10": round(float(match[:, :10].mean()), 4),
            "map": round(float(((precision * match).sum(1) / match.sum(1)).mean()), 4),
        }
    return said


def main() -> None:
    from benchmarks.seed import Seed  # imports TensorFlow

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--runtime", nargs="+", choices=RUNTIMES, default=["auto"])
    parser.add_argument("--quality", action="store_true")
    asked = parser.parse_args()
    catalogue, queries = rows(asked.catalog), rows(asked.queries)
    seed = Seed(find_weights("auto"))
    seed.embed([catalogue[0][0]])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rates: dict[str, list[float]] = {name: [] for name in ("seed", *asked.runtime)}
        times: dict[str, list[float]] = {name: [] for name in ("seed", *asked.runtime)}
        for runtime in asked.runtime:
            index(folder / f"warm-{runtime}", catalogue[:32], runtime)
        for turn in range(asked.rounds):
            part = catalogue[turn * asked.pictures :][: asked.pictures]
            started = time.perf_counter()
            features = seed.embed([p for p, _ in part])
            rates["seed"].append(len(part) / (time.perf_counter() - started))
            seed.fit(features)
            for runtime in asked.runtime:
                took = index(folder / f"{runtime}{turn}", part, runtime)
                rates[runtime].append(len(part) / took)
        servers = {name: Server(folder / f"{name}0", name) for name in asked.runtime}
        queried = {"seed": seed.query, **{name: one.query for name, one in servers.items()}}
        for turn in range(asked.rounds):
            photos = [photo for photo, _ in queries[20 * turn :][:20]]
            for name, query in queried.items():
                query(photos[0])  # while the threads of the one before still spin
                for photo in photos:
                    started = time.perf_counter()
                    query(photo)
                    times[name].append(time.perf_counter() - started)
        for server in servers.values():
            server.stop()
        report = {
            "processor": processor(),
            "pictures_per_s": {name: round(median(r), 2) for name, r in rates.items()},
            "indexing_ratio": ratios(rates, 2),
            "query_s": {name: round(median(t), 4) for name, t in times.items()},
            "query_ratio": ratios(times, 3),
        }
        if asked.quality:
            report["quality"] = {
                runtime: quality(folder / f"whole-{runtime}", catalogue, queries, runtime)
                for runtime in asked.runtime
            }
    print(json.dumps(report))


def ratios(measured: dict[str, list[float]], digits: int) -> dict[str, float]:
    """Return the median of each runtime's ratios to the plain recipe, turn by turn."""
    seed = measured["seed"]
    return {
        name: round(median(a / b for a, b in zip(values, seed, strict=True)), digits)
        for name, values in measured.items()
        if name != "seed"
    }


def processor() -> str:
    """Return the processor's name and the vector instructions that decide its speed here."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    name = re.search(r"model name\s*:\s*(.+)", text)
    found = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if f" {flag}" in text]
    return f"{name[1] if name else '?'}, {' '.join(found)}"


if __name__ == "__main__":
    main()
