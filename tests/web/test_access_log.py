"""The line of each request: what is in it, and what never is."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.web.conftest import FakeEngine, drawn
from tests.web.keyed import bearer, key_for
from tests.web.living import served
from web.app import create_app
from web.settings import Settings


class Lines(logging.Handler):
    """Keeps what is told of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, route: str) -> Any:
        (found,) = [record for record in self.records if record.route == route]
        return found


@contextlib.contextmanager
def logged(engine: FakeEngine, settings: Settings) -> Iterator[tuple[httpx.Client, Lines]]:
    """Serve, and keep the lines; whole once the server has ended."""
    lines, log = Lines(), logging.getLogger("lookalike.access")
    log.addHandler(lines)
    before = log.level
    try:
        app = create_app(settings, engine=engine)
        with served(app, settings) as address, httpx.Client(base_url=address) as client:
            yield client, lines
    finally:
        log.removeHandler(lines)
        log.setLevel(before)


def test_what_a_line_tells(engine: FakeEngine, tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index", access_log=True)
    key = key_for(settings, "read")
    with logged(engine, settings) as (client, lines):
        similar = client.get("/api/v1/listings/p1/similar?filter=price:1..2", headers=bearer(key))
        searched = client.post("/api/v1/search", files={"image": ("me.jpg", drawn((1, 2, 3)))})
        client.head("/api/v1/status")
        client.get("/nowhere/else")
        client.get("/s/a-token-of-somebody")
        client.post("/s/a-token-of-somebody")
        for path in ("/health", "/ready"):
            client.get(path)
    record = lines.of("/api/v1/listings/<listing_id>/similar")
    assert record.status == 200
    assert record.method == "GET"
    assert record.request_id == similar.headers["X-Request-ID"]
    assert record.client == f"key:{key.split('_')[1]}"
    assert record.bytes == int(similar.headers["Content-Length"])
    assert record.ms >= record.waited_ms >= 0
    assert lines.of("/api/v1/search").client == "-"
    assert lines.of("/api/v1/search").bytes == int(searched.headers["Content-Length"])
    assert lines.of("/api/v1/status").bytes == 0
    assert lines.of("/s/<token>").status == 410
    assert [one.status for one in lines.records if one.route == "none"] == [404, 405]
    assert len(lines.records) == 6  # nobody wants to read that it is healthy, again and again
    told = " ".join(record.getMessage() for record in lines.records)
    for private in ("token-of", "price", "me.jpg", "127.0.0.1", "p1", "else", key[12:]):
        assert private not in told


def test_addresses_are_told_where_they_may_be(engine: FakeEngine, tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index", access_log=True, log_addresses=True)
    with logged(engine, settings) as (client, lines):
        client.get("/api/v1/status")
    assert lines.of("/api/v1/status").client == "address:127.0.0.1"


def test_what_no_application_sees_has_a_line_too(engine: FakeEngine, tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index", access_log=True)
    with logged(engine, settings) as (client, lines):
        url = client.base_url
        with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            answer = connection.recv(65536)
    (record,) = lines.records
    assert record.status == 400
    assert record.request_id.encode() in answer


def test_there_is_none_unless_it_is_asked_for(engine: FakeEngine, tmp_path: Path) -> None:
    with logged(engine, Settings(index=tmp_path / "index")) as (client, lines):
        client.get("/api/v1/status")
    assert not lines.records
