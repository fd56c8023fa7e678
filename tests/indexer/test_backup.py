"""Backups of an index in use, and what becomes of them."""

import errno
import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import indexer.backup
import indexer.copying
import indexer.restoring
import indexer.swapping
from indexer.backup import SHARED, back_up
from indexer.catalog import DATABASE, Catalog
from indexer.commands.backup import backup as backup_command
from indexer.commands.restore import restore as restore_command
from indexer.copying import copy_file
from indexer.errors import (
    IndexBusy,
    IndexDamaged,
    IndexNotReady,
    ListingNotFound,
    StorageError,
    UsageError,
)
from indexer.features import feature_file
from indexer.lease import writer_lease
from indexer.rebuild import rebuild
from indexer.restoring import restore
from indexer.snapshot import current_name, open_current
from indexer.thumbnails import THUMBNAILS
from indexer.tidying import tidy
from indexer.verify import problems
from search.engine import Engine


@contextmanager
def engine(folder):
    opened = Engine.open(folder)
    try:
        yield opened
    finally:
        opened.close()


def similar(folder, listing="hats:01.jpg"):
    with engine(folder) as opened:
        page = opened.search(listing_id=listing, k=5)
        return [(hit.listing.id, round(hit.similarity, 4)) for hit in page.hits]


def remove(folder, *ids):
    with Catalog(folder) as catalog, catalog.writing():
        catalog.next_change()
        for listing in ids:
            catalog.db.execute("DELETE FROM listings WHERE id = ?", (listing,))


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backups" / "monday"


def test_a_backup_is_an_index(indexed, target):
    (indexed / "learned.lock").touch()
    (indexed / SHARED).write_bytes(b"photos that are shared for a day")
    (indexed / "pictures" / "ab").mkdir(parents=True)
    (indexed / "pictures" / "ab" / "abcd").write_bytes(b"a picture")
    (indexed / "pictures" / "ab" / "abce.1.part").write_bytes(b"half a picture")
    said = back_up(indexed, target)
    assert (said.snapshot, said.listings) == ("000001", 12)
    assert said.size == sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    left_out = {"writer.lock", "learned.lock", SHARED, "pictures/ab/abce.1.part"}
    of_databases = {f"{name}-{end}" for name in (DATABASE, THUMBNAILS) for end in ("wal", "shm")}
    assert names(target) == names(indexed) - left_out - of_databases
    assert [path.name for path in target.parent.iterdir()] == ["monday"]
    assert list(problems(target)) == []
    assert similar(target) == similar(indexed)


def test_only_the_current_snapshot(indexed, target):
    reader = open_current(indexed)
    rebuild(indexed, None, None, None)
    back_up(indexed, target)
    assert [path.name for path in (target / "snapshots").iterdir()] == ["000002"]
    reader.close()


def test_without_thumbnails(indexed, target):
    back_up(indexed, target, thumbnails=False)
    assert not (target / THUMBNAILS).exists()
    assert list(problems(target)) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_never_over_something(indexed, target, kind):
    if kind == "file":
        target.parent.mkdir()
        target.write_text("mine")
    else:
        target.mkdir(parents=True)
        (target / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="already"):
        back_up(indexed, target)


def test_into_an_empty_folder(indexed, target):
    target.mkdir(parents=True)
    back_up(indexed, target)
    assert list(problems(target)) == []


def test_no_index(tmp_path, target):
    with pytest.raises(IndexNotReady):
        back_up(tmp_path / "none", target)
    assert not target.parent.exists()


def test_a_damaged_index_makes_no_backup(indexed, target):
    data = bytearray((indexed / "features.f16").read_bytes())
    data[7] ^= 1
    (indexed / "features.f16").write_bytes(data)
    with pytest.raises(IndexDamaged, match="no backup"):
        back_up(indexed, target)
    assert not any(target.parent.iterdir())


def test_a_feature_file_that_is_too_short(indexed, target):
    os.truncate(indexed / "features.f16", 100)
    with pytest.raises(IndexDamaged, match="early"):
        back_up(indexed, target)


def test_a_damaged_database(indexed, target):
    data = (indexed / DATABASE).read_bytes()
    (indexed / DATABASE).write_bytes(b"nothing of the kind" + data[19:])
    with pytest.raises(IndexDamaged):
        back_up(indexed, target)
    assert not any(target.parent.iterdir())


