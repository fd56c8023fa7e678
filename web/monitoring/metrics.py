"""What a server tells whoever watches it: /metrics, in the words of Prometheus.

Several workers count together: the library keeps their numbers in files of one folder, where
`FOLDER` is set before it is imported, and whichever worker is asked adds them up. What is told of
the index is the same for all of them; what is told of the process is left out then, and the live
recall is that of the worker that answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from indexer.errors import LookalikeError
from search.query import Page
from web.access.loopback import require_loopback
from web.access.scopes import may
from web.engine import EngineHolder, SearchEngine
from web.errors import NotAllowed
from web.settings import current_settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

STAGES = ("decode", "embed", "search")

GAUGES = {
    "listings": "Listings of the catalogue.",
    "failures": "Pictures that were rejected, and which searches cannot find.",
    "vectors": "Vectors that a search can find.",
    "changed": "Vectors that came or went since the snapshot, and are searched beside it.",
    "change": "The number of the catalogue's latest change that searches know of.",
    "snapshot_age_seconds": "The age of the snapshot that is searched.",
}

pages = Blueprint("metrics", __name__)


class Metrics:
    """The numbers of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.together = bool(os.environ.get(FOLDER))
        self.requests = Counter(
            "lookalike_http_requests",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.latency = Histogram(
            "lookalike_http_request_seconds",
            "From a request's last byte to its answer's first.",
            ("route", "method"),
            buckets=SECONDS,
            registry=registry,
        )
        self.stages = Histogram(
            "lookalike_search_stage_seconds",
            "What a search spends its time on; photos are decoded and embedded.",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        self.writes = Counter(
            "lookalike_writes",
            "Writes of the API, by what became of them.",
            ("operation", "outcome"),
            registry=registry,
        )
        self.compactions = Counter(
            "lookalike_compactions",
            "Compactions that this server began, by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self.snapshots = Counter(
            "lookalike_snapshots_taken_up", "Newer snapshots that are served.", registry=registry
        )
        self.queue = self._now("lookalike_queue", "Requests that wait for their turn.", "lane")
        self.waited = Histogram(
            "lookalike_queue_seconds",
            "How long requests have waited for their turn.",
            ("lane",),
            buckets=SECONDS,
            registry=registry,
        )
        self.refused = Counter(
            "lookalike_refused",
            "Requests that were answered with 503 by what there was too little of: memory, queue or"
            " time in it (waited); or with 408, as they took too much time to come in (time).",
            ("reason",),
            registry=registry,
        )
        self.body_bytes = self._now(
            "lookalike_request_body_bytes", "Bytes of requests that are kept in memory."
        )
        self.connections = self._now("lookalike_connections", "Connections that are open.")

    def _now(self, name: str, words: str, *labels: str) -> Gauge:
        """Return a gauge of which the workers that live are added up."""
        return Gauge(name, words, labels, registry=self.registry, multiprocess_mode="livesum")

    def answered(self, page: Page) -> None:
        """Count a search."""
        for stage in STAGES:
            if page.took_ms.get(stage):
                self.stages.labels(stage).observe(page.took_ms[stage] / 1000)

    def wrote(self, operation: str, outcome: str) -> None:
        """Count a write."""
        self.writes.labels(operation, outcome).inc()

    def compacted(self, outcome: str) -> None:
        """Count a compaction."""
        self.compactions.labels(outcome).inc()

    def text(self, holder: EngineHolder) -> bytes:
        """Return all of it, in Prometheus' format."""
        asked = CollectorRegistry()
        if self.together:
            MultiProcessCollector(asked)  # type: ignore[no-untyped-call]
        else:
            asked.register(_All(self.registry))
            ProcessCollector(registry=asked)
            PlatformCollector(registry=asked)
            GCCollector(registry=asked)
        asked.register(Served(holder))
        return generate_latest(asked)


class _All(Collector):
    """Everything of another registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Any]:
        """Yield it."""
        yield from self._registry.collect()


class Served(Collector):
    """What is served, as of now. An index that is not open is not opened for this."""

    def __init__(self, holder: EngineHolder) -> None:
        self._holder = holder

    def describe(self) -> list[Any]:
        """Say nothing beforehand: nobody else has such names."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a few gauges."""
        engine = self._holder.engine
        yield GaugeMetricFamily(
            "lookalike_ready", "Whether an index is served.", float(engine is not None)
        )
        if engine is None:
            return
        said: dict[str, Any] = {}
        with suppress(LookalikeError):
            said = _figures(engine)
        for name, words in GAUGES.items():
            if name in said:
                yield GaugeMetricFamily(f"lookalike_{name}", words, float(said[name]))
        recall = _recall(engine)
        if recall is not None:
            yield GaugeMetricFamily(
                "lookalike_live_recall",
                "The share of the ten nearest that the last photos compared have found.",
                recall["recall_at_10"],
            )
            yield GaugeMetricFamily(
                "lookalike_live_recall_photos", "How many photos those are.", recall["photos"]
            )


def _figures(engine: SearchEngine) -> dict[str, Any]:
    figures: Callable[[], dict[str, Any]] = getattr(engine, "figures", engine.status)
    return figures()


def _recall(engine: SearchEngine) -> dict[str, Any] | None:
    recall: Any = getattr(engine, "recall", None)
    return None if recall is None else recall.as_dict()


def register(app: Flask, metrics: Metrics) -> None:
    """Count the requests of an application."""
    app.extensions["lookalike.metrics"] = metrics

    # First in, and so last out: what others do with the answer is counted too.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request_funcs.setdefault(None, []).insert(0, _end)


def current_metrics() -> Metrics:
    """Return the metrics of the application that handles this request."""
    metrics: Metrics = current_app.extensions["lookalike.metrics"]
    return metrics


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    metrics = current_metrics()
    # Rules and not paths, and known methods: whoever asks chooses no label.
    route = request.url_rule.rule if request.url_rule is not None else "none"
    method = request.method if request.method in METHODS else "other"
    metrics.requests.labels(route, method, f"{response.status_code // 100}xx").inc()
    if "began" in g:
        metrics.latency.labels(route, method).observe(time.perf_counter() - g.began)
    return response


@pages.get("/metrics")
def get_metrics() -> Response:
    """Answer the numbers of this server."""
    who = current_settings().metrics
    if who == "off":
        raise NotAllowed("This server tells no metrics.", hint="LOOKALIKE_METRICS=off is set.")
    if who == "loopback" and not may("admin"):
        require_loopback("Metrics are read", "A key with the scope admin reads them from anywhere.")
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    return Response(current_metrics().text(holder), content_type=CONTENT_TYPE_LATEST)
