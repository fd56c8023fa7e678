"""The pages, as they are without the script."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.errors import QueryError
from search.query import Page, Query
from tests.web.conftest import ODD_IDS, SECRET, FakeEngine, drawn
from tests.web.keyed import bearer, key_for
from web.answers.wanted import FRAGMENT
from web.app import create_app
from web.settings import Settings


class Links(HTMLParser):
    """Collects what a page refers to, and what would break its content policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.ids: list[str] = []
        self.unsafe: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.to += [given[name] or "" for name in ("href", "src") if name in given]
        self.ids += [given["id"] or ""] if "id" in given else []
        self.unsafe += [name for name in given if name == "style" or name.startswith("on")]
        data = tag == "script" and given.get("type") == "application/json"
        if tag in ("script", "style", "img") and not given.get("src") and not data:
            self.unsafe += [tag] if tag != "img" or given.get("id") != "searching-photo" else []


def search(client: FlaskClient, photo: bytes, **headers: str) -> TestResponse:
    data = {"image": (io.BytesIO(photo), "../../x.jpg")}
    return client.post("/search", data=data, headers=headers)


def test_the_start_page_offers_a_form_and_samples(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'type="file"' in page.text
    assert 'enctype="multipart/form-data"' in page.text
    assert 'href="/listings/p1"' in page.text
    assert "€1,235.50" in page.text


def test_a_photo_is_answered_with_a_page(client: FlaskClient, photo: bytes) -> None:
    page = search(client, photo)
    assert page.status_code == 200
    assert page.text.count('class="card"') == 24
    assert "data:image/jpeg;base64," in page.text
    assert "x.jpg" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_script_gets_only_the_results(client: FlaskClient, photo: bytes) -> None:
    part = search(client, photo, **{FRAGMENT: "1"})
    assert "<html" not in part.text
    assert 'data-news="24 listings found."' in part.text


def test_a_copy_is_marked(client: FlaskClient) -> None:
    page = search(client, drawn((20, 235, 60)))
    assert "Same picture" in page.text
    assert "Very close" in page.text


def test_a_listing_has_a_page(client: FlaskClient) -> None:
    page = client.get("/listings/p4").text
    for words in ("Product 4", "€1,238.50", "bags", "Size", "a, b", "Yes", "Looks like this"):
        assert words in page
    assert 'src="/listings/p4/pictures/0"' in page
    assert client.get("/listings/remote").text.count('class="strip-picture"') == 2


@pytest.mark.parametrize("id_", ODD_IDS)
def test_odd_ids_have_pages(client: FlaskClient, id_: str) -> None:
    page = client.get(f"/listings/{quote(id_, safe='')}")
    assert page.status_code == 200
    assert client.get(f"/listings/{quote(id_, safe='')}/pictures/0").status_code == 200
    for link in re.findall(r'href="(/listings/[^"]+)#similar"', client.get("/listings/p1").text):
        assert client.get(html.unescape(link)).status_code == 200, link


def test_who_has_not_signed_in_sees_nothing_of_administration(
    client: FlaskClient, settings: Settings
) -> None:
    key = key_for(settings, "admin")
    for headers in ({}, bearer(key)):
        page = client.get("/", headers=headers).text
        assert "/admin" not in page
        assert "Sign out" not in page
    client.post("/sign-in", data={"key": key})
    page = client.get("/").text
    assert 'href="/admin"' in page
    assert 'aria-current="page">Admin' in client.get("/admin").text


def test_the_script_of_administration_is_told_what_is_wrong(
    client: FlaskClient, settings: Settings
) -> None:
    headers = bearer(key_for(settings, "admin"))
    refused = client.post("/admin/catalogue", json={}, headers=headers)
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "invalid_request")
    assert client.get("/admin/figures.json").json["error"]["code"] == "unauthorized"
    assert "text/html" in client.get("/admin?lang=ja", headers=headers).content_type


def test_every_link_leads_somewhere(client: FlaskClient, photo: bytes) -> None:
    for page in (client.get("/"), client.get("/listings/script"), search(client, photo)):
        for url in {url for url in Links(page.text).to if url.startswith("/")}:
            status = client.get(url.partition("#")[0]).status_code
            # The one picture that is gone is said to be gone, and cannot be compared.
            gone = {"/listings/gone/pictures/0": 404, "/listings/script/why/gone": 422}
            assert status == gone.get(url, 200), url


def test_pages_keep_to_their_policy(client: FlaskClient, photo: bytes) -> None:
    for page in (
        client.get("/"),
        client.get("/listings/script"),
        client.get("/listings/none"),
        client.get("/api/v1/docs"),
        search(client, photo),
    ):
        links = Links(page.text)
        assert not links.unsafe
        assert len(links.ids) == len(set(links.ids))
        ours = [url for url in links.to if not url.startswith(("/", "#", "data:"))]
        assert not ours


