"""A staged catalogue: what a dry run says, and what is taken over beside other writers."""

import json
import os
import shutil
import sqlite3

import pytest
from click.testing import CliRunner

import indexer.apply
import indexer.staging
import indexer.sync
from indexer.catalog import DATABASE, PENDING, Catalog
from indexer.commands.index import index, show_ids, summary
from indexer.errors import IndexDamaged, IndexVersionError, SourceError, UsageError
from indexer.listing import Listing, Picture
from indexer.listing_writes import write_patch
from indexer.operations import Patch
from indexer.pipeline import Pipeline
from indexer.snapshot import open_current
from indexer.writing import Writer


def files(folder):
    """Return all that lies in a folder, byte by byte."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def api(folder, *statements):
    """Write as the API does: one transaction with a change number of its own."""
    with Catalog(folder) as catalog, catalog.writing():
        change = catalog.next_change()
        for sql, *parameters in statements:
            catalog.db.execute(sql, {"change": change} | dict(*parameters))


def add(folder, listing, picture="stored:abc"):
    api(
        folder,
        (
            "INSERT INTO listings (id, title, category, currency, url, attributes, origin, digest,"
            " change, written) VALUES (:id, 'API', '', '', '', '{}', '', x'', :change, :change)",
            {"id": listing},
        ),
        (
            "INSERT INTO pictures (listing, position, uri, region, version, state, embedding,"
            " change) SELECT number, 0, :uri, '', '', 1, 0, :change FROM listings WHERE id = :id",
            {"id": listing, "uri": picture},
        ),
    )


def patch(folder, listing, title="API"):
    api(
        folder,
        (
            "UPDATE listings SET title = :title, change = :change, written = :change"
            " WHERE id = :id",
            {"id": listing, "title": title},
        ),
    )


def remove(folder, listing):
    api(folder, ("DELETE FROM listings WHERE id = :id", {"id": listing}))


def replace_picture(folder, listing):
    api(
        folder,
        (
            "UPDATE listings SET change = :change, written = :change WHERE id = :id",
            {"id": listing},
        ),
        (
            "DELETE FROM pictures WHERE listing = (SELECT number FROM listings WHERE id = :id)",
            {"id": listing},
        ),
        (
            "INSERT INTO pictures (listing, position, uri, region, version, state, embedding,"
            " change) SELECT number, 0, 'stored:abc', '', '', 1, 0, :change FROM listings"
            " WHERE id = :id",
            {"id": listing},
        ),
    )


def titles(folder):
    with Catalog(folder) as catalog:
        return dict(catalog.db.execute("SELECT id, title FROM listings ORDER BY id").fetchall())


def column(folder, sql):
    with Catalog(folder) as catalog:
        return [row[0] for row in catalog.db.execute(sql)]


@pytest.fixture
def shop(sync, tmp_path, draw, write_csv):
    """A catalogue of five listings that is indexed, and a way to write it anew."""
    for n in range(8):
        draw(tmp_path / f"{n}.png", n)
    path = tmp_path / "c.csv"

    def write(*names, pictures=None):
        pictures = pictures or {}
        write_csv(
            path, [(name, str(tmp_path / f"{pictures.get(name, name)}.png")) for name in names]
        )
        return path

    sync(write("0", "1", "2", "3", "4"))
    return write


@pytest.fixture
def meanwhile(monkeypatch):
    """Have others write when the catalogue has been read, and before it is taken over."""

    def at(work):
        real = indexer.apply.apply_staged

        def late(*arguments):
            monkeypatch.setattr(indexer.sync, "apply_staged", real)
            work()
            real(*arguments)

        monkeypatch.setattr(indexer.sync, "apply_staged", late)

    return at


# Dry runs


def test_a_dry_run_without_an_index_leaves_nothing(sync, pictures_folder, index_folder):
    report = sync(pictures_folder, dry_run=True)
    assert (report.plan.added, report.work, report.snapshot) == (12, None, None)
    assert report.outlook.pictures == 12
    assert len(report.outlook.first["added"]) == 10
    assert not index_folder.exists()


def test_a_dry_run_changes_no_byte(sync, shop, index_folder, tmp_path):
    os.utime(tmp_path / "3.png", (1, 1))
    path = shop("0", "1", "2", "3", "5", "6", pictures={"1": "7"})
    path.write_text(path.read_text().replace("Product 2", "Another title"))
    before = files(index_folder)
    report = sync(path, dry_run=True)
    assert files(index_folder) == before
    plan, outlook = report.plan, report.outlook
    assert (plan.added, plan.changed, plan.removed, plan.unchanged) == (2, 3, 1, 1)
    assert (outlook.fields_only, outlook.pictures, outlook.urls) == (1, 4, 0)
    assert outlook.first == {
        "added": ("5", "6"),
        "pictures_changed": ("1", "3"),
        "fields_changed": ("2",),
        "removed": ("4",),
    }
    # It is right: one is a file that was merely touched.
    report = sync(path)
    assert (report.work.embedded, report.work.reused) == (3, 1)


def test_a_dry_run_counts_what_was_left_over(sync, shop, index_folder):
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute("UPDATE pictures SET state = ? WHERE number < 3", (PENDING,))
    report = sync(shop("0", "1", "2", "3", "4"), dry_run=True)
    assert report.plan.empty
    assert report.outlook.pictures == 2


def test_a_dry_run_counts_urls(sync, shop, index_folder):
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute(
            "UPDATE pictures SET uri = 'https://shop.example/a.png', version = '' WHERE number < 4"
        )
    path = shop("1", "2", "3", "4")
    assert sync(path, dry_run=True).outlook.urls == 2
    assert sync(path, dry_run=True, check_urls=False).outlook.urls == 0


def test_a_dry_run_beside_a_sync_that_runs(sync, shop, index_folder):
    from indexer.lease import writer_lease

    with writer_lease(index_folder):
        assert sync(shop("0", "1", "2", "3", "4"), dry_run=True).plan.empty


def test_a_dry_run_of_an_index_of_before(sync, shop, index_folder):
    with sqlite3.connect(index_folder / DATABASE) as db:
        db.execute("DROP INDEX listings_by_written")
        db.execute("ALTER TABLE listings DROP COLUMN written")
        db.execute("PRAGMA user_version = 1")
    db.close()
    before = files(index_folder)
    assert sync(shop("0", "1", "2", "3"), dry_run=True).plan.removed == 1
    assert files(index_folder) == before


def test_a_dry_run_of_what_cannot_be_read(sync, shop, index_folder, tmp_path):
    path = shop("0")
    with sqlite3.connect(index_folder / DATABASE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(IndexVersionError):
        sync(path, dry_run=True)
    for name in (DATABASE, DATABASE + "-wal", DATABASE + "-shm"):
        (index_folder / name).unlink(missing_ok=True)
    (index_folder / DATABASE).write_bytes(b"no database" * 100)
    with pytest.raises(IndexDamaged):
        sync(path, dry_run=True)
    path.write_text("id,image\n")
    with pytest.raises(SourceError):
        sync(path, dry_run=True)


def test_the_plan_in_words(sync, shop, index_folder, tmp_path, capsys):
    os.utime(tmp_path / "3.png", (1, 1))
    path = shop("0", "1", "2", "3", "5")
    path.write_text(path.read_text().replace("Product 2", "Another title"))
    report = sync(path, dry_run=True)
    assert summary(report, index_folder) == [
        "Would do, in listings: 1 added, 2 changed, 1 removed, 2 unchanged.",
        "Of those that changed, 1 have other pictures, and 1 only other fields.",
        "2 pictures would be read, and embedded unless their content is known; 0 URLs would be"
        " asked whether they changed.",
    ]
    show_ids(report.outlook)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["added", "5"],
        ["other", "pictures", "3"],
        ["other", "fields", "2"],
        ["removed", "4"],
    ]


def test_the_command(shop, index_folder, fake_network):
    def run(*arguments):
        return CliRunner().invoke(index, [*map(str, arguments), "--index", str(index_folder)])

    path = shop("0", "1", "2", "3", "5")
    (report,) = map(json.loads, run(path, "--dry-run", "--json").stdout.splitlines())
    assert report["plan"] == {"added": 1, "changed": 0, "removed": 1, "unchanged": 3 + 1}
    assert report["outlook"]["first"]["removed"] == ["4"]
    result = run(path, "--dry-run", "--replace")
    assert "Every picture would be read" in result.stderr
    assert run(path).exit_code == 0
    result = run(path, "--recheck-urls", "--no-check-urls")
    assert isinstance(result.exception, UsageError)
    result = run(path, "--replace")
    assert "5 embedded" in result.stderr
    assert fake_network.calls == 6 + 5


# Beside other writers


def test_a_newer_write_is_not_overwritten(sync, shop, index_folder, meanwhile):
    path = shop("0", "1", "2", "3", "4")
    path.write_text(path.read_text().replace("Product", "New"))
    meanwhile(lambda: patch(index_folder, "1"))
    sync(path)
    assert titles(index_folder) == {"0": "New 0", "1": "API", "2": "New 2"} | {
        "3": "New 3",
        "4": "New 4",
    }
    assert sync(path).plan.empty
    assert titles(index_folder)["1"] == "API"
    path.write_text(path.read_text().replace("New 1", "Newer 1"))
    sync(path)
    assert titles(index_folder)["1"] == "Newer 1"
    assert column(index_folder, "SELECT DISTINCT written FROM listings") == [0]


def test_an_earlier_write_stays_until_its_line_changes(sync, shop, index_folder):
    path = shop("0", "1", "2", "3", "4")
    patch(index_folder, "1")
    assert sync(path).plan.empty
    assert titles(index_folder)["1"] == "API"
    path.write_text(path.read_text().replace("Product 1", "New 1"))
    sync(path)
    assert titles(index_folder)["1"] == "New 1"
    assert column(index_folder, "SELECT written FROM listings WHERE id = '1'") == [0]


def test_a_new_line_of_what_was_just_added(sync, shop, index_folder, meanwhile):
    meanwhile(lambda: add(index_folder, "5"))
    path = shop("0", "1", "2", "3", "4", "5")
    sync(path)
    assert titles(index_folder)["5"] == "API"
    path.write_text(path.read_text().replace("Product 5", "New 5"))
    sync(path)
    assert titles(index_folder)["5"] == "New 5"


def test_a_changed_line_of_what_was_just_removed(sync, shop, index_folder, monkeypatch):
    path = shop("0", "1", "2", "3", "4")
    path.write_text(path.read_text().replace("Product", "New"))
    real = Catalog.next_change

    def late(catalog):
        # As the sync's transaction sees what was removed between its look and its turn.
        catalog.db.execute("DELETE FROM listings WHERE id = '1'")
        return real(catalog)

    monkeypatch.setattr(Catalog, "next_change", late)
    sync(path)
    monkeypatch.setattr(indexer.staging, "compare", real)
    assert "1" not in titles(index_folder)


def test_only_what_a_sync_brought_is_removed(sync, shop, index_folder, meanwhile):
    add(index_folder, "api")
    patch(index_folder, "2")  # earlier than the catalogue, and brought by it
    meanwhile(lambda: patch(index_folder, "3"))
    report = sync(shop("0", "1", "4"), allow_removals=True)
    assert report.plan.removed == 2
    assert set(titles(index_folder)) == {"0", "1", "3", "4", "api"}


def test_the_guard_counts_what_can_be_removed(sync, shop, index_folder):
    for n in range(20):
        add(index_folder, f"api{n}")
    with pytest.raises(UsageError, match="lacks 2 of the 5 listings"):
        sync(shop("0", "1", "2"))


def test_removals_and_changes_come_in_batches(sync, shop, index_folder, monkeypatch):
    monkeypatch.setattr(indexer.apply, "BATCH", 2)
    with Catalog(index_folder) as catalog:
        before = catalog.change()
    path = shop("4")
    path.write_text(path.read_text().replace("Product", "New"))
    sync(path, allow_removals=True)
    with Catalog(index_folder) as catalog:
        assert catalog.change() == before + 3
    tombstones = column(index_folder, "SELECT change FROM removed ORDER BY picture")
    assert tombstones == [before + 2] * 2 + [before + 3] * 2
    assert set(titles(index_folder)) == {"4"}


def test_the_same_url_given_by_somebody_else(sync, shop, index_folder, tmp_path, write_csv):
    """A line that changes takes a picture over; what shows that it changed is asked anew."""
    url = "memory://shop/0.png"
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shop/0.png", (tmp_path / "0.png").read_bytes())
    try:
        path = write_csv(tmp_path / "c.csv", [("0", url)])
        sync(path, allow_removals=True)
        api(index_folder, ("UPDATE pictures SET version = 'of the API', change = :change", {}))
        assert sync(path).urls.asked == 0
        path.write_text(path.read_text().replace("Product", "New"))
        assert sync(path).urls.asked == 1
        assert column(index_folder, "SELECT version FROM pictures")[0].startswith("modified:")
    finally:
        memory.rm("/shop", recursive=True)


def test_a_picture_that_was_replaced_while_it_was_embedded(sync, shop, index_folder, monkeypatch):
    real = Pipeline._checkpoint
    done = []

    def late(pipeline):
        if pipeline._buffer and not done:
            done.append(1)
            replace_picture(index_folder, "5")
            remove(index_folder, "6")
        real(pipeline)

    monkeypatch.setattr(Pipeline, "_checkpoint", late)
    report = sync(shop("0", "1", "2", "3", "4", "5", "6", "7"))
    assert report.work.embedded == 3
    with Catalog(index_folder) as catalog:
        uris = dict(
            catalog.db.execute(
                "SELECT l.id, p.uri FROM pictures p JOIN listings l ON l.number = p.listing"
            ).fetchall()
        )
        assert uris["5"] == "stored:abc"
        assert "6" not in uris
        assert catalog.count("pictures", "state = ?", PENDING) == 0
        # What was computed for nothing is there, and named by no picture.
        assert int(catalog.meta("rows")) == 8
    assert open_current(index_folder).count == 7


def test_others_write_between_the_checkpoints(sync, shop, index_folder, monkeypatch):
    """A checkpoint appends after what others appended, not over it."""
    real = Pipeline._checkpoint

    def late(pipeline):
        if pipeline._buffer:
            from indexer.features import feature_file

            with Catalog(index_folder) as other, other.writing():
                rows = int(other.meta("rows"))
                file = feature_file(index_folder, other)
                row = file.open(rows)[:1].copy()
                other.set_meta("rows", str(file.append(row, rows)))
                other.db.execute("INSERT INTO embeddings VALUES (?, 'api', '', 1, 1)", (rows,))
        real(pipeline)

    monkeypatch.setattr(Pipeline, "_checkpoint", late)
    sync(shop("0", "1", "2", "3", "4", "5"))
    numbers = column(index_folder, "SELECT number FROM embeddings ORDER BY number")
    assert numbers == list(range(7))
    assert column(index_folder, "SELECT content FROM embeddings WHERE number = 5") == ["api"]


def test_a_stored_picture_is_read_from_the_index(sync, shop, index_folder, tmp_path):
    content = "ab" * 32
    kept = index_folder / "pictures" / "ab" / content
    kept.parent.mkdir(parents=True)
    shutil.copyfile(tmp_path / "7.png", kept)
    add(index_folder, "api", f"stored:{content}")
    api(index_folder, ("UPDATE pictures SET state = 0 WHERE uri LIKE 'stored:%'", {}))
    report = sync(shop("0", "1", "2", "3", "4"))
    assert (report.work.embedded, report.failures) == (1, 0)


def test_what_is_removed_while_the_source_is_read_stays_removed(
    sync, pictures_folder, index_folder, monkeypatch
):
    sync(pictures_folder)
    real = indexer.staging.compare

    def removed_first(db, source):
        with Catalog(index_folder) as catalog, catalog.writing():
            catalog.next_change()
            catalog.db.execute("DELETE FROM listings WHERE id = 'bags:00.png'")
        return real(db, source)

    monkeypatch.setattr(indexer.staging, "compare", removed_first)
    sync(pictures_folder)
    with Catalog(index_folder) as catalog:
        assert catalog.number_of("bags:00.png") == 0
    monkeypatch.setattr(indexer.staging, "compare", real)
    sync(pictures_folder)  # the catalogue still has it
    with Catalog(index_folder) as catalog:
        assert catalog.number_of("bags:00.png")


@pytest.mark.parametrize("named", ["3", "4"])
def test_what_is_confirmed_while_the_catalogue_is_read_stays(
    named, sync, shop, index_folder, fake_network, meanwhile, tmp_path
):
    """A service says again what was so already: that is newer than the line, or than its lack."""
    writer = Writer(index_folder, lambda: fake_network)
    picture = Picture("", (tmp_path / "5.png").read_bytes())
    listing = Listing(named, (picture,), "Of the service")
    assert writer.put(listing).outcome == "replaced"
    outcomes = []
    meanwhile(lambda: outcomes.append(writer.put(listing).outcome))
    path = shop("0", "1", "2", "3")
    path.write_text(path.read_text().replace("Product 3", "Of the catalogue"))
    sync(path)
    assert outcomes == ["unchanged"]
    with Catalog(index_folder) as catalog:
        assert catalog.listing(named)[0].title == "Of the service"
    # The next one reads a catalogue of after it.
    path.write_text(path.read_text().replace("Of the catalogue", "Of the catalogue again"))
    sync(path)
    with Catalog(index_folder) as catalog:
        left = dict(catalog.db.execute("SELECT id, title FROM listings").fetchall())
    assert left.get(named) == ("Of the catalogue again" if named == "3" else None)


def test_a_sync_of_what_was_confirmed_builds_nothing(sync, shop, index_folder, fake_network):
    path = shop("0", "1", "2", "3", "4")
    first = sync(path).snapshot
    writer = Writer(index_folder, lambda: fake_network)
    assert writer.patch(Patch("3", {"title": "Product 3"})).outcome == "unchanged"
    assert sync(path).snapshot == first
    writer.patch(Patch("3", {"title": "Another"}))
    assert sync(path).snapshot > first


def test_a_touched_picture_leaves_what_services_wrote(sync, pictures_folder, index_folder):
    sync(pictures_folder)
    with Catalog(index_folder) as catalog, catalog.writing():
        change = catalog.next_change()
        write_patch(catalog, Patch("bags:00.png", {"price": 42.0}), change)
    os.utime(pictures_folder / "bags" / "00.png", (1, 1))
    report = sync(pictures_folder)
    assert (report.plan.changed, report.work.embedded, report.work.reused) == (1, 0, 1)
    with Catalog(index_folder) as catalog:
        assert catalog.listing("bags:00.png")[0].price == 42
    assert sync(pictures_folder).plan.unchanged == 12
