"""The server itself: real sockets, real signals."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator

import httpx
import pytest

import web.serving.intake
from tests.web.conftest import drawn
from web.answers.headers import HEADERS
from web.settings import Settings

SEARCH = "/api/v1/search"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def http(address: tuple[str, int]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url="http://{}:{}".format(*address)) as client:
        yield client


def talk(address: tuple[str, int], sent: bytes) -> str:
    """Send bytes and return what comes back until the server hangs up."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(sent)
        got = b""
        while part := connection.recv(65536):
            got += part
    return got.decode()


def test_a_photo_is_searched_with(http: httpx.Client) -> None:
    answer = http.post(SEARCH, files={"image": drawn((1, 2, 3))})
    assert answer.status_code == 200
    assert answer.headers["Server"] == "lookalike"


def test_a_photo_does_not_touch_the_disk(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("waitress.buffers.TempfileBasedBuffer.newfile", refuse)
    object.__setattr__(settings, "max_upload_bytes", 10**6)
    photo = drawn((1, 2, 3)).ljust(190_000, b"\0")
    assert http.post(SEARCH, files={"image": photo}).status_code == 200


@pytest.mark.parametrize("path", [SEARCH, "/search", "/nowhere"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_answered_and_not_reset(
    http: httpx.Client, path: str, chunked: bool
) -> None:
    size, part = 3_000_000, b"x" * 50_000
    for _ in range(2):  # the connection is still good after it
        body = (part for _ in range(size // len(part)))
        headers = JSON if chunked else {**JSON, "Content-Length": str(size)}
        answer = http.post(path, content=body, headers=headers)
        assert answer.status_code == 413
        assert "larger than the" in answer.text
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        if path == SEARCH:
            assert answer.json()["error"]["code"] == "body_too_large"
        else:
            assert "<h1>" in answer.text
    assert http.get("/health").status_code == 200


def test_a_body_beyond_all_measure_is_cut(address: tuple[str, int]) -> None:
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nContent-Length: {10**12}\r\n\r\n"
    answer = talk(address, head.encode())
    assert answer.startswith("HTTP/1.1 413 ")
    assert "Connection: close" in answer
    assert '"body_too_large"' in answer


def test_an_endless_body_is_cut(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, http: httpx.Client
) -> None:
    monkeypatch.setattr(web.serving.intake, "LET_GO", 400_000)
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"c350\r\n" + b"x" * 50_000 + b"\r\n"
    with contextlib.suppress(ConnectionError):  # it may hang up before it was heard out
        assert talk(address, head.encode() + 1000 * chunk).startswith("HTTP/1.1 413 ")
    assert http.get("/health").status_code == 200


def test_a_client_that_asks_first_is_told_not_to_send(address: tuple[str, int]) -> None:
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\nExpect: 100-continue"
    answer = talk(address, f"{head}\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 413 ")


def test_what_is_no_http_has_the_one_shape(address: tuple[str, int]) -> None:
    answer = talk(address, b"nonsense\r\n\r\n")
    assert answer.startswith("HTTP/1.0 400 ")
    assert '{"error": {"code": "bad_request"' in answer
    assert "Content-Security-Policy" in answer


def test_ids_travel_over_the_wire(http: httpx.Client) -> None:
    assert http.get("/api/v1/listings/50%25%20off%3F").json()["id"] == "50% off?"
    assert http.get("/api/v1/listings/%2541").json()["id"] == "%41"
    assert http.get("/api/v1/listings/a%2Fb").status_code == 404


def start(*arguments: str) -> tuple[subprocess.Popen[str], str, str]:
    """Start a server; return it, its first line and its address."""
    server = subprocess.Popen(
        [sys.executable, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    for line in server.stderr:
        found = re.search(r"http://\S+", line)
        if found:
            return server, line, found[0]
    raise AssertionError("The server said no address.")


SERVE = ("-m", "lookalike", "serve", "--port", "0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_without_an_index_and_ends_when_told(number: int, tmp_path: object) -> None:
    server, line, address = start(*SERVE, "--index", f"{tmp_path}/none")
    with server:
        assert "not yet" in line
        assert "Reading: whoever reaches this address. Writing: programs on this machine." in line
        assert "Keys: none. Limits: 300 searches per minute, " in line
        assert httpx.get(f"{address}/health").status_code == 200
        assert httpx.get(f"{address}/ready").status_code == 503
        server.send_signal(number)
        assert server.wait(10) == 0


SLOW = """
import sys, time
from pathlib import Path
from tests.web.conftest import FakeEngine
import web.app, web.serving.server
from web.settings import Settings
class Slow(FakeEngine):
    def sample(self, count):
        print("asked", flush=True)
        time.sleep(1.5)
        return []
make = web.app.create_app
web.serving.server.create_app = lambda settings, **_: make(settings, engine=Slow({}))
web.serving.server.serve(Settings(index=Path("x")), port=0)
"""


def test_what_is_under_way_is_finished() -> None:
    server, _, address = start("-c", SLOW)
    answers: list[httpx.Response] = []
    with server:
        asking = threading.Thread(target=lambda: answers.append(httpx.get(address, timeout=10)))
        asking.start()
        assert server.stdout is not None
        assert server.stdout.readline() == "asked\n"
        server.send_signal(signal.SIGTERM)
        asking.join()
        assert server.wait(10) == 0
    assert [answer.status_code for answer in answers] == [200]


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_cannot_be_had(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = subprocess.run(
            [sys.executable, *SERVE, "--host", host, "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert told.returncode == 1
    assert f"Cannot listen on {host}, port {port}" in told.stderr
    assert "Traceback" not in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_who_comes_through_a_proxy_is_told_from_a_local_program(
    http: httpx.Client, header: str
) -> None:
    told = {header: "for=10.1.2.3" if header == "Forwarded" else "10.1.2.3"}
    assert http.patch("/api/v1/listings/x", json={"title": "y"}, headers=told).status_code == 403
    assert http.get("/metrics", headers=told).status_code == 403
    assert http.get("/metrics").status_code == 200