def test_what_a_catalogue_says_is_escaped(client: FlaskClient, photo: bytes) -> None:
    for page in (client.get("/"), client.get("/listings/script"), search(client, photo)):
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "javascript:" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_no_page_names_a_file(client: FlaskClient, photo: bytes) -> None:
    for page in (client.get("/"), client.get("/listings/p1"), search(client, photo)):
        assert SECRET not in page.text


def test_a_public_link_leads_to_the_shop(client: FlaskClient) -> None:
    link = re.search(
        r'<a [^>]*href="https://shop.example/r"[^>]*>', client.get("/listings/remote").text
    )
    assert link is not None
    assert "noreferrer" in link[0]


def test_the_form_without_a_photo(client: FlaskClient) -> None:
    empty = client.post("/search", data={"image": (io.BytesIO(b""), "")})
    assert empty.status_code == 422
    assert "Choose a photo first." in empty.text
    assert search(client, b"no photo").status_code == 415


def test_coming_back_to_the_address_of_an_answer(client: FlaskClient) -> None:
    response = client.get("/search")
    assert (response.status_code, response.headers["Location"]) == (303, "/")


def test_an_empty_index_and_an_answer_without_hits(photo: bytes) -> None:
    client = create_app(engine=FakeEngine({})).test_client()
    assert "no listing in it yet" in client.get("/").text
    assert "Nothing here looks like it" in search(client, photo).text


def test_an_answer_without_a_close_hit_says_so(
    client: FlaskClient, engine: FakeEngine, photo: bytes
) -> None:
    assert "No close match" not in search(client, photo).text
    engine.close_match = False
    assert "No close match" in search(client, photo).text


def test_a_listing_that_cannot_be_compared(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = QueryError("It has no picture that could be searched with.")
    page = client.get("/listings/gone")
    assert page.status_code == 200
    assert "It cannot be compared" in page.text


def test_a_filter_that_cannot_be_used_is_said_and_the_rest_counts(client: FlaskClient) -> None:
    response = client.get("/listings/p1?filter=category:bags&min.price=9&max.price=3")
    assert response.status_code == 422
    assert "above the greatest" in response.text
    assert response.text.count('class="card"') == 6
    response = client.get("/listings/p1?filter=colour:red")
    assert response.status_code == 422
    assert response.text.count('class="card"') == 23


def test_a_range_that_cannot_be_used_stays_to_be_corrected(client: FlaskClient) -> None:
    page = client.get("/listings/p1?min.size=6&min.price=9&max.price=3").text
    assert 'name="min.price" value="9"' in page
    assert 'name="max.price" value="3"' in page
    assert "What is shown takes no account of it." in page
    assert page.count('class="chip"') == 1  # the other range counts
    assert page.count('class="card"') == 6
    # Whatever is wrong with one, another that stands in its fields is what is shown.
    page = client.get("/listings/p1?min.size=6&min.nofield=5").text
    assert "takes no account" in page
    assert 'name="min.size" value="6"' in page
    assert page.count('class="card"') == 6
    page = client.get("/listings/p1?min.size=6&sort=colour").text
    assert "takes no account" not in page


def test_the_number_beside_a_hit_is_what_the_hits_are_ranked_by(
    client: FlaskClient, engine: FakeEngine, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = engine.search

    def apart(query: Query) -> Page:
        page = plain(query)
        return replace(page, hits=[replace(hit, similarity=-0.054) for hit in page.hits])

    monkeypatch.setattr(engine, "search", apart)
    page = search(client, photo).text
    shown = re.findall(r'<span class="number" title="([^"]+)">([\d.-]+)</span>', page)
    scores = [float(number) for _, number in shown]
    assert len(scores) == 24
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9
    assert {title for title, _ in shown} == {"Score, from 0 to 1; similarity -0.05"}
    assert page.count('<span class="unseen">Similarity -0.05</span>') == 24


def test_offers_that_have_gone_are_left_out(client: FlaskClient, engine: FakeEngine) -> None:
    engine.copies |= {f"p{n}": "p4" for n in (5, 6, 7)}
    assert "3 similar offers" in client.get("/listings/p1").text


def test_a_cursor_that_is_too_old(client: FlaskClient) -> None:
    for answer in (
        client.get("/listings/p1?cursor=expired"),
        client.post("/search", data={"cursor": "expired"}),
    ):
        assert answer.status_code == 410
        assert "Search again" in answer.text
