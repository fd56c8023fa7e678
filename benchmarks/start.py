"""How long it takes to start, and what a server holds: `python -m benchmarks.start --index DIR`.

Starts each command --rounds times, in turns, and gives the median and the least: the least is what
a machine that does nothing else would show. Bounds (DESIGN, issue 6): `lookalike --help` 0.4 s,
`lookalike search` by id 0.7 s, a server ready in 1.5 s and under 300 MB on 3,000 clothes.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.machine import machine

BOUNDS = {"help_s": 0.4, "search_s": 0.7, "ready_s": 1.5, "rss_mb": 300, "own_mb": 300}


def run(*arguments: str) -> float:
    """Run the command line and return the seconds it took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lookalike", *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def memory(pid: int | str) -> dict[str, float]:
    """Return what a process holds, in MB: all of it, and what is its own and no mapped file's."""
    said = Path(f"/proc/{pid}/status").read_text()

    def of(name: str) -> float:
        return round(int(re.findall(rf"{name}:\s+(\d+)", said)[0]) / 1024, 1)

    return {"rss_mb": of("VmRSS"), "own_mb": of("RssAnon")}


def serve(index: Path, runtime: str, photo: Path | None) -> dict[str, float]:
    """Start a server; return the seconds until /ready says yes, and its memory then and later."""
    environment = {**os.environ, "LOOKALIKE_INDEX": str(index), "LOOKALIKE_RUNTIME": runtime}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        said = ""
        for said in process.stderr:
            if found := re.search(r"http://[\w.]+:\d+", said):
                break
        else:
            raise SystemExit(f"The server did not start: {said}")
        while not _ready(found.group()):
            time.sleep(0.005)
        answer = {"ready_s": time.perf_counter() - started, **memory(process.pid)}
        if photo is not None:
            for _ in range(5):
                _ask(found.group(), photo)
            answer |= {f"asked_{name}": held for name, held in memory(process.pid).items()}
        return answer
    finally:
        process.terminate()
        process.wait()


def _ready(server: str) -> bool:
    try:
        with urllib.request.urlopen(f"{server}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _ask(server: str, photo: Path) -> None:
    edge = "bench"
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + photo.read_bytes()
    request = urllib.request.Request(
        f"{server}/api/v1/search",
        body + f"\r\n--{edge}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def measure(
    index: Path, rounds: int, runtimes: list[str], photo: Path | None = None
) -> dict[str, object]:
    """Start everything in turns.

    Returns
    -------
    dict
        By what was started (help_s, search_s) and by runtime: median and least of each figure.
    """
    with sqlite3.connect(index / "catalog.db") as database:
        (listing,) = database.execute("SELECT id FROM listings LIMIT 1").fetchone()
    times: dict[str, list[float]] = {"help_s": [], "search_s": []}
    servers: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
    for turn in range(rounds + 1):
        helped = run("--help")
        searched = run("search", "--index", str(index), "--id", listing, "--json")
        served = {runtime: serve(index, runtime, photo) for runtime in runtimes}
        if turn:  # the first reads everything from the disk
            times["help_s"].append(helped)
            times["search_s"].append(searched)
            for runtime, figures in served.items():
                servers[runtime].append(figures)
    said: dict[str, object] = {name: _of(values) for name, values in times.items()}
    for runtime, figures in servers.items():
        said[f"serve, {runtime}"] = {
            name: _of([one[name] for one in figures]) for name in figures[0]
        }
    return said


def _of(values: list[float]) -> dict[str, float]:
    return {"median": round(median(values), 3), "least": round(min(values), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--photo", type=Path, help="Ask with it five times, then look again.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runtime", nargs="+", default=["litert"])
    asked = parser.parse_args()
    said = measure(asked.index, asked.rounds, asked.runtime, asked.photo)
    print(json.dumps({"machine": machine(), "bounds": BOUNDS, **said}, indent=2))


if __name__ == "__main__":
    main()
