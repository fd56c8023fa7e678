"""The engine on small indexes with a fake network."""

import shutil
import threading

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.errors import (
    IndexDamaged,
    IndexNotReady,
    IndexReplaced,
    IndexVersionError,
    ListingNotFound,
    NetworkMismatch,
    PictureError,
    PictureTooLarge,
    PictureTypeError,
    QueryError,
)
from indexer.pictures import PictureLimits
from indexer.scores import CLOSE
from indexer.snapshot import FILES, open_current
from search.engine import Engine
from search.query import Example, Query


def ids(page):
    return [hit.listing.id for hit in page.hits]


def test_a_catalogue_picture_finds_itself(opened, pictures_folder):
    for path in sorted(pictures_folder.rglob("*.*")):
        page = opened.search(photo=path)
        best = page.hits[0]
        assert best.listing.id == f"{path.parent.name}:{path.name}"
        assert best.rank == 1
        assert best.score == pytest.approx(1, abs=2e-3)
        assert best.near_duplicate
        assert best.picture == 0


def test_a_copy_is_a_close_match_whatever_the_score(opened, pictures_folder, monkeypatch):
    monkeypatch.setattr("search.paging.CLOSE", 2.0)  # more than any score
    page = opened.search(photo=pictures_folder / "bags" / "00.png", k=2)
    assert page.hits[0].near_duplicate
    assert page.close_match
    page = opened.search(listing_id="bags:00.png", k=2)
    assert not page.hits[0].near_duplicate
    assert not page.close_match


def test_a_page(opened, pictures_folder):
    path = pictures_folder / "bags" / "00.png"
    page = opened.search(Query(photo=path.read_bytes(), k=5))
    assert [hit.rank for hit in page.hits] == [1, 2, 3, 4, 5]
    scores = [hit.score for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert page.snapshot == "000001"
    assert set(page.took_ms) == {"decode", "embed", "search", "total"}
    assert ids(opened.search(photo=path, k=5)) == ids(page)


def test_by_listing_leaves_itself_out(opened):
    page = opened.search(listing_id="bags:00.png", k=100)
    assert len(page.hits) == 11
    assert "bags:00.png" not in ids(page)
    assert len(set(ids(page))) == 11


def test_k_larger_than_the_catalogue(opened, pictures_folder):
    page = opened.search(photo=pictures_folder / "bags" / "00.png", k=1000)
    assert len(set(ids(page))) == 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"k": -1},
        {"k": 1001},
        {"min_score": 2.0},
        {"min_score": float("nan")},
        {"region": (0.5, 0.5, 0.6, 0.6)},
        {"region": (0.0, 0.0, 0.0, 0.5)},
        {"region": (float("nan"), 0.0, 0.5, 0.5)},
        {"listing_id": "x"},
        {"photo": None},
    ],
)
def test_bad_queries(wrong):
    with pytest.raises(QueryError):
        Query(**{"photo": b"x", **wrong})


def test_not_a_picture(opened, tmp_path):
    with pytest.raises(PictureTypeError):
        opened.search(photo=b"not a picture")
    with pytest.raises(PictureError):
        opened.search(photo=b"")
    with pytest.raises(QueryError, match="cannot be read"):
        opened.search(photo=tmp_path / "gone.jpg")
    with pytest.raises(QueryError, match="cannot be read"):
        opened.search(photo=tmp_path)


def test_unknown_listing(opened):
    with pytest.raises(ListingNotFound):
        opened.search(listing_id="nobody")
    with pytest.raises(ListingNotFound):
        opened.listing("nobody")


def test_region(opened, sync, tmp_path, pictures_folder):
    """A picture pasted into a corner is found by that corner."""
    from PIL import Image

    scene = Image.new("RGB", (192, 160), "white")
    with Image.open(pictures_folder / "bags" / "00.png") as inner:
        scene.paste(inner, (96, 80))
    path = tmp_path / "scene.png"
    scene.save(path)
    whole = opened.search(photo=path).hits
    corner = opened.search(photo=path, region=(0.5, 0.5, 0.5, 0.5)).hits
    assert corner[0].listing.id == "bags:00.png"
    assert corner[0].score > 0.99
    assert whole[0].score < corner[0].score


def test_min_score(opened, pictures_folder):
    path = pictures_folder / "bags" / "00.png"
    scores = [hit.score for hit in opened.search(photo=path, k=12).hits]
    kept = opened.search(photo=path, k=12, min_score=scores[3]).hits
    assert [hit.score for hit in kept] == [score for score in scores if score >= scores[3]]
    assert ids(opened.search(photo=path, min_score=0.9)) == ["bags:00.png"]


