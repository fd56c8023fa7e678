"""The next search sees every write: what came, what changed, what went."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.errors import ListingNotFound
from indexer.features import feature_file
from indexer.listing import Listing, Picture
from indexer.operations import Patch
from indexer.rebuild import rebuild
from indexer.writing import Writer
from search.engine import Engine
from search.following import Outrun, follow
from search.live import View


@pytest.fixture
def writer(indexed, fake_network):
    return Writer(indexed, lambda: fake_network)


def new_listing(draw, folder, seed, id_="new"):
    return Listing(id_, (Picture("", draw(folder / f"{seed}.png", seed).read_bytes()),), "New")


def found(engine, photo, **asked):
    return [hit.listing.id for hit in engine.search(photo=photo, **asked).hits]


def test_a_new_listing_is_found_by_the_next_search(opened, writer, draw, tmp_path):
    photo = draw(tmp_path / "asked.png", 77)
    assert "new" not in found(opened, photo)
    writer.put(new_listing(draw, tmp_path, 77))
    page = opened.search(photo=photo)
    assert page.hits[0].listing.id == "new"
    assert page.hits[0].similarity > 0.99
    assert opened.view().count == 13
    like = opened.search(listing_id="new", k=3)
    assert len(like.hits) == 3
    assert "new" not in [hit.listing.id for hit in like.hits]


def test_a_removed_listing_is_found_no_more(opened, writer, pictures_folder):
    photo = pictures_folder / "bags" / "00.png"
    assert found(opened, photo)[0] == "bags:00.png"
    writer.remove("bags:00.png")
    hits = found(opened, photo, k=12)
    assert len(hits) == 11
    assert "bags:00.png" not in hits
    with pytest.raises(ListingNotFound):
        opened.search(listing_id="bags:00.png")


def test_a_new_picture_takes_the_place_of_the_old(opened, writer, draw, tmp_path, pictures_folder):
    old, new = pictures_folder / "bags" / "00.png", draw(tmp_path / "asked.png", 55)
    writer.put(new_listing(draw, tmp_path, 55, "bags:00.png"))
    page = opened.search(photo=new)
    assert page.hits[0].listing.id == "bags:00.png"
    first = opened.search(photo=old, k=12)
    similarity = {hit.listing.id: hit.similarity for hit in first.hits}["bags:00.png"]
    assert similarity < 0.9
    writer.put(Listing("bags:00.png", (Picture(str(old)),)))
    assert opened.search(photo=old).hits[0].listing.id == "bags:00.png"
    assert opened.view().count == 12


def test_a_changed_field_is_told_and_nothing_is_told_anew(opened, writer):
    before = opened.view()
    writer.patch(Patch("bags:00.png", {"title": "Patched"}))
    after = opened.view()
    assert after.change == before.change + 1
    assert after.changed == 0
    assert opened.search(listing_id="bags:03.jpg", k=11).hits
    assert opened.listing("bags:00.png")[0].title == "Patched"


def test_what_was_so_already_tells_nothing_anew(opened, writer):
    writer.patch(Patch("bags:00.png", {"title": "Patched"}))
    before = opened.view()
    assert writer.patch(Patch("bags:00.png", {"title": "Patched"})).outcome == "unchanged"
    after = opened.view()
    assert (after.told, after.fresh, after.dead) == (before.told, before.fresh, before.dead)
    assert after.living is before.living


def test_a_changed_category_changes_its_code(opened, writer):
    writer.patch(Patch("bags:00.png", {"category": "shoes"}))
    view = opened.view()
    with Catalog(opened.path) as catalog:
        places = view.positions(catalog.pictures_of(catalog.number_of("bags:00.png")))
    names = view.snapshot.categories.names if view.snapshot.categories else ()
    assert view.codes(places).tolist() == [names.index("shoes") if names else -1]


def test_what_was_told_live_is_what_a_new_snapshot_tells(opened, writer, draw, tmp_path):
    for seed in range(200, 230):
        writer.put(new_listing(draw, tmp_path, seed, f"n{seed}"))
    for n in range(0, 12, 3):
        writer.remove(f"bags:{n:02d}.{'jpg' if n % 2 else 'png'}")
    writer.remove("n210")
    photo = draw(tmp_path / "asked.png", 215)
    live = opened.search(photo=photo, k=50, prior=False)
    assert len(live.hits) == 37
    rebuild(opened.path, None, None, None)
    assert opened.refresh()
    view = opened.view()
    assert view.changed == 0
    assert view.count == 37
    built = Engine.open(opened.path)
    again = built.search(photo=photo, k=50, prior=False)
    built.close()
    if built.snapshot.projection.mean_ is view.snapshot.projection.mean_:  # same space
        assert [h.listing.id for h in live.hits] == [h.listing.id for h in again.hits]
    assert {h.listing.id for h in live.hits} == {h.listing.id for h in again.hits}


def test_a_view_does_not_change_under_a_search(opened, writer, draw, tmp_path):
    before = opened.view()
    vector = before.vectors(np.array([0]))
    first = before.nearest(vector, 12)
    for seed in range(300, 320):
        writer.put(new_listing(draw, tmp_path, seed, f"n{seed}"))
        writer.remove(f"n{seed}") if seed % 2 else opened.view()
    after = opened.view()
    assert after.count == 22
    again = before.nearest(vector, 12)
    assert first[0].tolist() == again[0].tolist()


def test_a_view_that_is_too_old_says_so(opened, writer, indexed):
    view = opened.view()
    writer.remove("bags:00.png")
    with Catalog(indexed) as catalog:
        catalog.db.execute("DELETE FROM removed")
        catalog.set_meta("pruned", str(catalog.change()))
        with pytest.raises(Outrun):
            follow(view, catalog, feature_file(indexed, catalog))


def test_rows_that_are_moved_while_they_are_read(opened, writer, indexed, draw, tmp_path):
    view = opened.view()
    writer.put(new_listing(draw, tmp_path, 77))

    with Catalog(indexed) as catalog:
        real = feature_file(indexed, catalog)

        class Moving:
            reads = 0

            def read(self, rows):
                self.reads += 1
                if self.reads == 1:
                    catalog.set_meta("moves", "1")
                    return np.zeros((len(rows), real.width), np.float16)
                return real.read(rows)

        moving = Moving()
        after = follow(view, catalog, moving)
    assert moving.reads == 2
    assert after.vectors(np.array([12])).any()


def test_many_threads_see_what_was_acknowledged(opened, writer, draw, tmp_path):
    """Each writes a listing and must find it at once, whatever the others do."""
    wrong = []

    def work(seed):
        photo = draw(tmp_path / f"asked{seed}.png", seed)
        try:
            writer.put(new_listing(draw, tmp_path, seed, f"n{seed}"))
            if found(opened, photo)[0] != f"n{seed}":
                wrong.append(seed)
            writer.remove(f"n{seed}")
            if f"n{seed}" in found(opened, photo, k=50):
                wrong.append(-seed)
        except Exception as error:  # noqa: BLE001 - a thread's error is the test's
            wrong.append(error)
        finally:
            opened.close()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(400, 416)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert opened.view().count == 12


def test_an_empty_delta(opened):
    view = View.of(opened.snapshot, opened.index)
    assert view.everything().count == view.count == 12
    assert view.positions([10**9]).tolist() == []
