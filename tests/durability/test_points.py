"""One operation, killed or refused at each of its writes in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability.points import KILL
from tests.durability.shop import Model, Shop
from tests.durability.steps import every_point

LEAST = 5
"""Writes that each of these makes at least, those of SQLite's transactions counted."""


@pytest.mark.parametrize("how", [KILL, "ENOSPC", "EIO"])
@pytest.mark.parametrize("what", ["put", "replace", "batch"])
def test_a_write_is_whole_or_not_at_all(
    written: Shop, model: Model, what: str, how: str, tmp_path: Path
) -> None:
    stride = 1 if how == KILL else 3
    found = every_point(written, model, what, how, tmp_path, stride=stride, every=4)
    assert found.wrong == []
    assert found.count * stride >= LEAST


@pytest.mark.parametrize("how", [KILL, "ENOSPC"])
@pytest.mark.parametrize("what", ["compact", "tidy", "sync"])
def test_upkeep_loses_nothing(
    written: Shop, model: Model, what: str, how: str, tmp_path: Path
) -> None:
    stride = 4 if how == KILL else 7
    found = every_point(written, model, what, how, tmp_path, stride=stride, every=3)
    assert found.wrong == []
    assert found.count * stride >= LEAST