def test_one_hit_per_listing(sync, tmp_path, index_folder, draw, write_csv):
    pictures = [draw(tmp_path / f"{n}.png", n) for n in range(16)]
    rows = [("many", "|".join(map(str, pictures[:12])))]
    rows += [(f"l{n}", str(pictures[n])) for n in range(12, 16)]
    sync(write_csv(tmp_path / "c.csv", rows))
    engine = Engine.open(index_folder)
    try:
        page = engine.search(photo=pictures[5], k=5)
        assert len(page.hits) == 5
        assert sorted(ids(page)) == ["l12", "l13", "l14", "l15", "many"]
        assert page.hits[0].listing.id == "many"
        assert page.hits[0].picture == 5
        assert len(page.hits[0].thumbnails) == 12
        page = engine.search(listing_id="many", k=10)
        assert sorted(ids(page)) == ["l12", "l13", "l14", "l15"]
        assert engine.picture("many", 3) == pictures[3].read_bytes()
        with pytest.raises(ListingNotFound):
            engine.picture("many", 12)
    finally:
        engine.close()


def test_a_listing_without_a_usable_picture(sync, tmp_path, index_folder, draw, write_csv):
    good = draw(tmp_path / "good.png", 1)
    sync(write_csv(tmp_path / "c.csv", [("a", str(good)), ("b", str(tmp_path / "no.png"))]))
    engine = Engine.open(index_folder)
    try:
        with pytest.raises(QueryError, match="no picture"):
            engine.search(listing_id="b")
        assert engine.listing("b")[1] == ("",)
        assert engine.search(listing_id="a").hits == []
        assert [listing.id for listing, _ in engine.sample(10)] == ["a"]
    finally:
        engine.close()


def test_nothing_there(tmp_path, sync, pictures_folder):
    with pytest.raises(IndexNotReady):
        Engine.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(IndexNotReady):
        Engine.open(empty)


def test_nothing_published_yet(indexed):
    (indexed / "CURRENT").unlink()
    with pytest.raises(IndexNotReady):
        Engine.open(indexed)


def test_removed_since_the_snapshot_is_left_out(opened, indexed, pictures_folder):
    from indexer.catalog import Catalog

    with Catalog(indexed) as catalog, catalog.writing():
        catalog.db.execute("DELETE FROM listings WHERE id = 'bags:00.png'")
    page = opened.search(photo=pictures_folder / "bags" / "00.png", k=3)
    assert "bags:00.png" not in ids(page)
    assert [hit.rank for hit in page.hits] == list(range(1, len(page.hits) + 1))


def test_refresh(opened, sync, pictures_folder, draw):
    assert not opened.refresh()
    draw(pictures_folder / "new.png", 77)
    sync(pictures_folder)
    assert opened.refresh()
    assert ids(opened.search(photo=pictures_folder / "new.png"))[0] == "new.png"


