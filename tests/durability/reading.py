"""Readers that must see, in the next search, whatever was acknowledged before it."""

from __future__ import annotations

import random
import time
import traceback
from pathlib import Path

from search.engine import Engine
from tests.durability.ledger import Ledger, lines
from tests.durability.shop import REGIONS, State, drawn, fake

ALL = 1000


def read(folder: Path, ledger: Path, writers: list[Path], seed: int, seconds: float) -> None:
    """Search for what writers say until the time is up."""
    fake()
    said, dice = Ledger(ledger), random.Random(seed)
    end = time.monotonic() + seconds
    searches = 0
    try:
        engine = Engine.open(folder)
        while time.monotonic() < end:
            path = dice.choice(writers)
            done, _ = told(path)
            if not done:
                continue
            # The newest is the one that is in doubt.
            id_ = dice.choice([*done][-3:])
            wrong = _look(engine, path, id_, done[id_])
            searches += 1
            if wrong:
                said.say(wrong=wrong)
            if dice.random() < 0.1 and engine.refresh():
                said.say(did="took up a snapshot")
        engine.close()
    except Exception:  # noqa: BLE001 - whatever it is, the parent must learn of it
        said.say(wrong=traceback.format_exc())
    said.say(did="searched to the end", searches=searches)


def told(path: Path) -> tuple[dict[str, State | None], dict[str, list[State | None]]]:
    """Return what a writer says is done, the last last, and all that it began of each listing."""
    done: dict[str, State | None] = {}
    begun: dict[str, list[State | None]] = {}
    steps: list[tuple[str, State | None]] = []
    for line in lines(path):
        if "begin" in line:
            steps = line["begin"]
            for id_, state in steps:
                begun.setdefault(id_, []).append(state)
        elif "done" in line:
            for id_, state in steps:
                done.pop(id_, None)
                done[id_] = state
    return done, begun


def _look(engine: Engine, path: Path, id_: str, state: State | None) -> str:
    """Search for a listing that was written; say what is wrong with the answer."""
    before = told(path)[1].get(id_, [])
    shown = state or next((one for one in reversed(before) if one is not None), None)
    if shown is None:
        return ""
    seed, region = shown["pictures"][0]
    page = engine.search(photo=drawn(seed), region=REGIONS[region], k=ALL, prior=False)
    found = next((hit for hit in page.hits if hit.listing.id == id_), None)
    # What came later than what is looked for may be seen too, acknowledged or not.
    states = told(path)[1][id_]
    last = max(n for n, one in enumerate(states) if one == state)
    later = states[last:]
    if found is None:
        return "" if None in later else f"{id_} is not found; it is {state}"
    version = found.listing.attributes.get("version")
    if any(one is not None and one["attributes"]["version"] == version for one in later):
        return ""
    return f"{id_} is found as it was: {found.listing.attributes}, it is {state}"
