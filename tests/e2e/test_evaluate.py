"""Answers measured by the real command line, with the real network, on the drawn demo."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike import Engine
from search.trial import NOTHING, Trial
from tests.e2e.conftest import Demo, Run


@pytest.fixture(scope="module")
def measured(demo: Demo, run: Run) -> dict[str, Any]:
    """What `evaluate --json` says of the demo."""
    done = run(
        "evaluate", demo.queries, "--index", demo.index, "--json", "--compare", "default",
        "--compare", "seed",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def value(figures: list[dict[str, Any]], name: str) -> float:
    return float(next(one["value"]["value"] for one in figures if one["name"] == name))


def test_customer_photos_find_their_listings(measured: dict[str, Any]) -> None:
    """The demo's photos are turned, cluttered and badly lit pictures of what it sells."""
    assert measured["photos"]["by_listing"] == measured["photos"]["given"] > 50
    assert not measured["photos"]["unreadable"]
    assert value(measured["by_listing"], "hit@5") >= 0.9
    dice = next(one["dice"] for one in measured["by_listing"] if one["name"] == "hit@5")
    assert dice["high"] < value(measured["by_listing"], "hit@5")


def test_the_default_recipe_beats_the_public_one(measured: dict[str, Any]) -> None:
    default, seed = measured["compared"]
    assert (default["name"], seed["name"]) == ("default", "seed")
    changes = {
        one["name"]: one
        for one in seed["figures"]
        if one["judged_by"] == "listing" and one["prior"]
    }
    assert changes["MRR"]["significant"]
    assert changes["MRR"]["difference"]["high"] < 0


def test_the_rest_of_it_makes_sense(measured: dict[str, Any]) -> None:
    assert measured["ann_recall_at_10"] >= 0.98
    took = measured["took_ms"]
    assert took["embed"]["median"] < took["total"]["median"] <= took["total"]["p95"]
    close = measured["close_match"]
    assert close["judged_by"] == "listing"
    assert close["right_above"] > close["right_below"]
    assert measured["classifier"]["calibration_error"] < 0.2


@pytest.fixture(scope="module")
def engine(demo: Demo) -> Iterator[Engine]:
    opened = Engine.open(demo.index)
    yield opened
    opened.close()


@pytest.mark.parametrize("prior", [True, False])
def test_exact_ranking_is_the_engines(engine: Engine, demo: Demo, prior: bool) -> None:
    """On real photos: what evaluate measures is what people get."""
    with demo.queries.open(newline="") as file:
        photos = [demo.folder / row["image"] for row in csv.DictReader(file)][::15]
    pixels = [engine.prepared(Path(photo)).pixels for photo in photos]
    features = np.stack([engine.embedder().embed(one) for one in pixels])
    trial = Trial.of_snapshot(engine.snapshot)
    assert trial.categories is not None
    assert trial.categories.weight_ > 0
    answers = trial.answers(features, [NOTHING] * len(photos))
    for photo, answer in zip(photos, answers, strict=True):
        page = engine.search(photo=photo, k=10, prior=prior)
        with engine.catalog() as catalog:
            expected = [catalog.number_of(hit.listing.id) for hit in page.hits]
        positions = answer.ranked if prior else answer.plain
        assert trial.listings[positions[:10]].tolist() == expected


def test_what_cannot_be_read_stops_nothing(demo: Demo, run: Run, tmp_path: Path) -> None:
    with demo.queries.open(newline="") as file:
        rows = list(csv.DictReader(file))[:3]
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    lines = [f"{demo.folder / row['image']},{row['listing']}" for row in rows]
    queries = tmp_path / "queries.csv"
    queries.write_text("\n".join(["image,listing", *lines, "broken.jpg,x", "gone.jpg,x", ""]))
    plot = tmp_path / "precision.svg"
    done = run("evaluate", queries, "--index", demo.index, "-k", "3", "--plot", plot)
    assert done.returncode == 0, done.stderr
    assert "hit@3" in done.stdout
    assert "queries.csv, line 5" in done.stderr
    assert "queries.csv, line 6" in done.stderr
    assert "</svg>" in plot.read_text()
    wrong = run("evaluate", demo.folder / "nothing.csv", "--index", demo.index)
    assert wrong.returncode == 1
    assert "does not exist" in wrong.stderr
