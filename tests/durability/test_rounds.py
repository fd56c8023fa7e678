"""Kill -9 at random moments: what was acknowledged is there, and nothing by halves."""

from __future__ import annotations

from pathlib import Path

from tests.durability.following import followed
from tests.durability.rounds import Rounds
from tests.durability.shop import Shop

ROUNDS = 9
"""`python -m benchmarks.durability` runs hundreds."""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    run = Rounds(Shop.made(tmp_path), seed=7)
    wrong = [one for _ in range(ROUNDS) for one in run.run()]
    assert wrong == []
    assert run.tally["acknowledged"] > 3 * ROUNDS
    assert run.tally["killed in flight"] > ROUNDS / 4


def test_readers_in_other_processes_follow(tmp_path: Path) -> None:
    tally, wrong = followed(Shop.made(tmp_path), seconds=5, seed=3)
    assert wrong == []
    assert tally["acknowledged"] > 20
    assert tally["searches"] > 20
