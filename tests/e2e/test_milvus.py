"""The real network over a real Milvus: the command line and servers, as over a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.milvus.server import shared, wait_until

for package in ("pymilvus", "milvus"):
    pytest.importorskip(package, reason="Run `make test`: it installs a Milvus server, on Linux.")


@pytest.fixture(scope="module")
def index(demo, run, tmp_path_factory) -> tuple[str, dict]:
    """The demo's catalogue in Milvus, and what the command said."""
    work, address = tmp_path_factory.mktemp("milvus") / "work", shared().address("demo")
    shutil.copytree(demo.index, work)  # nothing needs to be embedded again
    done = run("index", demo.catalogue, "--index", address, "--work", work, "--json")
    assert done.returncode == 0, done.stderr
    return address, json.loads(done.stdout)["milvus"]


@contextmanager
def served(index: str, folder: Path) -> Iterator[str]:
    """Serve an index on a free port from an empty folder; give its URL."""
    folder.mkdir()
    with (folder / "server.log").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lookalike", "serve", "--port", "0", "--index", index],
            stderr=said,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    log = folder / "server.log"
    try:
        wait_until(lambda: process.poll() is not None or "http://127.0.0.1:" in log.read_text(), 90)
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert found, log.read_text()
        yield found.group()
        assert process.poll() is None, log.read_text()  # whatever happened, it was not restarted
    finally:
        process.terminate()
        process.wait(timeout=30)
        assert "Traceback" not in log.read_text(), log.read_text()


def test_index_search_and_remove(demo, run, index):
    address, said = index
    assert said["written"] == said["listings"] == said["expected"] > 0
    assert said["overlap"] == 1
    photo = sorted((demo.folder / "photos").rglob("*.jpg"))[0]
    answers = []
    for where in (demo.index, address):
        found = run("search", photo, "--index", where, "--json", "-k", "10")
        assert found.returncode == 0, found.stderr
        hits = json.loads(found.stdout)["hits"]
        answers.append([(hit["listing"]["id"], round(hit["score"], 3)) for hit in hits])
    assert answers[0] == answers[1]
    best = answers[0][0][0]
    assert run("remove", best, "--index", address).returncode == 0
    found = run("search", photo, "--index", address, "--json")
    assert best not in [hit["listing"]["id"] for hit in json.loads(found.stdout)["hits"]]
    status = run("status", "--index", address, "--json")
    assert json.loads(status.stdout)["listings"] == said["listings"] - 1


def ids(client: httpx.Client, photo: bytes, **asked: str) -> list[str]:
    answer = client.post("/api/v1/search", files={"image": photo}, data={"k": "20", **asked})
    assert answer.status_code == 200, answer.text
    return [hit["listing"]["id"] for hit in answer.json()["hits"]]


def write_all(clients: list[httpx.Client], photo: bytes) -> None:
    """Write in every way to one server or the other, and see it on the other."""
    one, other = clients
    path = "/api/v1/listings/written"
    put = one.put(path, files={"image": photo}, data={"price": "77", "brand": 'Ac"me'})
    assert put.status_code == 201, put.text
    assert ids(other, photo, filter="price:77")[0] == "written"
    assert other.patch(path, json={"price": 78, "attributes": {"brand": None}}).status_code == 200
    assert one.get(path).json()["price"] == 78
    assert "written" not in ids(one, photo, filter="brand:*")
    lines = [
        {"op": "patch", "id": "written", "price": 79},
        {"op": "patch", "id": "nobody", "price": 1},
        {"op": "delete", "id": "written"},
    ]
    batch = one.post(
        "/api/v1/listings:batch",
        content="\n".join(map(json.dumps, lines)),
        headers={"Content-Type": "application/x-ndjson"},
    )
    outcomes = [json.loads(line) for line in batch.text.splitlines()]
    assert [said.get("outcome", "failed") for said in outcomes] == ["patched", "failed", "removed"]
    assert other.get(path).status_code == 404
    assert other.delete(path).status_code == 404


def test_servers_lose_milvus_and_nothing_that_they_acknowledged(demo, index, tmp_path):
    address, _ = index
    photo = sorted((demo.folder / "photos").rglob("*.jpg"))[3].read_bytes()
    acknowledged: list[str] = []
    refused: list[httpx.Response] = []
    ended = threading.Event()

    with ExitStack() as stack:
        urls = [stack.enter_context(served(address, tmp_path / name)) for name in ("one", "two")]
        clients = [stack.enter_context(httpx.Client(base_url=url, timeout=60)) for url in urls]
        write_all(clients, photo)

        def write() -> None:
            with httpx.Client(base_url=urls[0], timeout=60) as client:
                for n in range(10_000):
                    if ended.is_set():
                        return
                    name = f"outage-{n}"
                    answer = client.put(f"/api/v1/listings/{name}", files={"image": photo})
                    if answer.status_code == 201:
                        acknowledged.append(name)
                    else:
                        refused.append(answer)
                        time.sleep(0.2)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            wait_until(lambda: len(acknowledged) >= 3)
            shared().stop()
            try:
                for client in clients:
                    wait_until(lambda client=client: client.get("/ready").status_code == 503, 15)
                    for path in ("/ready", "/api/v1/listings/outage-0"):
                        answer = client.get(path)
                        assert answer.status_code == 503
                        assert int(answer.headers["Retry-After"]) > 0
                        assert answer.json()["error"]["code"] == "store_unavailable"
                    assert client.get("/health").status_code == 200
                    assert client.get("/metrics").status_code == 200
                    assert client.get("/").status_code == 503
                wait_until(lambda: len(refused) >= 2)
            finally:
                shared().start()
            for client in clients:
                wait_until(lambda client=client: client.get("/ready").status_code == 200)
            before = len(acknowledged)
            wait_until(lambda: len(acknowledged) >= before + 2)
        finally:
            ended.set()
            writer.join()
        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        for name in acknowledged:
            assert clients[1].get(f"/api/v1/listings/{name}").status_code == 200, name
        found = ids(clients[1], photo, k="200")
        assert set(acknowledged) <= set(found)
