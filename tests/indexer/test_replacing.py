"""An index built anew beside the one that serves: nothing is lost, and nobody waits."""

import hashlib
import shutil
from dataclasses import replace

import pytest

import indexer.replacing
import indexer.swapping
import indexer.sync
from indexer.carrying import Carrier
from indexer.catalog import DATABASE, DONE, Catalog
from indexer.errors import IndexBusy, NetworkMismatch, StorageError, UsageError
from indexer.features import feature_file
from indexer.lease import writer_lease
from indexer.model import CARD_FILE, MODEL_FILE, install_network, installed_network
from indexer.options import IndexOptions
from indexer.progress import SILENT, Silent
from indexer.replacing import replace_index
from indexer.snapshot import open_current
from indexer.sources import open_source
from indexer.swapping import put_back, swap


@pytest.fixture
def other_network(network, tmp_path, monkeypatch, fake_network):
    """What a folder without a network is given: another one than the index has."""
    other = replace(network, name="other", sha256="1" * 64)
    real = indexer.sync._network

    def install(folder, options, progress):
        if folder.name.endswith(".next"):
            if installed_network(folder) is None:
                install_network(other, tmp_path / "fake.tflite", folder)
            return installed_network(folder), None
        return real(folder, options, progress)

    monkeypatch.setattr(indexer.sync, "_network", install)
    return other


@pytest.fixture
def anew(index_folder, other_network):
    """Build the index anew with the other network."""

    def run(catalogue, progress=SILENT, **options):
        options = {"weights": "other"} | options
        source = open_source(catalogue)
        return replace_index(index_folder, source, IndexOptions(**options), progress)

    return run


@pytest.fixture
def following(index_folder):
    return index_folder.with_name("index.next")


@pytest.fixture
def while_building(monkeypatch):
    """Do something when the new index is built, before what was written is carried over."""

    def at(work, times=1):
        real = Carrier.carry
        calls = []

        def carry(carrier, catalog):
            calls.append(1)
            if len(calls) <= times:
                work()
            return real(carrier, catalog)

        monkeypatch.setattr(Carrier, "carry", carry)
        return calls

    return at


def api(folder, sql, **values):
    with Catalog(folder) as catalog, catalog.writing():
        values["change"] = catalog.next_change()
        catalog.db.execute(sql, values)


def give(folder, listing, picture, title="API"):
    """Put a listing with a picture as the API does."""
    data = picture.read_bytes()
    content = hashlib.sha256(data).hexdigest()
    kept = folder / "pictures" / content[:2] / content
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(data)
    with Catalog(folder) as catalog, catalog.writing():
        change = catalog.next_change()
        db = catalog.db
        db.execute(
            "INSERT INTO listings (id, title, category, currency, url, attributes, origin, digest,"
            " change, written) VALUES (?, ?, 'bags', '', '', '{}', '', x'', ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET title = excluded.title, change = excluded.change,"
            " written = excluded.written",
            (listing, title, change, change),
        )
        number = catalog.number_of(listing)
        db.execute("DELETE FROM pictures WHERE listing = ?", (number,))
        rows = int(catalog.meta("rows"))
        file = feature_file(folder, catalog)
        catalog.set_meta("rows", str(file.append(file.open(rows)[:1].copy(), rows)))
        db.execute("INSERT INTO embeddings VALUES (?, ?, '', 1, 1)", (rows, content))
        db.execute(
            "INSERT INTO pictures (listing, position, uri, region, version, state, embedding,"
            " change) VALUES (?, 0, ?, '', ?, ?, ?, ?)",
            (number, f"stored:{content}", content, DONE, rows, change),
        )


def titles(folder):
    with Catalog(folder) as catalog:
        return dict(catalog.db.execute("SELECT id, title FROM listings ORDER BY id").fetchall())


def rows(folder, sql):
    with Catalog(folder) as catalog:
        return [tuple(row) for row in catalog.db.execute(sql)]


def test_another_network_takes_the_place(
    anew, indexed, pictures_folder, following, fake_network, other_network
):
    before = open_current(indexed)
    (indexed / "keys.json").write_text("of the shop")
    (indexed / "photos.npz").write_text("of the network before")
    report = anew(pictures_folder)
    assert report.replaced
    assert (report.plan.unchanged, report.work.embedded) == (12, 12)
    assert fake_network.calls == 24
    assert installed_network(indexed) == other_network
    assert not following.exists()
    after = open_current(indexed)
    assert after.count == before.count
    assert (indexed / "keys.json").read_text() == "of the shop"
    assert not (indexed / "photos.npz").exists()
    assert {row[0] for row in rows(indexed, "SELECT state FROM pictures")} == {DONE}
    keys = {row[0] for row in rows(indexed, "SELECT key FROM meta")}
    assert not keys & {"replaces", "carried", "replaced"}
    assert not rows(indexed, "SELECT 1 FROM sqlite_master WHERE name = 'carried'")


