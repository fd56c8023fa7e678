"""Publishing: in an order that survives a power cut, on disks that are full, beside readers."""

import errno
import fcntl
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import indexer.publishing
import indexer.reading_lock
import indexer.snapshot
from indexer.errors import IndexDamaged, StorageError
from indexer.files import write_durably
from indexer.manifest import MANIFEST
from indexer.publishing import begin, building, publish, remove_old
from indexer.snapshot import Snapshot, current_name, open_current
from indexer.storing import storing

ROOT = Path(__file__).parent.parent.parent


def names(folder):
    return sorted(path.name for path in (folder / "snapshots").iterdir())


def copied(index):
    """Return a folder with what the current snapshot holds, and a manifest to publish it with."""
    folder = index / "snapshots" / current_name(index)
    manifest = json.loads((folder / MANIFEST).read_text())
    aside = begin(index)
    for name in manifest["files"]:
        shutil.copyfile(folder / name, aside / name)
    return aside, {k: v for k, v in manifest.items() if k not in ("format", "name", "files")}


def published(index):
    return publish(*copied(index))


def test_whatever_lies_in_the_folder_belongs_to_it(indexed):
    aside, manifest = copied(indexed)
    (aside / "fields").mkdir()
    (aside / "fields" / "price.f64").write_bytes(b"12345678")
    (aside / "fresh.faiss").write_bytes(b"1")
    publish(aside, manifest)
    snapshot = open_current(indexed)
    assert snapshot.manifest["files"]["fields/price.f64"]["bytes"] == 8
    assert snapshot.file("fresh.faiss").read_bytes() == b"1"
    (snapshot.folder / "fields" / "price.f64").write_bytes(b"1")
    with pytest.raises(IndexDamaged, match=r"fields/price\.f64 has 1 bytes"):
        open_current(indexed)


def test_one_that_lacks_a_file_is_not_published(indexed):
    aside, manifest = copied(indexed)
    (aside / "vectors.f16").unlink()
    with pytest.raises(FileNotFoundError, match=r"vectors\.f16"):
        publish(aside, manifest)
    assert names(indexed) == ["000001"]


# Readers


def test_old_ones_are_removed(indexed):
    for expected in ("000002", "000003"):
        assert published(indexed) == expected
        assert names(indexed) == [expected]


def test_old_ones_stay_while_they_are_read(indexed):
    first, also_first = open_current(indexed), open_current(indexed)
    published(indexed)
    second = open_current(indexed)
    published(indexed)
    assert names(indexed) == ["000001", "000002", "000003"]
    first.close()
    first.close()
    assert remove_old(indexed) == 0
    also_first.close()
    assert remove_old(indexed) == 1
    assert second.count == 12
    del second
    gc.collect()
    assert remove_old(indexed) == 1
    assert names(indexed) == ["000003"]
    assert first.vectors.any()  # what is mapped can still be read


