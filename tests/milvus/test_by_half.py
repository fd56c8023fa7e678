"""Writes that stop between the pictures and the listing itself, and a folder's that stop anywhere.

Here a listing is its document in Milvus; what is searched are its pictures, written before it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from indexer.catalog import PENDING
from indexer.errors import IndexBusy, ListingNotFound, UsageError
from indexer.lease import writer_lease
from indexer.listing import Listing, Picture
from indexer.milvus import orphans
from indexer.milvus.address import Address
from indexer.milvus.connection import StoreUnavailable
from indexer.milvus.push import _Pusher, push
from indexer.milvus.rows import listing_number
from indexer.milvus.schema import LISTINGS
from indexer.milvus.store import Store
from indexer.operations import Patch, Put
from tests.conftest import draw_picture
from tests.milvus.conftest import LISTINGS as COUNT

pytestmark = pytest.mark.parametrize("living", ["milvus"], indirect=True)


@contextmanager
def stopped() -> Iterator[None]:
    """Write the pictures of listings, and never a listing itself."""
    upsert = Store._upsert

    def stopping(self, what, rows):
        if what == LISTINGS:
            raise StoreUnavailable("It was stopped.")
        upsert(self, what, rows)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(Store, "_upsert", stopping)
        yield


@pytest.fixture
def photos(tmp_path):
    return [draw_picture(tmp_path / f"{n}.png", 1200 + n) for n in range(2)]


def listing(name, *photos, **said):
    return Listing(name, tuple(Picture("", path.read_bytes()) for path in photos), **said)


def found(living, photo, name, text=""):
    return living.engine.search(photo=photo, filter=f"id:{name} {text}").hits


def documents(living, *names):
    store = living.writer._store
    return [store.documents([listing_number(name)])[listing_number(name)] for name in names]


@pytest.mark.parametrize("again", ["patch", "put"])
def test_the_old_price_is_written_again(living, photos, again):
    name = f"price-{again}"
    old = listing(name, photos[0], price=10)
    living.writer.put(old)
    with stopped():
        living.writer.patch(Patch(name, {"price": 20}))
    assert living.engine.listing(name)[0].price == 10
    assert found(living, photos[0], name, "price:20")
    if again == "patch":
        assert living.writer.patch(Patch(name, {"price": 10})).outcome == "patched"
    else:
        assert living.writer.put(old).outcome == "replaced"
    assert not found(living, photos[0], name, "price:20")
    assert found(living, photos[0], name, "price:10")
    assert living.writer.patch(Patch(name, {"price": 10})).outcome == "unchanged"
    assert living.writer.put(old).outcome == "unchanged"


def test_a_picture_that_was_replaced_by_half(living, photos):
    living.writer.put(listing("swap", photos[0]))
    with stopped():
        living.writer.put(listing("swap", photos[1]))
    swap, other = living.writer.write([Patch("swap", {"price": 3}), Patch("l33", {"price": 3})])
    assert isinstance(swap, UsageError)
    assert other.outcome == "patched"
    assert living.writer.put(listing("swap", photos[0])).outcome == "replaced"
    (hit,) = found(living, photos[0], "swap")
    assert hit.near_duplicate
    assert living.writer.patch(Patch("swap", {"price": 3})).outcome == "patched"


def test_a_listing_of_which_only_pictures_are_there_can_be_removed(living, photos):
    with stopped():
        living.writer.put(listing("orphan", photos[0]))
    assert living.writer.remove("orphan").outcome == "removed"
    assert not found(living, photos[0], "orphan")
    with pytest.raises(ListingNotFound):
        living.writer.remove("orphan")


def test_what_is_left_of_a_write_that_nobody_repeats_goes(living, photos, folder, monkeypatch):
    """Until then it is found; who asks for it is told that it is not there, as the writer was."""
    living.writer.put(listing("kept", photos[1]))
    living.writer.remove("l51")
    for name in ("left", "l51"):
        with stopped():
            living.writer.put(listing(name, *photos))
        with pytest.raises(ListingNotFound):
            living.engine.listing(name)
        assert found(living, photos[1], name)
    push(folder, Address.parse(living.index))
    # The catalogue's own is as the catalogue has it: the second picture is gone.
    (hit,) = found(living, photos[1], "l51")
    assert not hit.near_duplicate
    assert found(living, photos[1], "left")  # whoever writes it may not be done yet
    monkeypatch.setattr(orphans, "FORGOTTEN", 0)
    push(folder, Address.parse(living.index))
    assert not found(living, photos[1], "left")
    assert found(living, photos[1], "kept")


def test_every_picture_has_a_size(living, photos):
    """Also one that another listing of the same call shows, and of a write that is repeated."""
    names = ["twin", "other-twin"]
    with stopped():
        living.writer.put(listing("twin", photos[0]))
    living.writer.write([Put(listing(name, photos[0])) for name in names])
    living.writer.put(listing("twin", photos[1], photos[0]))
    kept = [one for document in documents(living, *names) for one in document.pictures]
    assert len(kept) == 3
    assert all(one.width and one.height for one in kept)


def test_a_list_that_grows_is_found_by_the_server_that_wrote_it(living, photos):
    # It knows of four tags at most, and looks for more only once a second.
    living.writer.put(listing("grows", photos[0], attributes={"tags": [f"g{n}" for n in range(9)]}))
    assert found(living, photos[0], "grows", "tags:g8")


# From a folder


@pytest.fixture
def folder(shop, tmp_path):
    copy = tmp_path / "index"
    shutil.copytree(shop.index, copy, ignore=shutil.ignore_patterns("milvus-*"))
    return copy


def change(folder, statement):
    with closing(sqlite3.connect(folder / "catalog.db")) as db, db:
        assert db.execute(statement).rowcount == 1


def test_what_goes_from_the_folder_after_a_crash_goes_from_milvus(living, folder, monkeypatch):
    note = _Pusher._note

    def crashing(self, numbers, group, changes):
        if any(changes):
            raise RuntimeError("It was killed.")
        note(self, numbers, group, changes)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(_Pusher, "_note", crashing)
        push(folder, Address.parse(living.index))
    assert living.engine.listing("l44")
    change(folder, "DELETE FROM listings WHERE id = 'l44'")
    pushed = push(folder, Address.parse(living.index))
    assert (pushed.written, pushed.removed) == (COUNT - 1, 1)
    with pytest.raises(ListingNotFound):
        living.engine.listing("l44")


def test_a_picture_that_is_to_be_embedded_anew_is_found_until_then(living, folder, shop):
    change(
        folder,
        f"UPDATE pictures SET state = {PENDING} WHERE listing ="
        " (SELECT number FROM listings WHERE id = 'l46')",
    )
    push(folder, Address.parse(living.index))
    (hit,) = found(living, shop.photo(46), "l46")
    assert hit.near_duplicate
    (document,) = documents(living, "l46")
    assert all(one.done for one in document.pictures)


def test_a_folder_that_somebody_writes_to_is_not_read(living, folder):
    with writer_lease(folder), pytest.raises(IndexBusy):
        push(folder, Address.parse(living.index))