def test_the_index_goes_on_as_before(anew, indexed, pictures_folder, sync, draw, fake_network):
    before = rows(indexed, "SELECT number, id FROM listings ORDER BY number")
    anew(pictures_folder)
    assert rows(indexed, "SELECT number, id FROM listings ORDER BY number") == before
    calls = fake_network.calls
    draw(pictures_folder / "bags" / "new.png", 100)
    report = sync(pictures_folder)
    assert (report.plan.added, report.plan.unchanged) == (1, 12)
    assert fake_network.calls == calls + 1


def test_without_replace_it_is_refused_with_a_hint(sync, indexed, pictures_folder):
    with pytest.raises(NetworkMismatch) as caught:
        sync(pictures_folder, input_size=100)
    assert "--replace" in caught.value.hint


def test_where_there_is_no_index(anew, index_folder, pictures_folder):
    report = anew(pictures_folder, weights=None)
    assert not report.replaced
    assert open_current(index_folder).count == 12


def test_the_same_network_and_other_features(
    indexed, pictures_folder, fake_network, network, tmp_path
):
    source = open_source(pictures_folder)
    report = replace_index(indexed, source, IndexOptions(recipe="regions"))
    assert report.replaced
    assert installed_network(indexed) == network
    assert open_current(indexed).projection.recipe.name == "regions"
    assert (indexed / "features.f16").stat().st_size == 12 * 5 * 768 * 2
    # And what is asked for nowhere stays.
    replace_index(indexed, source, IndexOptions())
    assert open_current(indexed).projection.recipe.name == "regions"
    replace_index(indexed, source, IndexOptions(recipe="seed", keep_features="mixed7"))
    assert (indexed / "features.f16").stat().st_size == 12 * 2 * 768 * 2


def test_weights_of_ones_own_have_to_be_named(indexed, pictures_folder):
    source = open_source(pictures_folder)
    with pytest.raises(UsageError, match="a file of your own"):
        replace_index(indexed, source, IndexOptions(input_size=100))


def test_it_is_a_sync_too(anew, indexed, pictures_folder, draw):
    shutil.rmtree(pictures_folder / "shoes")
    draw(pictures_folder / "bags" / "new.png", 100)
    with pytest.raises(UsageError, match="lacks 4 of the 12"):
        anew(pictures_folder)
    assert open_current(indexed).count == 12
    report = anew(pictures_folder, allow_removals=True)
    assert (report.plan.added, report.plan.removed) == (1, 4)
    assert open_current(indexed).count == 9


def test_a_dry_run(anew, indexed, pictures_folder, following):
    report = anew(pictures_folder, dry_run=True)
    assert (report.replaced, report.plan.unchanged) == (True, 12)
    assert not following.exists()
    assert open_current(indexed).count == 12


def test_an_interrupted_one_goes_on(
    anew, indexed, pictures_folder, following, fake_network, monkeypatch
):
    monkeypatch.setattr("indexer.pipeline.CHECKPOINT_PICTURES", 2)
    fake_network.workers = 1
    fake_network.raise_after = 12 + 5
    with pytest.raises(KeyboardInterrupt):
        anew(pictures_folder)
    assert open_current(indexed).count == 12
    assert following.exists()
    fake_network.raise_after = None
    report = anew(pictures_folder)
    assert report.work.embedded == 7
    assert fake_network.calls == 24
    assert open_current(indexed).count == 12


def test_another_network_than_was_begun_with(
    anew, indexed, pictures_folder, fake_network, monkeypatch
):
    fake_network.raise_after = 12
    with pytest.raises(KeyboardInterrupt):
        anew(pictures_folder)

    def refuse(*_):
        raise NetworkMismatch("It is another.")

    monkeypatch.setattr(indexer.sync, "_network", refuse)
    with pytest.raises(NetworkMismatch, match="built so far") as caught:
        anew(pictures_folder)
    assert "remove" in caught.value.hint


def test_what_is_left_of_another_index_is_no_beginning(anew, indexed, pictures_folder, following):
    following.mkdir()
    (following / "of nobody").write_text("")
    shutil.copytree(indexed, following, dirs_exist_ok=True)
    report = anew(pictures_folder)
    assert report.work.embedded == 12
    assert not (indexed / "of nobody").exists()


