"""Several processes on one index: each sees at once what another was told."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx

from tests.web.living import STILL, in_base64, serving


def ids(address: str, photo: bytes) -> list[str]:
    # A connection of its own: any of the workers may answer.
    answer = httpx.post(
        f"{address}/api/v1/search", json={"image_base64": in_base64(photo), "k": 50}, timeout=STILL
    )
    assert answer.status_code == 200, answer.text
    return [hit["listing"]["id"] for hit in answer.json()["hits"]]


def write_and_look(one: str, other: str, photo: bytes) -> None:
    for turn in range(8):
        url = f"{one}/api/v1/listings/w{turn}"
        put = httpx.put(url, json={"image_base64": in_base64(photo)}, timeout=STILL)
        assert put.status_code == 201, put.text
        assert f"w{turn}" in ids(other, photo)
        assert httpx.delete(url, timeout=STILL).status_code == 200
        assert f"w{turn}" not in ids(other, photo)
        one, other = other, one


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in found.split()]


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_two_servers_on_one_index(indexed: Path, tmp_path: Path, draw: Any) -> None:
    photo = draw(tmp_path / "new.png", 99).read_bytes()
    with (
        serving(indexed, tmp_path) as (_, one, line),
        serving(indexed, tmp_path) as (_, other, _),
    ):
        assert "12 listings" in line
        assert "Writing: programs on this machine." in line
        write_and_look(one, other, photo)


def test_workers(indexed: Path, tmp_path: Path, draw: Any) -> None:
    photo = draw(tmp_path / "new.png", 99).read_bytes()
    with serving(indexed, tmp_path, "--workers", "2") as (process, address, line):
        assert "with 2 workers" in line
        write_and_look(address, address, photo)
        said = httpx.get(f"{address}/metrics", timeout=STILL).text
        assert 'lookalike_writes_total{operation="put",outcome="created"} 8.0' in said
        assert "lookalike_listings 12.0" in said
        # One that dies is begun anew, and the others answer meanwhile.
        before = children(process.pid)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        last = time.monotonic() + STILL
        while len(set(children(process.pid)) - {before[0]}) < 2:
            assert time.monotonic() < last
            assert httpx.get(f"{address}/health", timeout=STILL).status_code == 200
            time.sleep(0.1)
        assert ids(address, photo)
        workers = children(process.pid)
    assert all(map(gone, workers))


def test_workers_end_with_the_one_that_sees_to_them(indexed: Path, tmp_path: Path) -> None:
    ends = -signal.SIGKILL
    with serving(indexed, tmp_path, "--workers", "2", ends=ends) as (process, address, _):
        assert httpx.get(f"{address}/health", timeout=STILL).status_code == 200
        workers = children(process.pid)
        process.kill()
        last = time.monotonic() + STILL
        while not all(map(gone, workers)):
            assert time.monotonic() < last
            time.sleep(0.05)
