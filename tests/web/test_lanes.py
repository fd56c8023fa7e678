"""Which requests wait for one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.web.conftest import new_engine
from web.app import create_app
from web.monitoring.metrics import Metrics
from web.serving.lanes import Lane, chooser
from web.settings import Settings

Choosers: TypeAlias = dict[str, Callable[[str, str, str], str]]


@pytest.fixture(scope="module")
def choosers(tmp_path_factory: pytest.TempPathFactory) -> Choosers:
    """Return what chooses lanes, for an application at the root and one under a prefix."""
    index = tmp_path_factory.mktemp("lanes")
    return {
        prefix: chooser(create_app(Settings(index=index, url_prefix=prefix), engine=new_engine()))
        for prefix in ("", "/look")
    }


class Waits:
    """A connection as far as a lane looks at it."""

    requests = ()


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", "/health", "health"),
        ("HEAD", "/health", "health"),
        ("GET", "/ready", "watch"),
        ("GET", "/metrics", "watch"),
        ("POST", "/api/v1/search", "photos"),
        ("POST", "/api/v1/explain", "photos"),
        ("POST", "/search", "photos"),
        ("POST", "/share", "photos"),
        ("POST", "/why", "photos"),
        ("GET", "/listings/a/why/b", "photos"),
        ("GET", "/s/token", "photos"),
        ("PUT", "/api/v1/listings/a", "writes"),
        ("POST", "/api/v1/listings:batch", "writes"),
        ("GET", "/api/v1/listings/a/similar?k=3&explain=true", "photos"),
        ("GET", "/api/v1/listings/a/similar?k=3&expl%61in=1", "photos"),
        ("GET", "/api/v1/listings/a/similar?k=3", "pages"),
        ("GET", "/", "pages"),
        ("GET", "/listings/health", "pages"),
        ("GET", "/thumbnails/a.jpg", "pages"),
        ("GET", "/static/app.css", "pages"),
        ("OPTIONS", "/api/v1/search", "pages"),
        ("POST", "/health", "pages"),
        ("GET", "/nowhere", "pages"),
        ("GET", "//health", "health"),
        ("GET", "\xff/\xe4", "pages"),
        ("", "", "pages"),
    ],
)
def test_each_has_its_lane(choosers: Choosers, method: str, path: str, lane: str) -> None:
    path, _, query = path.partition("?")
    for prefix, choose in choosers.items():
        assert choose(method, prefix + path, query) == lane
        assert choose(method, path, query) == lane  # a proxy has taken the prefix away


def test_a_lane_is_full_when_so_many_wait() -> None:
    lane = Lane("photos", 0, Metrics(), most=2)
    assert lane.offer(Waits())
    assert lane.offer(Waits())
    assert not lane.offer(Waits())
