"""Imports: what was exported is an index again, without a picture read."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import indexer.import_batch
import indexer.import_rows
from indexer.catalog import Catalog
from indexer.commands.import_ import import_ as command
from indexer.errors import NetworkMismatch, SourceError, UsageError
from indexer.export_schema import KEY, network_path
from indexer.exporting import export
from indexer.importing import import_exports
from indexer.rebuild import rebuild
from indexer.snapshot import open_current
from indexer.thumbnails import Thumbnails
from indexer.verify import problems
from search.engine import Engine


@pytest.fixture
def exported(indexed, tmp_path):
    path = tmp_path / "out" / "catalogue.parquet"
    export(indexed, path)
    return path


@pytest.fixture
def new(tmp_path):
    return tmp_path / "new"


def answers(folder, **query):
    engine = Engine.open(folder)
    try:
        page = engine.search(k=12, **query)
        return [hit.listing.id for hit in page.hits], [hit.similarity for hit in page.hits]
    finally:
        engine.close()


def tables(folder):
    """Return what a catalogue says, whatever the numbers in it are."""
    with Catalog(folder) as catalog:
        listings = catalog.db.execute(
            "SELECT id, title, category, price, currency, url, attributes, origin, digest,"
            " written > 0 FROM listings ORDER BY id"
        )
        pictures = catalog.db.execute(
            "SELECT l.id, p.position, p.uri, p.region, p.version, p.state, p.reason, e.content,"
            " e.width, e.height FROM pictures p JOIN listings l ON l.number = p.listing"
            " LEFT JOIN embeddings e ON e.number = p.embedding ORDER BY l.id, p.position"
        )
        return [list(map(tuple, rows)) for rows in (listings, pictures)]


def rewritten(path, change):
    """Rewrite an export with its table and metadata changed."""
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[KEY])
    table = change(table, said) or table
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(said)}), path)


def test_round_trip(indexed, exported, new, pictures_folder):
    done = import_exports([exported], new)
    assert (done.added, done.changed, done.unchanged, done.features) == (12, 0, 0, 12)
    assert tables(new) == tables(indexed)
    assert list(problems(new)) == []
    assert open_current(new).manifest["recipe"] == open_current(indexed).manifest["recipe"]
    for query in ({"listing_id": "hats:01.jpg"}, {"photo": pictures_folder / "bags" / "00.png"}):
        found, similarities = answers(new, **query)
        expected, exact = answers(indexed, **query)
        assert found == expected
        assert similarities == pytest.approx(exact, abs=5e-3)
    with Catalog(new) as catalog:
        _, (key,) = catalog.listing("hats:01.jpg")
    opened = Thumbnails(new)
    assert opened.has(key)
    opened.close()


def test_a_sync_after_it_embeds_nothing(exported, new, index_folder, sync, pictures_folder):
    shutil.rmtree(index_folder)
    import_exports([exported], index_folder)
    report = sync(pictures_folder)
    assert (report.plan.unchanged, report.work.embedded) == (12, 0)


def test_again_changes_nothing(exported, new):
    first = import_exports([exported], new)
    with Catalog(new) as catalog:
        change = catalog.change()
    again = import_exports([exported], new)
    assert (again.added, again.changed, again.unchanged, again.features) == (0, 0, 12, 0)
    assert again.snapshot == first.snapshot
    with Catalog(new) as catalog:
        assert catalog.change() == change


@pytest.mark.parametrize("batches", [1, 2])
def test_it_goes_on_after_a_crash(indexed, exported, new, monkeypatch, batches):
    monkeypatch.setattr(indexer.import_rows, "AT_ONCE", 5)
    real, calls = indexer.import_batch.Batch.take_over, []

    def crashing(self, listings):
        calls.append(listings)
        if len(calls) > batches:
            raise KeyboardInterrupt
        real(self, listings)

    with monkeypatch.context() as patched:
        patched.setattr(indexer.import_batch.Batch, "take_over", crashing)
        with pytest.raises(KeyboardInterrupt):
            import_exports([exported], new)
    done = import_exports([exported], new)
    assert (done.added, done.unchanged) == (12 - 5 * batches, 5 * batches)
    assert tables(new) == tables(indexed)
    assert list(problems(new)) == []


def test_into_an_index_that_has_some_of_them(indexed, exported, new):
    before = tables(indexed)
    with Catalog(indexed) as catalog, catalog.writing():
        change = catalog.next_change()
        catalog.db.execute("DELETE FROM listings WHERE id = 'hats:01.jpg'")
        catalog.db.execute(
            "UPDATE listings SET title = 'Another', change = ? WHERE id = 'bags:00.png'", (change,)
        )
        number = catalog.number_of("bags:03.jpg")
        catalog.db.execute("DELETE FROM pictures WHERE listing = ?", (number,))
        catalog.db.execute(
            "UPDATE pictures SET embedding = 0, change = ? WHERE embedding = 9", (change,)
        )
    done = import_exports([exported], indexed)
    assert (done.added, done.changed, done.unchanged, done.features) == (1, 3, 8, 0)
    assert tables(indexed) == before
    assert open_current(indexed).count == 12
    assert list(problems(indexed)) == []


def test_listings_that_the_export_lacks_stay(indexed, exported, new):
    rewritten(exported, lambda table, _: table.slice(0, 5))
    rebuild(indexed, None, None, None)
    assert import_exports([exported], indexed).unchanged == 5
    assert len(tables(indexed)[0]) == 12


def test_several_at_once(indexed, exported, new):
    second = exported.with_name("second.parquet")
    shutil.copy(exported, second)
    rewritten(exported, lambda table, _: table.slice(0, 5))
    rewritten(second, lambda table, _: table.slice(5))
    assert import_exports([exported, second], new).added == 12
    assert tables(new) == tables(indexed)


def test_written_through_the_api_stays_so(indexed, tmp_path, new):
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.db.execute("UPDATE listings SET written = 1, digest = x'' WHERE number = 3")
    export(indexed, tmp_path / "x.parquet")
    import_exports([tmp_path / "x.parquet"], new)
    assert tables(new) == tables(indexed)


def test_types_come_with_it(indexed, tmp_path, new):
    """A text of the API that reads as a number stays one."""
    with Catalog(indexed) as catalog, catalog.writing():
        attributes = {"code": "42"}
        catalog.learn_types(attributes)
        catalog.db.execute("UPDATE listings SET attributes = ?", (json.dumps(attributes),))
    export(indexed, tmp_path / "x.parquet")
    import_exports([tmp_path / "x.parquet"], new)
    with Catalog(new) as catalog:
        assert catalog.field_types() == {"code": "text"}
    engine = Engine.open(new)
    assert len(engine.search(listing_id="bags:00.png", filter="code:4*", k=12).hits) == 11
    engine.close()


@pytest.mark.parametrize("fields", [["code"], {"code": "date"}, {"code": [1]}])
def test_types_that_are_none(exported, new, fields):
    def other(_, said):
        said["fields"] = fields

    rewritten(exported, other)
    with pytest.raises(SourceError, match="damaged"):
        import_exports([exported], new)


def test_rejected_pictures_and_listings_without_any(sync, index_folder, tmp_path, draw, new):
    draw(tmp_path / "shop" / "0.png", 0)
    draw(tmp_path / "shop" / "1.png", 1)
    (tmp_path / "shop" / "bad.png").write_bytes(b"no picture")
    path = tmp_path / "shop" / "c.csv"
    path.write_text("id,image,title\na,bad.png|0.png,x\nb,1.png,\nc,bad.png,\n", "utf-8")
    sync(path)
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute("DELETE FROM pictures WHERE listing = ?", (catalog.number_of("b"),))
    export(index_folder, tmp_path / "x.parquet")
    import_exports([tmp_path / "x.parquet"], new)
    assert tables(new) == tables(index_folder)


def test_without_features(indexed, tmp_path, new):
    export(indexed, tmp_path / "x.parquet", features=False)
    with pytest.raises(UsageError) as caught:
        import_exports([tmp_path / "x.parquet"], new)
    assert "--features" in caught.value.hint
    assert not new.exists()


def test_another_network(indexed, exported, new):
    def other(_, said):
        said["network"]["sha256"] = "f" * 64

    rewritten(exported, other)
    with pytest.raises(NetworkMismatch):
        import_exports([exported], indexed)
    assert len(tables(indexed)[0]) == 12


def test_the_network_is_missing_or_another(exported, new):
    network_path(exported).write_bytes(b"another")
    with pytest.raises(NetworkMismatch):
        import_exports([exported], new)
    network_path(exported).unlink()
    with pytest.raises(UsageError, match="missing"):
        import_exports([exported], new)


def test_an_index_that_keeps_more(exported, indexed, new):
    def narrower(_, said):
        said["feature_width"] = 768

    rewritten(exported, narrower)
    with pytest.raises(UsageError, match="does not have"):
        import_exports([exported], indexed)


def test_an_index_that_keeps_less(exported, sync, index_folder, pictures_folder, indexed):
    narrow = index_folder.parent / "narrow"
    with Catalog(indexed) as catalog:
        kept = int(catalog.meta("feature_width"))
    narrow.mkdir()
    with Catalog(narrow, create=True) as catalog, catalog.writing():
        catalog.set_meta("feature_width", "768")
    assert kept > 768
    import_exports([exported], narrow)
    assert list(problems(narrow)) == []
    assert (
        answers(narrow, listing_id="hats:01.jpg")[0]
        == (answers(indexed, listing_id="hats:01.jpg")[0])
    )


@pytest.mark.parametrize("kind", ["empty", "garbage", "foreign", "newer", "lacking"])
def test_no_export(exported, new, kind):
    if kind == "empty":
        exported.write_bytes(b"")
    elif kind == "garbage":
        exported.write_bytes(exported.read_bytes()[:-100])
    elif kind == "foreign":
        pq.write_table(pa.table({"id": ["a"]}), exported)
    elif kind == "newer":
        rewritten(exported, lambda _, said: said.update(format=99))
    else:
        rewritten(exported, lambda _, said: said.pop("recipe") and None)
    with pytest.raises(SourceError):
        import_exports([exported], new)
    assert not new.exists()


def column(table, name, values):
    place = table.schema.get_field_index(name)
    return table.set_column(place, name, pa.array(values))


@pytest.mark.parametrize(
    "change",
    [
        lambda table, _: table.drop_columns(["title"]),
        lambda table, _: column(table, "id", ["a/b"] * 12),
        lambda table, _: column(table, "id", ["a"] * 12),
        lambda table, _: column(table, "attributes", ["[]"] * 12),
        lambda table, _: column(table, "attributes", ["{"] * 12),
        lambda table, _: column(table, "pictures", [1] * 12),
        lambda _, said: said.update(feature_width=3000),
    ],
)
def test_rows_that_make_no_sense(exported, new, change):
    rewritten(exported, change)
    with pytest.raises(SourceError):
        import_exports([exported], new)


def test_features_that_are_no_numbers(indexed, exported, new):
    table = pq.read_table(exported)
    rows = table.to_pylist()
    rows[3]["pictures"][0]["features"][5] = np.float16(np.nan)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), exported)
    with pytest.raises(SourceError, match="features"):
        import_exports([exported], new)


def test_pictures_of_unknown_size(exported, new):
    table = pq.read_table(exported)
    rows = table.to_pylist()
    unknown = {"width": None, "height": None}
    rows[3]["pictures"] = [{**rows[5]["pictures"][0], **unknown}]
    rows[7]["pictures"][0].update(unknown)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), exported)
    assert import_exports([exported], new).added == 12
    with Catalog(new) as catalog:
        sizes = catalog.db.execute("SELECT width, height FROM embeddings").fetchall()
    assert sorted(map(tuple, sizes)).count((0, 0)) == 1
    assert len(sizes) == 11
    assert import_exports([exported], new).unchanged == 12


def test_the_command(exported, new):
    done = CliRunner().invoke(command, [str(exported), "--index", str(new), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["added"] == 12
    done = CliRunner().invoke(command, [str(exported), "--index", str(new)])
    assert "12 as they were" in done.stderr.replace("\n", " ")
