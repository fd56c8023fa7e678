"""What machines do to files: the old snapshot serves, and the error says what to do."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from indexer.catalog import DATABASE, Catalog
from indexer.catalog_opening import WAIT_SECONDS
from indexer.compaction import compact
from indexer.errors import IndexBusy, StorageError
from indexer.lease import writer_lease
from indexer.snapshot import CURRENT, SNAPSHOTS, current_name
from indexer.thumbnails import THUMBNAILS
from search.engine import Engine
from tests.durability.checking import mistakes
from tests.durability.shop import Model, Shop, listing_of, writer


def test_leftovers_of_others_disturb_nobody(copy: Shop, model: Model) -> None:
    (copy.index / f"{CURRENT}.part").write_text("0000")
    left = copy.index / SNAPSHOTS / ".building-000099"
    left.mkdir()
    (left / "vectors.f16").write_bytes(b"half")
    (copy.index / "pictures" / "ab").mkdir(parents=True, exist_ok=True)
    (copy.index / "pictures" / "ab" / "abcd.part").write_bytes(b"half")
    assert list(mistakes(copy.index, model)) == []
    compact(copy.index)
    assert not left.exists()
    assert list(mistakes(copy.index, model)) == []


def test_a_torn_log_loses_only_what_was_not_acknowledged(copy: Shop, model: Model) -> None:
    holds = Catalog(copy.index)  # or the log would be taken over when the last one closes
    writer(copy.index).put(listing_of("p-9", model["p-1"]))
    wal = copy.index / f"{DATABASE}-wal"
    whole = wal.read_bytes()
    torn = copy.copied(copy.root / "torn")
    holds.close()
    # A power cut in the middle of the next transaction's first page.
    (torn.index / wal.name).write_bytes(whole + b"\x00" * 1000)
    assert list(mistakes(torn.index, {**model, "p-9": model["p-1"]})) == []


def test_without_thumbnails_all_is_found(copy: Shop) -> None:
    for path in copy.index.glob(f"{THUMBNAILS}*"):
        path.unlink()
    engine = Engine.open(copy.index)
    assert engine.search(listing_id="p-1", k=5).hits
    engine.close()
    writer(copy.index).remove("p-1")


def test_a_disk_that_cannot_be_written_to(
    copy: Shop, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a read-only mount: SQLite cannot make its files beside the database."""
    connect = sqlite3.connect

    def refusing(path: object, **options: object) -> sqlite3.Connection:
        if "immutable" not in str(path) and DATABASE in str(path):
            error = sqlite3.OperationalError("attempt to write a readonly database")
            error.sqlite_errorcode = sqlite3.SQLITE_READONLY
            raise error
        return connect(path, **options)  # type: ignore[call-overload, no-any-return]

    with Catalog(copy.index) as catalog:
        catalog.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    monkeypatch.setattr(sqlite3, "connect", refusing)
    engine = Engine.open(copy.index)
    assert engine.search(listing_id="p-1", k=5).hits
    engine.close()
    with pytest.raises(StorageError) as caught:
        writer(copy.index).put(listing_of("p-9", model["p-1"]))
    assert caught.value.hint


def test_a_writer_that_waits_in_vain_says_so(
    copy: Shop, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WAIT_SECONDS > 10
    monkeypatch.setattr("indexer.catalog_opening.WAIT_SECONDS", 0.05)
    with Catalog(copy.index) as catalog, catalog.writing():
        with pytest.raises(IndexBusy) as caught:
            writer(copy.index).put(listing_of("p-9", model["p-1"]))
        assert "again" in caught.value.hint
    assert list(mistakes(copy.index, model)) == []


def test_one_compaction_at_a_time_and_writes_beside_it(copy: Shop, model: Model) -> None:
    with writer_lease(copy.index):
        with pytest.raises(IndexBusy):
            compact(copy.index)
        writer(copy.index).put(listing_of("p-9", model["p-1"]))
    before = current_name(copy.index)
    compact(copy.index)
    assert current_name(copy.index) > before
    assert list(mistakes(copy.index, {**model, "p-9": model["p-1"]})) == []


def test_writes_and_a_sync_at_once(copy: Shop, model: Model) -> None:
    written: Model = {}
    done = threading.Event()

    def write() -> None:
        n = 0
        while not done.is_set():
            state = {**model["p-1"], "title": f"Beside {n}"}
            writer(copy.index).put(listing_of(f"beside-{n % 5}", state))
            written[f"beside-{n % 5}"] = state
            n += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        copy.write_catalogue(2)
        copy.sync()
    finally:
        done.set()
        thread.join()
    assert written
    assert list(mistakes(copy.index, {**model, **written}, copy.base)) == []
