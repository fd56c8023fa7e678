"""More than the server can do: it says so, in time, and stays responsive."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from search.query import Page, Query
from tests.web.conftest import FakeEngine, drawn, new_engine
from tests.web.living import ROOT, served
from web.app import create_app
from web.serving.server import listening, new_server, run
from web.settings import Settings

SEARCH = "/api/v1/search"
FORM = "multipart/form-data; boundary=xx"
BEFORE = b'--xx\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
AFTER = b"\r\n--xx--\r\n"
ALLOWED = 16 * 2**20

SLOW = """
import sys, time
from pathlib import Path
import web.app, web.serving.server
from tests.web.conftest import FakeEngine, new_engine
from web.settings import Settings
class Slow(FakeEngine):
    def search(self, query):
        time.sleep(0.05)
        return super().search(query)
make = web.app.create_app
slow = Slow(new_engine().listings)
web.serving.server.create_app = lambda settings, **_: make(settings, engine=slow)
web.serving.server.serve(Settings(index=Path(sys.argv[1]), upload_memory=200 * 2**20), port=0)
"""

Address = tuple[str, int]


class Held(FakeEngine):
    """Answers searches with photos once it is let."""

    def __init__(self) -> None:
        super().__init__(new_engine().listings)
        self.begun = threading.Semaphore(0)
        self.let = threading.Event()

    def search(self, query: Query) -> Page:
        if query.photo is not None:
            self.begun.release()
            assert self.let.wait(30)
        return super().search(query)


def form(size: int) -> bytes:
    return BEFORE + drawn((1, 2, 3)).ljust(size, b"\0") + AFTER


def ask(
    address: Address, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Ask over a connection of its own; return the status, the body and the headers."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers, encode_chunked=body is not None)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.headers)


def search(address: Address, body: bytes | None = None) -> tuple[int, bytes, dict[str, str]]:
    return ask(address, "POST", SEARCH, body or form(0), **{"Content-Type": FORM})


def told(address: Address, name: str) -> float:
    """Return one of the server's numbers."""
    text = ask(address, "GET", "/metrics")[1].decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in\n{text}"
    return float(found[1])


def eventually(address: Address, name: str, value: float) -> None:
    """Wait until one of the server's numbers is as it should be."""
    last = time.monotonic() + 20
    while told(address, name) != value:
        assert time.monotonic() < last, told(address, name)
        time.sleep(0.05)


def is_overload(answer: tuple[int, bytes, dict[str, str]]) -> bool:
    status, body, headers = answer
    return (
        status == 503
        and json.loads(body)["error"]["code"] == "overloaded"
        and headers["Retry-After"].isdigit()
    )


@contextlib.contextmanager
def serving(app: Flask, settings: Settings, threads: int = 4) -> Iterator[Address]:
    with served(app, settings, threads) as url:
        yield "127.0.0.1", int(url.rpartition(":")[2])


