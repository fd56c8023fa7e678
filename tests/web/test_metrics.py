"""/metrics: what is counted, and who may read it."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import FakeEngine
from tests.web.living import ROOT, app_on
from web.app import create_app
from web.monitoring.metrics import GAUGES, Metrics
from web.settings import Settings


def samples(client: FlaskClient) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    # By labels in the order of their names.
    return {
        (one.name, tuple(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_requests_are_counted_by_route_and_class(client: FlaskClient) -> None:
    for path in ("/api/v1/listings/p1", "/api/v1/listings/p2", "/api/v1/listings/none"):
        client.get(path)
    for n in range(20):
        client.get(f"/nowhere/{n}")
    client.open("/health", method="BREW")
    said = samples(client)
    requests = "lookalike_http_requests_total"
    assert said[requests, ("GET", "/api/v1/listings/<listing_id>", "2xx")] == 2
    assert said[requests, ("GET", "/api/v1/listings/<listing_id>", "4xx")] == 1
    assert said[requests, ("GET", "none", "4xx")] == 20
    assert said[requests, ("other", "none", "4xx")] == 1
    assert ("lookalike_http_request_seconds_count", ("GET", "none")) in said
    assert said["lookalike_ready", ()] == 1
    assert said["lookalike_listings", ()] > 10
    assert any(name.startswith("process_") for name, _ in said)


def test_all_of_them_are_described(client: FlaskClient) -> None:
    client.get("/health")
    said = re.findall(r"\blookalike_\w+", (ROOT / "docs" / "serving.md").read_text())
    families = text_string_to_metric_families(client.get("/metrics").text)
    for name in {family.name for family in families if family.name.startswith("lookalike_")}:
        assert name.endswith("_created") or {name, f"{name}_total"} & set(said), name
    known = {*GAUGES, "ready", "live_recall", "live_recall_photos"}
    registered = Metrics().registry._names_to_collectors
    for name in said:
        assert name in registered or name.removeprefix("lookalike_") in known, name


def test_each_application_counts_for_itself(settings: Settings, engine: FakeEngine) -> None:
    one, other = (create_app(settings, engine=engine).test_client() for _ in range(2))
    one.get("/health")
    key = ("lookalike_http_requests_total", ("GET", "/health", "2xx"))
    assert key in samples(one)
    assert key not in samples(other)


def test_an_index_that_is_not_open_is_not_opened(settings: Settings) -> None:
    said = samples(create_app(settings).test_client())
    assert said["lookalike_ready", ()] == 0
    assert ("lookalike_listings", ()) not in said


def test_what_is_served(indexed: object, pictures_folder: object) -> None:
    app, _ = app_on(indexed)  # type: ignore[arg-type]
    client = app.test_client()
    data = (pictures_folder / "bags" / "00.png").read_bytes()  # type: ignore[operator]
    client.post("/api/v1/search", data={"image": (io.BytesIO(data), "a.png")})
    client.delete("/api/v1/listings/bags:00.png")
    client.delete("/api/v1/listings/nobody")
    said = samples(client)
    for stage in ("decode", "embed", "search"):
        assert said["lookalike_search_stage_seconds_count", (stage,)] == 1
    assert said["lookalike_writes_total", ("delete", "removed")] == 1
    assert said["lookalike_writes_total", ("delete", "failed")] == 1
    assert said["lookalike_listings", ()] == 11
    assert said["lookalike_failures", ()] == 0
    assert said["lookalike_vectors", ()] == 11
    assert said["lookalike_changed", ()] == 1
    assert said["lookalike_snapshot_age_seconds", ()] >= 0


@pytest.mark.parametrize(
    ("who", "address", "status"),
    [
        ("loopback", "127.0.0.1", 200),
        ("loopback", "192.0.2.1", 403),
        ("public", "192.0.2.1", 200),
        ("off", "127.0.0.1", 403),
    ],
)
def test_who_may_read_it(
    settings: Settings, engine: FakeEngine, who: str, address: str, status: int
) -> None:
    app: Flask = create_app(Settings(index=settings.index, metrics=who), engine=engine)
    answer = app.test_client().get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    if status == 403:
        assert answer.json["error"]["code"] == "not_allowed"
