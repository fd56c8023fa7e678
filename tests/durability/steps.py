"""One operation, dying or refused at each of its writes in turn, and what the index says then."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from search.engine import Engine
from tests.durability import worker
from tests.durability.checking import mistakes, settled
from tests.durability.ledger import Told
from tests.durability.points import CLEANING, KILL
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop, listing_of, writer
from tests.durability.tracing import BREAKABLE, broken

WRITES = ("put", "replace picture", "patch", "remove", "batch")
UPKEEP = ("compact", "tidy", "sync", "replace index")

MOST = 1000
"""Points after which something is wrong with counting them."""


@dataclass
class Points:
    """What came of one operation at all of its points.

    Attributes
    ----------
    count : int
        How many points there were.
    wrong : list of str
        What was found.
    names : list of str
        The calls.
    """

    count: int = 0
    wrong: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def every_point(
    shop: Shop,
    model: Model,
    what: str,
    how: str,
    scratch: Path,
    *,
    stride: int = 1,
    every: int = 1,
) -> Points:
    """Do something to a copy of an index for each of its writes, stopped there.

    Parameters
    ----------
    shop : Shop
        What is copied.
    model : dict of str to State
        What it says of listings that were written one by one.
    what : str
        Of `WRITES` or `UPKEEP`.
    how : str
        ``kill``, or an error's name.
    scratch : Path
        Where copies go.
    stride, every : int
        Which points are looked at, and after which of those it goes on, to save time.
    """
    points = Points()
    for at in range(1, MOST, stride):
        copy = shop.copied(scratch / f"{what}-{how}-{at}")
        ledger = copy.root / "ledger"
        arguments = (copy.index, ledger, copy.catalogue, what, 1, model, at, how)
        process = started(worker.at_point, *arguments)
        process.join()
        told = Told()
        told.take(ledger)
        if "reached the end" in told.counts:
            return points
        points.count += 1
        name = told.points[0] if told.points else ""
        points.names.append(name)
        wrong = _wrong(copy, model, told, how, go_on=points.count % every == 0)
        if how != KILL and what in told.counts and name not in CLEANING:
            wrong.append(f"{name} failed, and it says that all went well")
        points.wrong += [f"{what}, {how} at write {at} ({name}): {one}" for one in wrong]
        shutil.rmtree(copy.root)
    points.wrong.append(f"{what} never came to its end")
    return points


def every_call(
    shop: Shop,
    model: Model,
    what: str,
    how: str,
    scratch: Path,
    *,
    calls: tuple[str, ...] = BREAKABLE,
    stride: int = 1,
) -> Points:
    """Do the same at every call of the system, those of SQLite and FAISS too; by strace."""
    points = Points()
    for call in calls:
        for at in range(1, MOST, stride):
            copy = shop.copied(scratch / f"{what}-{how}-{call}-{at}")
            told, hit = broken(copy, what, model, call, at, how)
            if not hit:
                break
            points.count += 1
            points.names.append(call)
            wrong = _wrong(copy, model, told, how, go_on=points.count % 4 == 0)
            points.wrong += [f"{what}, {how} at {call} {at}: {one}" for one in wrong]
            shutil.rmtree(copy.root)
    return points


def _wrong(copy: Shop, model: Model, told: Told, how: str, *, go_on: bool) -> list[str]:
    engine = Engine.open(copy.index)  # whatever happened, there is something that serves
    engine.close()
    after, wrong = settled(copy.index, told, model)
    if how != KILL and told.open:
        wrong.append("an operation ended without an answer")
    wrong += mistakes(copy.index, after)
    if go_on and not wrong:
        after = _go_on(copy, after)
        wrong += [f"afterwards: {one}" for one in mistakes(copy.index, after, copy.base)]
    return wrong


def _go_on(copy: Shop, model: Model) -> Model:
    """Write, sync, tidy up and compact, as if nothing had been."""
    state = {**model["p-1"], "pictures": [[800, 0], [500, 0]]}
    writer(copy.index).put(listing_of("p-after", state))
    copy.sync()
    worker.run_tidy(copy.index)
    worker.jobs(copy.index, copy.catalogue)["compact"]()
    return {**model, "p-after": state}


def errors() -> tuple[str, ...]:
    """Return the names of errors that a disk answers with."""
    return tuple(errno.errorcode[number] for number in (errno.EIO, errno.ENOSPC))
