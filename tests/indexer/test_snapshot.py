"""Snapshots: published whole, old ones removed, and the approximate index."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import indexer.build
import indexer.faiss_index
import search.index
from indexer.build import build_snapshot, feature_file
from indexer.catalog import Catalog
from indexer.categories import UNKNOWN
from indexer.errors import IndexDamaged, IndexNotReady, IndexVersionError, StorageError
from indexer.manifest import OLDEST
from indexer.model import MODEL_FILE, Network, install_network
from indexer.photos import store_photos
from indexer.progress import SILENT
from indexer.rebuild import rebuild
from indexer.recipe import DEFAULT
from indexer.snapshot import FILES, FORMAT, MANIFEST, Snapshot, open_current, space_of
from indexer.weights import sha256_of
from search.engine import Engine
from search.index import VectorIndex
from search.serving import recall_by_time


def test_the_manifest(indexed, network):
    snapshot = open_current(indexed)
    manifest = snapshot.manifest
    assert (manifest["format"], manifest["name"], manifest["vectors"]) == (FORMAT, "000001", 12)
    assert manifest["recipe"] == DEFAULT.as_dict()
    assert manifest["network"]["sha256"] == network.sha256
    assert set(manifest["files"]) >= set(FILES)
    for name, said in manifest["files"].items():
        path = snapshot.folder / name
        assert said == {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    assert manifest["index"] == {"factory": "Flat", "nprobe": None, "recall_at_10": 1.0}


def test_half_built_ones_are_cleaned_up(indexed):
    left = indexed / "snapshots" / ".building-000007"
    left.mkdir()
    (left / "vectors.f16").write_bytes(b"x")
    assert rebuild(indexed, None, None, None) == "000002"
    assert not left.exists()


def test_a_build_that_fails_leaves_the_old_one(indexed, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(indexer.build, "write_faiss", broken)
    with pytest.raises(StorageError, match="No space"):
        rebuild(indexed, None, None, None)
    assert open_current(indexed).name == "000001"
    monkeypatch.undo()


def test_a_published_folder_that_current_does_not_name(indexed):
    """A crash between the two renames leaves a folder; the next build does not trip on it."""
    held = open_current(indexed)  # or it would be gone
    rebuild(indexed, None, None, None)
    (indexed / "CURRENT").write_text("000001")
    assert open_current(indexed).name == "000001"
    held.close()
    assert rebuild(indexed, None, None, None) == "000003"
    assert open_current(indexed).name == "000003"


def test_never_published(tmp_path):
    with pytest.raises(IndexNotReady):
        open_current(tmp_path)


@pytest.mark.parametrize("garbage", [b"", b"..", b"000099", b"\xff", b"000001/../000001"])
def test_current_names_garbage(indexed, garbage):
    (indexed / "CURRENT").write_bytes(garbage)
    with pytest.raises(IndexDamaged):
        open_current(indexed)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"format": 2}', '{"format": 2, "files": {}}', '{"format": "x"}'],
)
def test_a_manifest_that_makes_no_sense(indexed, text):
    (open_current(indexed).folder / MANIFEST).write_text(text)
    with pytest.raises(IndexDamaged):
        open_current(indexed)


@pytest.mark.parametrize("key", ["vectors", "dims", "recipe"])
def test_a_manifest_that_lacks_something(indexed, key):
    path = open_current(indexed).folder / MANIFEST
    said = json.loads(path.read_text())
    del said[key]
    path.write_text(json.dumps(said))
    with pytest.raises(IndexDamaged):
        open_current(indexed)


def test_format_2_is_read(indexed):
    path = open_current(indexed).folder / MANIFEST
    said = json.loads(path.read_text())
    files = {name: file for name, file in said["files"].items() if name in FILES}
    path.write_text(json.dumps({**said, "format": 2, "files": files}))
    snapshot = open_current(indexed)
    assert snapshot.count == 12
    assert snapshot.file("fields/price.f64") is None
    assert snapshot.file("vectors.f16") == snapshot.folder / "vectors.f16"


def test_the_space_of_vectors(indexed):
    first = open_current(indexed)
    assert len(first.space) == 16
    assert int(first.space, 16)
    rebuild(indexed, None, None, None)
    assert open_current(indexed).space == first.space
    moved = first.projection.learning(None, np.ones(768), 1000)
    assert space_of(moved) == first.space
    rebuild(indexed, None, 3, None)
    assert open_current(indexed).space != first.space
    white = replace(first.projection, recipe=replace(first.projection.recipe, whitening=0.5))
    assert space_of(white) != first.space


def test_a_newer_format(indexed):
    path = open_current(indexed).folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    with pytest.raises(IndexVersionError, match="newer"):
        Snapshot.open(path.parent)


def test_an_older_format_is_made_anew_from_what_is_stored(indexed):
    path = open_current(indexed).folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": OLDEST - 1}))
    with pytest.raises(IndexVersionError, match="older") as caught:
        open_current(indexed)
    assert "lookalike compact" in caught.value.hint
    assert rebuild(indexed, None, None, None) == "000002"
    assert open_current(indexed).count == 12


def test_a_damaged_one_is_replaced_by_the_next_sync(indexed, sync, pictures_folder):
    (open_current(indexed).folder / "vectors.f16").unlink()
    assert sync(pictures_folder).snapshot == "000002"
    assert open_current(indexed).count == 12


def test_projection_is_kept_while_the_catalogue_hardly_grows(indexed, sync, pictures_folder, draw):
    before = open_current(indexed).projection
    draw(pictures_folder / "new.png", 90)
    sync(pictures_folder)
    assert open_current(indexed).projection.fitted_on_ == before.fitted_on_ == 12
    for n in range(91, 95):
        draw(pictures_folder / f"{n}.png", n)
    sync(pictures_folder)
    assert open_current(indexed).projection.fitted_on_ == 17


def test_projection_of_another_catalogue_is_not_kept(indexed, sync, tmp_path, draw):
    before = open_current(indexed)
    for n in range(12):
        draw(tmp_path / "others" / f"{n}.png", 100 + n)
    sync(tmp_path / "others", allow_removals=True)
    after = open_current(indexed)
    assert after.count == before.count
    assert not np.array_equal(after.projection.mean_, before.projection.mean_)


def test_projection_is_kept_while_the_photos_are_the_same(indexed, network):
    def fitted_with(seed):
        photos = np.random.default_rng(seed).random((24, 768))
        store_photos(indexed, photos, network)
        rebuild(indexed, None, None, None)
        snapshot = open_current(indexed)
        return snapshot.projection.components_, snapshot.manifest["fitted_on"]

    (first, said), (again, said_again), (other, _) = map(fitted_with, (0, 0, 1))
    assert np.array_equal(first, again)
    assert said == said_again
    assert not np.array_equal(first, other)


def test_a_snapshot_that_does_not_say_what_it_was_fitted_on(indexed):
    path = open_current(indexed).folder / MANIFEST
    said = json.loads(path.read_text())
    assert len(said["fitted_on"]["contents"]) == 12
    fitted_on = said.pop("fitted_on")
    path.write_text(json.dumps(said))
    rebuild(indexed, None, None, None)
    assert open_current(indexed).manifest["fitted_on"] == fitted_on


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """An index of 3,000 random features, made without a picture; past the flat limit."""
    folder, count = tmp_path_factory.mktemp("big"), 3000
    model = folder / "made.tflite"
    model.write_bytes(b"no network at all")
    network = Network("fake", "0" * 64, "0_1", 75, sha256_of(model))
    install_network(network, model, folder)
    generator = np.random.default_rng(0)
    centres = generator.random((40, 768))
    features = np.abs(centres[np.arange(count) % 40] + 0.2 * generator.random((count, 768)))
    with Catalog(folder, create=True) as catalog:
        with catalog.writing():
            catalog.set_meta("feature_width", "768")
            rows = feature_file(folder, catalog).append(features, 0)
            catalog.set_meta("rows", str(rows))
            catalog.next_change()
            catalog.db.executemany(
                "INSERT INTO listings VALUES (?, ?, '', ?, NULL, '', '', '{}', '', x'00', 1, 0)",
                [(n + 1, f"l{n}", f"kind {n % 40:02d}") for n in range(count)],
            )
            catalog.db.executemany(
                "INSERT INTO embeddings VALUES (?, ?, '', 10, 10)",
                [(n, f"{n:064d}") for n in range(count)],
            )
            catalog.db.executemany(
                "INSERT INTO pictures VALUES (?, ?, 0, ?, '', '', 1, ?, '', 1)",
                [(n + 1, n + 1, f"/p/{n}.jpg", n) for n in range(count)],
            )
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(indexer.faiss_index, "FLAT_UP_TO", 500)
            build_snapshot(folder, catalog, network, DEFAULT.sized(32, None), SILENT)
    return folder


def test_the_approximate_index(big):
    snapshot = open_current(big)
    said = snapshot.manifest["index"]
    assert said["factory"].startswith("IVF")
    assert said["nprobe"] >= 1
    assert said["recall_at_10"] >= indexer.faiss_index.RECALL
    index = VectorIndex(snapshot)
    vectors = snapshot.vectors.astype(np.float32)
    asked = np.arange(0, 3000, 31)
    overlaps = []
    for position in asked:
        found, similarities = index.nearest(vectors[position : position + 1], 10)
        assert found[0] == position
        assert similarities[0] == pytest.approx(1, abs=5e-3)
        exact = np.argsort(-(vectors @ vectors[position]), kind="stable")[:10]
        overlaps.append(len(set(found) & set(exact)) / 10)
    assert np.mean(overlaps) > 0.95


@pytest.mark.parametrize("exact_up_to", [search.index.EXACT_UP_TO, 0])
def test_within_a_category_of_the_approximate_index(big, monkeypatch, exact_up_to):
    monkeypatch.setattr(search.index, "EXACT_UP_TO", exact_up_to)
    snapshot = open_current(big)
    index = VectorIndex(snapshot)
    vectors = snapshot.vectors.astype(np.float32)
    for code in (0, 17, 39):
        found, similarities = index.nearest_of_category(vectors[:1], code, 30)
        inside = np.flatnonzero(snapshot.codes == code)
        exact = inside[np.argsort(-(vectors[inside] @ vectors[0]), kind="stable")[:30]]
        assert len(set(found) & set(exact)) >= 29
        assert np.all(np.diff(similarities) <= 0)
    assert len(index.nearest_of_category(vectors[:1], 3, 1000)[0]) == 75


def test_within_a_category_of_an_exact_index(indexed, monkeypatch):
    """Both ways answer alike, for several vectors and of pictures without a category too."""
    snapshot = open_current(indexed)
    snapshot = replace(snapshot, codes=np.arange(12, dtype=np.int32) % 4 - 1)
    index = VectorIndex(snapshot)
    vectors = snapshot.vectors.astype(np.float32)
    for code in (UNKNOWN, 0, 2):
        for asked, count in ((vectors[:1], 2), (vectors[3:6], 2), (vectors, 100)):
            positions, similarities = index.nearest_of_category(asked, code, count)
            with monkeypatch.context() as patched:
                patched.setattr(search.index, "EXACT_UP_TO", 0)
                by_faiss = index.nearest_of_category(asked, code, count)
            assert positions.tolist() == by_faiss[0].tolist()
            assert similarities == pytest.approx(by_faiss[1], abs=1e-6)
            assert set(snapshot.codes[positions]) == {code}
            best = (vectors[positions] @ asked.T).max(axis=1)
            assert similarities[:count] == pytest.approx(best[:count], abs=1e-6)
    assert [len(part) for part in index.nearest_of_category(vectors, 3, 5)] == [0, 0]


def test_the_first_questions_within_categories_at_once(big):
    snapshot = open_current(big)
    index = VectorIndex(snapshot)
    vectors = snapshot.vectors[:8].astype(np.float32)
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda n: index.nearest_of_category(vectors[n : n + 1], n, 75), range(8))
        )
    assert [set(snapshot.codes[positions]) for positions, _ in found] == [{n} for n in range(8)]
    assert {len(positions) for positions, _ in found} == {75}


def test_recall_against_time(big):
    snapshot = open_current(big)
    index = VectorIndex(snapshot)
    asked = snapshot.vectors[::60].astype(np.float32)
    trade = recall_by_time(snapshot, index, asked)
    labels, recalls, times = zip(*trade.points, strict=True)
    assert trade.chosen in labels
    assert labels[0] == "nprobe 1"
    assert recalls[0] < recalls[-1]
    assert recalls[-1] > 0.99  # all lists; float16 in the index rounds a tie away
    assert all(ms > 0 for ms in (*times, trade.exact_ms))


def test_an_engine_on_the_approximate_index(big):
    assert (big / MODEL_FILE).is_file()
    engine = Engine.open(big)
    try:
        page = engine.search(listing_id="l40", k=20)
        assert len(page.hits) == 20
        assert {int(hit.listing.id[1:]) % 40 for hit in page.hits} == {0}
        assert engine.status()["index"].startswith("IVF")
    finally:
        engine.close()


def test_an_approximate_index_answers_with_as_many_as_there_are(big):
    engine = Engine.open(big)
    try:
        assert len(engine.search(listing_id="l40", k=1000).hits) == 1000
    finally:
        engine.close()


def test_exact_top_of_several_blocks(monkeypatch):
    monkeypatch.setattr(indexer.faiss_index, "BLOCK", 4)
    generator = np.random.default_rng(3)
    vectors = generator.random((200, 8)).astype(np.float16)
    asked = generator.random((5, 8)).astype(np.float32)
    found = indexer.faiss_index.exact_top(asked, vectors, 10)
    expected = np.argsort(-(asked @ vectors.astype(np.float32).T), axis=1)[:, :10]
    assert [set(row) for row in found.tolist()] == [set(row) for row in expected.tolist()]
