"""One operation, killed or refused at its writes, one after the other.

A put is killed at each of them; of the others some are taken here, and all of them by
``python -m benchmarks.durability --points``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability.points import KILL
from tests.durability.shop import Model, Shop
from tests.durability.steps import every_point

CASES = [
    ("put", KILL, 1),
    ("replace picture", KILL, 6),
    ("batch", KILL, 7),
    ("patch", KILL, 1),
    ("remove", KILL, 1),
    ("put", "EIO", 6),
    ("batch", "ENOSPC", 8),
    ("compact", KILL, 9),
    ("tidy", KILL, 7),
    ("sync", KILL, 8),
    ("replace index", KILL, 23),
    ("compact", "ENOSPC", 17),
    ("tidy", "EIO", 13),
    ("sync", "ENOSPC", 16),
    ("replace index", "EIO", 47),
]

LEAST = 3
"""Writes that each of these makes at least, those of SQLite's transactions counted."""


@pytest.mark.parametrize(("what", "how", "stride"), CASES)
def test_it_is_whole_or_not_at_all(
    written: Shop, model: Model, what: str, how: str, stride: int, tmp_path: Path
) -> None:
    found = every_point(written, model, what, how, tmp_path, stride=stride, every=5)
    assert found.wrong == []
    assert found.count * stride >= LEAST