def test_what_is_written_meanwhile_is_carried_over(
    anew, indexed, pictures_folder, while_building, draw, tmp_path
):
    give(indexed, "early", draw(tmp_path / "early.png", 30))
    give(indexed, "gone early", draw(tmp_path / "gone.png", 31))

    def write():
        give(indexed, "late", draw(tmp_path / "late.png", 32))
        give(indexed, "hats:01.jpg", draw(tmp_path / "hat.png", 33), "Another hat")
        api(
            indexed,
            "UPDATE listings SET title = 'Patched', change = :change, written = :change"
            " WHERE id = 'bags:00.png'",
        )
        api(indexed, "DELETE FROM listings WHERE id IN ('bags:03.jpg', 'gone early')")

    while_building(write)
    anew(pictures_folder)
    after = titles(indexed)
    assert after["late"] == after["early"] == "API"
    assert (after["hats:01.jpg"], after["bags:00.png"]) == ("Another hat", "Patched")
    assert not {"bags:03.jpg", "gone early"} & set(after)
    assert len(after) == 13
    assert rows(indexed, "SELECT count(*) FROM pictures WHERE state <> 1") == [(0,)]
    digests = dict(rows(indexed, "SELECT id, length(digest) FROM listings"))
    assert (digests["late"], digests["hats:01.jpg"]) == (0, 32)
    written = dict(rows(indexed, "SELECT id, written FROM listings"))
    assert written["late"]
    assert not written["shoes:02.png"]
    # Every one of them has features of its own, and its picture is there.
    assert rows(indexed, "SELECT count(DISTINCT embedding) FROM pictures") == [(13,)]
    for (uri,) in rows(indexed, "SELECT uri FROM pictures WHERE uri LIKE 'stored:%'"):
        content = uri.removeprefix("stored:")
        data = (indexed / "pictures" / content[:2] / content).read_bytes()
        assert hashlib.sha256(data).hexdigest() == content


def test_what_was_confirmed_meanwhile_is_carried_over(
    anew, indexed, pictures_folder, while_building, draw, tmp_path
):
    """A PUT of what was so already changes no listing, but it is a write."""
    give(indexed, "early", draw(tmp_path / "early.png", 30))

    def write():
        api(indexed, "UPDATE listings SET written = :change WHERE id = 'early'")
        with Catalog(indexed) as catalog, catalog.writing():
            catalog.next_change()
            catalog.learn_types({"code": "42"})

    while_building(write)
    anew(pictures_folder)
    said = "SELECT written > 1, written = change FROM listings WHERE id = 'early'"
    assert rows(indexed, said) == [(1, 1)]
    assert rows(indexed, "SELECT * FROM fields") == [("code", "text")]


def test_what_a_sync_brought_again_meanwhile_stays(
    anew, sync, indexed, pictures_folder, fake_network, tmp_path
):
    """A listing with another number in the index before is still the same listing."""
    fake_network.raise_after = 12
    with pytest.raises(KeyboardInterrupt):
        anew(pictures_folder)
    fake_network.raise_after = None
    shutil.move(pictures_folder / "hats" / "01.jpg", tmp_path / "01.jpg")
    sync(pictures_folder)
    shutil.move(tmp_path / "01.jpg", pictures_folder / "hats" / "01.jpg")
    sync(pictures_folder)
    anew(pictures_folder)
    assert len(titles(indexed)) == 12


def test_it_is_carried_over_in_rounds(
    anew, indexed, pictures_folder, while_building, draw, tmp_path, monkeypatch
):
    monkeypatch.setattr(indexer.replacing, "SMALL", 0)
    monkeypatch.setattr(indexer.replacing, "MANY", 0)
    monkeypatch.setattr("indexer.carrying.BATCH", 1)
    turn = []

    def write():
        turn.append(1)
        give(indexed, f"late {len(turn)}", draw(tmp_path / f"{len(turn)}.png", 40 + len(turn)))
        give(indexed, "again", draw(tmp_path / "again.png", 60 + len(turn)), str(len(turn)))
        api(indexed, "DELETE FROM listings WHERE id = :id", id=f"late {len(turn) - 1}")

    calls = while_building(write, times=3)
    anew(pictures_folder)
    assert len(calls) == 5  # one that finds nothing, and the one while writers wait
    after = titles(indexed)
    assert {name for name in after if name.startswith("late")} == {"late 3"}
    assert after["again"] == "3"
    assert len(after) == 14


def test_the_last_round_is_carried_over_while_writers_wait(
    anew, indexed, pictures_folder, while_building, draw, tmp_path, monkeypatch
):
    late = draw(tmp_path / "late.png", 70)
    refused = []

    def write():
        try:
            give(indexed, "late", late)
        except IndexBusy:
            refused.append(1)

    monkeypatch.setattr("indexer.catalog_opening.WAIT_SECONDS", 0.05)
    calls = while_building(write, times=2)
    anew(pictures_folder)
    assert len(calls) == 2
    assert refused == [1]
    assert titles(indexed)["late"] == "API"


