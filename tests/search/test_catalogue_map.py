"""The map of a small index."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.commands.compact import compact
from indexer.compaction import compact as compact_index
from indexer.errors import MissingExtra, UsageError
from indexer.listing import Listing, Picture
from indexer.writing import Writer
from search.catalogue_map import (
    LISTINGS,
    MAP_FILE,
    METHODS,
    UMAP_LEAST,
    evenly,
    lay_out,
    load_map,
    map_of,
    places,
    save_map,
    total_of,
)


@pytest.fixture
def forty(sync, tmp_path, index_folder, draw, write_csv):
    """A folder of an index of forty listings, the first of them with two pictures."""
    rows = [(f"p{n}", str(draw(tmp_path / f"{n}.png", n))) for n in range(40)]
    rows[0] = ("p0", f"{rows[0][1]}|{draw(tmp_path / 'second.png', 99)}")
    sync(write_csv(tmp_path / "catalogue.csv", rows))
    return index_folder


@pytest.fixture
def engine(forty):
    from search.engine import Engine

    engine = Engine.open(forty)
    yield engine
    engine.close()


@pytest.fixture
def fake_umap(monkeypatch):
    """Stands in for umap-learn: the first two dimensions."""
    asked = {}

    class UMAP:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, vectors):
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=UMAP))
    return asked


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)


def test_each_listing_lies_once(engine):
    drawn = lay_out(engine.snapshot)
    assert (drawn.method, drawn.total, len(drawn.listings)) == ("pca", 40, 40)
    assert len(np.unique(drawn.listings)) == 40
    assert drawn.positions.dtype == np.float32
    assert drawn.positions.shape == (40, 2)
    assert drawn.positions.min() > 0
    assert drawn.positions.max() < 1
    assert len(np.unique(drawn.positions, axis=0)) == 40
    assert (np.diff(drawn.levels) <= 0).all()
    assert same(drawn, lay_out(engine.snapshot))


def test_a_large_catalogue_is_thinned_evenly(engine):
    drawn = lay_out(engine.snapshot, most=10)
    assert (drawn.total, len(drawn.listings)) == (40, 10)
    assert {1, 40} <= set(drawn.listings.tolist())
    rows = np.arange(5 * LISTINGS)
    assert len(np.unique(evenly(rows, LISTINGS))) == LISTINGS
    assert evenly(rows[:7], LISTINGS).tolist() == rows[:7].tolist()


def test_places(engine):
    drawn = lay_out(engine.snapshot)
    shown = places(engine, drawn)
    assert [place.tile for place in shown] == list(range(40))
    assert {place.id for place in shown} == {f"p{n}" for n in range(40)}
    for place in shown:
        assert engine.thumbnail(place.key) is not None
        assert engine.listing(place.id)[1][0] == place.key
        assert (place.x, place.y) == pytest.approx(drawn.positions[place.tile])


def test_listings_removed_since_are_left_out(engine, forty):
    drawn = lay_out(engine.snapshot)
    gone = int(drawn.listings[3])
    with Catalog(forty) as catalog, catalog.writing():
        catalog.db.execute("DELETE FROM listings WHERE number = ?", (gone,))
    shown = places(engine, drawn)
    assert len(shown) == 39
    assert 3 not in {place.tile for place in shown}
    assert total_of(drawn, shown) == 39
    assert total_of(lay_out(engine.snapshot, most=10), shown[:5]) == 20
    assert total_of(drawn, []) == 0


def test_listings_with_another_picture_wait_for_the_next_map(engine, forty, fake_network, draw):
    drawn = lay_out(engine.snapshot)
    data = draw(forty.parent / "other.png", 300).read_bytes()
    writer = Writer(forty, lambda: fake_network)
    for name in ("p7", "new"):
        writer.put(Listing(name, (Picture("", data),)))
    assert {place.id for place in places(engine, drawn)} == {f"p{n}" for n in range(40)} - {"p7"}
    compact_index(forty)
    engine.refresh()
    shown = places(engine, lay_out(engine.snapshot))
    assert {place.id for place in shown} == {"new", *(f"p{n}" for n in range(40))}


def test_a_map_of_nothing(engine, forty, fake_network):
    writer = Writer(forty, lambda: fake_network)
    for n in range(40):
        writer.remove(f"p{n}")
    compact_index(forty)
    engine.refresh()
    drawn = lay_out(engine.snapshot)
    assert (drawn.total, len(drawn.listings), places(engine, drawn)) == (0, 0, [])
    assert (drawn.columns, drawn.rows) == (2, 1)
    with pytest.raises(UsageError, match="there are 0"):
        lay_out(engine.snapshot, "umap")
    save_map(engine.snapshot, drawn)
    assert same(load_map(engine.snapshot), drawn)


def test_a_map_is_kept(engine, fake_umap):
    snapshot = engine.snapshot
    assert load_map(snapshot) is None
    assert map_of(snapshot).method == "pca"
    drawn = lay_out(snapshot, "umap")
    assert fake_umap["random_state"] == 0
    path = save_map(snapshot, drawn)
    assert path == snapshot.folder / MAP_FILE
    assert same(load_map(snapshot), drawn)
    assert map_of(snapshot).method == "umap"


def test_umap_keeps_the_gaps(engine, fake_umap):
    drawn = lay_out(engine.snapshot, "umap")
    assert drawn.columns * drawn.rows >= 2 * len(drawn.listings)
    assert len(np.unique(drawn.cells, axis=0)) == 40


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04 cut short"])
def test_a_kept_map_that_cannot_be_read_is_made_anew(engine, data):
    (engine.snapshot.folder / MAP_FILE).write_bytes(data)
    assert map_of(engine.snapshot).method == "pca"


def test_a_kept_map_that_makes_no_sense_is_made_anew(engine):
    arrays = dict.fromkeys(("listings", "pictures", "cells", "levels"), np.zeros(3, np.int64))
    with (engine.snapshot.folder / MAP_FILE).open("wb") as file:
        np.savez(file, size=np.array([2, 2, 3]), method=np.array("pca"), **arrays)
    assert load_map(engine.snapshot) is None


def test_a_new_snapshot_has_no_map_yet(engine, forty):
    save_map(engine.snapshot, lay_out(engine.snapshot))
    compact.main(["--json", "--index", str(forty)], standalone_mode=False)
    assert engine.refresh()
    assert load_map(engine.snapshot) is None


def test_methods(engine, monkeypatch):
    assert METHODS == ("pca", "umap")
    with pytest.raises(UsageError, match="'x'"):
        lay_out(engine.snapshot, "x")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match="'umap'"):
        lay_out(engine.snapshot, "umap")


def test_too_few_for_umap(opened, fake_umap):
    assert opened.snapshot.count < UMAP_LEAST
    with pytest.raises(UsageError, match="at least"):
        lay_out(opened.snapshot, "umap")
    assert len(lay_out(opened.snapshot).listings) == 12
