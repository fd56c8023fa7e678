"""What nodes cannot read, and what they die of: judged by the driver, without a cluster."""

from __future__ import annotations

from pathlib import Path

import fsspec
import numpy as np
import pytest

import indexer.ray_unread
from indexer.catalog import PENDING, Catalog
from indexer.errors import ClusterError
from indexer.features import feature_file
from indexer.options import IndexOptions
from indexer.progress import Silent
from indexer.ray_ledger import DEATHS, NOTHING, Ledger
from indexer.sources import open_source
from indexer.sync import index_catalogue
from tests.conftest import write_catalogue
from tests.ray.conftest import PLACES, Died


class Heard(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def features(folder: Path) -> dict[str, bytes]:
    with Catalog(folder) as catalog:
        rows = catalog.db.execute("SELECT uri, embedding FROM pictures WHERE embedding >= 0")
        found = {row["uri"]: row["embedding"] for row in rows}
        read = feature_file(folder, catalog).read(np.array(list(found.values())))
        return {uri: row.tobytes() for uri, row in zip(found, read, strict=True)}


def pending(folder: Path) -> int:
    with Catalog(folder) as catalog:
        return catalog.count("pictures", "state = ?", PENDING)


def reasons(folder: Path) -> dict[str, str]:
    with Catalog(folder) as catalog:
        return {Path(failure.uri).name: failure.reason for failure in catalog.failures()}


@pytest.fixture
def urls(pictures_folder, tmp_path):
    """A catalogue of the same pictures at URLs of another kind than files."""
    system = fsspec.filesystem("memory")
    rows = []
    for path in sorted(pictures_folder.rglob("*.*")):
        system.pipe(f"/shop/{path.name}", path.read_bytes())
        rows.append((path.stem, f"memory://shop/{path.name}"))
    yield write_catalogue(tmp_path / "catalogue.csv", rows)
    system.rm("/shop", recursive=True)


@pytest.mark.parametrize("catalogue", ["pictures_folder", "urls"])
def test_what_only_the_driver_can_read_is_embedded(
    on_workers, trouble, index_folder, tmp_path, heard, catalogue, request
):
    source = request.getfixturevalue(catalogue)
    trouble.unreadable = lambda uri: "0" in Path(uri).stem
    report = on_workers(source, heard)
    assert (report.failures, report.work.embedded, report.work.rejected) == (0, 12, 0)
    index_catalogue(tmp_path / "alone", open_source(source), IndexOptions())
    assert features(index_folder) == features(tmp_path / "alone")
    (line,) = (line for line in heard.lines if "cluster" in line)
    assert line.startswith("11 pictures could not be read by the cluster's nodes")
    assert ("shared file system" in line) == (catalogue == "pictures_folder")
    assert ("reaches their host" in line) == (catalogue == "urls")


def test_a_url_that_changed_and_only_the_driver_reaches(on_workers, trouble, index_folder, urls):
    on_workers(urls)
    before = features(index_folder)
    system = fsspec.filesystem("memory")
    system.pipe("/shop/03.jpg", system.cat("/shop/05.jpg"))
    trouble.unreadable = lambda uri: True
    report = on_workers(urls)
    assert (report.work.unreached, report.work.reused, report.failures) == (0, 1, 0)
    after = features(index_folder)
    assert after["memory://shop/03.jpg"] == before["memory://shop/05.jpg"]


def test_what_nobody_reaches_stays_as_it_was(
    on_workers, trouble, index_folder, urls, monkeypatch, heard
):
    on_workers(urls)
    before = features(index_folder)
    fsspec.filesystem("memory").pipe("/shop/03.jpg", b"another")
    monkeypatch.setattr("indexer.steps.fetch_picture", trouble.fetch)
    trouble.unreadable = lambda uri: True
    report = on_workers(urls, heard)
    assert (report.work.unreached, report.failures) == (1, 0)
    assert features(index_folder) == before
    assert not [line for line in heard.lines if "cluster" in line]


def test_pictures_that_nobody_can_read_are_rejected(on_workers, pictures_folder):
    for path in sorted(pictures_folder.rglob("*.*"))[:9]:
        path.write_bytes(b"")
    report = on_workers(pictures_folder)
    assert (report.failures, report.work.embedded) == (9, 3)


def test_a_host_that_is_waited_for_in_vain_is_left_to_the_workers(
    on_workers, trouble, urls, index_folder, monkeypatch
):
    monkeypatch.setattr(indexer.ray_unread, "LONG", -1.0)
    monkeypatch.setattr(indexer.ray_unread, "VAIN", 1)
    monkeypatch.setattr(indexer.ray_unread, "READERS", 1)
    trouble.unreadable = lambda uri: "0" in Path(uri).stem
    monkeypatch.setattr("indexer.steps.fetch_picture", trouble.fetch)
    report = on_workers(urls)
    assert (report.failures, report.work.embedded) == (11, 1)
    # Once by a worker each, and once by the driver.
    assert len(trouble.read) == 12 + 1
    assert set(reasons(index_folder).values()) == {"The picture is not to be had."}


def test_a_cluster_that_the_driver_would_have_to_read_for(
    on_workers, trouble, index_folder, pictures_folder, monkeypatch
):
    monkeypatch.setattr(indexer.ray_unread, "ENOUGH", 5)
    trouble.unreadable = lambda uri: True
    with pytest.raises(ClusterError, match=r"cannot read /.*, which this machine can") as raised:
        on_workers(pictures_folder)
    assert "shared file system" in raised.value.hint
    assert (pending(index_folder), reasons(index_folder)) == (7, {})


def test_hosts_that_fail_a_worker_do_not_end_a_run(on_workers, trouble, urls, monkeypatch):
    monkeypatch.setattr(indexer.ray_unread, "ENOUGH", 5)
    trouble.unreadable = lambda uri: True
    assert on_workers(urls).work.embedded == 12


@pytest.mark.parametrize("catalogue", ["pictures_folder", "urls"])
def test_a_picture_that_kills_its_workers(
    on_workers, trouble, index_folder, catalogue, request, heard
):
    source = request.getfixturevalue(catalogue)
    trouble.deadly = lambda uri: "03" in uri
    report = on_workers(source, heard)
    assert (report.work.embedded, report.work.rejected) == (11, 1)
    assert trouble.deaths == 1 + DEATHS
    (reason,) = reasons(index_folder).values()
    assert reason.startswith(f"Its worker died {DEATHS} times while reading it")
    # The driver would have died of it.
    assert not [line for line in heard.lines if "cluster" in line]
    # Nor does the next run try it again, but it does when asked.
    assert on_workers(source).failures == 1
    assert trouble.deaths == 1 + DEATHS
    trouble.deadly = lambda uri: False
    assert on_workers(source, retry_failed=True).work.embedded == 1


def test_several_that_kill(on_workers, trouble, index_folder, pictures_folder):
    trouble.deadly = lambda uri: uri.endswith(("03.jpg", "06.png", "07.jpg"))
    report = on_workers(pictures_folder)
    assert (report.work.embedded, report.work.rejected) == (9, 3)
    assert set(reasons(index_folder)) == {"03.jpg", "06.png", "07.jpg"}


def test_a_worker_that_dies_by_itself(on_workers, trouble, pictures_folder):
    """Whoever is in hand then is tried again, and comes through."""
    dead: list[str] = []

    def by_itself(uri: str) -> bool:
        dead.append(uri)
        return len(dead) in (3, 6)

    trouble.deadly = by_itself
    assert on_workers(pictures_folder).work.embedded == 12
    assert trouble.deaths == 2
    # Whose answers are lost is given again, and has died of nothing by that.
    assert trouble.ledger.begin(1 + 2 * PLACES, b"again") == {}


def test_workers_that_die_of_every_picture(
    on_workers, trouble, index_folder, pictures_folder, monkeypatch
):
    trouble.deadly = lambda uri: True
    with pytest.raises(ClusterError, match=r"died 3 times at each of 4 pictures of 5") as raised:
        on_workers(pictures_folder)
    assert "more memory" in raised.value.hint
    assert pending(index_folder) == 12


def test_workers_that_die_before_the_first(
    on_workers, trouble, index_folder, pictures_folder, monkeypatch
):
    def die(_: Path) -> None:
        raise Died

    monkeypatch.setitem(indexer.ray_embedding.LOADERS, "litert", die)
    with pytest.raises(ClusterError, match="died 4 times before the first picture"):
        on_workers(pictures_folder)
    assert trouble.deaths == DEATHS + 1
    assert pending(index_folder) == 12


def test_a_ledger():
    ledger = Ledger()
    assert ledger.begin(1, b"a") == {}
    assert ledger.begin(1, b"a") == {}  # sent twice
    assert ledger.begin(2, b"b") == {}
    ledger.end(2, b"b")
    assert ledger.begin(2, b"c") == {}  # what it brought was lost
    assert ledger.begin(1, b"d") == {NOTHING: 1}
    ledger.hold(1, b"a", 7)  # taken for dead
    ledger.end(1, b"a")
    ledger.hold(1, b"d", 8)
    assert ledger.begin(1, b"e") == {NOTHING: 1, 8: 1}
    ledger.end(1, b"e")
    ledger.end(1, b"e")
    assert ledger.begin(1, b"f") == {NOTHING: 1, 8: 1}
