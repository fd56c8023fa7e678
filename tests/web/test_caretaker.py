"""Looking after an index: searches and writes over real HTTP, while snapshots come and go."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import indexer.changes
import web.serving.caretaker
from indexer.catalog import Catalog
from indexer.commands import compact as command
from indexer.compaction import compact
from indexer.lease import writer_lease
from indexer.manifest import current_name
from tests.web.conftest import FakeEngine
from tests.web.living import app_on, in_base64, served
from web.engine import EngineHolder
from web.monitoring.metrics import Metrics
from web.serving.caretaker import Caretaker


def until(told: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    last = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < last, "It did not come about."
        time.sleep(0.02)


@pytest.fixture
def care(indexed: Path) -> Iterator[Callable[..., tuple[Any, Caretaker]]]:
    """Make an application on a real index with a caretaker in a hurry."""
    made: list[Caretaker] = []

    def make(**options: Any) -> tuple[Any, Caretaker]:
        app, settings = app_on(indexed)
        holder = app.extensions["lookalike.engine"]
        hurry = {"look_seconds": 0.02, "due_seconds": 0.02, "first_wait": 0.05, **options}
        caretaker = Caretaker(holder, app.extensions["lookalike.metrics"], **hurry)
        made.append(caretaker)
        caretaker.start()
        return (app, settings), caretaker

    yield make
    for caretaker in made:
        caretaker.close()


def test_no_search_fails_or_is_stale_while_snapshots_are_swapped(
    care: Any, indexed: Path, draw: Any, tmp_path: Path
) -> None:
    (app, settings), _ = care(compacting=False)
    photos = [draw(tmp_path / f"{n}.png", 500 + n).read_bytes() for n in range(3)]
    wrong: list[Any] = []
    ended = threading.Event()
    counts = {"searches": 0, "writes": 0}

    def search(address: str) -> None:
        with httpx.Client(base_url=address, timeout=60) as http:
            while not ended.is_set():
                answer = http.get("/api/v1/listings/hats:01.jpg/similar")
                counts["searches"] += 1
                if answer.status_code != 200 or not answer.json()["hits"]:
                    wrong.append(answer.text)

    def write(address: str, n: int) -> None:
        """Put, find, take away, and not find any more; again and again."""
        body = {"image_base64": in_base64(photos[n])}
        asked = {**body, "k": 50}
        with httpx.Client(base_url=address, timeout=60) as http:

            def there(name: str) -> bool:
                hits = http.post("/api/v1/search", json=asked).json()["hits"]
                return name in [hit["listing"]["id"] for hit in hits]

            for turn in itertools.count():
                if ended.is_set():
                    return
                url = f"/api/v1/listings/w{n}-{turn}"
                if http.put(url, json=body).status_code != 201:
                    wrong.append(("put", url))
                if not there(f"w{n}-{turn}"):
                    wrong.append(("stale put", url))
                if http.delete(url).status_code != 200:
                    wrong.append(("delete", url))
                if there(f"w{n}-{turn}"):
                    wrong.append(("stale delete", url))
                counts["writes"] += 2

    with served(app, settings, threads=6) as address:
        threads = [threading.Thread(target=search, args=(address,)) for _ in range(2)]
        threads += [threading.Thread(target=write, args=(address, n)) for n in range(3)]
        for thread in threads:
            thread.start()
        names = []
        for _ in range(5):
            done = compact(indexed)
            names.append(done.snapshot)
            until(lambda: httpx.get(f"{address}/api/v1/status").json()["snapshot"] == names[-1])
        ended.set()
        for thread in threads:
            thread.join()
        said = httpx.get(f"{address}/metrics").text
    assert wrong == []
    assert counts["searches"] > 20
    assert counts["writes"] > 20
    assert "lookalike_snapshots_taken_up_total" in said
    assert 'route="/api/v1/listings/<listing_id>",status="2xx"' in said


def test_a_new_snapshot_is_built_once_enough_has_changed(
    care: Any, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[Any] = []
    real = web.serving.caretaker.start_compaction

    def begin(path: Path) -> Any:
        began.append(real(path))
        return began[-1]

    monkeypatch.setattr(web.serving.caretaker, "start_compaction", begin)
    (app, _), _ = care()
    client = app.test_client()
    assert client.get("/ready").status_code == 200
    time.sleep(0.2)
    assert began == []
    # In this process it is due; the process that it begins counts for itself, and finds too few.
    monkeypatch.setattr(indexer.changes, "MANY", 0)
    monkeypatch.setattr(indexer.changes, "SHARE", 0.0)
    client.delete("/api/v1/listings/bags:00.png")
    until(lambda: "needless" in metrics(app))


def metrics(app: Any) -> str:
    said: str = app.test_client().get("/metrics").text
    return said


def _in_python(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


BUILD = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from indexer.compaction import compact
print(json.dumps(asdict(compact(Path(sys.argv[1])))))
"""


