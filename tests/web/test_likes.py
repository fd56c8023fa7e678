"""Searching by several listings, and the order of answers."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

import search.cursor
from indexer.errors import CursorExpired, QueryError
from indexer.listing import Listing, Picture
from search.query import Hit, Query
from tests.web.conftest import FakeEngine
from web.answers.wanted import FRAGMENT
from web.pages import sorting
from web.pages.likes import MOST, Examples, closest_of, examples_from
from web.pages.sorting import answered, ordered


@pytest.fixture
def small_pages(app: Flask) -> None:
    settings = app.extensions["lookalike.settings"]
    app.extensions["lookalike.settings"] = replace(settings, page_hits=8)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        yield


def ids(text: str) -> list[str]:
    return re.findall(r'class="cover" href="/listings/([^"]+)"', text)


def more(text: str) -> str:
    found = re.search(r'href="([^"]+)" data-more', text)
    assert found is not None
    return html.unescape(found[1]).partition("#")[0]


# ---- what is liked ----


def test_each_listing_is_an_example_once() -> None:
    args = MultiDict(
        [("like", "a"), ("like", "b"), ("like", "a"), ("unlike", "b"), ("unlike", "c")]
    )
    assert examples_from(args) == Examples(("a", "b"), ("c",))


def test_too_many_examples_are_refused() -> None:
    args = MultiDict([("like", str(n)) for n in range(MOST + 1)])
    with pytest.raises(QueryError, match="at most"):
        examples_from(args)


def test_toggling_changes_sides() -> None:
    examples = Examples(("a",), ("b",))
    assert examples.toggled("like", "c") == Examples(("a", "c"), ("b",))
    assert examples.toggled("like", "b") == Examples(("a", "b"), ())
    assert examples.toggled("unlike", "b") == Examples(("a",), ())


def test_the_page_asks_for_what_is_liked_and_not_for_the_rest(
    client: FlaskClient, engine: FakeEngine
) -> None:
    page = client.get("/like?like=p1&like=p3&unlike=p8&filter=category:shoes").text
    assert engine.asked is not None
    assert [one.listing_id for one in engine.asked.positives] == ["p1", "p3"]
    assert [one.listing_id for one in engine.asked.negatives] == ["p8"]
    assert set(ids(page)) == {"p5", "p7", "p9", "p11"}
    assert "Like these, not like those" in page
    # Whatever leads on from here keeps what was chosen.
    chip = re.search(r'class="chip" href="([^"]+)"', page)
    assert chip is not None
    assert "like=p1&amp;like=p3&amp;unlike=p8" in chip[1]
    assert '<input type="hidden" name="unlike" value="p8">' in page
    assert 'href="/like?like=p3&amp;unlike=p8&amp;filter=category%3Ashoes"' in page


def test_cards_are_compared_with_the_liked_listing_that_they_are_closest_to(
    client: FlaskClient, engine: FakeEngine
) -> None:
    page = client.get("/like?like=p1&like=p11").text
    assert 'href="/listings/p1/why/p0"' in page
    assert 'href="/listings/p11/why/p10"' in page
    assert closest_of(engine, ["p1", "gone"], ["p2", "gone"]) == {"p2": "p1"}
    assert closest_of(engine, ["gone"], ["p2"]) == {}


def test_what_is_gone_is_said_and_left_out(client: FlaskClient, engine: FakeEngine) -> None:
    page = client.get("/like?like=p1&like=was-here")
    assert page.status_code == 200
    assert "One of the listings is not in the catalogue any more." in page.text
    assert len(ids(page.text)) > 8


@pytest.mark.parametrize("address", ["/like", "/like?unlike=p1", "/like?like=was-here"])
def test_without_anything_liked_there_is_something_to_choose(
    client: FlaskClient, address: str
) -> None:
    page = client.get(address)
    assert page.status_code == 200
    assert "Choose at least one that is like it" in page.text
    assert "data-kind" in page.text


def test_an_empty_catalogue_and_too_many_likes(client: FlaskClient) -> None:
    many = "&".join(f"like=p{n}" for n in range(MOST + 1))
    page = client.get(f"/like?{many}")
    assert page.status_code == 422
    assert "at most" in page.text


def test_examples_that_cancel_each_other_out(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = QueryError("The examples cancel each other out.")
    page = client.get("/like?like=p1&unlike=p2")
    assert page.status_code == 422
    assert "cancel each other out" in page.text
    assert "Nothing to show yet" in page.text


@pytest.mark.usefixtures("small_pages")
def test_the_next_page_of_likes(client: FlaskClient) -> None:
    first = client.get("/like?like=p1")
    address = more(first.text)
    second = client.get(address, headers={FRAGMENT: "1"})
    assert "<html" not in second.text
    shown = ids(first.text) + ids(second.text)
    assert len(shown) == len(set(shown)) == 16


def test_a_photo_is_searched_together_with_likes(
    client: FlaskClient, engine: FakeEngine, photo: bytes
) -> None:
    answer = client.post(
        "/search?like=p1&unlike=p2&like=was-here",
        data={"image": (io.BytesIO(photo), "x.jpg")},
        headers={FRAGMENT: "1"},
    )
    assert answer.status_code == 200
    assert engine.asked is not None
    first, second = engine.asked.positives
    assert first.photo is not None
    assert second.listing_id == "p1"
    assert [one.listing_id for one in engine.asked.negatives] == ["p2"]


def test_links_without_the_script_add_to_what_is_here(client: FlaskClient) -> None:
    listing = client.get("/listings/p1").text
    assert 'href="/like?like=p1&amp;like=p2"' in listing
    assert 'href="/like?like=p1&amp;unlike=p2"' in listing
    page = client.get("/like?like=p1&unlike=p2").text
    assert 'href="/like?like=p1&amp;like=p3&amp;unlike=p2"' in page
    assert 'href="/like?unlike=p2"' in page  # without the only one


# ---- the order ----


def hit(id_: str, price: float | None, currency: str = "EUR") -> Hit:
    listing = Listing(id_, (Picture("x"),), price=price, currency=currency)
    return Hit(1, 0.5, 0.5, False, listing, 0, ("",))


def test_listings_without_a_price_come_last_and_currencies_apart() -> None:
    hits = [
        hit("none", None),
        hit("b", 20),
        hit("dollar", 1, "USD"),
        hit("a", 10),
        hit("none-either", None),
    ]
    cheapest = [one.listing.id for one in ordered(hits, "price")]
    assert cheapest == ["a", "b", "dollar", "none", "none-either"]
    dearest = [one.listing.id for one in ordered(hits, "-price")]
    assert dearest == ["b", "a", "dollar", "none", "none-either"]


@pytest.mark.usefixtures("context")
def test_the_closest_are_put_in_order_over_several_pages(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "CLOSEST", 10)
    page = answered(Query(listing_id="p0", k=4), "-price")
    assert engine.asked is not None
    assert engine.asked.k == 10
    found = page.hits
    while page.next_cursor:
        page = answered(Query(cursor=page.next_cursor))
        found += page.hits
    closest = answered(Query(listing_id="p0", k=10)).hits
    assert {one.listing.id for one in found} == {one.listing.id for one in closest}
    assert [one.rank for one in found] == list(range(1, 11))
    prices = [one.listing.price for one in found if one.listing.price is not None]
    assert prices == sorted(prices, reverse=True)
    assert found[-1].listing.price is None or len(prices) == 10


@pytest.mark.usefixtures("context")
def test_what_has_nothing_to_do_with_it_is_not_put_in_order(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    closest = answered(Query(listing_id="p0", k=100)).hits
    monkeypatch.setattr(sorting, "RELATED", closest[9].score)
    page = answered(Query(listing_id="p0", k=4), "price")
    assert isinstance(page, sorting.SortedPage)
    related = {one.listing.id for one in closest if one.score >= closest[9].score}
    assert page.among == len(related) < len(closest)
    assert {one.listing.id for one in page.hits} <= related
    filled = answered(Query(listing_id="p0", k=18), "price")
    assert len(filled.hits) == 18


@pytest.mark.usefixtures("context")
def test_what_is_gone_is_left_out_of_later_pages(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = answered(Query(listing_id="p0", k=4), "price")
    assert page.next_cursor is not None
    known = engine.listing
    gone = answered(Query(cursor=page.next_cursor)).hits[0].listing.id
    monkeypatch.setattr(engine, "listing", lambda id_: known("none" if id_ == gone else id_))
    later = answered(Query(cursor=page.next_cursor)).hits
    assert len(later) == 4
    assert gone not in [one.listing.id for one in later]


@pytest.mark.usefixtures("context")
def test_a_cursor_that_was_changed_or_is_too_old(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = answered(Query(listing_id="p0", k=4), "price")
    assert page.next_cursor is not None
    with pytest.raises(QueryError, match="none of this index"):
        answered(Query(cursor=page.next_cursor + "x"))
    monkeypatch.setattr(search.cursor, "MAX_AGE", -1)
    with pytest.raises(CursorExpired):
        answered(Query(cursor=page.next_cursor))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("address", ["/listings/p1", "/like?like=p1&like=p2"])
def test_a_page_in_another_order(client: FlaskClient, address: str) -> None:
    mark = "&" if "?" in address else "?"
    page = client.get(f"{address}{mark}sort=price")
    assert re.search(r"The \d+ closest, cheapest first\.", page.text)
    assert '<input type="hidden" name="sort" value="price">' in page.text
    first = ids(page.text)
    second = client.get(more(page.text))
    assert "sort=price" in more(second.text)
    told = re.findall(r'class="facts">\s*<p class="price">€([\d,.]+)', page.text + second.text)
    assert len(told) > 8
    assert told == sorted(told)
    assert len(first) == 8
    assert not set(first) & set(ids(second.text))


def test_the_api_sorts_too(client: FlaskClient) -> None:
    first = client.get("/api/v1/listings/p1/similar?k=4&sort=-price").get_json()
    assert [hit["rank"] for hit in first["hits"]] == [1, 2, 3, 4]
    second = client.post("/api/v1/search", json={"cursor": first["next_cursor"]}).get_json()
    prices = [hit["listing"]["price"] for hit in first["hits"] + second["hits"]]
    assert prices == sorted(prices, reverse=True)
    asked = {"positives": [{"listing_id": "p1"}], "sort": "price", "k": 2}
    assert len(client.post("/api/v1/search", json=asked).get_json()["hits"]) == 2
    assert client.get("/api/v1/listings/p1/similar?sort=colour").status_code == 422


def test_an_order_that_there_is_not(client: FlaskClient) -> None:
    page = client.get("/listings/p1?sort=colour")
    assert page.status_code == 422
    assert "There is no order" in page.text
    assert len(ids(page.text)) == 23


def test_the_category_is_a_click_away(client: FlaskClient, photo: bytes) -> None:
    page = client.get("/listings/p1").text
    assert 'href="/listings/p1?filter=category:shoes#similar"' in page
    assert "Only shoes" in page
    data = {"image": (io.BytesIO(photo), "x.jpg")}
    answer = client.post("/search", data=data, headers={FRAGMENT: "1"}).text
    assert 'href="/search?filter=category:shoes"' in answer
    assert "81%" in answer
    narrowed = client.get("/listings/p1?filter=category:shoes").text
    assert "Only shoes" not in narrowed


def test_a_listing_says_what_is_shared_of_it(client: FlaskClient) -> None:
    page = client.get("/listings/p4").text
    assert '<meta property="og:title" content="Product 4">' in page
    image = re.search(r'property="og:image" content="http://[^/]+(/[^"]+)"', page)
    assert image is not None
    assert client.get(image[1]).status_code == 200
    assert "og:image" not in client.get("/listings/gone").text
