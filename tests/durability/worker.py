"""What the children do: write listings, build snapshots, tidy up, sync, search."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import indexer.tidying
from indexer.catalog import Catalog
from indexer.compaction import compact
from indexer.errors import IndexBusy, LookalikeError
from indexer.lease import writer_lease
from indexer.operations import Operation, Patch, Put, Remove, Written
from indexer.options import IndexOptions
from indexer.replacing import replace_index
from indexer.sources import open_source
from indexer.tidying import tidy
from indexer.writing import Writer
from tests.durability.ledger import Ledger, Step
from tests.durability.points import Countdown
from tests.durability.shop import CATEGORIES, Model, State, fake, listing_of, sync, writer

PICTURES = 40
"""Seeds that pictures are drawn from: few, so that listings share them."""

GRACE = 0.5
"""Seconds for which tidying spares a picture that nothing names, and one that is only just being
written aside; an hour in real life."""

MOSTLY = ("compact", "compact", "tidy", "tidy", "sync", "sync", "replace index")
"""What is done beside writes, as often as it stands here."""

PR_SET_PTRACER = 0x59616D61
ANYBODY = ctypes.c_ulong(-1)

Written_ = tuple[list[Operation], list[Step]]


def stream(name: str, seed: int, known: Model) -> Iterator[Written_]:
    """Yield operations without end, a few at a time, with what each listing is after them."""
    dice = random.Random(seed)
    mine = {id_: state for id_, state in known.items() if id_.startswith(f"{name}-")}
    version = max((state["attributes"]["version"] for state in mine.values()), default=0)
    version = max(version, seed * 100_000)
    while True:
        operations: list[Operation] = []
        steps: list[Step] = []
        for _ in range(dice.choice((1, 1, 1, 1, 1, 1, 3, 8))):
            version += 1
            operation, step = _one(name, dice, mine, version)
            operations.append(operation)
            steps.append(step)
        yield operations, steps


def _one(name: str, dice: random.Random, mine: Model, version: int) -> tuple[Operation, Step]:
    kind = dice.random()
    if not mine or kind < 0.6:
        id_ = f"{name}-{dice.randrange(30)}"
        state = made_up(dice, version)
        mine[id_] = state
        return Put(listing_of(id_, state)), (id_, state)
    id_ = dice.choice(sorted(mine))
    if kind < 0.85:
        fields = {"title": f"Patched {version}", "price": float(version % 1000)}
        attributes = {**mine[id_]["attributes"], "version": version, "patched": True}
        mine[id_] = {**mine[id_], **fields, "attributes": attributes}
        return Patch(id_, fields, {"version": version, "patched": True}), (id_, mine[id_])
    del mine[id_]
    return Remove(id_), (id_, None)


def made_up(dice: random.Random, version: int) -> State:
    """Return what a listing may say."""
    pictures = [[dice.randrange(PICTURES), dice.randrange(2)] for _ in range(dice.randint(1, 3))]
    return {
        "title": f"Title {version}",
        "category": dice.choice(CATEGORIES),
        "price": version / 4,
        "attributes": {"version": version, "colours": ["red", "blue"][: dice.randint(1, 2)]},
        "pictures": pictures,
    }


def do(writing: Writer, ledger: Ledger, operations: list[Operation], steps: list[Step]) -> bool:
    """Write, saying before what, and after whether it is there; return that."""
    ledger.say(begin=steps)
    try:
        if len(operations) == 1:
            _single(writing, operations[0])
        else:
            failed = [one for one in writing.write(operations) if not isinstance(one, Written)]
            if failed:
                raise failed[0]  # noqa: TRY301 - refused like any other
    except LookalikeError as error:
        refuse(ledger, error)
        return False
    except Exception:  # noqa: BLE001 - whatever it is, the parent must learn of it
        ledger.say(wrong=traceback.format_exc())
        return False
    ledger.say(done=True)
    return True


def refuse(ledger: Ledger, error: LookalikeError) -> None:
    """Say that something was refused in words that help."""
    if not error.hint:
        ledger.say(wrong=f"No hint: {error}")
    ledger.say(refused=error.code, why=repr(error.__cause__ or error))


def _single(writing: Writer, operation: Operation) -> None:
    match operation:
        case Put():
            writing.put(operation.listing)
        case Patch():
            writing.patch(operation)
        case Remove():
            writing.remove(operation.id)


def write(folder: Path, ledger: Path, name: str, seed: int, known: Model, seconds: float) -> None:
    """Write listings until the time is up, or somebody kills this."""
    fake()
    said, writing = Ledger(ledger), writer(folder)
    end = time.monotonic() + seconds
    for operations, steps in stream(name, seed, known):
        if time.monotonic() > end:
            break
        while not do(writing, said, operations, steps):  # the next ones build on these
            if time.monotonic() > end:
                return
            time.sleep(0.01)


def run_tidy(folder: Path) -> None:
    """Tidy up, sparing what was written just now."""
    with sparing_little(), Catalog(folder) as catalog, writer_lease(folder):
        tidy(folder, catalog)


def run_compact(folder: Path) -> None:
    """Build a snapshot and tidy up, the same way."""
    with sparing_little():
        compact(folder)


@contextmanager
def sparing_little() -> Iterator[None]:
    """Let tidying up take what was written a moment ago."""
    with patch.object(indexer.tidying, "GRACE_SECONDS", GRACE):
        yield


def replace(folder: Path, catalogue: Path) -> None:
    """Build the index anew beside itself, and let it take its place."""
    replace_index(folder, open_source(catalogue), IndexOptions(allow_removals=True))


def jobs(folder: Path, catalogue: Path) -> dict[str, Callable[[], object]]:
    """Return what is done beside writes, by its name."""
    return {
        "compact": lambda: run_compact(folder),
        "tidy": lambda: run_tidy(folder),
        "sync": lambda: sync(folder, catalogue),
        "replace index": lambda: replace(folder, catalogue),
    }


def maintain(folder: Path, ledger: Path, catalogue: Path, seed: int, seconds: float) -> None:
    """Build snapshots, tidy up and sync until the time is up, or somebody kills this."""
    fake()
    said, dice = Ledger(ledger), random.Random(seed)
    known = jobs(folder, catalogue)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = dice.choice(MOSTLY)
        try:
            known[name]()
            said.say(did=name)
        except IndexBusy as error:
            refuse(said, error)
            time.sleep(0.01)
        except Exception:  # noqa: BLE001 - whatever it is, the parent must learn of it
            said.say(wrong=f"{name}: {traceback.format_exc()}")


def at_point(
    folder: Path,
    ledger: Path,
    catalogue: Path,
    what: str,
    seed: int,
    known: Model,
    at: int,
    how: str,
) -> None:
    """Do one thing and act at the n-th write of it; for `at` 0, wait first to be traced."""
    fake()
    said, writing = Ledger(ledger), writer(folder)
    todo = jobs(folder, catalogue).get(what)
    operations, steps = one(what, seed, known) if todo is None else ([], [])
    countdown = Countdown(at, how)
    if at:
        countdown.arm()
    else:
        _wait_to_be_traced(ledger.with_suffix(".go"))
    _act(said, writing, what, todo, operations, steps)
    if countdown.name:
        said.say(point=countdown.name)
    else:
        said.say(did="reached the end")


def limited(
    folder: Path, ledger: Path, catalogue: Path, what: str, known: Model, size: int
) -> None:
    """Do one thing while no file may grow beyond a size, as if the disk were full."""
    fake()
    said, writing = Ledger(ledger), writer(folder)
    todo = jobs(folder, catalogue).get(what)
    operations, steps = one(what, 1, known) if todo is None else ([], [])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    _act(said, writing, what, todo, operations, steps)


def _act(
    said: Ledger,
    writing: Writer,
    what: str,
    todo: Callable[[], object] | None,
    operations: list[Operation],
    steps: list[Step],
) -> None:
    if todo is None:
        do(writing, said, operations, steps)
    else:
        try:
            todo()
            said.say(did=what)
        except LookalikeError as error:
            refuse(said, error)
        except Exception:  # noqa: BLE001 - whatever it is, the parent must learn of it
            said.say(wrong=traceback.format_exc())


def one(what: str, seed: int, known: Model) -> Written_:
    """Return one operation of a kind, or one batch."""
    dice = random.Random(seed)
    id_ = sorted(known)[0]
    state = {**made_up(dice, 10**6), "pictures": [[500, 0], [501, 1], [500, 1]]}
    if what == "put":
        return [Put(listing_of("p-new", state))], [("p-new", state)]
    if what == "replace picture":
        return [Put(listing_of(id_, state))], [(id_, state)]
    if what == "patch":
        after = {**known[id_], "title": "Patched"}
        return [Patch(id_, {"title": "Patched"})], [(id_, after)]
    if what == "remove":
        return [Remove(id_)], [(id_, None)]
    other = sorted(known)[1]
    return (
        [Put(listing_of("p-new", state)), Remove(id_), Patch(other, {"price": 1.5})],
        [("p-new", state), (id_, None), (other, {**known[other], "price": 1.5})],
    )


def _wait_to_be_traced(gate: Path) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    while not gate.exists():
        time.sleep(0.002)


def main() -> None:
    """Do one thing in a process of its own: ``worker FOLDER LEDGER CATALOGUE WHAT KNOWN``."""
    import json

    folder, ledger, catalogue = (Path(argument) for argument in sys.argv[1:4])
    known = json.loads(sys.argv[5])
    ledger.with_suffix(".go").touch()
    at_point(folder, ledger, catalogue, sys.argv[4], 1, known, 0, "kill")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
