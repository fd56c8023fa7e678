"""The engine's holder: an index that comes, goes and changes."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

import web.engine
from indexer.errors import (
    IndexDamaged,
    IndexNotReady,
    IndexReplaced,
    LookalikeError,
    NetworkMismatch,
)
from search.query import Query
from tests.web.conftest import SECRET, FakeEngine
from web.app import create_app
from web.engine import EngineHolder
from web.settings import Settings


class Disk:
    """An index that may or may not be there."""

    def __init__(self) -> None:
        self.found: FakeEngine | LookalikeError = IndexNotReady(f"There is no index in {SECRET}.")
        self.looks = 0

    def open(self, *_: object) -> FakeEngine:
        self.looks += 1
        if isinstance(self.found, LookalikeError):
            raise self.found
        return self.found


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(web.engine, "_open_engine", disk.open)
    return disk


@pytest.fixture
def waiting(disk: Disk, settings: Settings) -> Flask:
    app = create_app(settings)
    app.extensions["lookalike.engine"].recheck_seconds = 0
    return app


def test_without_an_index_the_api_says_when_to_ask_again(waiting: Flask) -> None:
    client = waiting.test_client()
    for path in ("/api/v1/status", "/api/v1/listings/a", "/api/v1/listings/a/similar", "/ready"):
        response = client.get(path)
        assert response.status_code == 503
        assert response.json["error"]["code"] == "index_not_ready"
        assert "lookalike index" in response.json["error"]["hint"]
        assert int(response.headers["Retry-After"]) > 0
        assert SECRET not in response.text
    assert client.post("/api/v1/search", json={"listing_id": "a"}).status_code == 503
    assert client.get("/health").status_code == 200


def test_without_an_index_the_page_says_how_to_make_one(waiting: Flask, photo: bytes) -> None:
    client = waiting.test_client()
    home = client.get("/")
    assert home.status_code == 503
    assert "lookalike index CATALOG" in home.text
    assert SECRET not in home.text
    for response in (
        client.get("/listings/a"),
        client.post("/search", data={"image": (io.BytesIO(photo), "a")}),
        client.get("/thumbnails/ab.jpg"),
    ):
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        assert "Nothing is indexed yet." in response.text


def test_an_index_is_taken_up_once_it_is_there(
    waiting: Flask, disk: Disk, engine: FakeEngine
) -> None:
    client = waiting.test_client()
    assert client.get("/ready").status_code == 503
    disk.found = engine
    assert client.get("/ready").status_code == 200
    assert "Product 1" in client.get("/").text


def test_a_damaged_index_is_told_without_its_path(
    waiting: Flask, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.found = IndexDamaged(f"{SECRET}/vectors.f16 is cut short.")
    client = waiting.test_client()
    for path in ("/", "/api/v1/status"):
        response = client.get(path)
        assert response.status_code == 503
        assert SECRET not in response.text
        assert "cannot be used" in response.text
    assert SECRET in caplog.text


def test_the_disk_is_looked_at_once_in_a_while(disk: Disk, engine: FakeEngine) -> None:
    holder = EngineHolder(Path("index"), recheck_seconds=1000)
    for _ in range(3):
        with pytest.raises(IndexNotReady):
            holder.get()
    assert disk.looks == 1
    holder = EngineHolder(Path("index"), recheck_seconds=1000, engine=engine)
    before = engine.refreshed
    for _ in range(3):
        holder.get()
    assert engine.refreshed == before + 1


class Changing(FakeEngine):
    """An engine whose next refresh goes wrong."""

    def __init__(self, error: LookalikeError) -> None:
        super().__init__({})
        self.error = error

    def refresh(self) -> bool:
        raise self.error


def test_what_serves_goes_on_serving(caplog: pytest.LogCaptureFixture) -> None:
    engine = Changing(IndexDamaged("cut short"))
    holder = EngineHolder(Path("index"), recheck_seconds=0, engine=engine)
    with caplog.at_level(logging.WARNING):
        assert holder.get() is holder.get() is engine
    assert caplog.text.count("cut short") == 1  # and not at every look


def test_an_index_of_another_network_is_opened_anew(disk: Disk, engine: FakeEngine) -> None:
    disk.found = engine
    holder = EngineHolder(Path("i"), recheck_seconds=0, engine=Changing(NetworkMismatch("other")))
    holder.get()
    assert holder.get() is engine


def test_no_request_is_answered_by_an_index_whose_place_was_taken(
    indexed: Path, other_index: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    holder = EngineHolder(indexed, recheck_seconds=1000)
    holder.attended = True
    engine = holder.get()
    query = Query(listing_id="hats:01.jpg", k=3)
    before = [hit.listing.id for hit in engine.search(query).hits]
    other_index()
    assert holder.get() is not engine
    assert holder.get() is holder.get()
    assert [hit.listing.id for hit in holder.get().search(query).hits] == before
    with pytest.raises(IndexReplaced):  # who had it in hand already is told
        engine.search(query)
    (indexed / "CURRENT").unlink()
    (indexed / "catalog.db").rename(indexed / "elsewhere.db")
    with caplog.at_level(logging.WARNING):
        assert holder.get() is holder.get()
    assert caplog.text.count("cannot be served") == 1
    holder.close()
    engine.close()


def test_the_api_says_that_an_index_was_just_replaced(disk: Disk, settings: Settings) -> None:
    engine = FakeEngine({})
    engine.failure = IndexReplaced(f"The index in {SECRET} was made anew.")
    disk.found = engine
    answer = create_app(settings).test_client().post("/api/v1/search", json={"listing_id": "a"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "index_replaced")
    assert answer.headers["Retry-After"]
    assert SECRET not in answer.text


def test_closing_closes_the_engine() -> None:
    engine = FakeEngine({})
    holder = EngineHolder(Path("index"), engine=engine)
    holder.close()
    holder.close()
    assert engine.closed
