"""What is acknowledged lies on the disk: every fsync comes before what it must come before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.durability.shop import Model, Shop, drawn
from tests.durability.tracing import RENAMES, SYNCS, WRITES, Call, parsed, traced

FEATURES = ("features.f16", "features.crc")
THUMBNAILS = "thumbnails.db-wal"
LASTING = (*FEATURES, THUMBNAILS, "catalog.db-wal")

WAL = "catalog.db-wal"


@pytest.fixture(scope="module")
def put(written: Shop, model: Model, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The calls of a put of three pictures, from its beginning to its acknowledgement."""
    shop = written.copied(tmp_path_factory.mktemp("put"))
    calls = traced(shop, "put", model)
    begin = next(n for n, call in enumerate(calls) if _says(call, "begin"))
    done = next(n for n, call in enumerate(calls) if _says(call, "done"))
    return calls[begin:done]


@pytest.fixture(scope="module")
def compact(written: Shop, model: Model, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The calls of a compaction."""
    return traced(written.copied(tmp_path_factory.mktemp("compact")), "compact", model)


@pytest.fixture(scope="module")
def tidy(written: Shop, model: Model, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The calls of tidying up, with rows of the feature file moved."""
    return traced(written.copied(tmp_path_factory.mktemp("tidy")), "tidy", model)


def _says(call: Call, word: str) -> bool:
    return call.name == "write" and f'\\"{word}\\"' in call.text


def places(calls: list[Call], names: tuple[str, ...], end: str) -> list[int]:
    """Return where calls of some names touch a path that ends so."""
    return [n for n, call in enumerate(calls) if call.name in names and call.path.endswith(end)]


@pytest.mark.parametrize("name", LASTING)
def test_what_a_put_writes_is_synced_before_it_is_acknowledged(put: list[Call], name: str) -> None:
    written, synced = places(put, WRITES, name), places(put, SYNCS, name)
    assert written
    assert synced
    assert max(synced) > max(written)


def test_features_are_synced_before_the_transaction_that_names_them(put: list[Call]) -> None:
    first = min(places(put, WRITES, WAL))
    for name in FEATURES:
        assert max(places(put, SYNCS, name)) < first
    assert min(places(put, WRITES, THUMBNAILS)) < min(places(put, SYNCS, THUMBNAILS)) < first


@pytest.mark.parametrize("seed", [500, 501])
def test_a_given_picture_is_synced_with_its_folders(put: list[Call], seed: int) -> None:
    content = hashlib.sha256(drawn(seed)).hexdigest()
    (renamed,) = [
        n for n, call in enumerate(put) if call.name in RENAMES and call.path.endswith(content)
    ]
    aside, path = put[renamed].old, Path(put[renamed].path)
    first = min(places(put, WRITES, WAL))
    assert max(places(put, WRITES, aside)) < max(places(put, SYNCS, aside)) < renamed
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        assert any(renamed < n < first for n in places(put, SYNCS, str(folder)))


def test_a_snapshot_is_whole_before_it_has_its_name_and_named_before_it_serves(
    compact: list[Call],
) -> None:
    (named,) = [
        n
        for n, call in enumerate(compact)
        if call.name in RENAMES and Path(call.old).name.startswith(".building-")
    ]
    aside, folder = compact[named].old, Path(compact[named].path)
    files = {call.path for call in compact if call.path.startswith(f"{aside}/")}
    files = {path for path in files if not path.endswith(".part") and not Path(path).is_dir()}
    assert len(files) > 7
    for path in files:
        renamed = [n for n, c in enumerate(compact) if c.name in RENAMES and c.path == path]
        sources = [path, *(compact[n].old for n in renamed)]
        written = [n for one in sources for n in places(compact, WRITES, one)]
        synced = [n for one in sources for n in places(compact, SYNCS, one)]
        assert max(written) < max(synced) < named, path
    assert named > max(places(compact, SYNCS, aside)), "the names in the new folder"
    index = folder.parent.parent
    (serves,) = [
        n
        for n, call in enumerate(compact)
        if call.name in RENAMES and call.path == str(index / "CURRENT")
    ]
    assert any(named < n < serves for n in places(compact, SYNCS, str(folder.parent)))
    part = compact[serves].old
    assert max(places(compact, WRITES, part)) < max(places(compact, SYNCS, part)) < serves
    assert max(places(compact, SYNCS, str(index))) > serves


def test_nothing_is_removed_before_the_new_snapshot_serves(compact: list[Call]) -> None:
    serves = max(
        n for n, c in enumerate(compact) if c.name in RENAMES and c.path.endswith("/CURRENT")
    )
    gone = [n for n, c in enumerate(compact) if c.name in RENAMES and "/.removing-" in c.path]
    assert all(n > serves for n in gone)


def test_a_moved_row_is_synced_before_the_transaction_that_names_it(tidy: list[Call]) -> None:
    moved = places(tidy, ("pwrite64",), "features.f16")
    assert moved
    assert not list(unsynced(tidy))


def unsynced(calls: list[Call]) -> list[str]:
    """Return what a transaction was synced before, of the features written by then."""
    dirty: set[str] = set()
    found = []
    for call in calls:
        name = call.path.rpartition("/")[2]
        if name in FEATURES:
            (dirty.add if call.name in WRITES else dirty.discard)(name)
        elif name == WAL and call.name in WRITES and dirty:
            found += sorted(dirty)
    return found


def test_a_trace_is_read() -> None:
    trace = """1  fsync(3</a/features.f16> <unfinished ...>
2  write(4</a/x y>, "\\"done\\"", 6) = 6
1  <... fsync resumed>) = 0
1  rename("/a/b.part", "/a/b") = 0
1  unlink("/a/c") = -1 ENOENT (No such file or directory)
1  +++ exited with 0 +++"""
    assert [(c.name, c.path, c.old) for c in parsed(trace)] == [
        ("write", "/a/x y", ""),
        ("fsync", "/a/features.f16", ""),
        ("rename", "/a/b", "/a/b.part"),
    ]
    calls = [
        Call("write", "/a/features.f16", "", ""),
        Call("pwrite64", "/a/catalog.db-wal", "", ""),
    ]
    assert unsynced(calls) == ["features.f16"]
