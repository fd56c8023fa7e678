"""Paging: every listing once, to the last, while others come and go."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest

import indexer.faiss_index
from indexer.build import build_snapshot
from indexer.catalog import Catalog
from indexer.errors import CursorExpired, QueryError
from indexer.features import feature_file
from indexer.model import Network, install_network
from indexer.operations import Patch
from indexer.progress import SILENT
from indexer.rebuild import rebuild
from indexer.recipe import DEFAULT
from indexer.weights import sha256_of
from indexer.writing import Writer
from search.engine import Engine
from search.query import Example

COUNT = 1500
KINDS = 20


def add(catalog, folder, first, count, seed):
    """Write listings of random features, each with one picture and every fifth with two."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(0).random((KINDS, 768))
    numbers = range(first, first + count)
    pictures = [(n, place) for n in numbers for place in range(1 + (n % 5 == 0))]
    kinds = [n % KINDS for n, _ in pictures]
    features = np.abs(centres[kinds] + 0.3 * generator.standard_normal((len(kinds), 768)))
    with catalog.writing():
        change = catalog.next_change()
        start = int(catalog.meta("rows") or 0)
        catalog.set_meta("rows", str(feature_file(folder, catalog).append(features, start)))
        catalog.db.executemany(
            "INSERT INTO listings VALUES (?, ?, '', ?, ?, 'EUR', '', ?, '', x'00', ?, 0)",
            [
                (n, f"l{n}", f"kind {n % KINDS:02d}", n % 100, json.dumps({"half": n % 2}), change)
                for n in numbers
            ],
        )
        rows = range(start, start + len(pictures))
        catalog.db.executemany(
            "INSERT INTO embeddings VALUES (?, ?, '', 10, 10)", [(n, f"{n:064d}") for n in rows]
        )
        catalog.db.executemany(
            "INSERT INTO pictures VALUES (?, ?, ?, ?, '', '', 1, ?, '', ?)",
            [
                (row + 1, n, place, f"/p/{row}.jpg", row, change)
                for row, (n, place) in zip(rows, pictures, strict=True)
            ],
        )


@pytest.fixture(scope="module", params=["exact", "approximate"])
def made(request, tmp_path_factory):
    """An index of random features, made without a picture."""
    folder = tmp_path_factory.mktemp(request.param)
    model = folder / "made.tflite"
    model.write_bytes(b"no network at all")
    network = Network("fake", "0" * 64, "0_1", 75, sha256_of(model))
    install_network(network, model, folder)
    with Catalog(folder, create=True) as catalog:
        with catalog.writing():
            catalog.set_meta("feature_width", "768")
        add(catalog, folder, 1, COUNT, 1)
        with pytest.MonkeyPatch.context() as patched:
            if request.param == "approximate":
                patched.setattr(indexer.faiss_index, "FLAT_UP_TO", 500)
            build_snapshot(folder, catalog, network, DEFAULT.sized(32, None), SILENT)
    return folder


@pytest.fixture
def large(made, tmp_path):
    """A copy of it, to be written to."""
    return shutil.copytree(made, tmp_path / "large")


@pytest.fixture
def engine(large):
    opened = Engine.open(large)
    yield opened
    opened.close()


def pages(engine, between=None, **asked):
    """Follow the pages of a question to the end; `between` is called before each next one."""
    page = engine.search(**asked)
    yield page
    while page.next_cursor:
        if between is not None:
            between()
        page = engine.search(cursor=page.next_cursor)
        yield page


def shown(found):
    """Return all ids of some pages, with what is folded under hits."""
    return [
        id_ for page in found for hit in page.hits for id_ in (hit.listing.id, *hit.similar_offers)
    ]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"listing_id": "l1"}, lambda n: n != 1),
        ({"listing_id": "l5"}, lambda n: n != 5),  # of two pictures
        ({"listing_id": "l1", "prior": False}, lambda n: n != 1),
        (
            {"listing_id": "l1", "filter": "half:1 price:10..39"},
            lambda n: n != 1 and n % 2 and 10 <= n % 100 <= 39,
        ),
        ({"listing_id": "l1", "filter": "-price:0"}, lambda n: n != 1 and n % 100),
        ({"listing_id": "l1", "fold": True}, lambda n: n != 1),
        (
            {
                "positives": (Example(listing_id="l1"), Example(listing_id="l2", weight=2)),
                "negatives": (Example(listing_id="l3"),),
            },
            lambda n: n not in (1, 2, 3),
        ),
    ],
    ids=["listing", "pictures", "plain", "narrow", "wide", "fold", "examples"],
)
def test_every_listing_once_to_the_last(engine, asked, meant):
    found = list(pages(engine, k=100, **asked))
    ids = shown(found)
    expected = {f"l{n}" for n in range(1, COUNT + 1) if meant(n)}
    assert len(ids) == len(set(ids)) == len(expected)
    assert set(ids) == expected
    assert all(len(page.hits) == 100 for page in found[:-1])
    assert found[-1].hits
    ranks = [hit.rank for page in found for hit in page.hits]
    assert ranks == list(range(1, len(ranks) + 1))


def test_pages_together_are_one_large_page(engine):
    for asked in ({"filter": "half:0"}, {"prior": False}, {"filter": "half:0", "prior": False}):
        whole = engine.search(listing_id="l1", k=400, **asked)
        found = list(pages(engine, listing_id="l1", k=50, **asked))[:8]
        together = [hit for page in found for hit in page.hits]
        assert all(page.category == found[0].category for page in found)
        if engine.index.lists is None:
            assert [one.listing.id for one in together] == [one.listing.id for one in whole.hits]
            assert [one.score for one in together] == pytest.approx(
                [one.score for one in whole.hits], abs=1e-3
            )
            assert all(a.score >= b.score for a, b in pairwise(together))


