"""A disk that is full, may not be written to, or lost its last bytes; two who want one turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.catalog import DATABASE, Catalog
from indexer.errors import IndexBusy, StorageError
from indexer.features import feature_file
from indexer.snapshot import current_name
from search.engine import Engine
from tests.durability import worker
from tests.durability.checking import mistakes, said, settled
from tests.durability.ledger import Told
from tests.durability.rounds import started
from tests.durability.shop import Model, Shop, listing_of, writer


def serves(folder: Path) -> None:
    """Require that a search is answered."""
    engine = Engine.open(folder)
    assert engine.search(listing_id="p-1", k=5).hits
    engine.close()


@pytest.mark.parametrize("what", ["put", "compact", "sync"])
def test_a_full_disk(copy: Shop, model: Model, what: str) -> None:
    """Files may not grow beyond a size: what is refused changes nothing, and says why."""
    refused = []
    # Nothing fits in, or all but another row of features.
    for size in (10_000, (copy.index / "features.f16").stat().st_size + 100):
        shop = copy.copied(copy.root / str(size))
        before = current_name(shop.index)
        ledger = shop.root / "ledger"
        child = started(worker.limited, shop.index, ledger, shop.catalogue, what, model, size)
        child.join()
        told = Told()
        told.take(ledger)
        assert child.exitcode == 0
        assert told.wrong == []
        assert set(told.refused) <= {StorageError.code}
        refused += [size] if told.refused else []
        if what == "compact" and told.refused:
            assert current_name(shop.index) == before
        serves(shop.index)
        after, wrong = settled(shop.index, told, model)
        assert [*wrong, *mistakes(shop.index, after)] == []
        shop.sync()
        assert list(mistakes(shop.index, after, shop.base)) == []
    assert refused


@pytest.mark.parametrize("what", ["put", "remove", "compact", "tidy", "sync"])
def test_a_folder_that_may_only_be_read(copy: Shop, model: Model, what: str) -> None:
    """A mount in a name space of the child's own, as only root may make one."""
    mount = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, "sh", str(copy.index)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("Only root may mount a folder read-only.")
    with Catalog(copy.index) as catalog:  # the last one to close it takes its log away
        catalog.change()
    ledger = copy.root / "ledger"
    python = [sys.executable, "-m", "tests.durability.worker"]
    arguments = [copy.index, ledger, copy.catalogue, what, json.dumps(model)]
    done = subprocess.run(
        [*command, *python, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    told = Told()
    told.take(ledger)
    assert told.wrong == []
    assert told.refused == {StorageError.code: 1}
    assert list(mistakes(copy.index, model)) == []


def test_a_log_torn_anywhere(copy: Shop, model: Model) -> None:
    """Of two writes, the first is there wherever the second one's bytes end."""
    holds = Catalog(copy.index)  # or the log would be taken over when the last one closes
    wal = copy.index / f"{DATABASE}-wal"
    ends = []
    for id_ in ("p-8", "p-9"):
        writer(copy.index).put(listing_of(id_, model["p-1"]))
        ends.append(wal.stat().st_size)
    whole = wal.read_bytes()
    first, second = ends
    assert first < second
    for n, end in enumerate((first, first + 10, (first + second) // 2, second - 1, second)):
        for junk in (b"", os.urandom(5000)):
            torn = copy.copied(copy.root / f"torn-{n}-{len(junk)}")
            (torn.index / wal.name).write_bytes(whole[:end] + junk)
            (torn.index / f"{DATABASE}-shm").unlink()  # as after a power cut
            known = {**model, "p-8": model["p-1"]}
            if end == second:
                known["p-9"] = model["p-1"]
            assert ("p-9" in said(torn.index)) == (end == second)
            assert list(mistakes(torn.index, known)) == []
            shutil.rmtree(torn.root)
    holds.close()


@pytest.mark.parametrize("junk", [b"x", b"y" * 10_001])
def test_features_behind_the_last_row_are_written_over(
    copy: Shop, model: Model, junk: bytes
) -> None:
    with Catalog(copy.index) as catalog:
        file = feature_file(copy.index, catalog)
    for path in (file.path, file.sums_path):
        with path.open("ab") as opened:
            opened.write(junk)
    assert list(mistakes(copy.index, model)) == []
    state = {**model["p-1"], "pictures": [[900, 0], [901, 0]]}
    writer(copy.index).put(listing_of("p-9", state))
    assert list(mistakes(copy.index, {**model, "p-9": state})) == []


def test_two_compactions_at_once(copy: Shop, model: Model) -> None:
    ledgers = [copy.root / f"ledger-{n}" for n in range(4)]
    children = [
        started(worker.at_point, copy.index, ledger, copy.catalogue, "compact", 1, model, -1, "")
        for ledger in ledgers
    ]
    for child in children:
        child.join()
    told = Told()
    for ledger in ledgers:
        told.take(ledger)
    assert told.wrong == []
    assert told.counts["compact"] >= 1
    assert told.counts["compact"] + told.refused.get(IndexBusy.code, 0) == len(ledgers)
    assert set(told.refused) <= {IndexBusy.code}
    assert list(mistakes(copy.index, model)) == []