def test_a_writer_who_waited_sees_that_it_is_another(anew, indexed, pictures_folder, monkeypatch):
    with Catalog(indexed) as waiting:
        anew(pictures_folder)
        with waiting.writing():
            assert waiting.meta("replaced") == "1"
    with Catalog(indexed) as catalog:
        assert catalog.meta("replaced") is None


def test_who_had_the_old_one_open_takes_nothing_from_the_new(anew, indexed, pictures_folder):
    """SQLite removes a log by its name when the last connection closes: the new one's is not."""
    old = Catalog(indexed)
    anew(pictures_folder)
    assert old.count("listings") == 12
    with Catalog(indexed) as new:
        with new.writing():
            new.set_meta("a write", "kept")
        log = (indexed / f"{DATABASE}-wal").stat().st_ino
        old.close()
        assert (indexed / f"{DATABASE}-wal").stat().st_ino == log
        with Catalog(indexed) as another:
            assert another.meta("a write") == "kept"


def test_all_of_the_new_one_is_durable_before_it_serves(
    indexed, pictures_folder, following, draw, tmp_path, monkeypatch, fake_network
):
    give(indexed, "given", draw(tmp_path / "given.png", 50))
    synced = []
    for name in ("sync_file", "sync_tree"):
        real = getattr(indexer.replacing, name)

        def sync(path, real=real):
            synced.append(path)
            real(path)

        monkeypatch.setattr(indexer.replacing, name, sync)

    def swapped(old, new):
        assert {new / MODEL_FILE, new / CARD_FILE, new} <= set(synced)
        return swap(old, new)

    monkeypatch.setattr(indexer.replacing, "swap", swapped)
    replace_index(indexed, open_source(pictures_folder), IndexOptions())
    assert titles(indexed)["given"] == "API"


def test_a_swap_that_fails_changes_nothing(anew, indexed, pictures_folder, following, monkeypatch):
    before = (indexed / DATABASE).stat().st_ino

    def fail(*_):
        raise StorageError.of(OSError(30, "Read-only file system"), indexed)

    monkeypatch.setattr(indexer.replacing, "swap", fail)
    with pytest.raises(StorageError):
        anew(pictures_folder)
    assert (indexed / DATABASE).stat().st_ino == before
    assert rows(indexed, "SELECT 1 FROM meta WHERE key = 'replaced'") == []
    monkeypatch.undo()


def test_it_holds_the_lease(anew, indexed, pictures_folder):
    with writer_lease(indexed), pytest.raises(IndexBusy):
        anew(pictures_folder)


def test_a_link_to_the_index_stays_one(indexed, pictures_folder, tmp_path, other_network):
    link = tmp_path / "link"
    link.symlink_to(indexed)
    replace_index(link, open_source(pictures_folder), IndexOptions(weights="other"))
    assert link.is_symlink()
    assert installed_network(link) == other_network


def test_where_folders_cannot_be_exchanged(anew, indexed, pictures_folder, monkeypatch):
    said = []

    class Told(Silent):
        def say(self, line):
            said.append(line)

    monkeypatch.setattr(indexer.swapping, "_exchange", lambda *_: False)
    assert anew(pictures_folder, Told()).replaced
    assert any("renamed in turn" in line for line in said)
    assert open_current(indexed).count == 12
    assert sorted(path.name for path in indexed.parent.glob("index*")) == ["index"]


@pytest.mark.parametrize("exchanged", [True, False])
def test_swap(tmp_path, monkeypatch, exchanged):
    if not exchanged:
        monkeypatch.setattr(indexer.swapping, "_exchange", lambda *_: False)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
    assert swap(tmp_path / "one", tmp_path / "other") is exchanged
    assert (tmp_path / "one" / "name").read_text() == "other"
    assert (tmp_path / "other" / "name").read_text() == "one"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("exchanged", [True, False])
def test_swap_with_nothing(tmp_path, monkeypatch, exchanged):
    if not exchanged:
        monkeypatch.setattr(indexer.swapping, "_exchange", lambda *_: False)
    (tmp_path / "one").mkdir()
    with pytest.raises(StorageError):
        swap(tmp_path / "one", tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_crash_between_two_renames_is_mended(tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    (one / "name").write_text("one")
    one.rename(tmp_path / "one.swapped")
    put_back(one)
    assert (one / "name").read_text() == "one"
    put_back(one)
    assert one.is_dir()
