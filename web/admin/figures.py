"""The figures of the administration page: the state of the index, and how long answers take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from prometheus_client.parser import text_string_to_metric_families

from indexer.errors import LookalikeError
from web.engine import EngineHolder
from web.monitoring.metrics import Metrics

QUANTILES = {0.5: 3, 0.95: 20, 0.99: 100}
"""What is told, by how many answers it takes: of fewer, the histogram's bounds would speak."""

PHOTO_ROUTES = ("/search", "/api/v1/search")


def figures(metrics: Metrics, holder: EngineHolder) -> dict[str, Any]:
    """Return what the page shows and asks for again every few seconds, fit for JSON.

    Returns
    -------
    dict
        ``steps``: for each step of a search its ``name``, ``label``, ``count``, quantiles ``p50``,
        ``p95`` and ``p99`` in milliseconds (None where too few were counted to tell), and
        ``buckets``, the cumulated counts by upper bound in seconds; ``answers``: requests by class
        of status;
        ``index``: what is served, empty where nothing is.
    """
    families = {
        family.name: family.samples
        for family in text_string_to_metric_families(metrics.text(holder).decode())
    }
    steps = dict(_steps(families))
    answers: dict[str, int] = {}
    for sample in families.get("lookalike_http_requests", []):
        if sample.name.endswith("_total"):
            status = sample.labels["status"]
            answers[status] = answers.get(status, 0) + int(sample.value)
    return {
        "steps": [
            _step(name, label, steps.get(name, {}))
            for name, label in (
                ("decode", _("Reading the photo")),
                ("embed", _("The network")),
                ("search", _("Searching the index")),
                ("request", _("A photo search as a whole")),
            )
        ],
        "answers": answers,
        "index": _index(holder),
    }


def quantile(buckets: dict[float, float], share: float) -> float | None:
    """Return a quantile of a histogram, as Prometheus does: linear within a bucket.

    Parameters
    ----------
    buckets : mapping of float to float
        Upper bound to how many are at most that, cumulated; the last bound is infinite.
    share : float
        Between 0 and 1.

    Returns
    -------
    float or None
        In the bounds' unit; None where nothing was counted.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    wanted = share * buckets[bounds[-1]]
    lower, before = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= wanted and buckets[bound] > before:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (wanted - before) / (buckets[bound] - before)
        lower, before = bound, buckets[bound]
    return lower


def _steps(families: dict[str, Any]) -> Iterator[tuple[str, dict[float, float]]]:
    by_stage: dict[str, dict[float, float]] = {}
    for sample in families.get("lookalike_search_stage_seconds", []):
        if sample.name.endswith("_bucket"):
            found = by_stage.setdefault(sample.labels["stage"], {})
            found[float(sample.labels["le"])] = sample.value
    yield from by_stage.items()
    whole: dict[float, float] = {}
    for sample in families.get("lookalike_http_request_seconds", []):
        asked = sample.labels.get("route") in PHOTO_ROUTES
        if sample.name.endswith("_bucket") and asked and sample.labels["method"] == "POST":
            bound = float(sample.labels["le"])
            whole[bound] = whole.get(bound, 0.0) + sample.value
    yield "request", whole


def _step(name: str, label: str, buckets: dict[float, float]) -> dict[str, Any]:
    count = int(buckets[max(buckets)]) if buckets else 0
    found = {
        f"p{100 * share:.0f}": quantile(buckets, share) if count >= least else None
        for share, least in QUANTILES.items()
    }
    return {
        "name": name,
        "label": label,
        "count": count,
        **{key: None if value is None else round(1000 * value, 2) for key, value in found.items()},
        # JSON has no infinity: the last bucket's bound is null.
        "buckets": [
            [None if math.isinf(bound) else bound, buckets[bound]] for bound in sorted(buckets)
        ],
    }


def _index(holder: EngineHolder) -> dict[str, Any]:
    try:
        return holder.get().status()
    except LookalikeError:  # nothing is indexed yet, or it cannot be served: the page says so
        return {}
