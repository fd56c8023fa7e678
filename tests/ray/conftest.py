"""A real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import indexer.ray_embedding
from indexer.model import install_network
from indexer.options import Report
from indexer.ray_cluster import ENVIRONMENT
from tests.ray.workers import load

for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)

IMPATIENT = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
}
"""A cluster that notices in seconds, and not in a quarter of a minute, that a node is gone."""

NODE = {"num_cpus": 2, "object_store_memory": 100 << 20}


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A head and a second node, two logical cores each, until all tests are done."""
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets have short names
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        (Path(folder) / "ray").mkdir()
        head = {**NODE, "include_dashboard": False, "_system_config": IMPATIENT}
        made = Cluster(initialize_head=True, head_node_args=head)
        made.add_node(**NODE)
        try:
            yield made
        finally:
            made.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def on_ray(
    cluster: object, sync: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    """Index a catalogue into `index_folder` on the cluster, with a network that is slow."""
    monkeypatch.setitem(indexer.ray_embedding.LOADERS, "litert", load)

    def run(catalogue: object, **options: object) -> Report:
        return sync(catalogue, ray=cluster.address, **options)

    return run


@pytest.fixture
def installed(index_folder, network, tmp_path, fake_network) -> None:
    """An empty index with the network that costs nothing."""
    index_folder.mkdir()
    install_network(network, tmp_path / "fake.tflite", index_folder)
