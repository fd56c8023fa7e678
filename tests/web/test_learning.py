"""A server that learns the photos' mean: only when told to, a little of everyone, and no photo."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray

import web.learning
from indexer.errors import IndexNotReady, UsageError
from indexer.learned import FEWEST, FILE, read_learned
from indexer.rebuild import rebuild
from indexer.snapshot import Snapshot, open_current
from search.asking import OnPhoto
from search.query import Page, Query
from tests.web.conftest import FakeEngine, drawn, new_engine
from web.app import create_app
from web.engine import EngineHolder
from web.learning import DAY, PER_DAY, TOGETHER, Allowance, Learner
from web.serving.server import start_up_line
from web.settings import Settings

SEARCH = "/api/v1/search"


class Seeing(FakeEngine):
    """The small engine, which says what it saw a photo as."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.__dict__.update(new_engine().__dict__)
        self._snapshot = snapshot
        self.told = 0

    def search(self, query: Query, *, on_photo: OnPhoto | None = None) -> Page:
        page = super().search(query)
        if on_photo is not None and query.photo is not None:
            self.told += 1
            on_photo(self._snapshot, features(self.told))
        return page


def features(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random(3072).astype(np.float32)


def address(n: int) -> str:
    return f"198.51.{n // 256}.{n % 256}"


def ask(app: Flask, n: int, photo: bytes, path: str = SEARCH) -> int:
    """Search from the n-th address."""
    answer = app.test_client().post(
        path, data={"image": (io.BytesIO(photo), "a.jpg")}, environ_base={"REMOTE_ADDR": address(n)}
    )
    return answer.status_code


@pytest.fixture
def photos(pictures_folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(pictures_folder.rglob("*.*"))]


@pytest.fixture
def learner(indexed: Path) -> Iterator[Learner]:
    learner = Learner(indexed, flush_seconds=1000)
    yield learner
    learner.close()


@pytest.fixture
def snapshot(indexed: Path) -> Snapshot:
    return open_current(indexed)


def count(index: Path) -> int:
    kept = read_learned(index)
    return 0 if kept is None else kept.count


def test_it_is_off_unless_it_is_told_to(indexed: Path, photos: list[bytes]) -> None:
    app = create_app(Settings(index=indexed))
    assert app.extensions["lookalike.learner"] is None
    before = {path.name for path in indexed.iterdir()}
    for n, photo in enumerate(photos):
        assert ask(app, n, photo) == 200
    app.extensions["lookalike.engine"].close()
    after = {path.name for path in indexed.iterdir()}
    assert not {name for name in after - before if not name.startswith("catalog.db")}


def test_two_hundred_photos_change_the_next_snapshot(indexed: Path, photos: list[bytes]) -> None:
    app = create_app(Settings(index=indexed, learn_from_queries=True))
    learner: Learner = app.extensions["lookalike.learner"]
    before = open_current(indexed)
    for n in range(FEWEST):
        path = "/search" if n % 2 else SEARCH
        assert ask(app, n, photos[n % 3], path) == 200
    learner.close()
    kept = read_learned(indexed)
    assert kept is not None
    assert kept.count == FEWEST
    assert np.array_equal(open_current(indexed).projection.photo_mean_, before.projection.mean_)
    rebuild(indexed, None, None, None)
    after = open_current(indexed)
    assert after.manifest["learned"] == FEWEST
    assert not np.allclose(after.projection.photo_mean_, before.projection.mean_, atol=1e-3)
    holder: EngineHolder = app.extensions["lookalike.engine"]
    holder.recheck_seconds = holder._next_look = 0
    assert app.test_client().get("/api/v1/status").json["learned"] == FEWEST
    holder.close()


def test_one_photo_that_was_answered_counts(
    snapshot: Snapshot, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Seeing(snapshot)
    app = create_app(Settings(index=settings.index, learn_from_queries=True), engine=engine)
    added: list[object] = []
    monkeypatch.setattr(Learner, "add", lambda *given: added.append(given[1]))
    assert ask(app, 1, drawn((1, 2, 3))) == 200
    assert added == [address(1)]
    client = app.test_client()
    assert client.get("/api/v1/listings/p1/similar").status_code == 200
    assert client.post(SEARCH, json={"listing_id": "p1"}).status_code == 200
    assert client.get("/listings/p1").status_code == 200
    engine.failure = IndexNotReady("gone")
    assert ask(app, 1, drawn((1, 2, 3))) == 503
    assert len(added) == 1


def test_a_photo_that_cannot_be_used_does_not_count(indexed: Path) -> None:
    app = create_app(Settings(index=indexed, learn_from_queries=True))
    for n in range(2 * TOGETHER):
        assert ask(app, n, b"no picture") in {415, 422}
    app.extensions["lookalike.learner"].close()
    app.extensions["lookalike.engine"].close()
    assert not (indexed / FILE).exists()


def test_one_client_adds_little(learner: Learner, snapshot: Snapshot) -> None:
    centre = snapshot.projection.photo_mean_
    for n in range(TOGETHER):
        learner.add(address(n), snapshot, features(n))
    pending = learner._pending
    assert pending is not None
    outlier = np.zeros(3072, np.float32)
    outlier[5] = 1e9
    for _ in range(1000):
        learner.add("203.0.113.9", snapshot, outlier)
    after = learner._pending
    assert after is not None
    assert after.count == pending.count + PER_DAY
    moved = after.total - pending.total - PER_DAY * centre
    prepared = np.sqrt(snapshot.projection.eigenvalues_.sum())  # all of the variance, here
    assert np.linalg.norm(moved) <= PER_DAY * 1.5 * prepared * 1.01


def test_the_allowance_is_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0 * DAY
    monkeypatch.setattr(web.learning, "time", SimpleNamespace(time=lambda: now))
    allowance = Allowance(per_day=2, clients=3)
    assert [allowance.take("192.0.2.1") for _ in range(3)] == [True, True, False]
    salt = allowance._salt
    now += DAY
    assert allowance.take("192.0.2.1")
    assert allowance._salt != salt
    # Of a full table no client is forgotten: it could add again.
    assert [allowance.take(f"192.0.2.{n}") for n in (2, 3, 4)] == [True, True, False]
    assert [allowance.take("192.0.2.1"), allowance.take("192.0.2.1")] == [True, False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        (None, "", True),
        ("localhost", "192.0.2.1", False),
    ],
)
def test_who_is_one_client(one: str | None, other: str, same: bool) -> None:
    allowance = Allowance(per_day=1)
    assert allowance.take(one)
    assert allowance.take(other) is not same


def test_no_address_is_kept(learner: Learner, snapshot: Snapshot, indexed: Path) -> None:
    for n in range(TOGETHER):
        learner.add(address(n), snapshot, features(n))
    learner.flush()
    data = (indexed / FILE).read_bytes()
    kept = repr(learner._allowance.__dict__)
    assert count(indexed) == TOGETHER
    for n in range(TOGETHER):
        assert address(n).encode() not in data
        assert address(n) not in kept


def test_too_few_are_not_written(learner: Learner, snapshot: Snapshot, indexed: Path) -> None:
    for n in range(TOGETHER - 1):
        learner.add(address(n), snapshot, features(n))
    learner.flush()
    assert not (indexed / FILE).exists()
    learner.add(address(TOGETHER), snapshot, features(0))
    learner.close()
    assert count(indexed) == TOGETHER


def test_it_is_written_in_the_background(snapshot: Snapshot, indexed: Path) -> None:
    learner = Learner(indexed, flush_seconds=0.01)
    assert learner._thread is None
    for n in range(TOGETHER):
        learner.add(address(n), snapshot, features(n))
    assert learner._thread is not None
    for _ in range(500):
        if count(indexed) == TOGETHER:
            break
        learner._stopping.wait(0.01)
    assert count(indexed) == TOGETHER
    learner.close()
    assert not learner._thread.is_alive()


def test_what_cannot_be_written_is_told_once_and_kept(
    learner: Learner,
    snapshot: Snapshot,
    indexed: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr("indexer.learned.write_durably", full)
        for n in range(3 * TOGETHER):
            learner.add(address(n), snapshot, features(n))
            learner.flush()
    assert caplog.text.count("No space left") == 1
    learner.flush()
    assert count(indexed) == 3 * TOGETHER


def test_a_damaged_file_is_told_and_begun_anew(
    learner: Learner, snapshot: Snapshot, indexed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (indexed / FILE).write_bytes(b"garbage")
    for n in range(TOGETHER):
        learner.add(address(n), snapshot, features(n))
    with caplog.at_level(logging.WARNING):
        learner.flush()
    assert "begun anew" in caplog.text
    assert count(indexed) == TOGETHER


def test_another_recipe_begins_anew(learner: Learner, snapshot: Snapshot, indexed: Path) -> None:
    for n in range(TOGETHER):
        learner.add(address(n), snapshot, features(n))
    rebuild(indexed, "seed", None, None)
    learner.flush()  # of a recipe that no longer serves
    assert not (indexed / FILE).exists()
    for n in range(TOGETHER):
        learner.add(address(n), open_current(indexed), features(n))
    learner.flush()
    kept = read_learned(indexed)
    assert kept is not None
    assert (kept.recipe.name, kept.count) == ("seed", TOGETHER)


@pytest.mark.parametrize("word", ["on", "1", "true", "Yes"])
def test_the_setting_turns_it_on(word: str) -> None:
    settings = Settings.from_env({"LOOKALIKE_LEARN_FROM_QUERIES": word})
    assert settings.learn_from_queries
    assert not Settings.from_env({"LOOKALIKE_LEARN_FROM_QUERIES": "off"}).learn_from_queries
    with pytest.raises(UsageError, match="neither on nor off"):
        Settings.from_env({"LOOKALIKE_LEARN_FROM_QUERIES": "maybe"})


def test_the_page_says_so(engine: FakeEngine, settings: Settings) -> None:
    for learning in (False, True):
        app = create_app(Settings(index=settings.index, learn_from_queries=learning), engine=engine)
        assert ("on average is learned" in app.test_client().get("/").text) is learning


def test_the_start_up_line_says_so(engine: FakeEngine) -> None:
    holder, server = EngineHolder(Path("index"), engine=engine), SimpleNamespace(effective_port=1)
    lines: list[Any] = [
        start_up_line(server, "127.0.0.1", holder, learning=learning) for learning in (False, True)
    ]
    assert "learned" not in lines[0]
    assert "LOOKALIKE_LEARN_FROM_QUERIES" in lines[1]
