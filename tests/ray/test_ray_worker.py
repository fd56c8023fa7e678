"""What a worker says and what the driver makes of it, without a cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import ray

import indexer.ray_cluster
import indexer.ray_embedding
from indexer.catalog import PENDING, Catalog
from indexer.errors import ClusterError, MissingExtra, UsageError
from indexer.ray_cluster import require_ray
from indexer.ray_worker import Worker, kept_network
from tests.conftest import draw_picture


def pending(folder: Path) -> int:
    with Catalog(folder) as catalog:
        return catalog.count("pictures", "state = ?", PENDING)


def test_what_is_known_by_its_content_is_not_embedded_again(
    on_workers, workers, pictures_folder, tmp_path
):
    assert on_workers(pictures_folder).work.embedded == 12
    moved = pictures_folder.rename(tmp_path / "moved")
    draw_picture(moved / "hats" / "new.png", 99)
    calls = workers.calls
    again = on_workers(moved).work
    assert (again.embedded, again.reused) == (1, 12)
    assert workers.calls == calls + 1


def test_a_picture_that_is_there_twice_is_kept_once(on_workers, index_folder, tmp_path):
    for name in "abc":
        draw_picture(tmp_path / "shop" / f"{name}.png", 1)
    draw_picture(tmp_path / "shop" / "d.png", 2)
    on_workers(tmp_path / "shop")
    with Catalog(index_folder) as catalog:
        assert catalog.count("embeddings") == 2
        assert catalog.count("pictures", "embedding IS NOT NULL") == 4


def test_two_pictures_with_one_mark(
    on_workers, index_folder, pictures_folder, tmp_path, monkeypatch
):
    """A picture that a worker takes for a known one stays pending until the next run."""
    on_workers(pictures_folder)
    moved = pictures_folder.rename(tmp_path / "moved")
    draw_picture(moved / "hats" / "new.png", 99)
    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_is_known", lambda *_: True)
        on_workers(moved)
    assert pending(index_folder) == 1
    assert on_workers(moved).work.embedded == 1
    assert pending(index_folder) == 0


def test_a_worker_of_another_version(on_workers, index_folder, pictures_folder, monkeypatch):
    monkeypatch.setattr(indexer.ray_embedding, "version", lambda _: "0.0.1")
    with pytest.raises(ClusterError, match=r"It has Lookalike .*, and not 0\.0\.1") as raised:
        on_workers(pictures_folder)
    assert raised.value.hint == "Install the same version on every node."
    assert pending(index_folder) == 12


def test_a_worker_that_cannot_keep_the_network(on_workers, pictures_folder, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ClusterError, match="cannot embed pictures"):
        on_workers(pictures_folder)


def test_networks_are_kept_by_content(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path))
    one = kept_network({"network.tflite": b"one"})
    assert (one / "network.tflite").read_bytes() == b"one"
    assert kept_network({"network.tflite": b"one"}) == one
    assert kept_network({"network.tflite": b"two"}) != one
    (one / "network.tflite").write_bytes(bytes(3))  # as a power cut may leave it
    assert kept_network({"network.tflite": b"one"}) == one
    assert (one / "network.tflite").read_bytes() == b"one"
    assert sorted(path.name for path in one.iterdir()) == ["network.tflite"]


@pytest.mark.parametrize("address", ["local", "auto", "10.0.0.1:6379", "head.ray:6379", "[::1]:1"])
def test_addresses(address):
    require_ray(address)


@pytest.mark.parametrize("address", ["", "ray://head:10001", "head", "head:", "a b:1"])
def test_other_addresses(address):
    with pytest.raises(UsageError, match="not the address"):
        require_ray(address)


def test_keras_is_not_for_workers():
    with pytest.raises(UsageError, match="exclude one another"):
        require_ray("local", "keras")


def test_without_ray(sync, pictures_folder, index_folder, monkeypatch):
    monkeypatch.setattr(indexer.ray_cluster, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'lookalike\[ray\]'"):
        sync(pictures_folder, ray="local")
    assert not index_folder.exists()


def test_no_cluster_at_that_address(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("nobody there\nmore")

    monkeypatch.setattr(ray, "init", refuse)
    with (
        pytest.raises(ClusterError, match=r"10\.0\.0\.1:1 cannot be reached: nobody there See"),
        indexer.ray_cluster.connected("10.0.0.1:1"),
    ):
        pass


def test_nothing_of_ray_is_imported_unasked():
    code = (
        "import sys, indexer.sync, indexer.replacing, indexer.ray_worker;"
        "assert not {'ray', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
