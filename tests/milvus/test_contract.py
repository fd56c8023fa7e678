"""What an index answers, in a folder and in Milvus: one set of tests for both."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.errors import CursorExpired, ListingNotFound, QueryError
from indexer.listing import Listing, Picture
from indexer.operations import Patch, Put, Remove
from search.engine import Engine
from search.filters import parse
from search.query import Example
from tests.conftest import draw_picture
from tests.milvus.conftest import BRANDS, LISTINGS

FILTERS = [
    "category:bags",
    "-category:bags",
    "category:*",
    "-category:*",
    "category:BAGS,hats price:10..40",
    "price:10",
    "price>10 price<20",
    "-price:..30",
    "price:*",
    "-price:*",
    "title:*",
    "-title:*",
    'title:"product 8"',
    "id:l3,l4",
    "currency:eur",
    "brand:acme*",
    "-brand:*",
    'brand:"bolt & co"',
    'brand:"été 50%"',
    "sale:true",
    "-sale:true",
    "size:-20..-10",
    "size>0",
    "size:-17",
    "tags:*",
    'tags:"tag 2"',
    '-tags:"tag 1"',
    "tags:tag*",
    'tags:"tag 0" sale:false -category:hats',
]


def found(page):
    """Return what a page says of its hits, in their order, without the numbers."""
    return [
        (hit.listing.id, hit.thumbnails, hit.near_duplicate, hit.picture, hit.similar_offers)
        for hit in page.hits
    ]


def assert_same(page, other):
    """Check that two pages say the same, the numbers to four digits."""
    assert found(page) == found(other)
    for name in ("score", "similarity"):
        numbers = ([getattr(hit, name) for hit in one.hits] for one in (page, other))
        np.testing.assert_allclose(*numbers, atol=1e-4)


def pages(engine, **asked):
    page = engine.search(**asked)
    yield page
    while page.next_cursor:
        page = engine.search(cursor=page.next_cursor)
        yield page


@pytest.mark.parametrize("filter_", FILTERS)
def test_a_filter_keeps_the_same_listings(local, remote, shop, filter_):
    asked = {"photo": shop.photo(3), "k": 100, "filter": filter_}
    assert_same(remote.search(**asked), local.search(**asked))


@pytest.mark.parametrize(
    "asked",
    [
        {"listing_id": "l7"},
        {"listing_id": "l5"},  # of two pictures
        {"listing_id": "l7", "prior": False},
        {"listing_id": "l7", "k": 1000},
        {"listing_id": "l7", "min_score": 0.3},
        {"positives": (Example(listing_id="l1"), Example(listing_id="l2", weight=2))},
        {"positives": (Example(listing_id="l1"),), "negatives": (Example(listing_id="l4"),)},
    ],
)
def test_the_same_is_found(local, remote, asked):
    mine, theirs = remote.search(**asked), local.search(**asked)
    assert_same(mine, theirs)
    assert [name for name, _ in mine.category] == [name for name, _ in theirs.category]
    assert mine.close_match == theirs.close_match


def test_a_photo_finds_the_same(local, remote, shop):
    for n in (0, 9, 20):
        mine, theirs = (one.search(photo=shop.photo(n)) for one in (remote, local))
        assert_same(mine, theirs)
        assert mine.hits[0].near_duplicate
    assert [name for name, _ in remote.classify(shop.photo(2))] == [
        name for name, _ in local.classify(shop.photo(2))
    ]


def test_the_same_facets(local, remote):
    for text in ("", "category:bags", "sale:true price:5..40"):
        condition = parse(text)
        assert remote.view().facets(condition) == local.view().facets(condition)
    asked = ["tags", "brand"]
    assert remote.view().facets(parse(""), asked) == local.view().facets(parse(""), asked)


def test_a_listing_and_its_thumbnails(local, remote):
    for id_ in ("l5", "l6"):
        assert remote.listing(id_) == local.listing(id_)
        for key in remote.listing(id_)[1]:
            assert remote.thumbnail(key) == local.thumbnail(key)
        assert remote.picture(id_, 0) == local.picture(id_, 0)
    assert remote.thumbnail('" or key > "') is None


@pytest.mark.parametrize("k", [5, 40])
@pytest.mark.parametrize("n", [3, 9, 20, 55])
def test_the_same_is_folded(local, remote, shop, n, k):
    asked = {"photo": shop.photo(n), "k": k, "fold": True}
    for mine, theirs in zip(pages(remote, **asked), pages(local, **asked), strict=True):
        assert_same(mine, theirs)


# One after the other


@pytest.mark.parametrize("asked", [{}, {"filter": "-sale:true price:*"}, {"fold": True}])
def test_pages_show_every_listing_once(engine: Engine, asked):
    ids = [
        id_
        for page in pages(engine, listing_id="l7", k=9, **asked)
        for hit in page.hits
        for id_ in (hit.listing.id, *hit.similar_offers)
    ]
    assert len(ids) == len(set(ids))
    wanted = {f"l{n}" for n in range(LISTINGS)} - {"l7"}
    if "filter" in asked:
        wanted = {f"l{n}" for n in range(LISTINGS) if n % 3 and n % 6} - {"l7"}
    assert set(ids) == wanted


def test_scores_fall_with_rank(engine: Engine):
    scores = [hit.score for hit in engine.search(listing_id="l7", k=60).hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_what_is_not_there(engine: Engine):
    with pytest.raises(ListingNotFound):
        engine.search(listing_id="nobody")
    with pytest.raises(ListingNotFound):
        engine.listing("nobody")
    with pytest.raises(QueryError, match="no field"):
        engine.search(listing_id="l7", filter="colour:red")
    with pytest.raises(QueryError, match="is a number"):
        engine.search(listing_id="l7", filter="size:large")
    with pytest.raises((QueryError, CursorExpired)):
        engine.search(cursor="abc")


def test_status_and_samples(engine: Engine):
    status = engine.status()
    assert (status["listings"], status["vectors"]) == (LISTINGS, LISTINGS + 12)
    some = engine.sample(5)
    assert some == engine.sample(5)
    assert 0 < len(some) <= 5
    assert engine.figures()["vectors"] == LISTINGS + 12 if hasattr(engine, "figures") else True


# Writing


def put(living, folder, name, seed, **said):
    path = draw_picture(folder / f"{name}.png", seed)
    return living.writer.put(Listing(name, (Picture("", path.read_bytes()),), **said))


def ids(living, **asked):
    return [hit.listing.id for hit in living.engine.search(k=100, **asked).hits]


def test_a_put_is_found_by_the_next_search(living, tmp_path):
    put(living, tmp_path, "new", 777, category="bags", price=5.5, attributes={"brand": BRANDS[0]})
    photo = tmp_path / "new.png"
    other = Engine.open(living.index)  # another server
    for engine in (living.engine, other):
        (hit,) = engine.search(photo=photo, k=1).hits
        assert (hit.listing.id, hit.listing.price, hit.near_duplicate) == ("new", 5.5, True)
    other.close()
    assert "new" in ids(living, photo=photo, filter="category:bags price:5..6")
    assert (
        put(
            living,
            tmp_path,
            "new",
            777,
            category="bags",
            price=5.5,
            attributes={"brand": BRANDS[0]},
        ).outcome
        == "unchanged"
    )
    assert put(living, tmp_path, "new", 778, category="hats").outcome == "replaced"
    assert "new" not in ids(living, photo=photo, filter="category:bags")
    assert ids(living, photo=photo)[0] == "new"


def test_a_patch_changes_fields_alone(living, shop):
    asked = {"photo": shop.photo(8), "filter": "price:4000..5000"}
    assert ids(living, **asked) == []
    written = living.writer.patch(Patch("l8", {"price": 4200, "title": "Dear"}, {"brand": None}))
    assert written.outcome == "patched"
    assert ids(living, **asked) == ["l8"]
    listing, _ = living.engine.listing("l8")
    assert (listing.title, listing.price, "brand" in listing.attributes) == ("Dear", 4200, False)
    assert "l8" in ids(living, photo=shop.photo(8), filter="-brand:*")
    assert living.writer.patch(Patch("l8", {"title": "Dear"})).outcome == "unchanged"


def test_a_new_field_can_be_filtered_by_at_once(living, shop):
    living.writer.patch(Patch("l12", {}, {"fabric": ["wool", "silk"]}))
    assert ids(living, photo=shop.photo(3), filter="fabric:silk") == ["l12"]
    assert ids(living, photo=shop.photo(3), filter="fabric:si*") == ["l12"]


def test_a_removed_listing_is_not_found(living, shop):
    assert living.writer.remove("l20").outcome == "removed"
    assert "l20" not in ids(living, photo=shop.photo(20))
    with pytest.raises(ListingNotFound):
        living.engine.listing("l20")
    with pytest.raises(ListingNotFound):
        living.writer.remove("l20")


def test_a_batch_does_what_it_can(living, shop, tmp_path):
    picture = Picture("", draw_picture(tmp_path / "b.png", 900).read_bytes())
    outcomes = living.writer.write(
        [
            Put(Listing("b1", (picture,), category="bags")),
            Put(Listing("b2", (Picture("", b"no picture"),))),
            Patch("b1", {"price": 1}),
            Patch("nobody", {"price": 1}),
            Put(Listing("b3", (picture, picture))),
            Remove("b3"),
            Remove("l21"),
        ]
    )
    assert [getattr(one, "outcome", getattr(one, "code", "")) for one in outcomes] == [
        "created",
        "unsupported_type",
        "patched",
        "listing_not_found",
        "created",
        "removed",
        "removed",
    ]
    assert ids(living, photo=tmp_path / "b.png")[0] == "b1"
    assert living.engine.listing("b1")[0].price == 1
    assert not {"b3", "l21", "b2"} & set(ids(living, photo=shop.photo(21)))


def test_fewer_pictures_leave_no_vectors_behind(living, tmp_path):
    two = [draw_picture(tmp_path / f"{n}.png", 950 + n) for n in range(2)]
    pictures = tuple(Picture("", path.read_bytes()) for path in two)
    living.writer.put(Listing("pair", pictures))
    assert ids(living, photo=two[1])[0] == "pair"
    living.writer.put(Listing("pair", pictures[:1]))
    (hit,) = living.engine.search(photo=two[1], filter="id:pair").hits
    assert hit.picture == 0
    assert not hit.near_duplicate
