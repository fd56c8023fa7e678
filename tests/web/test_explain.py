"""Why a hit was found: by the API and on the page."""

from __future__ import annotations

import base64
import html
import io
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.web.conftest import ODD_IDS, SECRET, drawn
from tests.web.test_api import SEARCH, code, strictly
from tests.web.test_pages import Links, search
from web.answers.wanted import FRAGMENT
from web.api.models import PageAnswer
from web.api.models_explain import ExplainAnswer
from web.settings import Settings

EXPLAIN = "/api/v1/explain"


def ask(client: FlaskClient, photo: bytes, **fields: str) -> TestResponse:
    return client.post(EXPLAIN, data={"image": (io.BytesIO(photo), "a.jpg"), **fields})


def ask_page(client: FlaskClient, photo: bytes, listing_id: str, **headers: str) -> TestResponse:
    data = {"image": (io.BytesIO(photo), "a.jpg"), "listing_id": listing_id}
    return client.post("/why", data=data, headers=headers)


def add_up(answer: Any) -> None:
    for side in (answer["query"], answer["hit"]):
        assert [len(row) for row in side["map"]] == [answer["columns"]] * answer["rows"]
        total = sum(map(sum, side["map"])) + side["constant"]
        assert total == pytest.approx(answer["similarity"], abs=1e-3)


def test_a_photo_and_a_hit(client: FlaskClient, photo: bytes) -> None:
    answer = strictly(ExplainAnswer, ask(client, photo, listing_id="p3").json)
    assert (answer["listing_id"], answer["rows"], answer["columns"]) == ("p3", 5, 5)
    assert answer["query"]["picture"] is None
    assert answer["hit"]["picture"] == 0
    assert answer["similarity"] == pytest.approx(answer["stored_similarity"], abs=2e-3)
    add_up(answer)


def test_a_region(client: FlaskClient, photo: bytes) -> None:
    whole = ask(client, photo, listing_id="p3", region="").json
    part = ask(client, photo, listing_id="p3", region="0.2,0.2,0.4,0.5").json
    assert part["query"]["region"] == [0.2, 0.2, 0.4, 0.5]
    assert whole["query"]["region"] is None
    assert part["query"]["map"] != whole["query"]["map"]
    add_up(part)


def test_json_says_what_a_form_says(client: FlaskClient, photo: bytes) -> None:
    asked = {"image_base64": base64.b64encode(photo).decode(), "listing_id": "p3"}
    assert client.post(EXPLAIN, json=asked).json == ask(client, photo, listing_id="p3").json


def test_a_search_explains_its_first_hits(client: FlaskClient, photo: bytes) -> None:
    form = {"image": (io.BytesIO(photo), "a.jpg"), "k": "5", "explain": "true"}
    page = strictly(PageAnswer, client.post(SEARCH, data=form).json)
    assert ["explanation" in hit for hit in page["hits"]] == [True] * 3 + [False] * 2
    for hit in page["hits"][:3]:
        add_up(hit["explanation"])
        alone = ask(client, photo, listing_id=hit["listing"]["id"]).json
        assert alone == {"listing_id": hit["listing"]["id"], **hit["explanation"]}


def test_listings_explain_their_hits_too(client: FlaskClient) -> None:
    for page in (
        client.post(SEARCH, json={"listing_id": "p3", "k": 2, "explain": True}).json,
        client.get("/api/v1/listings/p3/similar?k=2&explain=true").json,
    ):
        assert all(hit["explanation"]["query"]["picture"] == 0 for hit in page["hits"])


def test_a_hit_whose_picture_is_gone_is_a_hit(client: FlaskClient) -> None:
    asked = {"listing_id": "script", "k": 30, "explain": True, "filter": "title:Gone"}
    (hit,) = client.post(SEARCH, json=asked).json["hits"]
    assert hit["explanation"] is None


def test_of_several_examples_no_hit_is_explained(client: FlaskClient) -> None:
    asked = {"positives": [{"listing_id": "p3"}], "explain": True}
    assert code(client.post(SEARCH, json=asked)) == (422, "invalid_request")


def test_two_listings(client: FlaskClient) -> None:
    asked = {"query_listing_id": "remote", "listing_id": "p1"}
    answer = strictly(ExplainAnswer, client.post(EXPLAIN, json=asked).json)
    assert answer["query"]["picture"] in (0, 1)
    add_up(answer)
    back = client.post(EXPLAIN, json={"query_listing_id": "p1", "listing_id": "remote"}).json
    assert back["query"] == answer["hit"]
    assert back["hit"] == answer["query"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"listing_id": "p1"},
        {"query_listing_id": "p1"},
        {"listing_id": "p1", "query_listing_id": ""},
        {"listing_id": "p1", "query_listing_id": "p2", "image_base64": "aaaa"},
        {"listing_id": "p1", "query_listing_id": "p2", "k": 5},
        {"listing_id": "p1", "query_listing_id": "p2", "region": "0,0,1,1"},
        {"listing_id": "p1", "image_base64": "not base64!"},
    ],
)
def test_json_that_asks_for_the_impossible(client: FlaskClient, body: dict[str, Any]) -> None:
    assert code(client.post(EXPLAIN, json=body)) == (422, "invalid_request")


