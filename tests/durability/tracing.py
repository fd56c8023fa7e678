"""What a process asks of the system, by strace: the order of writes and of what makes them last."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.durability import worker
from tests.durability.ledger import Told
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop

WRITES = ("write", "pwrite64", "ftruncate", "truncate")
SYNCS = ("fsync", "fdatasync")
RENAMES = ("rename", "renameat", "renameat2")
CALLS = (*WRITES, *SYNCS, *RENAMES, "openat", "unlink", "unlinkat", "sendto", "mkdir")
BREAKABLE = (*WRITES, *SYNCS, *RENAMES, "unlink", "unlinkat", "mkdir")

_LINE = re.compile(r"^(\d+) +(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?)")
_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """A call that came back without an error.

    Attributes
    ----------
    name : str
        Of the call.
    path : str
        Of its file; of what a rename names anew.
    old : str
        What a rename took the name from.
    text : str
        Its arguments.
    """

    name: str
    path: str
    old: str
    text: str


def require_strace() -> str:
    """Return where strace is; skip the test without it, or fail it where that is required."""
    found = shutil.which("strace")
    reason = "strace is not installed: run `make test` as root, or install it yourself"
    if found is not None:
        tried = subprocess.run([found, "-qq", "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return found
        reason = f"strace may not trace here: {tried.stderr.strip()}"
    if os.environ.get("LOOKALIKE_REQUIRE_BROWSER"):
        pytest.fail(f"{reason}; this run requires it.")
    pytest.skip(reason)


def traced(shop: Shop, what: str, known: Model) -> list[Call]:
    """Do one thing to an index in a fresh interpreter; return its calls from the beginning on."""
    out = shop.root / f"{what}.trace"
    command = [require_strace(), "-f", "-y", "-s", "60", "-e", f"trace={','.join(CALLS)}"]
    python = [sys.executable, "-m", "tests.durability.worker"]
    arguments = [shop.index, shop.root / f"{what}.ledger", shop.catalogue, what, json.dumps(known)]
    done = subprocess.run(
        [*command, "-o", str(out), *python, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    told = Told()
    told.take(shop.root / f"{what}.ledger")
    assert "reached the end" in told.counts, (told.wrong, told.refused)
    return list(parsed(out.read_text(errors="replace")))


def parsed(trace: str) -> Iterator[Call]:
    """Yield the calls of a trace that came back without an error, in the order of their return."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        process, text = found.groups()
        if text.endswith("<unfinished ...>"):
            begun[process] = text.removesuffix("<unfinished ...>").rstrip()
            continue
        if text.startswith("<... "):
            text = begun.pop(process, "") + text.partition("resumed>")[2]
        call = _CALL.match(text)
        if call is None or call[3].startswith(("-", "?")):
            continue
        name, arguments = call[1], call[2]
        names = _NAME.findall(arguments)
        descriptor = _DESCRIPTOR.match(arguments)
        if name in RENAMES and len(names) == 2:
            yield Call(name, names[1], names[0], arguments)
        elif descriptor is not None and name not in ("openat", "unlinkat"):
            yield Call(name, descriptor[1], "", arguments)
        elif names:
            yield Call(name, names[0], "", arguments)


def broken(shop: Shop, what: str, known: Model, call: str, at: int, how: str) -> tuple[Told, bool]:
    """Do one thing with its n-th call of a kind killing it, or failing with an error.

    Returns
    -------
    told : Told
        What the process said.
    hit : bool
        Whether there was such a call.
    """
    ledger, out = shop.root / "ledger", shop.root / "trace"
    arguments = (shop.index, ledger, shop.catalogue, what, 1, known, 0, how)
    process = started(worker.at_point, *arguments)
    fault = "signal=KILL" if how == "kill" else f"error={how}"
    chosen = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={at}"]
    with subprocess.Popen(
        [require_strace(), "-f", *chosen, "-o", str(out), "-p", str(process.pid)],
        stderr=subprocess.PIPE,
        text=True,
    ) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert "attached" in said, said
        ledger.with_suffix(".go").touch()
        process.join()
        strace.stderr.read()
    told = Told()
    told.take(ledger)
    hit = process.exitcode != 0 if how == "kill" else "(INJECTED)" in out.read_text()
    return told, hit
