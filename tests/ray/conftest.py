"""A real Ray cluster of two nodes on this machine, and workers in this process in its place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import indexer.ray_embedding
from indexer.errors import PictureError
from indexer.model import install_network
from indexer.options import IndexOptions, Report
from indexer.progress import SILENT, Progress
from indexer.ray_cluster import ENVIRONMENT
from indexer.ray_ledger import Ledger
from indexer.ray_tables import to_table
from indexer.ray_worker import Worker
from indexer.sources import open_source
from indexer.sources.fetching import fetch_picture
from indexer.sync import index_catalogue
from tests.conftest import FakeEmbedder
from tests.ray.workers import load

for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)

IMPATIENT = {
    "health_check_initial_delay_ms": 10_000,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 6,
}
"""A cluster that notices in seconds, and not in a quarter of a minute, that a node is gone; but one
that starts may be slow, on a machine that has other work."""

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


PLACES = 5
"""Pictures of a partition for the workers in this process."""


class Died(BaseException):
    """Ends a worker's process."""


class Trouble:
    """What befalls workers when they read, and not the driver."""

    def __init__(self) -> None:
        self.deaths = 0
        self.read: list[str] = []
        self.ledger = Ledger()
        self.deadly: Callable[[str], bool] = lambda uri: False
        self.unreadable: Callable[[str], bool] = lambda uri: False

    def fetch(self, picture, *, max_bytes):
        self.read.append(picture.uri)
        if self.deadly(picture.uri):
            raise Died
        if self.unreadable(picture.uri):
            raise PictureError("The picture is not to be had.") from TimeoutError()
        return fetch_picture(picture, max_bytes=max_bytes)


class Direct:
    """An actor in this process."""

    def __init__(self, made: object) -> None:
        self.made = made

    def __getattr__(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(remote=getattr(self.made, name))


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def workers(monkeypatch, fake_network, tmp_path, trouble) -> FakeEmbedder:
    """Put workers in this process in the place of a cluster, which are befallen by trouble."""
    import ray

    stub = SimpleNamespace(put=lambda value: value)

    def answer(order, partition):
        """Start a worker again whenever it dies, as Ray Data does, which would do it for ever."""
        for _ in range(100):
            try:
                with monkeypatch.context() as patch:
                    patch.setattr("indexer.steps.fetch_picture", trouble.fetch)
                    return Worker(order)(partition).to_pylist()
            except Died:
                trouble.deaths += 1
        raise AssertionError("A hundred workers died.")

    def answers(self, window, order):
        for at in range(0, len(window), PLACES):
            yield answer(order, to_table(window[at : at + PLACES]))

    class Connected:
        def __enter__(self):
            return stub

        def __exit__(self, *_):
            pass

    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ray, "get", lambda value: value)
    monkeypatch.setattr(indexer.ray_embedding, "_quieten", lambda: None)
    monkeypatch.setattr(indexer.ray_embedding, "connected", lambda _: Connected())
    monkeypatch.setattr(indexer.ray_embedding, "start_ledger", lambda _: Direct(trouble.ledger))
    monkeypatch.setattr(indexer.ray_embedding.RayPipeline, "_answers", answers)
    monkeypatch.setitem(indexer.ray_embedding.LOADERS, "litert", lambda _: fake_network)
    return fake_network


@pytest.fixture
def on_workers(workers: FakeEmbedder, index_folder: Path) -> Callable[..., Report]:
    """Index a catalogue into `index_folder` with them."""

    def run(catalogue: Path, progress: Progress = SILENT, **options: object) -> Report:
        asked = IndexOptions(ray="auto", allow_removals=True, **options)
        return index_catalogue(index_folder, open_source(catalogue), asked, progress)

    return run
