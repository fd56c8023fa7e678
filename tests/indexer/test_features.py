"""The feature file: what is committed stays, what lies beyond is overwritten."""

import errno
import os

import numpy as np
import pytest

import indexer.features
from indexer.errors import IndexDamaged, StorageError
from indexer.features import FeatureFile


@pytest.fixture
def features(tmp_path):
    return FeatureFile(tmp_path / "features.f16", 4)


def rows(count, value):
    return np.full((count, 4), value, np.float32)


def test_append_and_open(features):
    assert features.open(0).shape == (0, 4)
    assert features.append(rows(3, 1), 0) == 3
    assert features.append(rows(2, 2), 3) == 5
    opened = features.open(5)
    assert opened.dtype == np.float16
    assert opened[:, 0].tolist() == [1, 1, 1, 2, 2]
    assert features.open(2).shape == (2, 4)


def test_what_lies_past_the_committed_rows_is_overwritten(features):
    features.append(rows(2, 1), 0)
    features.append(rows(5, 9), 2)  # of a run that died before its transaction
    assert features.append(rows(1, 3), 2) == 3
    assert features.open(3)[:, 0].tolist() == [1, 1, 3]
    assert features.path.stat().st_size == 3 * 4 * 2


def test_a_torn_row_is_overwritten(features):
    features.append(rows(2, 1), 0)
    with features.path.open("ab") as file:
        file.write(b"\x01\x02\x03")
    assert features.open(2)[:, 0].tolist() == [1, 1]
    features.append(rows(1, 3), 2)
    assert features.open(3)[:, 0].tolist() == [1, 1, 3]


def test_too_few_rows(features):
    with pytest.raises(IndexDamaged, match="0 of 1"):
        features.open(1)
    features.append(rows(2, 1), 0)
    with pytest.raises(IndexDamaged, match="2 of 3"):
        features.open(3)


def test_nothing_is_appended(features):
    assert features.append(np.zeros((0, 4), np.float32), 0) == 0
    assert features.open(0).shape == (0, 4)


def test_checksums_follow_the_rows(features):
    features.append(rows(2, 1), 0)
    features.append(rows(5, 9), 2)  # of a run that died before its transaction
    features.append(rows(1, 3), 2)
    assert list(features.check(3)) == [True, True, True]
    data = bytearray(features.path.read_bytes())
    data[9] ^= 1  # the lowest bit of a number in the second row
    features.path.write_bytes(data)
    assert list(features.check(3)) == [True, False, True]


def test_rows_whose_checksums_are_lost(features):
    features.append(rows(2, 1), 0)
    features.sums_path.unlink()
    assert list(features.check(2)) == [None, None]
    features.append(np.array([[0] * 4, [1, 2, 3, np.inf], [1] * 4]), 2)
    features.sums_path.unlink()
    features.append(rows(1, 5), 5)
    assert list(features.check(6)) == [None, None, False, False, None, True]


def test_reading_rows_in_any_order(features):
    features.append(np.arange(40, dtype=np.float32).reshape(10, 4), 0)
    asked = np.array([7, 8, 9, 2, 2, 3, 0])
    assert features.read(asked)[:, 0].tolist() == [28, 32, 36, 8, 8, 12, 0]
    assert features.read(asked[:0]).shape == (0, 4)
    # A run that goes past the end gives what is there of it.
    assert features.read(np.array([8, 9, 10, 11]))[:, 0].tolist() == [32, 36, 0, 0]
    assert not features.read(np.array([99])).any()


def test_rows_are_moved_with_their_checksums(features):
    features.append(np.arange(40, dtype=np.float32).reshape(10, 4), 0)
    features.move(np.array([9, 8]), np.array([1, 4]))
    assert features.open(10)[:, 0].tolist() == [0, 36, 8, 12, 32, 20, 24, 28, 32, 36]
    assert all(features.check(10))
    features.shorten(8)
    assert features.path.stat().st_size == 8 * 4 * 2
    assert features.sums_path.stat().st_size == 8 * 4
    features.shorten(9)  # never longer
    assert features.path.stat().st_size == 8 * 4 * 2
    assert all(features.check(8))
    with pytest.raises(IndexDamaged):
        list(features.check(9))


def test_rows_without_checksums_are_moved(features):
    features.append(rows(4, 1), 0)
    features.sums_path.unlink()
    features.move(np.array([3]), np.array([1]))
    assert list(features.check(3)) == [None, True, None]


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_a_full_disk(features, monkeypatch, name):
    features.append(rows(2, 1), 0)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(indexer.features.os, name, full)
        with pytest.raises(StorageError, match="No space"):
            features.append(rows(3, 2), 2)
    assert features.open(2)[:, 0].tolist() == [1, 1]
    assert features.append(rows(1, 3), 2) == 3
    assert list(features.check(3)) == [True] * 3


def test_a_full_disk_while_rows_are_moved(features, monkeypatch):
    features.append(rows(4, 1), 0)

    def full(*_):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(indexer.features.os, "pwrite", full)
    with pytest.raises(StorageError, match="quota"):
        features.move(np.array([3]), np.array([1]))
    monkeypatch.undo()
    assert all(features.check(4))


def test_the_name_of_a_new_file_is_durable(features, monkeypatch):
    synced = []
    monkeypatch.setattr("indexer.features.sync_folder", synced.append)
    features.append(rows(1, 1), 0)
    assert synced == [features.path.parent] * 2
    features.append(rows(1, 1), 1)
    assert len(synced) == 2
