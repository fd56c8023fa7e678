"""Exports of what is written to and removed meanwhile, and two of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pyarrow.parquet as pq
import pytest

from indexer.errors import IndexDamaged
from indexer.listing import Listing, Picture
from indexer.milvus import holding, pull
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus, StoreUnavailable, pymilvus
from indexer.milvus.holding import Hold
from indexer.milvus.meta import Meta
from indexer.milvus.rows import listing_number, picture_number
from indexer.milvus.schema import FEATURES
from tests.conftest import draw_picture

pytestmark = pytest.mark.parametrize("living", ["milvus"], indirect=True)


@pytest.fixture
def milvus(living) -> Iterator[Milvus]:
    with closing(Milvus(Address.parse(living.index), timeout=60)) as made:
        yield made


@pytest.fixture
def listing(tmp_path):
    def made(name, seed):
        photo = draw_picture(tmp_path / f"{seed}.png", seed)
        return Listing(name, (Picture("", photo.read_bytes()),))

    return made


def exported(living, target, *, features):
    """Return what an export says of each listing's pictures."""
    address = Address.parse(living.index)
    pull.pull(address, target, features=features, thumbnails=False, overwrite=True)
    return {row["id"]: row["pictures"] for row in pq.read_table(target).to_pylist()}


def state(milvus):
    """Return whether the features are in Milvus' memory."""
    said = milvus.get_load_state(milvus.address.named(FEATURES))["state"]
    return said == pymilvus().client.types.LoadState.Loaded


# What changes while it is read


def test_a_vector_is_of_what_the_listing_says(living, listing, tmp_path, monkeypatch):
    store, documents = living.writer._store, pull._Reader._documents
    for name in ("goes", "changes"):
        living.writer.put(listing(name, 1700))

    def changing(self, first, last):
        for some in documents(self, first, last):
            # Once the listings were read, and nothing of their pictures.
            living.writer.remove("goes")
            living.writer.put(listing("changes", 1701))
            living.writer.put(listing("comes", 1703))
            yield some

    with monkeypatch.context() as patch:
        patch.setattr(pull._Reader, "_documents", changing)
        rows = exported(living, tmp_path / "x.parquet", features=False)
    assert all(np.any(one["vector"]) for pictures in rows.values() for one in pictures)
    assert "goes" not in rows
    (picture,) = rows["changes"]
    (document,) = store.documents([listing_number("changes")]).values()
    assert picture["content"] == document.pictures[0].content
    number = picture_number("changes", 0)
    np.testing.assert_array_equal(picture["vector"], store.vectors([number])[number])


@pytest.fixture
def halved(living, listing):
    """The vector that a listing had before it was removed by half."""
    living.writer.put(listing("halved", 1702))
    store, number = living.writer._store, picture_number("halved", 0)
    vector = store.vectors([number])[number]
    store._delete(None, [number])
    yield vector
    living.writer.remove("halved")


def test_a_listing_that_was_removed_by_half_is_named(living, halved, tmp_path, monkeypatch):
    monkeypatch.setattr(pull, "SETTLING", 0.2)
    with pytest.raises(IndexDamaged, match=r"vectors of 1 listings .* 'halved'"):
        exported(living, tmp_path / "x.parquet", features=False)


# Two at a time


def test_two_exports_at_a_time(living, halved, milvus, tmp_path, monkeypatch):
    write, others = pull._Reader.write, []

    def writing(self, *slice_):
        if not others:
            others.append(None)
            others.append(exported(living, tmp_path / "other.parquet", features=True))
            assert state(milvus)
        write(self, *slice_)

    monkeypatch.setattr(pull._Reader, "write", writing)
    monkeypatch.setattr(pull, "PATIENT", 20)
    rows = exported(living, tmp_path / "one.parquet", features=True)
    assert rows == others[1]
    np.testing.assert_allclose(rows["halved"][0]["vector"], halved, atol=2e-3)
    assert not state(milvus)
    assert not Meta(milvus).holds()


def test_one_that_was_killed_is_taken_over_or_runs_out(milvus, monkeypatch):
    Hold(milvus, "killed").renew()
    with Hold(milvus, "one"):
        pass
    assert state(milvus)
    assert list(Meta(milvus).holds()) == ["killed"]
    with pytest.raises(StoreUnavailable), Hold(milvus, "killed") as hold:
        # As if it had slept for so long that another let go.
        milvus.release_collection(milvus.address.named(FEATURES))
        hold._next = 0.0
        hold.renew()
        assert state(milvus)
        raise StoreUnavailable("It was lost.")  # and is not waited for once more
    assert list(Meta(milvus).holds()) == ["killed"]
    with monkeypatch.context() as patch:
        patch.setattr(holding, "HELD", -1)
        Hold(milvus, "killed").renew()
    with Hold(milvus, "one"):
        pass
    assert not state(milvus)
    assert not Meta(milvus).holds()
