"""The real server under load, beside the network alone: photo searches and searches by listing.

    python -m benchmarks.serve INDEX PHOTO [--rounds 5] [--seconds 4] [--clients 1 4 16]
                               [--workers 1] [--out FILE]

INDEX is served on a free port by the real command, without rate limits and access log; clients
are threads of this process with a connection each, and ask again as soon as they are answered.
The network alone runs in a process of its own: one picture on all cores, and as many pictures as
it can. They take turns, round by round; printed are medians over the rounds, and of the rounds'
ratios. For a million listings, keep the index that benchmarks.scale_live makes, and name it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import numpy as np

from indexer.embedder import embedder_class
from indexer.model import MODEL_FILE
from indexer.pictures import prepare
from indexer.runtimes import runtime_of

BOUNDARY = "lookalike"
UNLIMITED = {
    "LOOKALIKE_RATE_SEARCH": "off",
    "LOOKALIKE_RATE_READ": "off",
    "LOOKALIKE_ACCESS_LOG": "off",
}


class Server:
    """The real server, in a process of its own."""

    def __init__(self, index: Path, workers: int = 1) -> None:
        command = [sys.executable, "-m", "lookalike", "serve", "--index", str(index), "--port", "0"]
        command += ["--workers", str(workers)]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, **UNLIMITED}
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                threading.Thread(target=self._process.stderr.read, daemon=True).start()
                return
        raise SystemExit("The server did not start.")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class Network:
    """The network alone, in a process of its own."""

    def __init__(self, index: Path, photo: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.serve", str(index), str(photo), "--network"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what: str, seconds: float) -> float:
        """Return seconds a picture ("one") or pictures a second ("many")."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, seconds, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate("")


def network_alone(index: Path, photo: Path) -> None:
    """Answer a `Network` over standard input and output."""
    pixels = prepare(photo.read_bytes()).pixels
    kind = embedder_class(runtime_of("auto", index), index)
    one = kind.for_photos(index / MODEL_FILE)
    many = kind.for_bulk(index / MODEL_FILE)
    for line in sys.stdin:
        what, seconds = line.split()
        until = time.perf_counter() + float(seconds)
        times: list[float] = []

        def work(embedder: Any, until: float = until, times: list[float] = times) -> None:
            while time.perf_counter() < until:
                began = time.perf_counter()
                embedder.embed(pixels)
                times.append(time.perf_counter() - began)

        began = time.perf_counter()
        if what == "one":
            work(one)
            print(median(times), flush=True)
            continue
        threads = [threading.Thread(target=work, args=(many,)) for _ in range(many.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(len(times) / (time.perf_counter() - began), flush=True)


def load(port: int, request: tuple, clients: int, seconds: float) -> dict[str, Any]:
    """Ask one thing over and over; return times, statuses and answers a second."""
    times: list[float] = []
    statuses: dict[int, int] = {}
    until = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < until:
            began = time.perf_counter()
            connection.request(*request)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                times.append(time.perf_counter() - began)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    return {"times": times, "statuses": statuses, "rate": len(times) / took}


def photo_request(photo: Path) -> tuple:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = head.encode() + photo.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return "POST", "/api/v1/search", body, kind


def listing_request(port: int, photo: Path) -> tuple:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(*photo_request(photo))
    said = json.loads(connection.getresponse().read())
    if "hits" not in said:
        raise SystemExit(f"The server did not answer: {said}")
    first = said["hits"][0]["listing"]["id"]
    return "GET", f"/api/v1/listings/{quote(first, safe='')}/similar"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, help="Write the figures as JSON, too.")
    parser.add_argument("--network", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.network:
        return network_alone(options.index, options.photo)
    alone: dict[str, list[float]] = {"one": [], "many": []}
    found: dict[tuple[str, int], list[dict]] = {}
    server = Server(options.index, options.workers)
    network = Network(options.index, options.photo)
    try:
        asked = {
            "photo": photo_request(options.photo),
            "listing": listing_request(server.port, options.photo),
        }
        network.ask("one", 1)
        for _ in range(options.rounds):
            for what, measured in alone.items():
                measured.append(network.ask(what, options.seconds / 2))
            for name, request in asked.items():
                for clients in options.clients:
                    said = load(server.port, request, clients, options.seconds)
                    found.setdefault((name, clients), []).append(said)
    finally:
        server.stop()
        network.stop()
    report(alone, found, options.out)


def report(alone: dict, found: dict, out: Path | None) -> None:
    one, many = median(alone["one"]), median(alone["many"])
    print(
        f"The network alone: {1000 * one:.1f} ms a picture on all cores,"
        f" {many:.1f} pictures a second.\n"
    )
    print("| search | clients | median | p99 | a second | beside the network | other statuses |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for (name, clients), rounds in found.items():
        times = 1000 * np.concatenate([one["times"] for one in rounds])
        rate = median(one["rate"] for one in rounds)
        beside = ""
        if name == "photo":
            slower = median(
                median(a["times"]) / b for a, b in zip(rounds, alone["one"], strict=True)
            )
            share = median(a["rate"] / b for a, b in zip(rounds, alone["many"], strict=True))
            beside = f"{slower:.2f} x" if clients == 1 else f"{100 * share:.0f} %"
        other: dict[int, int] = {}
        for one_round in rounds:
            for status, count in one_round["statuses"].items():
                if status != 200:
                    other[status] = other.get(status, 0) + count
        row = [name, clients, float(np.median(times)), float(np.quantile(times, 0.99)), rate]
        rows.append([*row, beside, other])
        print(
            f"| {name} | {clients} | {row[2]:.1f} ms | {row[3]:.1f} ms | {rate:.1f} | {beside} |"
            f" {other or ''} |"
        )
    if out is not None:
        out.write_text(json.dumps({"network": {"one_s": one, "many": many}, "rows": rows}))


if __name__ == "__main__":
    main()
