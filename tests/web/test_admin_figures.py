"""The figures of the administration page."""

from __future__ import annotations

import math

import pytest
from flask import Flask

from search.query import Page
from tests.web.conftest import FakeEngine
from web.admin.figures import figures, quantile
from web.monitoring.metrics import Metrics

BUCKETS = {0.1: 10.0, 0.2: 30.0, 0.4: 40.0, math.inf: 40.0}


@pytest.mark.parametrize(
    ("share", "expected"), [(0.25, 0.1), (0.5, 0.15), (0.75, 0.2), (0.875, 0.3), (1.0, 0.4)]
)
def test_a_quantile_lies_within_its_bucket(share: float, expected: float) -> None:
    assert quantile(BUCKETS, share) == pytest.approx(expected)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0.0, math.inf: 0.0}, 0.5) is None


def test_what_is_slower_than_all_bounds_is_said_to_be_the_last() -> None:
    assert quantile({0.1: 0.0, math.inf: 4.0}, 0.5) == 0.1


def test_what_was_counted_is_told(app: Flask, engine: FakeEngine) -> None:
    metrics: Metrics = app.extensions["lookalike.metrics"]
    for ms in (*[3.0] * 10, *[4.0] * 8, *[40.0] * 2):
        metrics.answered(Page([], "s-1", {"decode": ms, "embed": 10.0, "search": 0.3}))
    with app.test_request_context():
        found = figures(metrics, app.extensions["lookalike.engine"])
    steps = {step["name"]: step for step in found["steps"]}
    assert steps["decode"]["count"] == 20
    assert 2.5 <= steps["decode"]["p50"] <= 5
    assert 25 <= steps["decode"]["p95"] <= 50
    assert steps["request"]["count"] == 0
    assert steps["request"]["p50"] is None
    assert steps["embed"]["buckets"][-1] == [None, 20]
    assert found["index"]["listings"] == len(engine.listings)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, set()),
        (3, {"p50"}),
        (19, {"p50"}),
        (20, {"p50", "p95"}),
        (99, {"p50", "p95"}),
        (100, {"p50", "p95", "p99"}),
    ],
)
def test_too_few_answers_tell_no_percentile(app: Flask, count: int, told: set[str]) -> None:
    metrics: Metrics = app.extensions["lookalike.metrics"]
    for _ in range(count):
        metrics.answered(Page([], "s-1", {"search": 300.0}))
    with app.test_request_context():
        found = figures(metrics, app.extensions["lookalike.engine"])
    step = next(step for step in found["steps"] if step["name"] == "search")
    assert {name for name in ("p50", "p95", "p99") if step[name] is not None} == told