@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_refused(indexed, name):
    path = open_current(indexed).folder / name
    data = path.read_bytes()
    for keep in (len(data) - 1, len(data) // 2, 0):
        path.write_bytes(data[:keep])
        with pytest.raises(IndexDamaged, match=name):
            Engine.open(indexed)
    path.unlink()
    with pytest.raises(IndexDamaged, match="missing"):
        Engine.open(indexed)


@pytest.mark.parametrize("name", ["index.faiss", "projection.npz"])
def test_files_of_the_right_length_that_hold_nothing(indexed, name):
    path = open_current(indexed).folder / name
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(IndexDamaged):
        Engine.open(indexed)


def test_vectors_that_do_not_fit_the_projection(indexed):
    import json

    path = open_current(indexed).folder / "manifest.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "vectors": 11}))
    with pytest.raises(IndexDamaged):
        Engine.open(indexed)


@pytest.mark.parametrize("garbage", [b"", b"../../etc", b"999999", b"\xff\xfe", b"00000x"])
def test_current_names_garbage(indexed, garbage):
    (indexed / "CURRENT").write_bytes(garbage)
    with pytest.raises(IndexDamaged):
        Engine.open(indexed)


def test_newer_formats_are_refused_kindly(indexed):
    import json

    path = open_current(indexed).folder / "manifest.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "format": 99}))
    with pytest.raises(IndexVersionError, match="newer") as caught:
        Engine.open(indexed)
    assert "pip install --upgrade" in caught.value.hint


def test_another_indexs_network_is_refused(indexed, network):
    import json

    path = indexed / "network.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "sha256": "f" * 64}))
    with pytest.raises(NetworkMismatch):
        Engine.open(indexed)


def test_an_index_of_another_network_that_took_the_place_is_told(opened, other_index):
    assert not opened.outdated()
    other_index()
    assert opened.outdated()
    for ask in (
        lambda: opened.search(listing_id="hats:01.jpg"),
        opened.view,
        opened.refresh,
    ):
        with pytest.raises(NetworkMismatch):
            ask()
    with pytest.raises(IndexReplaced, match="made anew with another network") as caught:
        opened.view()
    assert caught.value.hint == "Open it again."
    anew = Engine.open(opened.path)
    assert anew.search(listing_id="hats:01.jpg", k=3).hits
    assert not anew.outdated()
    anew.close()


def test_a_missing_network_is_damage(indexed, network):
    (indexed / "network.tflite").unlink()
    with pytest.raises(IndexDamaged, match=r"network\.tflite is missing"):
        Engine.open(indexed)


def test_another_snapshots_faiss_is_refused(sync, pictures_folder, indexed, tmp_path, draw):
    import json

    first = open_current(indexed).folder
    shutil.copyfile(first / "index.faiss", tmp_path / "old.faiss")
    draw(pictures_folder / "new.png", 77)
    sync(pictures_folder)
    now = open_current(indexed).folder
    shutil.copyfile(tmp_path / "old.faiss", now / "index.faiss")
    said = json.loads((now / "manifest.json").read_text())
    said["files"]["index.faiss"]["bytes"] = (now / "index.faiss").stat().st_size
    (now / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(IndexDamaged, match="holds 12 vectors"):
        Engine.open(indexed)


def test_status_and_sample(opened):
    said = opened.status()
    assert (said["listings"], said["pictures"], said["vectors"], said["failures"]) == (
        12,
        12,
        12,
        0,
    )
    assert said["index"] == "Flat"
    assert said["categories"] == {"bags": 4, "hats": 4, "shoes": 4}
    sample = [listing.category for listing, _ in opened.sample(3)]
    assert sorted(sample) == ["bags", "hats", "shoes"]
    opened.warm_up()


def test_threads_get_the_same_answer(opened, pictures_folder):
    path = pictures_folder / "bags" / "00.png"
    expected = [(hit.listing.id, hit.score) for hit in opened.search(photo=path).hits]
    answers = []

    def ask():
        try:
            page = opened.search(photo=path)
            answers.append([(hit.listing.id, hit.score) for hit in page.hits])
        finally:
            opened.close()  # this thread's databases

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


def test_vectors_are_unit_length(indexed):
    lengths = np.linalg.norm(open_current(indexed).vectors.astype(np.float32), axis=1)
    assert lengths == pytest.approx(np.ones(12), abs=1e-2)


def test_refresh_notices_an_index_made_again_under_the_same_name(opened):
    current = opened.path / "CURRENT"
    name = current.read_bytes()
    current.unlink()
    current.write_bytes(name)
    assert opened.refresh()
    assert not opened.refresh()


def test_listings_that_have_gone_leave_no_gap(opened, pictures_folder, indexed):
    """Removed from the catalogue, still in the snapshot: the next ones move up."""
    photo = pictures_folder / "bags" / "00.png"
    before = ids(opened.search(photo=photo, k=12))
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.db.executemany("DELETE FROM listings WHERE id = ?", [(id_,) for id_ in before[:5]])
    page = opened.search(photo=photo, k=4)
    assert ids(page) == before[5:9]
    assert [hit.rank for hit in page.hits] == [1, 2, 3, 4]
    assert page.close_match == (page.hits[0].score >= CLOSE)


def test_an_index_made_anew_under_a_running_engine(opened, indexed, sync, pictures_folder, draw):
    assert opened.search(listing_id="bags:00.png", k=3).hits
    shutil.rmtree(indexed)
    shutil.rmtree(pictures_folder)
    for n in range(6):
        draw(pictures_folder / "new" / f"{n}.png", 50 + n)
    sync(pictures_folder)
    assert opened.refresh()
    page = opened.search(listing_id="new:0.png", k=10)
    assert set(ids(page)) == {f"new:{n}.png" for n in range(1, 6)}
    assert opened.thumbnail(page.hits[0].thumbnails[0]) is not None


def test_several_photos_share_what_one_may_cost(indexed, pictures_folder):
    photo = pictures_folder / "bags" / "00.png"  # 96 x 80 pixels
    engine = Engine.open(indexed, limits=PictureLimits(max_pixels=96 * 80 * 2))
    two = tuple(Example(photo) for _ in range(2))
    assert engine.search(positives=two).hits
    with pytest.raises(PictureTooLarge):
        engine.search(positives=two, negatives=(Example(photo),))
    engine.close()


def test_looks_for_copies_are_limited(opened, pictures_folder, monkeypatch):
    looked = []
    monkeypatch.setattr("search.hits.ALIKE", -1.0)
    monkeypatch.setattr("search.hits.LOOKS", 3)
    monkeypatch.setattr("search.hits._small", lambda *_: looked.append(1))
    opened.search(photo=pictures_folder / "bags" / "00.png", k=12)
    assert len(looked) == 3
