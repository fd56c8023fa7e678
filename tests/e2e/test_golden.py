"""Golden answers: what fixed photos of the demo find, pinned, and told in words when it changes.

Ranked by similarity alone, with the nsfwjs weights. To accept a change after having looked at it:

    LOOKALIKE_GOLDEN=write python -m pytest tests/e2e/test_golden.py
"""

from __future__ import annotations

import csv
import json
import os
from itertools import islice
from pathlib import Path

import pytest

from lookalike import Engine
from tests.e2e.conftest import Demo, Run

GOLDEN = Path(__file__).with_name("golden.json")
EVERY = 20
"""One photo in so many of the demo is asked with."""

TOP = 5
TIE = 0.02
"""Similarities that are this near may change places: processors round differently."""

Answer = list[tuple[str, float]]


def changes(photo: str, was: Answer, now: Answer) -> list[str]:
    """Say in words what changed in an answer that no near-tie explains."""
    similarity, before = dict(now), dict(was)
    said = []
    for place, (listing, then) in enumerate(was[:TOP], 1):
        if listing not in similarity:
            said.append(f"{photo}: {listing} was at rank {place} ({then:.2f}), and is gone.")
            continue
        if abs(similarity[listing] - then) > TIE:
            said.append(
                f"{photo}: {listing} was as similar as {then:.3f}, and is"
                f" {similarity[listing]:.3f}."
            )
        rank = [name for name, _ in now].index(listing) + 1
        overtook = [name for name, value in now[: rank - 1] if before.get(name, 0) < then - TIE]
        said += [
            f"{photo}: {name} is before {listing} at rank {rank}, though it was clearly behind."
            for name in overtook
        ]
    return said


@pytest.fixture(scope="module")
def answers(run: Run, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    engine = Engine.open(demo.index)
    if not engine.network.name.startswith("nsfwjs"):  # a machine that reaches ImageNet's weights
        index = tmp_path_factory.mktemp("golden") / "index"
        done = run("index", demo.catalogue, "--weights", "nsfwjs", "--index", index)
        assert done.returncode == 0, done.stderr
        engine = Engine.open(index)
    with demo.queries.open(newline="") as file:
        photos = [row["image"] for row in islice(csv.DictReader(file), 0, None, EVERY)]
    return {
        photo: [
            (hit.listing.id, round(hit.similarity, 4))
            for hit in engine.search(photo=demo.folder / photo, k=2 * TOP, prior=False).hits
        ]
        for photo in photos
    }


def test_golden_answers(answers: dict[str, Answer]) -> None:
    if os.environ.get("LOOKALIKE_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    golden = json.loads(GOLDEN.read_text())
    assert len(golden) >= 12
    assert list(golden) == list(answers), "The demo has other photos: its drawing has changed."
    said = [line for photo in golden for line in changes(photo, golden[photo], answers[photo])]
    assert not said, "\n".join(["Answers have changed:", *said])


def test_changes_are_told_and_near_ties_forgiven() -> None:
    was = [("a", 0.9), ("b", 0.7), ("c", 0.69), ("d", 0.5)]
    assert changes("p", was, was) == []
    assert changes("p", was, [("a", 0.9), ("c", 0.7), ("b", 0.69), ("d", 0.5)]) == []
    assert changes("p", was, [("a", 0.9), ("c", 0.69), ("d", 0.5)]) == [
        "p: b was at rank 2 (0.70), and is gone."
    ]
    told = changes("p", was, [("d", 0.95), ("a", 0.9), ("b", 0.7), ("c", 0.69)])
    assert "p: d is before a at rank 2, though it was clearly behind." in told
    assert "p: d was as similar as 0.500, and is 0.950." in told
