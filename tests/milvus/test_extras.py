"""Without the extras nothing of them is imported, and who needs one is told how to install it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import draw_picture

WITHOUT = """
import sys
extras = ("pymilvus", "grpc", "ray", "pyarrow")
if sys.argv[1] == "none":
    sys.modules.update(dict.fromkeys(extras))
import indexer.milvus.address, indexer.sync, lookalike, search.commands, search.engine, web.app
import web.serving.server
loaded = [name for name in extras if sys.modules.get(name) is not None]
assert not loaded, loaded
if sys.argv[2:]:
    sys.argv[1:] = sys.argv[2:]
    lookalike.main()
"""


def run(extras: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, extras, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_nothing_of_them_is_imported_unasked():
    assert run("all").returncode == 0


@pytest.mark.parametrize(
    "command", ["search photo.jpg", "status", "remove one", "export x.parquet"]
)
def test_milvus_without_its_extra(tmp_path, command):
    (tmp_path / "photo.jpg").write_bytes(b"")
    done = run("none", *command.split(), "--index", "milvus://127.0.0.1:1/shop")
    assert done.returncode == 1, done.stderr
    assert "pip install 'lookalike[milvus]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_ray_without_its_extra(tmp_path):
    draw_picture(tmp_path / "shop" / "1.png", 1)
    done = run("none", "index", tmp_path / "shop", "--ray", "local", "--index", tmp_path / "index")
    assert done.returncode == 1, done.stderr
    assert "pip install 'lookalike[ray]'" in done.stderr
