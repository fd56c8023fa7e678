"""The JSON API: what it answers, and how it refuses."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.conftest import ODD_IDS, SECRET, FakeEngine, drawn
from tests.web.searched import EXPIRED
from web.api.models import FullListing, PageAnswer, StatusAnswer
from web.settings import Settings

SEARCH = "/api/v1/search"


def send(client: FlaskClient, photo: bytes, **fields: str) -> TestResponse:
    return client.post(SEARCH, data={"image": (io.BytesIO(photo), "a.jpg"), **fields})


def code(response: TestResponse) -> tuple[int, str]:
    assert set(response.json) == {"error"}
    assert set(response.json["error"]) == {"code", "message", "hint"}
    return response.status_code, response.json["error"]["code"]


def strictly(model: Any, body: Any) -> Any:
    """Hold an answer against its model: nothing missing, nothing more."""
    read = model.model_validate(body, strict=True, extra="forbid")
    assert read.model_dump(exclude_unset=True) == body
    return body


def test_a_form_with_a_photo_is_answered(client: FlaskClient, photo: bytes) -> None:
    response = send(client, photo, k="3")
    assert response.status_code == 200
    page = strictly(PageAnswer, response.json)
    assert [hit["rank"] for hit in page["hits"]] == [1, 2, 3]
    assert page["snapshot"] == "s-1"
    assert page["facets"] is None
    assert page["category"] == [{"name": "shoes", "confidence": 0.8123}]
    assert page["took_ms"] == {"decode": 1.3, "embed": 10.0, "search": 0.3, "total": 11.6}
    timing = response.headers["Server-Timing"]
    assert timing.startswith("decode;dur=1.3, embed;dur=10.0, search;dur=0.3, total;dur=11.6, app;")


def test_numbers_are_rounded(client: FlaskClient, photo: bytes) -> None:
    for hit in send(client, photo).json["hits"]:
        assert hit["similarity"] == round(hit["similarity"], 4)


def test_json_finds_what_a_form_finds(client: FlaskClient, photo: bytes) -> None:
    text = base64.b64encode(photo).decode()
    wrapped = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    by_form = send(client, photo, k="5", region="0,0,1,1", min_score="0.1").json
    for encoded in (text, wrapped):
        asked = {"image_base64": encoded, "k": 5, "region": [0, 0, 1, 1], "min_score": 0.1}
        assert client.post(SEARCH, json=asked).json == by_form


def test_several_photos_and_listings_in_one_question(
    client: FlaskClient, engine: FakeEngine, photo: bytes
) -> None:
    first, second, *_ = engine.listings
    body = {
        "positives": [
            {"image_base64": base64.b64encode(photo).decode(), "region": [0, 0, 0.5, 0.5]},
            {"listing_id": first, "weight": 2},
        ],
        "negatives": [{"listing_id": second}],
        "k": 3,
        "category_prior": False,
    }
    page = strictly(PageAnswer, client.post(SEARCH, json=body).json)
    assert len(page["hits"]) == 3
    assert engine.asked is not None
    assert [one.weight for one in engine.asked.positives] == [1, 2]
    assert engine.asked.positives[0].photo == photo
    assert engine.asked.positives[0].region == (0, 0, 0.5, 0.5)
    assert engine.asked.negatives[0].listing_id == second
    assert not engine.asked.prior


@pytest.mark.parametrize(
    "wrong",
    [
        {"negatives": [{"listing_id": "a"}]},
        {"positives": []},
        {"positives": [{}]},
        {"positives": [{"listing_id": "a", "image_base64": "aGk="}]},
        {"positives": [{"listing_id": "a", "weight": 0}]},
        {"positives": [{"listing_id": "a", "weight": 1e9}]},
        {"positives": [{"listing_id": "a"}], "listing_id": "a"},
        {"positives": [{"listing_id": "a"}] * 17},
        {"positives": [{"listing_id": "a"}] * 9, "negatives": [{"listing_id": "a"}] * 9},
    ],
)
def test_examples_that_are_wrong(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert code(client.post(SEARCH, json=wrong))[0] == 422


@pytest.mark.parametrize(("said", "meant"), [("false", False), ("true", True), (None, True)])
def test_the_category_prior_can_be_left_out(
    client: FlaskClient, engine: FakeEngine, photo: bytes, said: str | None, meant: bool
) -> None:
    fields = {} if said is None else {"category_prior": said}
    assert send(client, photo, **fields).status_code == 200
    assert engine.asked is not None
    assert engine.asked.prior is meant
    listing = next(iter(engine.listings))
    url = f"/api/v1/listings/{quote(listing, safe='')}/similar"
    assert client.get(url, query_string=fields).status_code == 200
    assert engine.asked.prior is meant


def test_search_by_listing_leaves_it_out(client: FlaskClient) -> None:
    by_post = client.post(SEARCH, json={"listing_id": "p3", "k": 4}).json
    by_get = client.get("/api/v1/listings/p3/similar?k=4").json
    assert by_post == by_get
    assert "p3" not in [hit["listing"]["id"] for hit in by_get["hits"]]
    assert len(by_get["hits"]) == 4


def test_empty_fields_of_a_form_are_left_out_of_account(client: FlaskClient, photo: bytes) -> None:
    assert send(client, photo, k="", region="", min_score="").status_code == 200


def test_no_hit_is_an_answer(client: FlaskClient, photo: bytes) -> None:
    response = send(client, photo, min_score="1")
    assert response.status_code == 200
    assert response.json["hits"] == []


@pytest.mark.parametrize("id_", ODD_IDS)
def test_odd_ids_travel_in_urls(client: FlaskClient, id_: str) -> None:
    path = f"/api/v1/listings/{quote(id_, safe='')}"
    listing = client.get(path)
    assert listing.json["id"] == id_
    assert client.get(listing.json["image_url"]).mimetype == "image/jpeg"
    assert client.get(f"{path}/similar?k=1").status_code == 200
    assert client.post(SEARCH, json={"listing_id": id_}).status_code == 200


def test_a_listing_with_its_pictures(client: FlaskClient) -> None:
    listing = strictly(FullListing, client.get("/api/v1/listings/remote").json)
    assert listing["image_url"] == "https://shop.example/r.jpg"
    assert [one["image_url"] for one in listing["pictures"]] == [
        "https://shop.example/r.jpg",
        "/listings/remote/pictures/1",
    ]
    assert client.get(listing["thumbnail_url"]).mimetype == "image/jpeg"


def test_attributes_are_json(client: FlaskClient) -> None:
    listing = client.get("/api/v1/listings/p2").json
    assert listing["attributes"] == {"size": 2, "new": True, "tags": ["a", "b"]}


def test_a_rejected_picture_has_no_thumbnail(client: FlaskClient) -> None:
    listing = client.get("/api/v1/listings/gone").json
    assert listing["thumbnail_url"] is None
    assert listing["pictures"] == [
        {"image_url": "/listings/gone/pictures/0", "thumbnail_url": None}
    ]


def test_status_names_no_path(client: FlaskClient) -> None:
    body = client.get("/api/v1/status").json
    StatusAnswer.model_validate(body)
    assert body["network"]["name"] == "weights.h5"
    assert SECRET not in json.dumps(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"listing_id": "p1", "image_base64": "aaaa"},
        {"listing_id": "p1", "filtr": "category:shoes"},
        {"listing_id": "p1", "filter": ["category:shoes"]},
        {"listing_id": "p1", "filter": "x" * 2001},
        {"listing_id": "p1", "fold_duplicates": "yes"},
        {"listing_id": "p1", "cursor": "x"},
        {"cursor": "x", "k": 10},
        {"cursor": "x", "facets": True},
        {"listing_id": "p1", "k": 0},
        {"listing_id": "p1", "k": 1001},
        {"listing_id": "p1", "k": "5"},
        {"listing_id": "p1", "k": 2.5},
        {"listing_id": "p1", "k": True},
        {"listing_id": "p1", "min_score": 1.5},
        {"listing_id": "p1", "region": [0, 0, 1]},
        {"listing_id": "p1", "region": "0,0,1,1"},
        {"listing_id": ""},
        {"listing_id": 5},
        {"image_base64": "not base64!"},
        {"image_base64": "data:image/jpeg;base64,aaaa"},
        {"image_base64": "aaa"},
        {"image_base64": "ä"},
        [],
        "text",
        None,
    ],
    ids=repr,
)
def test_json_that_is_wrong(client: FlaskClient, body: Any) -> None:
    response = client.post(SEARCH, data=json.dumps(body), content_type="application/json")
    assert code(response) == (422, "invalid_request")


REGION = {"region": [0, 0, 0.5, 0.5]}


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (SEARCH, {"listing_id": "p1", **REGION}),
        (SEARCH, {"positives": [{"listing_id": "p1"}], **REGION}),
        (SEARCH, {"positives": [{"listing_id": "p1", **REGION}]}),
        ("/api/v1/explain", {"listing_id": "p2", "query_listing_id": "p1", **REGION}),
    ],
)
def test_a_region_without_a_photo_is_refused(
    client: FlaskClient, address: str, body: dict[str, Any]
) -> None:
    response = client.post(address, json=body)
    assert code(response) == (422, "invalid_request")
    assert "Leave 'region' out" in response.json["error"]["hint"]


@pytest.mark.parametrize(
    ("body", "status", "hint"),
    [
        ("{}", 422, "Send a photo as image_base64"),
        ("[]", 422, "Send one object"),
        ("{bad", 400, "Correct it: key must be a string at line 1"),
        ('{"image_base64": ""}', 422, "Send the bytes of its file."),
        ('{"cursor": "x", "k": 1}', 422, "Send it without k."),
        ('{"negatives": [{"listing_id": "p1"}]}', 422, "Add 'positives'"),
        ('{"listing_id": "p1", "image_url": "https://x/"}', 422, "Leave the others out."),
        ('{"positives": [{}]}', 422, "Make an example of its own"),
        ('{"listing_id": ""}', 422, "Correct 'listing_id'."),
    ],
)
def test_what_is_wrong_with_a_body_says_what_to_do(
    client: FlaskClient, body: str, status: int, hint: str
) -> None:
    response = client.post(SEARCH, data=body, content_type="application/json")
    assert response.status_code == status
    assert hint in response.json["error"]["hint"]


def test_a_type_that_is_not_taken_is_not_said_to_be_wrong(
    client: FlaskClient, photo: bytes
) -> None:
    response = client.post(SEARCH, data=photo, content_type="image/jpeg")
    assert response.status_code == 415
    assert response.json["error"]["message"] == "A body of type image/jpeg is not taken here."
    assert "multipart/form-data" in response.json["error"]["hint"]
    assert "application/json" in response.json["error"]["hint"]


@pytest.mark.parametrize("field", ["foo", "image"])
def test_a_form_without_a_photo_names_the_field(
    client: FlaskClient, photo: bytes, field: str
) -> None:
    # The one is another field, the other curl's @ forgotten.
    for address in (SEARCH, "/api/v1/explain"):
        value = "p.jpg" if field == "image" else (io.BytesIO(photo), "p.jpg")
        response = client.post(address, data={field: value}, content_type="multipart/form-data")
        assert code(response) == (422, "invalid_request")
        assert "'image': curl -F image=@photo.jpg" in response.json["error"]["hint"]


def test_a_region_outside_the_photo(client: FlaskClient, photo: bytes) -> None:
    assert code(send(client, photo, region="0.5,0.5,0.9,0.9")) == (422, "bad_query")


@pytest.mark.parametrize(
    "fields",
    [
        {"k": "0"},
        {"k": "1001"},
        {"k": "abc"},
        {"region": "1,2"},
        {"region": "0,0,nan,1"},
        {"region": "a,b,c,d"},
        {"min_score": "inf"},
        {"filtr": "x"},
        {"fold_duplicates": "maybe"},
        {"cursor": "x"},
        {"listing_id": "p1"},
    ],
    ids=repr,
)
def test_form_fields_that_are_wrong(
    client: FlaskClient, photo: bytes, fields: dict[str, str]
) -> None:
    assert code(send(client, photo, **fields)) == (422, "invalid_request")


@pytest.mark.parametrize(
    "query",
    [
        "k=0",
        "k=1001",
        "k=abc",
        "min_score=2",
        "filtr=x",
        "facets=perhaps",
        "cursor=x&k=3",
        "cursor=x&filter=category:shoes",
    ],
)
def test_query_strings_that_are_wrong(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/v1/listings/p1/similar?{query}")
    assert code(response) == (422, "invalid_request")


def test_json_that_is_none(client: FlaskClient) -> None:
    for data in (b"{", b"", b"\xff\xfe", b"[" * 100_000):
        response = client.post(SEARCH, data=data, content_type="application/json")
        assert code(response) == (400, "malformed_body"), data[:9]


def test_a_form_without_a_photo(client: FlaskClient, photo: bytes) -> None:
    form = "multipart/form-data"
    assert code(client.post(SEARCH, data={"k": "1"}, content_type=form)) == (422, "invalid_request")
    assert code(client.post(SEARCH, data={"image": "text"}, content_type=form))[0] == 422
    assert code(send(client, b"")) == (415, "unsupported_type")
    two = {"image": [(io.BytesIO(photo), "a"), (io.BytesIO(photo), "b")]}
    assert code(client.post(SEARCH, data=two)) == (422, "invalid_request")
    other = {"image": (io.BytesIO(photo), "a"), "mask": (io.BytesIO(photo), "b")}
    assert code(client.post(SEARCH, data=other)) == (422, "invalid_request")


@pytest.mark.parametrize("mimetype", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types(client: FlaskClient, photo: bytes, mimetype: str | None) -> None:
    response = client.post(SEARCH, data=photo, content_type=mimetype)
    assert code(response) == (415, "unsupported_media_type")


def test_searching_by_url_of_this_machine(client: FlaskClient) -> None:
    response = client.post(SEARCH, json={"image_url": "http://127.0.0.1/a.jpg"})
    assert code(response) == (422, "fetch_refused")


def test_what_is_no_picture(client: FlaskClient, photo: bytes) -> None:
    assert code(send(client, b"%PDF-1.7 and so on")) == (415, "unsupported_type")
    assert code(send(client, photo[: len(photo) // 2])) == (422, "bad_picture")


def test_photos_over_the_limit(client: FlaskClient, settings: Settings) -> None:
    most = settings.max_upload_bytes
    for size in (most + 1, 2 * most):
        assert code(send(client, b"\xff" * size)) == (413, "body_too_large")
        encoded = base64.b64encode(b"\xff" * size).decode()
        assert code(client.post(SEARCH, json={"image_base64": encoded})) == (413, "body_too_large")


def test_a_photo_of_just_the_limit_is_looked_at(client: FlaskClient, settings: Settings) -> None:
    data = drawn((1, 2, 3)).ljust(settings.max_upload_bytes, b"\0")
    assert send(client, data).status_code == 200
    encoded = base64.b64encode(data).decode()
    assert client.post(SEARCH, json={"image_base64": encoded}).status_code == 200


def test_a_body_without_a_length(client: FlaskClient, settings: Settings) -> None:
    response = client.post(
        SEARCH,
        input_stream=io.BytesIO(b"{" + b" " * 3 * settings.max_upload_bytes),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert code(response) == (413, "body_too_large")


def test_a_field_over_the_limit(client: FlaskClient, photo: bytes) -> None:
    assert code(send(client, photo, k="1" * 100_000)) == (413, "body_too_large")


def test_what_is_not_there(client: FlaskClient) -> None:
    for path in ("/api/v1/listings/none", "/api/v1/listings/none/similar"):
        assert code(client.get(path)) == (404, "listing_not_found")
    for path in ("/api/v1/nothing", "/api/", "/api/v1/listings/a/b/c", "/api/v1/status/"):
        assert code(client.get(path)) == (404, "not_found")


def test_other_methods(client: FlaskClient) -> None:
    response = client.get(SEARCH)
    assert code(response) == (405, "method_not_allowed")
    for answer in (response, client.options(SEARCH)):
        assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    head = client.head("/api/v1/status")
    assert (head.status_code, head.data) == (200, b"")
    missing = client.head("/api/v1/listings/none")
    assert (missing.status_code, missing.data) == (404, b"")


def test_a_fault_is_logged_and_not_shown(
    client: FlaskClient, engine: FakeEngine, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    engine.failure = ZeroDivisionError("the secret word")
    response = send(client, photo)
    assert code(response) == (500, "internal_error")
    assert "secret" not in response.text
    assert "the secret word" in caplog.text
    assert "Traceback" in caplog.text


def test_health_needs_no_engine(client: FlaskClient) -> None:
    assert client.get("/health").json == {"status": "ok"}
    assert client.get("/ready").json == {"status": "ready"}


def everywhere(client: FlaskClient, photo: bytes, **fields: Any) -> list[dict[str, Any]]:
    """Ask a form, JSON and a query string the same; return the answers."""
    said = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in fields.items()
    }
    answers = [
        send(client, photo, **said),
        client.post(SEARCH, json={"listing_id": "p3", **fields}),
        client.get("/api/v1/listings/p3/similar", query_string=said),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3, answers[0].text
    return [strictly(PageAnswer, answer.json) for answer in answers]


def test_a_filter_narrows(client: FlaskClient, photo: bytes) -> None:
    for page in everywhere(client, photo, filter="category:shoes price:..1238"):
        assert {hit["listing"]["category"] for hit in page["hits"]} == {"shoes"}
        assert all(hit["listing"]["price"] <= 1238 for hit in page["hits"])
        assert page["facets"] is None
    for page in everywhere(client, photo, filter="category:shoes -category:shoes"):
        assert page["hits"] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [("colour:red", "colour"), ("price:cheap", "price"), ("category:", ""), ('"', ""), ("x", "")],
)
def test_filters_that_are_wrong(client: FlaskClient, photo: bytes, text: str, named: str) -> None:
    for response in (
        send(client, photo, filter=text),
        client.post(SEARCH, json={"listing_id": "p1", "filter": text}),
        client.get("/api/v1/listings/p1/similar", query_string={"filter": text}),
    ):
        assert code(response) == (422, "bad_query")
        assert named in response.json["error"]["message"]


def test_facets_are_counted_where_asked_for(client: FlaskClient, photo: bytes) -> None:
    for page in everywhere(client, photo, facets=True, filter="category:shoes"):
        by_field = {facet["field"]: facet for facet in page["facets"]}
        assert by_field["category"]["values"] == [
            {"value": "bags", "count": 6, "selected": False},
            {"value": "shoes", "count": 6, "selected": True},
            {"value": "<b>", "count": 1, "selected": False},
        ]
        price = by_field["price"]
        assert (price["type"], price["values"]) == ("number", [])
        assert (price["min"], price["max"]) == (1235.5, 1245.5)
        assert len(price["quartiles"]) == 3


def test_copies_are_folded_where_asked_for(
    client: FlaskClient, engine: FakeEngine, photo: bytes
) -> None:
    engine.copies |= {"p5": "p4", "p6": "p4"}
    for page in everywhere(client, photo, fold_duplicates=True, k=30):
        together = [
            (hit["listing"]["id"], *hit["similar_offers"])
            for hit in page["hits"]
            if hit["similar_offers"]
        ]
        assert len(together) == 1
        assert sorted(together[0]) == ["p4", "p5", "p6"]
    for page in everywhere(client, photo, k=30):
        assert not any(hit["similar_offers"] for hit in page["hits"])


def test_pages_follow_one_another(client: FlaskClient, photo: bytes) -> None:
    whole = send(client, photo, k="1000").json
    assert whole["next_cursor"] is None
    page = send(client, photo, k="5").json
    hits = page["hits"]
    turns = 0
    while page["next_cursor"]:
        turns += 1
        asked = {"cursor": page["next_cursor"]}
        by_get = client.get("/api/v1/listings/p3/similar", query_string=asked).json
        page = strictly(PageAnswer, client.post(SEARCH, json=asked).json)
        assert by_get["hits"] == page["hits"]
        hits += page["hits"]
    assert turns == 4
    assert hits == whole["hits"]


def test_cursors_that_are_wrong(client: FlaskClient) -> None:
    for asked, answered in (("none", (422, "bad_query")), (EXPIRED, (410, "cursor_expired"))):
        for response in (
            client.post(SEARCH, json={"cursor": asked}),
            client.get("/api/v1/listings/p3/similar", query_string={"cursor": asked}),
        ):
            assert code(response) == answered
            assert response.json["error"]["hint"] == "Search again."


def test_a_cursor_comes_alone(client: FlaskClient) -> None:
    response = client.post(SEARCH, json={"cursor": "x", "k": 3, "filter": ""})
    assert "without filter and k" in response.json["error"]["hint"]


def test_a_field_of_a_form_is_given_once_or_empty(client: FlaskClient, photo: bytes) -> None:
    assert send(client, photo, k="", sort="", filter=" ").status_code == 200
    form = {"image": (io.BytesIO(photo), "a.jpg"), "k": ["1", "2"]}
    response = client.post(SEARCH, data=form)
    assert code(response) == (422, "invalid_request")
    assert response.json["error"]["message"] == "There is more than one 'k'."
