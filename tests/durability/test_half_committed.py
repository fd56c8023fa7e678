"""A process died in its COMMIT: SQLite forgets that while another lives, and finds it again after.

What is written beside the database must not be written over by who lives on, then.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.catalog import DATABASE, Catalog
from indexer.turns import FILE
from tests.durability import worker
from tests.durability.checking import mistakes, said, settled
from tests.durability.ledger import Told
from tests.durability.points import KILL
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop, listing_of, writer

WAL = f"{DATABASE}-wal"
SHARED = f"{DATABASE}-shm"
BESIDE = ("features.f16", "features.crc", "thumbnails.db", "thumbnails.db-wal", FILE)

HALF = "p-half"


@dataclass
class Half:
    """An index, and what a put leaves of it that dies with its log written and nobody told."""

    before: Shop
    after: Shop
    model: Model
    half: Model

    @classmethod
    def made(cls, shop: Shop, model: Model, scratch: Path) -> Half:
        """Write once for the log to be there, and once more in a copy."""
        known = {**model, "p-8": model["p-1"]}
        half = {**model["p-1"], "pictures": [[910, 0], [911, 1]]}
        with Catalog(shop.index):  # or the log would be taken over when the last one closes
            writer(shop.index).put(listing_of("p-8", known["p-8"]))
            before, after = shop.copied(scratch / "before"), shop.copied(scratch / "after")
        for one in (before, after):
            (one.index / SHARED).unlink()
        with Catalog(after.index):
            writer(after.index).put(listing_of(HALF, half))
            shutil.copy(after.index / WAL, scratch / WAL)
        shutil.copy(scratch / WAL, after.index / WAL)
        return cls(before, after, known, {HALF: half})

    def dies(self, index: Path) -> None:
        """Do to a copy of `before`, which somebody has open, what a put does until it dies."""
        old, new = (index / WAL).read_bytes(), (self.after.index / WAL).read_bytes()
        assert new.startswith(old)
        assert len(new) > len(old)
        with (index / WAL).open("r+b") as file:
            file.seek(len(old))
            file.write(new[len(old) :])
        for name in BESIDE:
            if (self.after.index / name).exists():
                shutil.copy(self.after.index / name, index / name)
        kept = index / "pictures"
        shutil.copytree(self.after.index / "pictures", kept, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def half(written: Shop, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Half:
    scratch = tmp_path_factory.mktemp("half")
    return Half.made(written.copied(scratch), model, scratch)


@pytest.mark.parametrize(
    ("what", "stride"), [("put", 6), ("remove", 1), ("batch", 9), ("tidy", 5), ("sync", 17)]
)
def test_it_is_whole_or_not_at_all_whatever_comes_next(
    half: Half, what: str, stride: int, tmp_path: Path
) -> None:
    found = []
    for at in range(1, 200, stride):
        shop = half.before.copied(tmp_path / str(at))
        ledger = shop.root / "ledger"
        with Catalog(shop.index) as lives:
            lives.change()
            half.dies(shop.index)
            assert HALF not in said(shop.index)
            known = (shop.index, ledger, shop.catalogue, what, 1, half.model, at, KILL)
            child = started(worker.at_point, *known)
            child.join()
            all_die = shop.copied(shop.root / "after")
        (all_die.index / SHARED).unlink()
        told = Told()
        told.take(ledger)
        told.open.append((HALF, half.half[HALF]))
        model, wrong = settled(all_die.index, told, half.model)
        wrong += mistakes(all_die.index, model)
        found += [f"{what} at {at} {told.points}: {one}" for one in wrong]
        shutil.rmtree(shop.root)
        if "reached the end" in told.counts:
            break
    else:
        found.append("It never came to its end.")
    assert found == []