def test_forms_that_ask_for_the_impossible(client: FlaskClient, photo: bytes) -> None:
    assert code(ask(client, photo)) == (422, "invalid_request")
    assert code(ask(client, photo, listing_id="p1", k="5")) == (422, "invalid_request")
    assert code(ask(client, photo, listing_id="p1", region="1,2")) == (422, "invalid_request")
    assert code(client.post(EXPLAIN, data={"listing_id": "p1"}))[0] == 415
    outside = ask(client, photo, listing_id="p1", region="0.9,0,0.5,1")
    assert code(outside) == (422, "bad_query")


def test_other_refusals(client: FlaskClient, photo: bytes, settings: Settings) -> None:
    assert code(client.post(EXPLAIN, data=b"{", content_type="application/json"))[0] == 400
    assert code(client.post(EXPLAIN, data="x", content_type="text/plain"))[0] == 415
    assert code(ask(client, b"no picture", listing_id="p1")) == (415, "unsupported_type")
    large = b"\xff" * (settings.max_upload_bytes + 1)
    assert code(ask(client, large, listing_id="p1")) == (413, "body_too_large")
    assert code(ask(client, photo, listing_id="none")) == (404, "listing_not_found")
    unknown = {"query_listing_id": "none", "listing_id": "p1"}
    assert code(client.post(EXPLAIN, json=unknown)) == (404, "listing_not_found")


def test_a_hit_without_a_picture(client: FlaskClient, photo: bytes) -> None:
    response = ask(client, photo, listing_id="gone")
    assert code(response) == (422, "bad_query")
    assert SECRET not in response.text


def pictures_of(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_a_page_shows_both_pictures(client: FlaskClient) -> None:
    page = client.get("/listings/p1/why/p3")
    assert page.status_code == 200
    assert [picture.size for picture in pictures_of(page.text)] == [(384, 480)] * 2
    for words in ("Product 1", "Product 3", "In numbers", "Similarity"):
        assert words in page.text
    links = Links(page.text)
    assert not links.unsafe
    assert len(links.ids) == len(set(links.ids))
    assert FRAGMENT in page.headers["Vary"]
    part = client.get("/listings/p1/why/p3", headers={FRAGMENT: "1"}).text
    assert "<html" not in part
    assert pictures_of(part)


def test_a_photo_is_shown_with_its_hit(client: FlaskClient, photo: bytes) -> None:
    part = ask_page(client, photo, "p3", **{FRAGMENT: "1"})
    assert "<html" not in part.text
    assert "Your photo" in part.text
    assert len(pictures_of(part.text)) == 2
    assert part.headers["Cache-Control"] == "no-store"
    assert "<html" in ask_page(client, photo, "p3").text
    assert ask_page(client, photo, "none").status_code == 404


def test_every_hit_of_a_listing_leads_to_its_reasons(client: FlaskClient) -> None:
    page = client.get(f"/listings/{quote(ODD_IDS[0], safe='')}").text
    links = re.findall(r'href="(/listings/[^"]+/why/[^"]+)"', page)
    assert len(links) == page.count('class="card"') > 0
    answers = [client.get(html.unescape(link)) for link in links]
    # Of one listing there is no picture.
    assert sorted({answer.status_code for answer in answers}) in ([200], [200, 422])
    assert sum(answer.status_code == 422 for answer in answers) <= 1


def test_a_photo_is_asked_about_only_by_the_script(client: FlaskClient, photo: bytes) -> None:
    assert "data-why" not in search(client, photo).text
    part = search(client, photo, **{FRAGMENT: "1"}).text
    assert part.count("data-why=") == part.count('class="card"') == 24


def test_what_a_catalogue_says_is_escaped_here_too(client: FlaskClient) -> None:
    page = client.get("/listings/script/why/p1").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_region_is_marked(client: FlaskClient) -> None:
    data = drawn((200, 60, 40))
    asked = {
        "image": (io.BytesIO(data), "a.jpg"),
        "listing_id": "p3",
        "region": "0.25,0.25,0.5,0.5",
    }
    marked, _ = pictures_of(client.post("/why", data=asked).text)
    plain, _ = pictures_of(ask_page(client, data, "p3").text)
    assert marked.size == plain.size
    assert marked.tobytes() != plain.tobytes()
