"""A process died in its COMMIT: SQLite forgets it while another lives, and else finds it again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer.catalog import DATABASE, Catalog
from tests.durability import worker
from tests.durability.checking import mistakes, said, settled
from tests.durability.ledger import Told
from tests.durability.points import KILL
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop, listing_of, writer

WAL = f"{DATABASE}-wal"
BESIDE = ("features.f16", "features.crc", "thumbnails.db")


def die_in_commit(shop: Shop, model: Model, scratch: Path) -> None:
    """Leave what a put leaves that dies when its log is written and nobody was told yet."""
    other = shop.copied(scratch)
    (other.index / f"{DATABASE}-shm").unlink()
    with Catalog(other.index):  # or the log would be taken over when the last one closes
        writer(other.index).put(listing_of("p-half", model["p-half"]))
        log = (other.index / WAL).read_bytes()
    before = (shop.index / WAL).read_bytes()
    assert log.startswith(before)
    assert len(log) > len(before)
    with (shop.index / WAL).open("r+b") as file:
        file.seek(len(before))
        file.write(log[len(before) :])
    for name in BESIDE:
        shutil.copy(other.index / name, shop.index / name)
    shutil.copytree(other.index / "pictures", shop.index / "pictures", dirs_exist_ok=True)


@pytest.mark.parametrize("what", ["put", "patch", "remove", "batch", "tidy", "sync", "compact"])
def test_it_is_whole_or_not_at_all_whatever_comes_next(
    copy: Shop, model: Model, what: str, tmp_path: Path
) -> None:
    half = {**model["p-1"], "pictures": [[910, 0], [911, 1]]}
    holds = Catalog(copy.index)
    writer(copy.index).put(listing_of("p-8", model["p-1"]))
    known = {**model, "p-8": model["p-1"]}
    die_in_commit(copy, {**known, "p-half": half}, tmp_path / "other")
    assert "p-half" not in said(copy.index)
    for at in range(1, 100):
        now = copy.copied(tmp_path / f"{at}")
        (now.index / f"{DATABASE}-shm").unlink()
        shutil.rmtree(now.root)
    holds.close()