def test_another_process_reads(indexed):
    code = (
        "import sys; from pathlib import Path; from indexer.snapshot import open_current;"
        "kept = open_current(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(indexed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with reader:
        assert reader.stdout.readline() == b"open\n"
        published(indexed)
        assert names(indexed) == ["000001", "000002"]
        reader.kill()
        reader.wait()
        assert remove_old(indexed) == 1


def test_later_ones_than_the_current_are_not_old(indexed):
    """They may be about to be named."""
    folder = indexed / "snapshots"
    shutil.copytree(folder / "000001", folder / "000002")
    assert remove_old(indexed) == 0
    assert names(indexed) == ["000001", "000002"]


def test_what_a_removal_that_died_left_is_removed(indexed):
    left = indexed / "snapshots" / ".removing-000000-1"
    left.mkdir()
    (left / "vectors.f16").write_bytes(b"1")
    assert remove_old(indexed) == 0
    assert names(indexed) == ["000001"]


def test_one_without_a_manifest_is_removed(indexed):
    (indexed / "snapshots" / "000000").mkdir()
    assert remove_old(indexed) == 1


def test_a_file_system_without_locks_keeps_the_one_before(indexed, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(indexer.reading_lock.fcntl, "flock", unsupported)
    reader = open_current(indexed)
    for expected in (["000001", "000002"], ["000002", "000003"]):
        published(indexed)
        assert names(indexed) == expected
    assert reader.count == 12
    monkeypatch.undo()


def test_one_that_is_just_published_is_opened_instead(indexed, monkeypatch):
    """CURRENT was read, and what it named is gone before it is opened."""
    real = indexer.snapshot.current_name
    read = []

    def then_publish(folder):
        name = real(folder)
        read.append(name)
        if len(read) == 1:
            published(folder)
        return name

    monkeypatch.setattr(indexer.snapshot, "current_name", then_publish)
    assert open_current(indexed).name == "000002"


def test_opening_beside_publishing(indexed):
    """Nobody who opens the current snapshot ever finds it gone or half there."""
    stop, found, errors = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            try:
                snapshot = open_current(indexed)
                found.add(snapshot.name)
                assert snapshot.file("vectors.f16").is_file()
                snapshot.close()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
                errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(20):
            published(indexed)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []
    remove_old(indexed)
    assert names(indexed) == ["000021"]


def test_a_folder_that_is_being_removed(indexed):
    folder = indexed / "snapshots" / "000001"
    with (folder / MANIFEST).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(IndexDamaged):
            Snapshot.open(folder)


# Disks


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("at", range(0, 14, 2))
def test_a_disk_that_refuses_leaves_the_old_one(indexed, monkeypatch, code, at):
    aside, manifest = copied(indexed)
    real, calls = os.fsync, 0

    def refusing(descriptor):
        nonlocal calls
        calls += 1
        if calls > at:
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    try:
        publish(aside, manifest)
    except StorageError as error:
        assert os.strerror(code) in error.message
        assert error.status == 507
    monkeypatch.undo()
    serves = current_name(indexed)
    assert open_current(indexed).count == 12
    assert calls > at or serves == "000002"
    assert [name for name in names(indexed) if name != "000001"] in ([], [serves])
    assert published(indexed) > serves
    assert len(names(indexed)) == 1


def test_a_folder_that_may_not_be_written_to(indexed, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", refused)
        with pytest.raises(StorageError, match="Permission denied"), building(indexed):
            pass
    assert open_current(indexed).name == "000001"


def test_what_was_not_published_is_removed(indexed):
    with pytest.raises(KeyError), building(indexed) as aside:
        (aside / "vectors.f16").write_bytes(b"1")
        raise KeyError
    assert names(indexed) == ["000001"]
    with building(indexed) as aside:
        assert aside.is_dir()
    assert names(indexed) == ["000001"]


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from indexer.errors import StorageError
from indexer.features import FeatureFile
from indexer.files import write_durably
from indexer.publishing import building
from indexer.faiss_index import write_faiss
from indexer.thumbnails import Thumbnails

index, what = Path(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
vectors = np.ones((5000, 32), np.float16)
try:
    if what == "features":
        FeatureFile(index / "features.f16", 768).append(np.ones((500, 768)), 12)
    elif what == "thumbnails":
        Thumbnails(index).add([("a" * 64, b"x" * 200_000)])
    else:
        with building(index) as aside:
            if what == "numpy":
                vectors.tofile(aside / "vectors.f16")
            elif what == "python":
                (aside / "vectors.f16").write_bytes(vectors.tobytes())
            else:
                write_faiss(aside / "index.faiss", vectors)
except StorageError as error:
    print(error.message)
"""


@pytest.mark.parametrize("what", ["numpy", "python", "faiss", "features", "thumbnails"])
def test_a_limit_of_the_file_size(indexed, what):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(indexed), what],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.startswith("The index cannot be written"), done.stdout
    assert names(indexed) == ["000001"]
    assert open_current(indexed).count == 12
    rows = np.fromfile(indexed / "features.f16", np.float16)[: 12 * 768]
    assert rows.any()


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (FileNotFoundError(errno.ENOENT, "none"), RuntimeError("else"), OSError("odd")):
        with pytest.raises(type(error)), storing(tmp_path):
            raise error


@pytest.mark.parametrize("name", ["CURRENT.part", "snapshots/.building-000009"])
def test_what_a_power_cut_left_disturbs_nobody(indexed, name):
    left = indexed / name
    if "building" in name:
        left.mkdir()
        left = left / "manifest.json"
    left.write_bytes(b"\0\0")
    assert open_current(indexed).name == "000001"
    assert published(indexed) == "000002"
    assert open_current(indexed).name == "000002"


def test_a_half_written_current_is_replaced_whole(tmp_path):
    write_durably(tmp_path / "CURRENT", b"000001")
    (tmp_path / "CURRENT.part").write_bytes(b"00")
    write_durably(tmp_path / "CURRENT", b"000002")
    assert (tmp_path / "CURRENT").read_bytes() == b"000002"
