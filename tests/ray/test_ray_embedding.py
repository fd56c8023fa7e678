"""Pictures embedded by a real Ray cluster: the same as on one machine, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import indexer.ray_embedding
from indexer.catalog import DATABASE, DONE, PENDING, Catalog
from indexer.features import feature_file
from indexer.options import IndexOptions
from indexer.ray_ledger import DEATHS
from indexer.sources import open_source
from indexer.sync import index_catalogue
from tests.conftest import draw_picture
from tests.ray.workers import DEADLY, HIDDEN, load_in_trouble

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::ray")]

COUNT = 180


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, one of them damaged."""
    folder = tmp_path_factory.mktemp("shop")
    for n in range(COUNT - 1):
        draw_picture(folder / f"{n:03d}.png", n)
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder


def features(folder: Path) -> dict[str, bytes]:
    """Return the features of an index's pictures by their names."""
    with Catalog(folder) as catalog:
        kept = feature_file(folder, catalog)
        rows = catalog.db.execute(
            "SELECT uri, embedding FROM pictures WHERE embedding IS NOT NULL"
        ).fetchall()
        read = kept.read(np.array([row["embedding"] for row in rows]))
        return {Path(row["uri"]).name: r.tobytes() for row, r in zip(rows, read, strict=True)}


def alone(shop: Path, folder: Path) -> dict[str, bytes]:
    """Return the same of an index that this process makes by itself."""
    index_catalogue(folder, open_source(shop), IndexOptions())
    return features(folder)


def count(folder: Path, state: int) -> int:
    if not (folder / DATABASE).exists():
        return 0
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        try:
            found = db.execute("SELECT count(*) FROM pictures WHERE state = ?", (state,))
        except sqlite3.OperationalError:  # its tables are being made
            return 0
        return found.fetchone()[0]


def wait_for(folder: Path, done: int) -> None:
    """Wait until some pictures are embedded, and not all of them."""
    ends = time.monotonic() + 240
    while count(folder, DONE) < done:
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert count(folder, PENDING)


def assert_whole(folder: Path, expected: dict[str, bytes]) -> None:
    """Check that every picture is there once, and its features are what they should be."""
    assert features(folder) == expected
    assert len(expected) == COUNT - 1
    with Catalog(folder) as catalog:
        assert catalog.count("embeddings") == COUNT - 1
        assert int(catalog.meta("rows") or 0) == COUNT - 1
        (failure,) = catalog.failures()
        assert failure.uri.endswith("damaged.png")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoint often, so that a middle can be seen."""
    monkeypatch.setattr("indexer.pipeline.CHECKPOINT_PICTURES", 8)


def test_what_dies_loses_nothing(cluster, on_ray, installed, index_folder, shop, tmp_path):
    """A driver is killed; the next one goes on, and loses a node of the cluster meanwhile."""
    command = [sys.executable, "-m", "tests.ray.driver", cluster.address, shop, index_folder]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(list(map(str, command)), env=environment) as driver:
        wait_for(index_folder, 30)
        driver.send_signal(signal.SIGKILL)
    done = count(index_folder, DONE)
    lost: list[object] = []

    def kill() -> None:
        wait_for(index_folder, done + 30)
        node = cluster.worker_nodes.copy().pop()
        cluster.remove_node(node, allow_graceful=False)
        lost.append(node)

    killer = threading.Thread(target=kill)
    killer.start()
    report = on_ray(shop)
    killer.join()
    assert lost
    assert report.plan.unchanged == COUNT
    # The damaged one is among the first or among the last that come back.
    assert report.work.embedded + report.work.rejected in (COUNT - done, COUNT - done - 1)
    assert report.failures == 1
    assert_whole(index_folder, alone(shop, tmp_path / "alone"))


def test_what_nodes_cannot_read_and_what_they_die_of(
    cluster, on_ray, index_folder, tmp_path, monkeypatch
):
    """The one is embedded by the driver, the other rejected; all else is as on one machine."""
    monkeypatch.setitem(indexer.ray_embedding.LOADERS, "litert", load_in_trouble)
    monkeypatch.setattr(indexer.ray_embedding, "SHARES", 1)  # partitions of more than one picture
    shop, died = tmp_path / "shop", tmp_path / "died"
    for n in range(40):
        draw_picture(shop / (HIDDEN if n % 4 == 0 else "seen") / f"{n:03d}.png", n)
    expected = alone(shop, tmp_path / "alone")
    deadly = shop / "seen" / "019.png"
    deadly.write_bytes(deadly.read_bytes() + DEADLY + os.fsencode(died))
    report = on_ray(shop)
    assert (report.work.embedded, report.work.rejected) == (39, 1)
    with Catalog(index_folder) as catalog:
        (failure,) = catalog.failures()
    assert Path(failure.uri) == deadly
    assert f"died {DEATHS} times" in failure.reason
    # Once more, when nobody knew yet of which picture of its partition.
    assert len(died.read_text().splitlines()) == DEATHS + 1
    del expected[deadly.name]
    assert features(index_folder) == expected


def test_a_cluster_of_this_machine_alone(tmp_path):
    """The real network, by the command line: the same index, bit for bit, and a clean stdout."""
    for n in range(6):
        draw_picture(tmp_path / "shop" / f"{n}.png", n)
    made = {}
    for name, options in (("alone", []), ("ray", ["--ray", "local"])):
        command = [sys.executable, "-m", "lookalike", "index", tmp_path / "shop", "--json"]
        command += ["--input-size", 150, "--index", tmp_path / name, *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["work"]["embedded"] == 6
        assert "Ray" not in done.stdout
        made[name] = features(tmp_path / name)
    assert len(made["alone"]) == 6
    assert made["ray"] == made["alone"]
