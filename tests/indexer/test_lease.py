"""The writer's lease: one at a time, and gone with its holder."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.errors import IndexBusy, StorageError
from indexer.lease import writer_lease

HOLD = """
import sys
from pathlib import Path
from indexer.lease import writer_lease
with writer_lease(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_refused(tmp_path):
    refused = pytest.raises(IndexBusy, match=str(os.getpid()))
    with writer_lease(tmp_path), refused, writer_lease(tmp_path):
        pass
    with writer_lease(tmp_path):
        pass


def test_it_is_released_by_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), writer_lease(tmp_path):
        raise KeyboardInterrupt
    with writer_lease(tmp_path):
        pass


def test_two_folders_do_not_meet(tmp_path):
    (tmp_path / "other").mkdir()
    with writer_lease(tmp_path), writer_lease(tmp_path / "other"):
        pass


def test_another_process_holds_it_until_it_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        try:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(IndexBusy, match=str(holder.pid)), writer_lease(tmp_path):
                pass
        finally:
            holder.kill()
            holder.wait()
    with writer_lease(tmp_path):
        pass


def test_a_folder_that_may_only_be_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError), writer_lease(tmp_path):
        pass


def test_a_full_disk(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(StorageError), writer_lease(tmp_path):
            pass
    with writer_lease(tmp_path):
        pass