def test_a_full_disk(indexed, target, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(indexer.copying, "_piece", full)
    with pytest.raises(StorageError, match="No space"):
        back_up(indexed, target)
    assert not any(target.parent.iterdir())


def test_while_a_compaction_moves_rows(indexed, target, monkeypatch):
    """Features that were moved between the two copies are copied again, with their catalogue."""
    remove(indexed, "hats:01.jpg", "bags:00.png")
    real, turns = indexer.backup.copy_database, []

    def then_move(source, aside, advance):
        real(source, aside, advance)
        if source.name == DATABASE:
            turns.append(source)
            if len(turns) == 1:
                with writer_lease(indexed), Catalog(indexed) as catalog:
                    assert tidy(indexed, catalog).moved

    monkeypatch.setattr(indexer.backup, "copy_database", then_move)
    assert back_up(indexed, target).listings == 10
    assert len(turns) == 2
    assert list(problems(target)) == []


def move(folder):
    with Catalog(folder) as catalog, catalog.writing():
        catalog.db.execute("UPDATE meta SET value = value + 1 WHERE key = 'moves'")


def test_a_compaction_that_goes_on_is_waited_for(indexed, target, monkeypatch):
    real, turns = indexer.backup.copy_database, []

    def then_move(source, aside, advance):
        real(source, aside, advance)
        if source.name == DATABASE:
            turns.append(source)
            if len(turns) <= indexer.backup.TRIES:
                move(indexed)
            else:
                with pytest.raises(IndexBusy), writer_lease(indexed):
                    pass

    monkeypatch.setattr(indexer.backup, "copy_database", then_move)
    back_up(indexed, target)
    assert len(turns) == indexer.backup.TRIES + 1


def test_a_lease_that_is_never_free(indexed, target, monkeypatch):
    monkeypatch.setattr(indexer.backup, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(indexer.backup, "TRIES", 0)
    with writer_lease(indexed), pytest.raises(IndexBusy):
        back_up(indexed, target)


def write(folder, value):
    """Write a listing as the API does."""
    with Catalog(folder) as catalog, catalog.writing():
        change = catalog.next_change()
        file, rows = feature_file(folder, catalog), int(catalog.meta("rows"))
        catalog.set_meta("rows", str(file.append(np.full((1, file.width), value), rows)))
        catalog.db.execute(
            "INSERT INTO embeddings VALUES (?, ?, '', 1, 1)", (rows, f"{value:064d}")
        )
        listing = catalog.db.execute(
            "INSERT INTO listings (id, title, category, currency, url, attributes, origin, digest,"
            " change) VALUES (?, '', '', '', '', '{}', '', x'', ?)",
            (f"new {value}", change),
        ).lastrowid
        catalog.db.execute(
            "INSERT INTO pictures (listing, position, uri, region, version, state, embedding,"
            " change) VALUES (?, 0, 'x', '', '', 1, ?, ?)",
            (listing, rows, change),
        )


def test_beside_writers(indexed, tmp_path):
    stop, errors, written = threading.Event(), [], []

    def keep_writing():
        try:
            while not stop.is_set():
                write(indexed, len(written) + 1)
                written.append(len(written) + 1)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            errors.append(error)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for turn in range(4):
            before = len(written)
            said = back_up(indexed, tmp_path / f"b{turn}")
            assert 12 + before <= said.listings <= 12 + len(written) + 1
            if turn == 1:
                rebuild(indexed, None, None, None)
    finally:
        stop.set()
        writer.join()
    assert errors == []
    for turn in range(4):
        assert list(problems(tmp_path / f"b{turn}")) == []
    assert current_name(tmp_path / "b3") == "000002"


# Restoring


def test_restore_into_nothing(indexed, target, tmp_path):
    back_up(indexed, target)
    done = restore(target, tmp_path / "new" / "index")
    assert done.kept is None
    assert similar(tmp_path / "new" / "index") == similar(indexed)
    assert list(problems(target)) == []  # the backup is as it was


def test_restore_in_place_of_another(indexed, target):
    before = similar(indexed)
    back_up(indexed, target)
    remove(indexed, "hats:01.jpg")
    with pytest.raises(UsageError, match="already") as caught:
        restore(target, indexed)
    assert "--replace" in caught.value.hint
    done = restore(target, indexed, replace=True)
    assert similar(indexed) == before
    assert list(problems(indexed)) == []
    with Catalog(done.kept) as catalog:
        assert catalog.count("listings") == 11
        assert catalog.meta("replaced")  # for a writer that still has it
    assert done.kept.parent == indexed.parent
    again = restore(done.kept, indexed, replace=True)
    assert again.kept != done.kept
    with Catalog(indexed) as catalog:
        assert catalog.count("listings") == 11
        assert catalog.meta("replaced") is None


def test_a_server_goes_on_with_what_was_restored(indexed, target):
    back_up(indexed, target)
    with engine(indexed) as opened:
        remove(indexed, "hats:01.jpg")
        rebuild(indexed, None, None, None)
        opened.refresh()
        with pytest.raises(ListingNotFound):
            opened.search(listing_id="hats:01.jpg")
        restore(target, indexed, replace=True)
        opened.refresh()
        assert opened.search(listing_id="hats:01.jpg").hits
        remove(indexed, "hats:01.jpg")
        opened.refresh()
        with pytest.raises(ListingNotFound):
            opened.search(listing_id="hats:01.jpg")
    assert list(problems(indexed)) == []


def test_who_waits_to_write_is_told(indexed, target, monkeypatch):
    back_up(indexed, target)
    real, told, opened = indexer.restoring.swap, [], []

    def beside_a_writer(one, other):
        waiting = Catalog(indexed)
        done = real(one, other)
        opened.append(waiting)
        return done

    monkeypatch.setattr(indexer.restoring, "swap", beside_a_writer)
    restore(target, indexed, replace=True)
    (waiting,) = opened
    with waiting.writing():
        told.append(waiting.meta("replaced"))
    waiting.close()
    assert told == ["1"]
    assert list(problems(indexed)) == []


def test_a_damaged_index_is_replaced(indexed, target):
    before = similar(indexed)
    back_up(indexed, target)
    (indexed / DATABASE).write_bytes(b"nothing of the kind" * 100)
    restore(target, indexed, replace=True)
    assert similar(indexed) == before


def test_what_is_no_index_is_not_replaced(indexed, target, tmp_path):
    back_up(indexed, target)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    with pytest.raises(UsageError):
        restore(target, tmp_path / "mine", replace=True)


def test_an_index_that_is_being_synced_is_not_replaced(indexed, target):
    back_up(indexed, target)
    with writer_lease(indexed), pytest.raises(IndexBusy):
        restore(target, indexed, replace=True)
    assert not list(indexed.parent.glob(".*.part"))


def test_where_folders_cannot_be_exchanged(indexed, target, monkeypatch):
    monkeypatch.setattr(indexer.swapping, "_exchange", lambda *_: False)
    back_up(indexed, target)
    done = restore(target, indexed, replace=True)
    assert list(problems(indexed)) == []
    assert list(problems(done.kept)) == []


def test_no_backup(indexed, tmp_path):
    with pytest.raises(IndexNotReady):
        restore(tmp_path / "none", indexed, replace=True)
    assert list(problems(indexed)) == []


def test_a_damaged_backup_replaces_nothing(indexed, target):
    back_up(indexed, target)
    (target / "snapshots" / "000001" / "vectors.f16").write_bytes(b"")
    with pytest.raises(IndexDamaged):
        restore(target, indexed, replace=True)
    assert similar(indexed)


def test_a_backup_that_may_not_be_written_to(indexed, target, tmp_path, monkeypatch):
    """SQLite wants to write beside a database even to read it, unless it is told otherwise."""
    back_up(indexed, target)
    connect = sqlite3.connect

    def readonly(address, **options):
        if str(address).startswith(target.as_uri()) and "immutable" not in str(address):
            address = (tmp_path / "none" / "none.db").as_uri() + "?mode=ro"
        return connect(address, **options)

    monkeypatch.setattr(sqlite3, "connect", readonly)
    restore(target, tmp_path / "new")
    monkeypatch.undo()
    assert similar(tmp_path / "new") == similar(indexed)


# Copying


def test_copying_where_the_system_cannot(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EXDEV, "no")

    data = np.random.default_rng(0).bytes(3 << 20)
    (tmp_path / "a").write_bytes(data)
    monkeypatch.setattr(os, "copy_file_range", unsupported, raising=False)
    told = []
    copy_file(tmp_path / "a", tmp_path / "b", told.append)
    assert (tmp_path / "b").read_bytes() == data
    assert sum(told) == len(data)
    copy_file(tmp_path / "a", tmp_path / "b", told.append, 10)
    assert (tmp_path / "b").read_bytes() == data[:10]
    with pytest.raises(EOFError):
        copy_file(tmp_path / "a", tmp_path / "b", told.append, 4 << 20)


# The commands


def test_the_commands(indexed, target):
    runner = CliRunner()
    done = runner.invoke(backup_command, [str(target), "--index", str(indexed), "--json"])
    assert done.exit_code == 0, done.output
    assert '"listings": 12' in done.stdout
    new = indexed.parent / "new"
    done = runner.invoke(restore_command, [str(target), "--index", str(new), "--json"])
    assert done.exit_code == 0, done.output
    assert '"kept": null' in done.stdout
    done = runner.invoke(restore_command, [str(target), "--index", str(new), "--replace"])
    assert done.exit_code == 0, done.output
    assert "What was there lies in" in done.stderr.replace("\n", " ")
    shutil.rmtree(target)
    done = runner.invoke(backup_command, [str(target), "--index", str(new)])
    assert "is sound" in done.stderr.replace("\n", " ")
    assert Path(target).is_dir()
