"""Databases are opened with the log that is theirs, while folders are exchanged."""

import sqlite3
from contextlib import closing

import pytest

import indexer.connecting
from indexer.connecting import connect
from indexer.errors import IndexBusy
from indexer.swapping import swap


@pytest.fixture
def two(tmp_path):
    """Two folders with a database each, which says the folder's name."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        with closing(sqlite3.connect(tmp_path / name / "x.db", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE said (name TEXT)")
            db.execute("INSERT INTO said VALUES (?)", (name,))
    return tmp_path / "one", tmp_path / "other"


def swapping(monkeypatch, folders, times):
    """Exchange the folders between opening a database and its log."""
    real, calls = sqlite3.connect, []

    def then_swap(*arguments, **options):
        db = real(*arguments, **options)
        calls.append(db)
        if len(calls) <= times:
            swap(*folders)
        return db

    monkeypatch.setattr(indexer.connecting.sqlite3, "connect", then_swap)
    return calls


@pytest.mark.parametrize("times", [0, 1, 2])
def test_folders_that_are_exchanged_meanwhile(two, monkeypatch, times):
    calls = swapping(monkeypatch, two, times)
    with closing(connect(two[0] / "x.db")) as db:
        said = db.execute("SELECT name FROM said").fetchall()
        db.execute("INSERT INTO said VALUES ('written')")
    assert len(calls) == times + 1
    monkeypatch.undo()
    assert said == [("one",)] if times % 2 == 0 else [("other",)]
    for folder in two:
        with closing(sqlite3.connect(folder / "x.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_without_end(two, monkeypatch):
    swapping(monkeypatch, two, 99)
    with pytest.raises(IndexBusy):
        connect(two[0] / "x.db")


def test_made_and_missing(tmp_path):
    connect(tmp_path / "new.db").close()
    assert (tmp_path / "new.db").exists()
    path = tmp_path / "none.db"
    with pytest.raises(sqlite3.OperationalError):
        connect(path, address=f"{path.as_uri()}?mode=ro")
    path.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        connect(path)
