"""Turns to write: who died in one, or gave up, is followed by a transaction of nothing."""

import errno
import os

import pytest

import indexer.turns
from indexer.catalog import Catalog
from indexer.errors import IndexBusy, StorageError
from indexer.turns import FILE


@pytest.fixture
def catalog(tmp_path):
    with Catalog(tmp_path, create=True) as opened:
        with opened.writing():
            opened.set_meta("a", "1")
        yield opened


@pytest.fixture
def commits(catalog):
    """How many transactions were committed since."""
    said = []
    catalog.db.set_trace_callback(said.append)
    return lambda: said.count("COMMIT")


def test_one_after_the_other(catalog, commits):
    for n in range(3):
        with catalog.writing():
            catalog.set_meta("a", str(n))
    assert commits() == 3


@pytest.mark.parametrize("left", ["", "f" * 16])
def test_one_that_did_not_finish(catalog, commits, tmp_path, left):
    (tmp_path / FILE).write_text(left)
    with catalog.writing():
        catalog.set_meta("a", "2")
    assert commits() == 2
    with catalog.writing():
        catalog.set_meta("a", "3")
    assert commits() == 3


def test_one_that_gave_up(catalog, commits):
    with pytest.raises(KeyboardInterrupt), catalog.writing():
        catalog.set_meta("a", "2")
        raise KeyboardInterrupt
    assert catalog.meta("a") == "1"
    with catalog.writing():
        assert catalog.meta("a") == "1"
    assert commits() == 2


def test_others_that_keep_failing(catalog, monkeypatch):
    monkeypatch.setattr(indexer.turns, "TRIES", 3)
    monkeypatch.setattr(os, "pread", lambda *_: b"of somebody else")
    with pytest.raises(IndexBusy) as caught, catalog.writing():
        pass
    assert "again" in caught.value.hint
    assert not catalog.db.in_transaction


def test_a_full_disk(catalog, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageError), catalog.writing():
            pass
    assert not catalog.db.in_transaction
    with catalog.writing():
        catalog.set_meta("a", "2")
    assert catalog.meta("a") == "2"
