"""How often a client may ask."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.errors import UsageError
from tests.web.conftest import Client, FakeEngine
from tests.web.keyed import bearer, key_for
from web.access.rate_limits import FILE
from web.access.rate_storage import SCHEME, TIDY_EVERY, SqliteStorage
from web.app import create_app
from web.monitoring.metrics import FOLDER
from web.settings import Settings

Make = Callable[..., tuple[Settings, FlaskClient]]


@pytest.fixture
def make(tmp_path: Path, engine: FakeEngine) -> Make:
    def made(**given: object) -> tuple[Settings, FlaskClient]:
        settings = Settings(index=tmp_path / "index", **given)  # type: ignore[arg-type]
        app = create_app(settings, engine=engine)
        app.test_client_class = Client
        return settings, app.test_client()

    return made


def search(client: FlaskClient, photo: bytes, **more: object) -> TestResponse:
    form = {"image": (io.BytesIO(photo), "a.jpg")}
    return client.post("/api/v1/search", data=form, **more)  # type: ignore[arg-type]


def test_too_many_searches(make: Make, photo: bytes) -> None:
    _, client = make(rate_search="2 per minute")
    for left in ("1", "0"):
        answer = search(client, photo)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Limit"] == "2"
        assert answer.headers["RateLimit-Remaining"] == left
        assert "Retry-After" not in answer.headers
    for path in ("/api/v1/search", "/search"):  # the page and the API are one
        answer = client.post(path, data={"image": (io.BytesIO(photo), "a.jpg")})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["RateLimit-Remaining"] == "0"
        assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "Too many searches." in answer.text
    said = search(client, photo).json["error"]
    assert said["code"] == "too_many_requests"
    assert "Try again in " in said["hint"]
    assert client.get("/api/v1/listings/p1").status_code == 200  # counted by itself


def test_each_address_and_each_key_counts_for_itself(make: Make, photo: bytes) -> None:
    settings, client = make(rate_search="1 per minute")
    one, other = key_for(settings, "read", "a"), key_for(settings, "read", "b")
    asked = [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}},
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.2"}},
        {"environ_overrides": {"REMOTE_ADDR": "2001:db8::1"}},
        {"headers": bearer(one)},
        {"headers": bearer(other)},
    ]
    assert [search(client, photo, **how).status_code for how in asked] == [200] * 5
    assert [search(client, photo, **how).status_code for how in asked] == [429] * 5
    # An IPv6 client has 2^64 addresses; and a key is a key from wherever.
    for how in (
        {"environ_overrides": {"REMOTE_ADDR": "2001:db8::ffff"}},
        {"headers": bearer(one), "environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}},
    ):
        assert search(client, photo, **how).status_code == 429


def test_a_key_has_a_rate_of_its_own(make: Make, photo: bytes) -> None:
    settings, client = make(rate_search="1 per minute")
    three = bearer(key_for(settings, "read", "a", rate="3 per minute"))
    off = bearer(key_for(settings, "read", "b", rate="off"))
    statuses = [search(client, photo, headers=three).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert {search(client, photo, headers=off).status_code for _ in range(6)} == {200}


def test_writes_and_reads_have_theirs(make: Make) -> None:
    _, client = make(rate_write="1 per minute", rate_read="2 per minute")
    answers = [client.delete("/api/v1/listings/none") for _ in range(2)]
    assert answers[0].status_code != 429
    assert answers[1].json["error"]["message"] == "Too many writes."
    statuses = [client.get(path).status_code for path in ("/", "/api/v1/listings/p1", "/")]
    assert statuses == [200, 200, 429]
    for path in ("/health", "/static/app.css", "/api/v1/openapi.json", "/nowhere"):
        assert {client.get(path).status_code for _ in range(4)} <= {200, 404}


def test_refused_requests_count_too(make: Make) -> None:
    _, client = make(reads="keys", rate_read="2 per minute")
    statuses = [client.get("/api/v1/listings/p1").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_off_is_off(make: Make, photo: bytes) -> None:
    _, client = make(rate_search="off")
    answer = search(client, photo)
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize(
    "rate", ["", "many", "0 per minute", "5/minute", "1 per year", "-1 per day"]
)
def test_a_rate_that_is_none(tmp_path: Path, rate: str) -> None:
    with pytest.raises(UsageError, match="rate_search"):
        Settings(index=tmp_path, rate_search=rate)


def test_storage_that_is_none(tmp_path: Path, engine: FakeEngine) -> None:
    for storage in ("nowhere://user:hunter2@host", "nonsense"):
        settings = Settings(index=tmp_path, rate_storage=storage)
        with pytest.raises(UsageError) as caught:
            create_app(settings, engine=engine)
        assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"


def test_storage_that_is_away(make: Make, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever counts elsewhere goes on counting here."""
    _, client = make(rate_search="2 per minute", rate_storage=f"{SCHEME}://")
    limiter = client.application.extensions["lookalike.limiter"]
    limiter.storage.close()
    assert [search(client, photo).status_code for _ in range(3)] == [200, 200, 429]


# Counting


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteStorage:
    path = tmp_path / FILE if request.param == "file" else ""
    storage = SqliteStorage(f"{SCHEME}://{path}")
    request.addfinalizer(storage.close)
    return storage


def test_windows(storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("web.access.rate_storage.time.time", lambda: now)
    assert [storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert storage.incr("b", 5, 7) == 7
    now = 1030.0
    assert storage.incr("a", 60) == 4
    assert (storage.get("a"), storage.get_expiry("a")) == (4, 1060.0)
    assert storage.get("b") == 0
    now = 1060.0
    assert storage.get("a") == 0
    assert storage.incr("a", 60) == 1
    assert storage.get_expiry("a") == 1120.0
    storage.clear("a")
    assert (storage.get("a"), storage.get_expiry("a")) == (0, 1060.0)
    assert storage.check()
    assert storage.reset() == 1


def test_what_is_over_is_forgotten(storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("web.access.rate_storage.time.time", lambda: now)
    for n in range(TIDY_EVERY - 1):
        storage.incr(f"address:{n}", 60)
    now = 2000.0
    storage.incr("address:new", 60)
    assert storage.reset() == 1


def test_workers_that_begin_together(tmp_path: Path) -> None:
    for n in range(15):
        uri, together = f"{SCHEME}://{tmp_path / str(n)}", threading.Barrier(5)
        counts: list[int] = []

        def begin(uri: str = uri, together: threading.Barrier = together) -> None:
            together.wait()
            storage = SqliteStorage(uri)
            counts.append(storage.incr("a", 60))  # noqa: B023 - it is awaited below
            storage.close()

        threads = [threading.Thread(target=begin) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(counts) == [1, 2, 3, 4, 5]


COUNTING = """
import sys
from web.access.rate_storage import SqliteStorage
storage = SqliteStorage(sys.argv[1])
for _ in range(300):
    storage.incr("a", 600)
"""


def test_workers_count_together(tmp_path: Path) -> None:
    uri = f"{SCHEME}://{tmp_path / FILE}"
    command = [sys.executable, "-c", COUNTING, uri]
    workers = [subprocess.Popen(command) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    storage = SqliteStorage(uri)
    assert storage.get("a") == 900
    storage.close()


def test_applications_of_one_server_count_together(
    make: Make, photo: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    (_, one), (_, other) = (make(rate_search="2 per minute") for _ in range(2))
    assert search(one, photo).status_code == 200
    assert search(other, photo).status_code == 200
    assert search(one, photo).status_code == 429
    assert search(other, photo).status_code == 429
    assert (tmp_path / FILE).exists()
    assert not FILE.endswith(".db")  # those are the metrics'