def test_the_server_takes_up_what_was_built_in_the_background(
    care: Any, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(path: Path) -> Any:
        return _in_python(BUILD.replace("sys.argv[1]", repr(str(path))))

    monkeypatch.setattr(web.serving.caretaker, "start_compaction", begin)
    monkeypatch.setattr(indexer.changes, "MANY", 0)
    monkeypatch.setattr(indexer.changes, "SHARE", 0.0)
    (app, _), _ = care()
    client = app.test_client()
    client.delete("/api/v1/listings/bags:00.png")
    until(lambda: client.get("/api/v1/status").json["snapshot"] == "000002")
    until(lambda: 'lookalike_compactions_total{outcome="built"} 1.0' in metrics(app))
    assert client.get("/api/v1/status").json["changed"] == 0
    # The one before goes once nobody reads it.
    until(lambda: not (indexed / "snapshots" / "000001").exists())


def test_what_is_deleted_is_gone_once_the_last_listing_is(
    care: Any, indexed: Path, draw: Any, tmp_path: Path
) -> None:
    (app, _), _ = care()
    client = app.test_client()
    with Catalog(indexed) as catalog:
        ids = [row[0] for row in catalog.db.execute("SELECT id FROM listings")]
    body = {"image_base64": in_base64(draw(tmp_path / "photo.png", 3).read_bytes())}
    for name in ids:
        assert client.delete(f"/api/v1/listings/{name}").status_code == 200
    for waiting in (True, False):
        assert client.post("/api/v1/search", json=body).json["hits"] == []
        points = client.get("/map/points.json").json
        assert (points["points"], points["total"], points["categories"]) == ([], 0, [])
        assert "The catalogue is empty" in client.get("/map", follow_redirects=True).text
        for page in ("/", "/map/still.jpg", "/api/v1/status", "/ready", "/metrics"):
            assert client.get(page).status_code == 200, page
        assert "The catalogue is empty" in client.get("/").text
        if waiting:
            until(lambda: client.get("/api/v1/status").json["snapshot"] == "000002")
    assert client.get("/api/v1/status").json["vectors"] == 0
    until(lambda: not (indexed / "snapshots" / "000001").exists())
    assert (indexed / "features.f16").stat().st_size == 0
    assert client.put("/api/v1/listings/new", json={**body, "title": "New"}).status_code == 201
    (hit,) = client.post("/api/v1/search", json=body).json["hits"]
    assert (hit["listing"]["id"], hit["near_duplicate"]) == ("new", True)
    assert "/listings/new" in client.get("/").text
    assert client.get("/map").status_code == 200


def test_one_that_fails_is_tried_again_later(
    care: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    began: list[Any] = []

    def begin(_: Path) -> Any:
        began.append(_in_python("import sys; sys.exit('The disk is full.')"))
        return began[-1]

    monkeypatch.setattr(web.serving.caretaker, "start_compaction", begin)
    monkeypatch.setattr(Caretaker, "_due", lambda _: True)
    with caplog.at_level(logging.WARNING):
        (app, _), caretaker = care()
        until(lambda: len(began) >= 3)
    assert caplog.text.count("The disk is full.") == 1  # and not each time
    assert caretaker._wait > 0.1
    assert app.test_client().get("/ready").status_code == 200


def test_it_is_quiet_beside_another(
    care: Any, indexed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Caretaker, "_due", lambda _: True)
    with writer_lease(indexed), caplog.at_level(logging.WARNING):
        (app, _), _ = care()
        until(lambda: 'outcome="busy"' in metrics(app))
    assert caplog.text == ""


def test_it_stops_with_a_compaction_under_way(care: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[Any] = []

    def begin(_: Path) -> Any:
        began.append(_in_python("import time; time.sleep(600)"))
        return began[-1]

    monkeypatch.setattr(web.serving.caretaker, "start_compaction", begin)
    monkeypatch.setattr(Caretaker, "_due", lambda _: True)
    _, caretaker = care()
    until(lambda: bool(began))
    caretaker.close()
    assert began[0].returncode is not None
    caretaker.close()


def test_requests_leave_the_disk_alone_where_it_is_looked_after() -> None:
    engine = FakeEngine({})
    holder = EngineHolder(Path("index"), engine=engine, recheck_seconds=0)
    caretaker = Caretaker(holder, Metrics(), compacting=False, look_seconds=0.01)
    caretaker.start()
    until(lambda: engine.refreshed > 2)
    caretaker.close()
    before = engine.refreshed
    holder.attended = True
    holder.get()
    assert engine.refreshed == before


def test_a_fault_does_not_end_it(
    care: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[int] = []

    def broken(self: Any) -> None:
        looks.append(1)
        raise RuntimeError("broken")

    monkeypatch.setattr(EngineHolder, "look", broken)
    with caplog.at_level(logging.ERROR):
        care()
        until(lambda: len(looks) > 2)
    assert "Looking after the index failed." in caplog.text


def test_the_lowest_priority(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nice: list[int] = []
    monkeypatch.setattr(command.os, "nice", nice.append)
    command.compact.main(["--index", str(indexed), "--background"], standalone_mode=False)
    assert nice == [19]
    assert current_name(indexed) == "000001"
