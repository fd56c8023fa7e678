"""Two processes write and two search, each on its own, for a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.durability import reading, worker
from tests.durability.checking import mistakes, settled
from tests.durability.ledger import Told, lines
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop

WRITERS = ("one", "two")
READERS = ("reader", "other-reader")


def followed(shop: Shop, seconds: float, seed: int) -> tuple[Mapping[str, int], list[str]]:
    """Let two processes write, two search and one build snapshots, tidy up and sync.

    Returns
    -------
    tally : mapping of str to int
        What was done.
    wrong : list of str
        Searches that did not see what was acknowledged before they began, and whatever else.
    """
    folder = shop.root / "ledgers"
    folder.mkdir()
    paths: list[Path] = [folder / name for name in WRITERS]
    known: Model = {}
    children = []
    for path in paths:
        said = (path, path.name, seed, known, seconds)
        children.append(started(worker.write, shop.index, *said))
    for n, name in enumerate(READERS):
        children.append(started(reading.read, shop.index, folder / name, paths, n, seconds))
    upkeep = (folder / "upkeep", shop.catalogue, seed, seconds)
    children.append(started(worker.maintain, shop.index, *upkeep))
    for child in children:
        child.join()
    told, tally = Told(), Counter[str]()
    for path in folder.iterdir():
        told.take(path)
    for name in READERS:
        tally["searches"] += sum(line.get("searches", 0) for line in lines(folder / name))
    tally["acknowledged"] = len(told.done)
    tally.update(told.counts)
    model, wrong = settled(shop.index, told, known)
    return tally, [*wrong, *mistakes(shop.index, model)]
