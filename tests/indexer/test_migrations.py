"""Indexes that released versions made are opened, searched and brought up to date."""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from indexer.backup import back_up
from indexer.catalog import DATABASE, Catalog
from indexer.catalog_schema import VERSION
from indexer.errors import IndexVersionError
from indexer.exporting import export
from indexer.importing import import_exports
from indexer.lease import writer_lease
from indexer.manifest import FORMAT, MANIFEST
from indexer.operations import Patch
from indexer.rebuild import rebuild
from indexer.snapshot import open_current
from indexer.tidying import tidy
from indexer.verify import problems
from indexer.writing import Writer
from search.engine import Engine

RELEASED = sorted((Path(__file__).parent.parent / "released").glob("index-*.tar.xz"))
LISTINGS = [f"l{n}" for n in range(9)]


@pytest.fixture(params=RELEASED, ids=lambda path: path.name.removesuffix(".tar.xz"))
def released(request, tmp_path):
    """An index as a released version left it."""
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path / "released", filter="data")
    return tmp_path / "released" / "index"


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_some():
    assert [path.name for path in RELEASED] == ["index-0.1.0.tar.xz"]


def found(folder, listing="l3"):
    engine = Engine.open(folder)
    try:
        return [hit.listing.id for hit in engine.search(listing_id=listing, k=20).hits]
    finally:
        engine.close()


def test_the_database_is_brought_up_to_date_with_a_backup(released):
    with closing(sqlite3.connect(released / DATABASE)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        listings = db.execute("SELECT * FROM listings ORDER BY number").fetchall()
        pictures = db.execute("SELECT * FROM pictures ORDER BY number").fetchall()
    assert version < VERSION
    with Catalog(released) as catalog:
        assert catalog.db.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert catalog.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert catalog.meta("moves") == "0"
        now = catalog.db.execute("SELECT * FROM listings ORDER BY number").fetchall()
        assert [tuple(row)[: len(listings[0])] for row in now] == listings
        assert [row["written"] for row in now] == [0] * 9
    backup = released / f"{DATABASE}.v{version}.bak"
    with closing(sqlite3.connect(backup)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT * FROM listings ORDER BY number").fetchall() == listings
        assert db.execute("SELECT * FROM pictures ORDER BY number").fetchall() == pictures


def types(folder):
    engine = Engine.open(folder)
    try:
        return dict(engine.view().told.filters.types)
    finally:
        engine.close()


def test_types_are_found_from_all_values_there_were(released, tmp_path):
    """0.1.0 knew none. Who writes first, or builds first, does not decide them."""
    with closing(sqlite3.connect(released / DATABASE)) as db:
        for n in range(9):
            said = json.dumps({"size": str(30 + n), "code": f"0{n}", "new": n > 3})
            db.execute("UPDATE listings SET attributes = ? WHERE id = ?", (said, f"l{n}"))
        db.commit()
    shutil.copytree(released, tmp_path / "built")
    expected = {"size": "number", "code": "text", "new": "boolean"}
    first = Engine.open(released)
    writer = Writer(released, lambda: None)
    writer.patch(Patch("l3", {}, {"size": "wide", "code": 5, "more": "1"}))
    assert first.view().told.filters.types == types(released) == {**expected, "more": "text"}
    first.close()
    rebuild(released, None, None, None)
    assert types(released) == {**expected, "more": "text"}
    rebuild(tmp_path / "built", None, None, None)
    assert types(tmp_path / "built") == expected


def test_the_backup_is_made_once(released):
    Catalog(released).close()
    (backup,) = released.glob("*.bak")
    before = backup.read_bytes()
    Catalog(released).close()
    assert [path.read_bytes() for path in released.glob("*.bak")] == [before]


def test_it_is_searched(released):
    assert open_current(released).manifest["format"] < FORMAT
    assert sorted(found(released)) == [name for name in LISTINGS if name != "l3"]
    assert list(problems(released)) == []


def test_a_rebuild_makes_a_snapshot_of_today(released):
    before = found(released)
    assert rebuild(released, None, None, None) == "000002"
    snapshot = open_current(released)
    assert (snapshot.manifest["format"], snapshot.count) == (FORMAT, 12)
    assert found(released) == before
    assert list(problems(released)) == []


def test_listings_are_removed_and_tidied_away(released):
    with Catalog(released) as catalog, catalog.writing():
        catalog.next_change()
        catalog.db.execute("DELETE FROM listings WHERE id = 'l3'")
    with writer_lease(released), Catalog(released) as catalog:
        assert tidy(released, catalog).features >= 1
    rebuild(released, None, None, None)
    assert sorted(found(released, "l4")) == [n for n in LISTINGS if n not in ("l3", "l4")]
    assert list(problems(released)) == []


def test_a_backup_and_an_export_of_it(released, tmp_path):
    said = back_up(released, tmp_path / "backup")
    assert said.listings == 9
    assert found(tmp_path / "backup") == found(released)
    export(released, tmp_path / "x.parquet")
    import_exports([tmp_path / "x.parquet"], tmp_path / "new")
    assert found(tmp_path / "new") == found(released)


def test_one_without_checksums_is_used_and_told(released):
    """As versions before them left it."""
    (released / "features.crc").unlink()
    assert sorted(found(released)) == [name for name in LISTINGS if name != "l3"]
    rebuild(released, None, None, None)
    assert sorted(found(released)) == [name for name in LISTINGS if name != "l3"]
    (said,) = problems(released)
    assert "the checksums of 12 of 12 pictures" in said


def test_a_newer_database_is_refused_and_left_alone(released):
    with closing(sqlite3.connect(released / DATABASE)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = contents(released)
    for use in (Engine.open, Catalog, lambda folder: rebuild(folder, None, None, None)):
        with pytest.raises(IndexVersionError, match="newer") as caught:
            use(released)
        assert "--upgrade" in caught.value.hint
    after = contents(released)
    assert {path: after[path] for path in before} == before
    assert not list(released.glob("*.bak"))


def test_a_newer_snapshot_is_refused_and_left_alone(released):
    path = open_current(released).folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    Catalog(released).close()
    before = contents(released)
    with pytest.raises(IndexVersionError, match="newer") as caught:
        Engine.open(released)
    assert "--upgrade" in caught.value.hint
    assert {path: contents(released)[path] for path in before} == before
