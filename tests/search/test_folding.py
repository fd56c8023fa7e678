"""Folding: one hit for many listings of one picture."""

from __future__ import annotations

import pytest
from PIL import Image

from indexer.catalog import Catalog
from search.engine import Engine
from tests.search.test_paging import pages, shown

COPIES = 12


def copy(path, to, quality):
    """Save a picture anew, a little smaller."""
    with Image.open(path) as image:
        image.convert("RGB").resize((90, 75)).save(to, quality=quality)
    return to


@pytest.fixture
def shop(sync, tmp_path, draw, write_csv, index_folder):
    """Thirty listings, of which the first has re-saved copies and the second the same file."""
    made = [draw(tmp_path / "p" / f"{n}.png", n) for n in range(30)]
    rows = [(f"l{n}", str(path)) for n, path in enumerate(made)]
    rows += [
        (f"c{n}", str(copy(made[0], tmp_path / "p" / f"c{n}.jpg", 60 + 3 * n)))
        for n in range(COPIES)
    ]
    rows += [(f"s{n}", str(made[1])) for n in range(COPIES)]
    sync(write_csv(tmp_path / "c.csv", rows))
    engine = Engine.open(index_folder)
    yield engine
    engine.close()


def test_copies_are_under_their_best(shop, tmp_path):
    page = shop.search(photo=tmp_path / "p" / "0.png", k=5, fold=True)
    best, *others = page.hits
    assert best.listing.id == "l0"
    assert sorted(best.similar_offers) == sorted(f"c{n}" for n in range(COPIES))
    assert len(page.hits) == 5
    assert [hit.rank for hit in page.hits] == [1, 2, 3, 4, 5]
    assert not any(hit.listing.id.startswith("c") for hit in others)
    apart = shop.search(photo=tmp_path / "p" / "0.png", k=5)
    assert all(not hit.similar_offers for hit in apart.hits)
    assert {hit.listing.id[0] for hit in apart.hits} == {"l", "c"}


def test_the_same_file_needs_no_look(shop, tmp_path, monkeypatch):
    monkeypatch.setattr("search.folding.compare", lambda *_: pytest.fail("It was looked at."))
    monkeypatch.setattr("search.folding.ALIKE", 2.0)
    page = shop.search(photo=tmp_path / "p" / "1.png", k=3, fold=True)
    assert page.hits[0].listing.id == "l1"
    assert sorted(page.hits[0].similar_offers) == sorted(f"s{n}" for n in range(COPIES))


@pytest.mark.parametrize("k", [1, 2, 7, 40])
def test_what_was_folded_does_not_come_again(shop, tmp_path, k):
    found = list(pages(shop, photo=tmp_path / "p" / "0.png", k=k, fold=True, prior=False))
    ids = shown(found)
    assert len(ids) == len(set(ids)) == 30 + 2 * COPIES
    assert all(len(page.hits) == k for page in found[:-1])
    ranks = [hit.rank for page in found for hit in page.hits]
    assert ranks == list(range(1, len(ranks) + 1))
    offers = {hit.listing.id: len(hit.similar_offers) for page in found for hit in page.hits}
    assert len(ranks) == 30
    assert (offers["l0"], offers["l1"]) == (COPIES, COPIES)


def test_a_page_is_full_though_most_are_copies(shop, tmp_path, monkeypatch):
    """Copies fill the first look; what comes after them is looked for, and joins them."""
    monkeypatch.setattr("search.paging.DEEPER", 1)
    monkeypatch.setattr("search.paging.AT_LEAST", 1)
    found = list(pages(shop, photo=tmp_path / "p" / "0.png", k=3, fold=True, prior=False))
    assert len(found[0].hits) == 3
    assert len(found[0].hits[0].similar_offers) > 3
    ids = shown(found)
    assert len(ids) == len(set(ids)) == 30 + 2 * COPIES


def test_copies_that_score_less_than_asked_for_are_left_out(shop, tmp_path):
    photo = tmp_path / "p" / "0.png"
    scores = {h.listing.id: h.score for h in shop.search(photo=photo, k=50, prior=False).hits}
    least = sorted((scores[f"c{n}"] for n in range(COPIES)), reverse=True)[3]
    page = shop.search(photo=photo, k=5, fold=True, prior=False, min_score=least)
    offers = page.hits[0].similar_offers
    assert 4 <= len(offers) < COPIES or least == min(scores[f"c{n}"] for n in range(COPIES))
    assert all(scores[id_] >= least for id_ in offers)
    assert page.next_cursor is None


def test_with_a_filter(shop, tmp_path):
    wanted = "id:c1,c2,s1,l7,l8"
    page = shop.search(photo=tmp_path / "p" / "0.png", k=5, fold=True, filter=wanted)
    assert len(page.hits) == 4
    assert len(page.hits[0].similar_offers) == 1


def test_a_copy_that_has_gone_is_not_named(shop, tmp_path):
    with Catalog(shop.path) as catalog, catalog.writing():
        catalog.next_change()
        catalog.db.execute("DELETE FROM listings WHERE id = 'c3'")
    page = shop.search(photo=tmp_path / "p" / "0.png", k=5, fold=True)
    assert "c3" not in page.hits[0].similar_offers
    assert len(page.hits[0].similar_offers) == COPIES - 1


def test_a_listing_is_the_best_of_its_copies_no_more(shop):
    """A listing is no offer of itself: its copies fold under the best of them."""
    page = shop.search(listing_id="l0", k=3, fold=True)
    assert len(page.hits) == 3
    assert page.hits[0].listing.id.startswith("c")
    assert len(page.hits[0].similar_offers) == COPIES - 1
    assert "l0" not in shown([page])
