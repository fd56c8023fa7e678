"""Kill -9 at random moments and at every write, again and again: is what was acknowledged there?

    python -m benchmarks.durability --rounds 200 --seed 1 [--points] [--calls] [--follow 30]

Two processes write, others build snapshots, tidy up, sync and build the index anew, and all are
killed at a moment drawn by lot; then the index is opened and compared with what was acknowledged.
--points kills one operation at each of its writes in turn, and refuses each by EIO and ENOSPC;
--calls does so at each call of the system that strace sees, SQLite's and FAISS' too; --follow lets
two processes search meanwhile for some seconds. Uses the harness of tests/durability and a network
of arithmetic.
Prints what was done and whatever was wrong; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.durability.conftest import kept_model, prepare
from tests.durability.following import followed
from tests.durability.points import KILL
from tests.durability.rounds import Rounds
from tests.durability.shop import Shop, fake
from tests.durability.steps import UPKEEP, WRITES, errors, every_call, every_point


def rounds(root: Path, count: int, seed: int) -> list[str]:
    """Run rounds of killing at random moments."""
    run, wrong = Rounds(Shop.made(root), seed), []
    began = time.monotonic()
    for n in range(count):
        wrong += run.run()
        if (n + 1) % 20 == 0:
            print(
                f"{n + 1} rounds, {len(wrong)} wrong, {time.monotonic() - began:.0f} s", flush=True
            )
    print(f"{run.done} rounds: {dict(run.tally)}")
    return wrong


def points(root: Path, by_call: bool) -> list[str]:
    """Stop operations at each of their writes."""
    shop, model, wrong = Shop.made(root / "made"), kept_model(), []
    prepare(shop, model)
    for what in (*WRITES, *UPKEEP):
        for how in (KILL,) if by_call else (KILL, *errors()):
            run = every_call if by_call else every_point
            found = run(shop, model, what, how, root)
            print(f"{what}, {how}: {found.count} points, {len(found.wrong)} wrong: ", end="")
            print(dict(Counter(found.names)), flush=True)
            wrong += found.wrong
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--follow", type=float, default=0)
    options = parser.parse_args()
    fake()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        wrong = rounds(root / "rounds", options.rounds, options.seed) if options.rounds else []
        if options.follow:
            tally, more = followed(Shop.made(root / "follow"), options.follow, options.seed)
            print(f"{options.follow:g} s of following: {dict(tally)}", flush=True)
            wrong += more
        if options.points:
            wrong += points(root / "points", by_call=False)
        if options.calls:
            wrong += points(root / "calls", by_call=True)
    for one in wrong:
        print("WRONG:", one)
    print("Nothing was wrong." if not wrong else f"{len(wrong)} were wrong.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