@contextlib.contextmanager
def server_of_its_own(index: Path) -> Iterator[Address]:
    """Serve from another process, whose work is not that of the clients here."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(index)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with process:
        assert process.stderr is not None
        try:
            found = re.search(r"http://127.0.0.1:(\d+)", process.stderr.readline())
            assert found
            yield "127.0.0.1", int(found[1])
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


class SlowClients:
    """Clients whose requests come in byte by byte."""

    def __init__(self, address: Address, count: int) -> None:
        head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n"
        self._sockets = []
        for n in range(count):
            connection = socket.create_connection(address, timeout=10)
            # Half of them are slow with their body, the others with their head already.
            connection.sendall((head + "\r\n" * (n % 2)).encode())
            self._sockets.append(connection)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._trickle)

    def __enter__(self) -> SlowClients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for connection in self._sockets:
            connection.close()

    def _trickle(self) -> None:
        while not self._done.wait(0.1):
            for connection in self._sockets:
                with contextlib.suppress(ConnectionError):  # it took too long for the server
                    connection.send(b"x")


class Watched:
    """How long the server takes to say that it is alive, again and again."""

    def __init__(self, address: Address) -> None:
        self.seconds: list[float] = []
        self.statuses: set[int] = set()
        self._address = address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            began = time.monotonic()
            self.statuses.add(ask(self._address, "GET", "/health")[0])
            self.seconds.append(time.monotonic() - began)


def test_many_slow_clients_and_huge_uploads(tmp_path: Path) -> None:
    bodies = form(ALLOWED), form(ALLOWED + 8 * 2**20)
    with server_of_its_own(tmp_path / "none") as address:
        with (
            SlowClients(address, 200),
            Watched(address) as health,
            ThreadPoolExecutor(50) as clients,
        ):
            answers = list(clients.map(lambda n: search(address, bodies[n % 2]), range(50)))
            time.sleep(0.5)
        statuses = [answer[0] for answer in answers]
        assert set(statuses) <= {200, 413, 429, 503}
        assert set(statuses[1::2]) <= {413, 503}
        assert 200 in statuses
        assert all(is_overload(answer) for answer in answers if answer[0] == 503)
        assert health.statuses == {200}
        assert statistics.median(health.seconds) <= 0.2
        assert max(health.seconds) < 2
        eventually(address, "lookalike_request_body_bytes", 0)
        assert search(address)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [b"POST /search HT", b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nxx"],
)
def test_who_is_slow_is_cut(tmp_path: Path, sent: bytes) -> None:
    settings = Settings(index=tmp_path, receive_seconds=1)
    with serving(create_app(settings, engine=new_engine()), settings) as address:
        with socket.create_connection(address, timeout=0.2) as connection:
            connection.sendall(sent)
            got, last = b"", time.monotonic() + 20
            while True:
                with contextlib.suppress(TimeoutError, ConnectionError):
                    got += (part := connection.recv(65536))
                    if not part:
                        break
                assert time.monotonic() < last
                with contextlib.suppress(ConnectionError):  # it is never quiet for long
                    connection.send(b"x")
        assert b" 408 " in got
        assert b'"code": "request_timeout"' in got
        eventually(address, "lookalike_request_body_bytes", 0)
        assert told(address, 'lookalike_refused_total{reason="time"}') == 1


def test_who_says_nothing_is_hung_up_on(tmp_path: Path) -> None:
    settings = Settings(index=tmp_path, receive_seconds=1)
    with (
        serving(create_app(settings, engine=new_engine()), settings) as address,
        socket.create_connection(address, timeout=20) as connection,
    ):
        assert connection.recv(100) == b""


def test_a_full_queue(tmp_path: Path) -> None:
    engine = Held()
    settings = Settings(index=tmp_path, queue=2, queue_seconds=60)
    with (
        serving(create_app(settings, engine=engine), settings, threads=1) as address,
        ThreadPoolExecutor(3) as clients,
    ):
        first = [clients.submit(search, address) for _ in range(3)]
        assert engine.begun.acquire(timeout=20)
        eventually(address, 'lookalike_queue{lane="photos"}', 2)
        assert is_overload(search(address))
        # What is no search is answered all the same.
        for path in ("/health", "/ready", "/", "/listings/p1"):
            assert ask(address, "GET", path)[0] == 200
        page = ask(address, "POST", "/search", form(0), **{"Content-Type": FORM})
        assert page[0] == 503
        assert b"<h1>" in page[1]
        engine.let.set()
        assert [asked.result()[0] for asked in first] == [200] * 3
        eventually(address, "lookalike_request_body_bytes", 0)
        assert told(address, 'lookalike_queue{lane="photos"}') == 0
        assert told(address, 'lookalike_refused_total{reason="queue"}') == 2
        assert told(address, 'lookalike_queue_seconds_count{lane="photos"}') == 3


def test_nobody_waits_for_long(tmp_path: Path) -> None:
    engine = Held()
    settings = Settings(index=tmp_path, queue_seconds=1)
    with (
        serving(create_app(settings, engine=engine), settings, threads=1) as address,
        ThreadPoolExecutor(1) as clients,
    ):
        first = clients.submit(search, address)
        assert engine.begun.acquire(timeout=20)
        assert is_overload(search(address))
        assert not first.done()
        engine.let.set()
        assert first.result()[0] == 200
        assert told(address, 'lookalike_refused_total{reason="waited"}') == 1


HALF = b"POST /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: 190000\r\n\r\n" + b"x" * 150_000


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Address]:
    """Serve with memory for one photo, and a bit."""
    settings = Settings(index=tmp_path, max_upload_bytes=100_000, upload_memory=200_000)
    with serving(create_app(settings, engine=new_engine()), settings) as address:
        yield address


@contextlib.contextmanager
def half_sent(address: Address) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(HALF)
        eventually(address, "lookalike_request_body_bytes", 150_000)
        yield connection


def test_no_memory_for_a_body(little: Address) -> None:
    with half_sent(little) as connection:
        assert is_overload(search(little, form(90_000)))
        chunks = (b"x" * 10_000 for _ in range(9))
        chunked = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        assert is_overload(ask(little, "POST", SEARCH, chunks, **chunked))
        head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nContent-Length: 90000"
        with socket.create_connection(little, timeout=20) as asking:
            asking.sendall(f"{head}\r\nExpect: 100-continue\r\n\r\n".encode())
            assert asking.recv(65536).startswith(b"HTTP/1.1 503 ")
        assert search(little)[0] == 200  # a small one finds room
        connection.sendall(b"x" * 40_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")
    eventually(little, "lookalike_request_body_bytes", 0)
    assert told(little, 'lookalike_refused_total{reason="memory"}') == 3
    assert search(little, form(90_000))[0] == 200


def test_a_body_that_breaks_off_takes_no_memory(little: Address) -> None:
    with half_sent(little):
        pass
    eventually(little, "lookalike_request_body_bytes", 0)


def test_an_endless_line_of_a_chunked_body(little: Address) -> None:
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(little, timeout=20) as connection:
        connection.sendall(head.encode() + b"1;" + b"x" * 50_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_what_waits_is_finished_before_the_end(tmp_path: Path) -> None:
    engine = Held()
    settings = Settings(index=tmp_path)
    app = create_app(settings, engine=engine)
    answers: list[int] = []

    def meanwhile(address: Address) -> None:
        with ThreadPoolExecutor(3) as clients:
            asked = [clients.submit(search, address) for _ in range(3)]
            assert engine.begun.acquire(timeout=20)
            eventually(address, 'lookalike_queue{lane="photos"}', 2)
            os.kill(os.getpid(), signal.SIGTERM)
            engine.let.set()
            answers.extend(future.result()[0] for future in asked)

    with listening("127.0.0.1", 0) as listener:
        server = new_server(app, settings, listener, threads=1)
        here = "127.0.0.1", server.effective_port
        client = threading.Thread(target=meanwhile, args=(here,))
        run(server, client.start)
        client.join()
    assert answers == [200] * 3
