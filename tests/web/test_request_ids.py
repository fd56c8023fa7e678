"""A name for each request."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import FakeEngine
from tests.web.keyed import key_for
from web.answers.request_ids import HEADER, request_id, sane_or_new
from web.settings import Settings

NEW = re.compile(r"[0-9a-f]{32}")

PATHS = ("/", "/health", "/api/v1/status", "/api/v1/listings/nobody", "/nowhere", "/static/app.css")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_one(client: FlaskClient, path: str) -> None:
    names = {client.get(path).headers[HEADER] for _ in range(2)}
    assert len(names) == 2
    assert all(NEW.fullmatch(name) for name in names)
    assert client.get(path, headers={HEADER: "order-7_a.b"}).headers[HEADER] == "order-7_a.b"


def test_also_that_of_a_method_that_is_not_taken(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/status", headers={HEADER: "mine"})
    assert (answer.status_code, answer.headers[HEADER]) == (405, "mine")


@pytest.mark.parametrize(
    "said", ["", "a b", "a" * 65, "<script>", "a\tb", "größe", "a;b", 'a"b', "../a\\", "a%0Ab"]
)
def test_what_is_no_name_is_not_taken(client: FlaskClient, said: str) -> None:
    assert NEW.fullmatch(client.get("/health", headers={HEADER: said}).headers[HEADER])


def test_a_key_is_no_name(client: FlaskClient, settings: Settings) -> None:
    key = key_for(settings, "read")
    for said in (key, f"id-{key}"):
        assert key[12:] not in client.get("/health", headers={HEADER: said}).headers[HEADER]
    assert sane_or_new("lk_0123abcd") == "lk_0123abcd"  # a key's id is no secret


def test_where_something_failed_it_is_named(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = RuntimeError("the disk is on fire")
    asked = {"json": {"listing_id": "p1"}, "headers": {HEADER: "trouble-1"}}
    answer = client.post("/api/v1/search", **asked)  # type: ignore[arg-type]
    assert answer.status_code == 500
    assert answer.headers[HEADER] == "trouble-1"
    assert "trouble-1" in answer.json["error"]["hint"]
    assert "fire" not in answer.text


def test_outside_of_a_request_there_is_none() -> None:
    assert request_id() == ""


@pytest.mark.parametrize(
    ("sent", "status", "named"),
    [
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX-Request-ID: a.1\r\n\r\n", 200, "a.1"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200, ""),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400, ""),
    ],
)
def test_the_server_names_them_all(
    address: tuple[str, int],
    raw: Callable[[tuple[str, int], bytes], http.client.HTTPResponse],
    sent: bytes,
    status: int,
    named: str,
) -> None:
    answer = raw(address, sent)
    assert answer.status == status
    name = answer.headers[HEADER]
    assert name == named if named else NEW.fullmatch(name)


@pytest.fixture
def raw() -> Callable[[tuple[str, int], bytes], http.client.HTTPResponse]:
    def ask(to: tuple[str, int], sent: bytes) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*to, timeout=10)
        connection.connect()
        connection.sock.sendall(sent)
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        answer.read()
        connection.close()
        return answer

    return ask
