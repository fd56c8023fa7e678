"""Rounds of writing, building, tidying and syncing at once that end with kill -9."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from indexer.errors import IndexBusy
from tests.durability import worker
from tests.durability.checking import mistakes, settled
from tests.durability.ledger import Told
from tests.durability.shop import Model, Shop, sync

HEAVY = (
    "sklearn.linear_model",
    "scipy.stats",
    "faiss",
    "search.engine",
    "tests.durability.worker",
    "tests.durability.reading",
)
"""Imported once, in a fresh interpreter that every child is forked from."""

LONGEST = 60.0
"""Seconds after which a child that should have ended is given up."""


def context() -> ForkServerContext:
    """Return what starts children: forks of a fresh interpreter that has imported everything."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(HEAVY))
    return found


def started(what: Any, *arguments: Any) -> ForkServerProcess:
    """Start a child."""
    process = context().Process(target=what, args=arguments, daemon=True)
    process.start()
    return process


@dataclass
class Rounds:
    """Rounds on one index; each goes on where the last one was killed.

    Attributes
    ----------
    shop : Shop
        The index, and its catalogue.
    seed : int
        Of everything that is drawn by lot but the system's own timing.
    longest : float
        Seconds after which most rounds are killed at the latest.
    """

    shop: Shop
    seed: int
    longest: float = 0.4
    model: Model = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    done: int = 0

    def run(self) -> list[str]:
        """Run one round; return what was wrong after it."""
        self.done += 1
        dice = random.Random(f"{self.seed}, {self.done}")
        folder = self.shop.root / "ledgers"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.shop.write_catalogue(self.shop.version + dice.choice((0, 1)))
        children = self._start(folder, dice)
        ledgers = [folder / name for name in children]
        began = time.monotonic()
        while not all(path.exists() for path in ledgers) and time.monotonic() < began + LONGEST:
            time.sleep(0.001)
        # Now and then long enough for an index to be built anew.
        time.sleep(dice.uniform(0, self.longest * dice.choice((1, 1, 1, 1, 1, 5))))
        processes = list(children.values())
        dice.shuffle(processes)
        if dice.random() < 0.5:  # one of them alone, so that the others go on without it
            processes[0].kill()
            time.sleep(dice.uniform(0, self.longest / 2))
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
        return self._after(ledgers, dice)

    def _start(self, folder: Path, dice: random.Random) -> dict[str, ForkServerProcess]:
        index, catalogue = self.shop.index, self.shop.catalogue
        children = {}
        for name in ("one", "two"):
            seed = self.seed * 10_000 + self.done
            said = (folder / name, name, seed, self.model, LONGEST)
            children[name] = started(worker.write, index, *said)
        for name in ("upkeep", "more-upkeep")[: dice.choice((1, 1, 2))]:
            chance = dice.randrange(10**9)
            said_ = (folder / name, catalogue, chance, LONGEST)
            children[name] = started(worker.maintain, index, *said_)
        return children

    def _after(self, ledgers: list[Path], dice: random.Random) -> list[str]:
        told = Told()
        for path in ledgers:
            told.take(path)
        self.tally["acknowledged"] += len(told.done)
        self.tally["killed in flight"] += bool(told.open)
        for name, count in told.counts.items():
            self.tally[name] += count
        for code, count in told.refused.items():
            self.tally[code] += count
        self._note_leftovers()
        try:
            self.model, wrong = settled(self.shop.index, told, self.model)
            # Nobody's disk was full: only turns may have been waited for in vain.
            wrong += [reason for reason in told.reasons if not reason.startswith(IndexBusy.code)]
            wrong += mistakes(self.shop.index, self.model)
            if not wrong:  # it goes on as if nothing had been
                sync(self.shop.index, self.shop.catalogue)
                if dice.random() < 0.3:
                    worker.run_tidy(self.shop.index)
                wrong += mistakes(self.shop.index, self.model, self.shop.base)
        except Exception as error:  # noqa: BLE001 - the round failed, whatever it is
            wrong = [repr(error)]
        return [f"round {self.done}: {one}" for one in wrong]

    def _note_leftovers(self) -> None:
        """Count what shows that a kill came in the middle of something."""
        names = {path.name for path in self.shop.index.rglob("*")}
        self.tally["killed while building"] += any(n.startswith(".building-") for n in names)
        self.tally["killed while syncing"] += any("staging" in n for n in names)
        self.tally["left a .part"] += any(n.endswith(".part") for n in names)