def test_the_order_goes_on_with_a_prior(engine):
    """What was shown counts on in what category it is; the listing itself does not on any page."""
    scores = [hit.score for page in pages(engine, listing_id="l1", k=25) for hit in page.hits]
    falls = np.diff(scores[:200])
    assert np.count_nonzero(falls > 1e-3) <= (0 if engine.index.lists is None else 20)


def test_a_least_score_is_kept_to(engine):
    best = engine.search(listing_id="l1", k=200)
    least = best.hits[119].score
    found = list(pages(engine, listing_id="l1", k=30, min_score=least))
    together = [hit for page in found for hit in page.hits]
    assert all(hit.score >= least for hit in together)
    assert len(together) >= 118  # a vector of a cursor is rounded
    assert all(len(page.hits) == 30 for page in found[:-1])
    assert found[-1].hits
    assert found[-1].next_cursor is None


def test_a_page_that_ends_with_the_last_has_no_next(engine):
    page = engine.search(listing_id="l1", filter="id:l2,l3,l4,l5", k=4)
    assert (len(page.hits), page.next_cursor) == (4, None)
    page = engine.search(listing_id="l1", filter="id:l2,l3,l4,l5", k=3)
    last = engine.search(cursor=page.next_cursor)
    assert [hit.rank for hit in last.hits] == [4]
    assert last.next_cursor is None


@pytest.mark.parametrize(
    "asked", [{}, {"filter": "half:1"}, {"fold": True}], ids=["plain", "filter", "fold"]
)
def test_listings_come_and_go_meanwhile(engine, large, asked):
    """Those that stay are shown once each, whatever happens around them."""
    turns = iter(range(1, 1000))
    going = np.random.default_rng(3).permutation(np.arange(2, COUNT + 1))[:600].tolist()
    writer = Writer(large, lambda: pytest.fail("nothing is embedded"))
    came = []

    def change():
        turn = next(turns)
        first = COUNT + 100 * turn
        with Catalog(large) as catalog:
            add(catalog, large, first, 40, turn + 5)
        came.extend(f"l{n}" for n in range(first, first + 40))
        for n in going[30 * turn - 30 : 30 * turn]:
            writer.remove(f"l{n}")
        for n in range(turn, 200, 37):
            if n not in going:
                writer.patch(Patch(f"l{n}", {"title": f"turn {turn}"}))

    found = list(pages(engine, change, listing_id="l1", k=70, **asked))
    ids = shown(found)
    assert len(ids) == len(set(ids))
    stay = {
        f"l{n}" for n in range(2, COUNT + 1) if n not in going and (n % 2 or "filter" not in asked)
    }
    assert stay <= set(ids)
    assert set(came) & set(ids)
    assert all(len(page.hits) == 70 for page in found[:-1])


def test_many_that_go_in_the_middle_of_a_search(engine, large, monkeypatch):
    """What is gone between finding and looking up leaves no gap, however much it is."""
    import search.paging

    real, turns = search.paging.hits_of, iter((range(2, 700), range(700, 1400)))
    gone = {f"l{n}" for n in range(2, 1400)}

    def late(*arguments):
        numbers = next(turns, ())
        with Catalog(large) as catalog, catalog.writing():
            catalog.next_change()
            catalog.db.executemany("DELETE FROM listings WHERE number = ?", [(n,) for n in numbers])
        return real(*arguments)

    monkeypatch.setattr(search.paging, "hits_of", late)
    page = engine.search(listing_id="l1", k=50)
    assert len(page.hits) == 50
    assert not gone & set(shown([page]))
    ids = shown([page, *pages(engine, cursor=page.next_cursor)])
    assert sorted(ids) == [f"l{n}" for n in range(1400, COUNT + 1)]


def test_nothing_is_asked_for_beside_a_cursor(engine):
    cursor = engine.search(listing_id="l1").next_cursor
    for beside in (
        {"listing_id": "l1"},
        {"filter": "half:1"},
        {"min_score": 0.1},
        {"region": (0, 0, 1, 1)},
    ):
        with pytest.raises(QueryError):
            engine.search(cursor=cursor, **beside)


def test_a_cursor_is_of_one_index(engine, indexed):
    cursor = engine.search(listing_id="l1").next_cursor
    other = Engine.open(indexed)
    with pytest.raises(QueryError, match="none of this index"):
        other.search(cursor=cursor)
    other.close()
    with pytest.raises(QueryError, match="none of this index"):
        engine.search(cursor=cursor[:-3])


def test_the_same_cursor_twice(engine):
    cursor = engine.search(listing_id="l1", k=20).next_cursor
    first, second = (shown([engine.search(cursor=cursor)]) for _ in range(2))
    assert first == second


def test_another_recipe_ends_it_and_a_compaction_does_not(engine, large):
    first = engine.search(listing_id="l1", k=300)
    with Catalog(large) as catalog:
        add(catalog, large, COUNT + 1, 10, 9)
    rebuild(large, None, None, None)
    assert engine.refresh()
    second = engine.search(cursor=first.next_cursor)
    assert second.snapshot != first.snapshot
    rest = list(pages(engine, cursor=second.next_cursor))
    ids = shown([first, second, *rest])
    assert len(ids) == len(set(ids)) == COUNT + 10 - 1
    rebuild(large, None, 16, None)
    assert engine.refresh()
    with pytest.raises(CursorExpired, match="another recipe"):
        engine.search(cursor=second.next_cursor)


def test_no_close_match_stays_so(engine, monkeypatch):
    monkeypatch.setattr("search.paging.CLOSE", 1.1)
    page = engine.search(listing_id="l1", k=3)
    later = engine.search(cursor=page.next_cursor)
    assert not page.close_match
    assert not later.close_match
