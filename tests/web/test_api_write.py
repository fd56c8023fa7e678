"""Writing over the API: who may, what is taken, what the next search finds."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from indexer.catalog import Catalog
from indexer.errors import IndexBusy, StorageError
from indexer.writing import Writer
from tests.web.conftest import ODD_IDS
from tests.web.living import app_on, in_base64
from web.api.models_write import MAX_LINES
from web.app import create_app
from web.settings import Settings

LISTINGS = "/api/v1/listings"
BATCH = "/api/v1/listings:batch"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def written(indexed: Path) -> FlaskClient:
    """A client of a server on a real index."""
    app, _ = app_on(indexed)
    client: FlaskClient = app.test_client()
    return client


@pytest.fixture
def picture(draw: Any, tmp_path: Path) -> bytes:
    data: bytes = draw(tmp_path / "new.png", 99).read_bytes()
    return data


def found(client: FlaskClient, photo: bytes, **more: Any) -> list[str]:
    answer = client.post("/api/v1/search", json={"image_base64": in_base64(photo), "k": 50, **more})
    assert answer.status_code == 200, answer.text
    return [hit["listing"]["id"] for hit in answer.json["hits"]]


def put(client: FlaskClient, name: str, *pictures: bytes, **fields: Any) -> Any:
    files = [(io.BytesIO(one), "a.png") for one in pictures]
    return client.put(f"{LISTINGS}/{quote(name, safe='')}", data={"image": files, **fields})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


def test_a_listing_comes_changes_and_goes(written: FlaskClient, picture: bytes) -> None:
    answer = put(
        written,
        "new",
        picture,
        title=" New ",
        category="hats",
        price="9.50",
        currency="EUR",
        url="https://shop.example/new",
        brand="acme",
        tags=["a", "b"],
        attributes='{"size": 7, "sale": true}',
    )
    assert (answer.status_code, answer.json) == (201, {"id": "new", "outcome": "created"})
    assert found(written, picture)[0] == "new"
    said = written.get(f"{LISTINGS}/new").json
    assert (said["title"], said["category"], said["price"]) == ("New", "hats", 9.5)
    assert said["attributes"] == {"brand": "acme", "tags": ["a", "b"], "size": 7, "sale": True}
    assert written.get(said["thumbnail_url"]).status_code == 200
    assert written.get(said["image_url"]).status_code == 200

    patched = written.patch(
        f"{LISTINGS}/new",
        json={"price": None, "title": None, "attributes": {"size": None, "brand": "b", "n": 1.5}},
    )
    assert (patched.status_code, patched.json["outcome"]) == (200, "patched")
    said = written.get(f"{LISTINGS}/new").json
    assert (said["title"], said["price"], said["category"]) == ("", None, "hats")
    assert said["attributes"] == {"brand": "b", "tags": ["a", "b"], "sale": True, "n": 1.5}
    assert written.patch(f"{LISTINGS}/new", json={}).json["outcome"] == "unchanged"

    gone = written.delete(f"{LISTINGS}/new")
    assert (gone.status_code, gone.json) == (200, {"id": "new", "outcome": "removed"})
    assert "new" not in found(written, picture)
    assert code(written.delete(f"{LISTINGS}/new")) == (404, "listing_not_found")
    assert code(written.patch(f"{LISTINGS}/new", json={})) == (404, "listing_not_found")
    assert written.get(f"{LISTINGS}/new").status_code == 404


def test_put_twice_is_put_once(written: FlaskClient, picture: bytes) -> None:
    assert put(written, "new", picture, title="New").status_code == 201
    again = put(written, "new", picture, title="New")
    assert (again.status_code, again.json["outcome"]) == (200, "unchanged")
    other = put(written, "new", picture, title="Newer")
    assert (other.status_code, other.json["outcome"]) == (200, "replaced")


def test_put_as_json(written: FlaskClient, picture: bytes, pictures_folder: Path) -> None:
    other = (pictures_folder / "bags" / "00.png").read_bytes()
    for field, value in (
        ("image_base64", in_base64(picture)),
        ("image_base64", [in_base64(picture), in_base64(other)]),
        ("images_base64", [in_base64(other)]),
    ):
        answer = written.put(
            f"{LISTINGS}/j", json={field: value, "price": 3, "attributes": {"price": "cheap"}}
        )
        assert answer.status_code in (200, 201), answer.text
        many = len(value) if isinstance(value, list) else 1
        said = written.get(f"{LISTINGS}/j").json
        assert len(said["pictures"]) == many
        assert (said["price"], said["attributes"]) == (3, {"price": "cheap"})


def test_odd_ids(written: FlaskClient, picture: bytes) -> None:
    for name in ODD_IDS:
        assert put(written, name, picture).json == {"id": name, "outcome": "created"}
        url = f"{LISTINGS}/{quote(name, safe='')}"
        assert written.get(url).json["id"] == name
        assert written.patch(url, json={"title": "T"}).json["outcome"] == "patched"
        assert written.delete(url).json["outcome"] == "removed"
    for bad in ("%00", "%0A", "%20a", "a" * 201, "%E2%80%A8"):
        answer = written.put(f"{LISTINGS}/{bad}", json={"image_base64": in_base64(picture)})
        assert code(answer) == (422, "invalid_request")
    assert written.put(f"{LISTINGS}/a%2Fb", json={}).status_code == 404


def test_without_a_picture_nothing_is_put(written: FlaskClient, picture: bytes) -> None:
    url = f"{LISTINGS}/bare"
    for answer in (
        written.put(url, json={"title": "T"}),
        written.put(url, json={"image_base64": []}),
        written.put(url, data={"title": "T"}, content_type="multipart/form-data"),
        put(written, "bare", b""),
    ):
        assert code(answer) == (422, "invalid_request")
    for answer in (
        written.put(url, json={"image_url": "http://127.0.0.1/a.jpg"}),
        written.put(url, json={"image_url": ["http://[::1]/a.jpg"]}),
    ):
        assert code(answer) == (422, "fetch_refused")
    assert put(written, "bare", picture, b"no picture").status_code == 415
    assert put(written, "bare", *[picture] * 21).status_code == 422
    assert written.get(url).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 1001},
        {"title": 5},
        {"title": "a\u0007"},
        {"price": -1},
        {"price": "5"},
        {"price": True},
        {"price": 1e300},
        {"colour": "red"},
        {"attributes": {"a": None}},
        {"attributes": {"a": {"b": 1}}},
        {"attributes": {"a": [1]}},
        {"attributes": {"": 1}},
        {"attributes": {"\u00a0": 1}},
        {"attributes": {"a": 1e30}},
        {"attributes": {"a": 2**63}},
        {"attributes": {"a": "x" * 10_001}},
        {"attributes": {f"a{n}": n for n in range(101)}},
        {"images_base64": ["AAAA"]},
    ],
    ids=str,
)
def test_what_is_wrong_is_said(
    written: FlaskClient, picture: bytes, fields: dict[str, Any]
) -> None:
    body = {"image_base64": in_base64(picture), **fields}
    answer = written.put(f"{LISTINGS}/w", json=body)
    assert code(answer) == (422, "invalid_request")
    assert answer.json["error"]["message"]
    if fields.keys() & {"title", "price", "attributes"} and fields != {"attributes": {"a": None}}:
        assert written.patch(f"{LISTINGS}/bags:00.png", json=fields).status_code == 422
    assert written.get(f"{LISTINGS}/w").status_code == 404


def test_numbers_that_are_none(written: FlaskClient, picture: bytes) -> None:
    url = f"{LISTINGS}/w"
    start = f'{{"image_base64": "{in_base64(picture)}", '
    for more in ('"price": NaN}', '"price": 1e999}', '"attributes": {"a": Infinity}}'):
        answer = written.put(url, data=start + more, content_type="application/json")
        assert answer.status_code in (400, 422)
    for price in ("nan", "inf", "-1", "cheap"):
        assert put(written, "w", picture, price=price).status_code == 422
    answer = written.put(url, data=start + '"title": "\\ud800"}', content_type="application/json")
    assert answer.status_code in (400, 422)
    assert code(put(written, "w", picture, attributes="{")) == (422, "invalid_request")
    assert code(written.put(url, data="{", content_type="application/json")) == (
        400,
        "malformed_body",
    )
    assert written.put(url, data="a", content_type="text/plain").status_code == 415
    assert written.patch(url, data="a=b", content_type="text/plain").status_code == 415
    assert written.patch(url, json={"image_base64": "AAAA"}).status_code == 422


# Who may


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, {}),
        ({"REMOTE_ADDR": "::ffff:192.0.2.1"}, {}),
        ({"REMOTE_ADDR": "192.0.2.1"}, {"X-Forwarded-For": "127.0.0.1"}),
        ({"REMOTE_ADDR": ""}, {}),
        ({}, {"X-Forwarded-For": "127.0.0.1"}),
        ({}, {"Forwarded": "for=127.0.0.1"}),
        ({}, {"Host": "evil.example"}),
        ({}, {"Host": "localhost.evil.example"}),
        ({}, {"Host": "192.0.2.1:8000"}),
        ({}, {"Origin": "https://evil.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Origin": "http://localhost:3000"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_who_may_not(
    written: FlaskClient, environ: dict[str, str], headers: dict[str, str], indexed: Path
) -> None:
    with Catalog(indexed) as catalog:
        before = catalog.change()
    url = f"{LISTINGS}/bags:00.png"
    more = {"environ_overrides": environ, "headers": headers}
    for answer in (
        written.delete(url, **more),
        written.patch(url, json={"title": "x"}, **more),
        written.put(url, json={}, **more),
        written.post(BATCH, data="{}", **more),
    ):
        assert code(answer) == (403, "not_allowed")
        assert answer.json["error"]["hint"]
    with Catalog(indexed) as catalog:
        assert catalog.change() == before


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "127.0.0.2"}, {"Host": "127.0.0.1:8000"}),
        ({"REMOTE_ADDR": "::1"}, {"Host": "[::1]:8000"}),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, {}),
        ({}, {"Host": "localhost:8000", "Origin": "http://localhost:8000"}),
        ({}, {"Sec-Fetch-Site": "same-origin"}),
    ],
)
def test_who_may(written: FlaskClient, environ: dict[str, str], headers: dict[str, str]) -> None:
    answer = written.delete(f"{LISTINGS}/bags:00.png", environ_overrides=environ, headers=headers)
    assert answer.status_code == 200


def test_writing_can_be_turned_off(indexed: Path) -> None:
    app, _ = app_on(indexed, writes="off")
    answer = app.test_client().delete(f"{LISTINGS}/bags:00.png")
    assert code(answer) == (403, "not_allowed")
    assert "LOOKALIKE_WRITES" in answer.json["error"]["hint"]


def test_without_an_index_nothing_is_written(settings: Settings, photo: bytes) -> None:
    client = create_app(settings).test_client()
    answer = client.put(f"{LISTINGS}/a", json={"image_base64": in_base64(photo)})
    assert code(answer) == (503, "index_not_ready")
    assert code(client.post(BATCH, data=b"{}", headers=NDJSON)) == (503, "index_not_ready")


@pytest.mark.parametrize(
    ("error", "status", "waits"),
    [
        (IndexBusy("Other writers keep the catalogue busy."), 409, True),
        (StorageError("The index cannot be written to /srv/secret."), 507, False),
    ],
)
def test_what_cannot_be_written_now(
    written: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    waits: bool,
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Writer, "write", refuse)
    answer = written.delete(f"{LISTINGS}/bags:00.png")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is waits
    assert "secret" not in answer.text
    batch = written.post(BATCH, data=_lines({"op": "delete", "id": "a"}), headers=NDJSON)
    assert batch.status_code == 200
    (said,) = map(json.loads, batch.text.splitlines())
    assert said["error"]["code"] == answer.json["error"]["code"]
    assert "secret" not in batch.text


# Batches


def _lines(*lines: dict[str, Any] | str) -> bytes:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    return "\n".join(texts).encode()


def batch(client: FlaskClient, *lines: dict[str, Any] | str) -> list[dict[str, Any]]:
    answer = client.post(BATCH, data=_lines(*lines), headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_batch_answers_per_line(written: FlaskClient, picture: bytes) -> None:
    said = batch(
        written,
        {"op": "put", "id": "n1", "title": "N", "image_base64": [in_base64(picture)]},
        "no json",
        {"op": "patch", "id": "n1", "price": 3.5, "attributes": {"a": 1}},
        {"op": "swap", "id": "n1"},
        {"id": "n1"},
        {"op": "put", "id": "bare"},
        {"op": "put", "id": "bad", "image_base64": "AAAA"},
        {"op": "put", "id": "a/b", "image_base64": in_base64(picture)},
        {"op": "delete", "id": "nobody"},
        {"op": "delete", "id": "bags:00.png"},
        {"op": "delete", "id": "bags:00.png", "more": 1},
        "[]",
    )
    assert [one["line"] for one in said] == list(range(1, 13))
    told = [one.get("outcome") or one["error"]["code"] for one in said]
    assert told == [
        "created",
        "malformed_body",
        "patched",
        "invalid_request",
        "invalid_request",
        "invalid_request",
        "unsupported_type",
        "invalid_request",
        "listing_not_found",
        "removed",
        "invalid_request",
        "invalid_request",
    ]
    assert all({"code", "message", "hint"} == one["error"].keys() for one in said if "error" in one)
    assert said[0] == {"line": 1, "id": "n1", "outcome": "created"}
    ids = ["n1", None, "n1", "n1", "n1", "bare", "bad", None, "nobody", *2 * ["bags:00.png"], None]
    assert [one.get("id") for one in said] == ids
    shown = written.get(f"{LISTINGS}/n1").json
    assert (shown["title"], shown["price"], shown["attributes"]) == ("N", 3.5, {"a": 1})
    ids = found(written, picture)
    assert ids[0] == "n1"
    assert "bags:00.png" not in ids


def test_a_long_batch(written: FlaskClient) -> None:
    lines = [{"op": "patch", "id": "bags:00.png", "title": f"T{n}"} for n in range(MAX_LINES)]
    said = batch(written, *lines)
    assert [one["line"] for one in said] == list(range(1, MAX_LINES + 1))
    assert {one["outcome"] for one in said} == {"patched"}
    assert written.get(f"{LISTINGS}/bags:00.png").json["title"] == f"T{MAX_LINES - 1}"
    answer = written.post(BATCH, data=_lines(*lines, lines[0]) + b"\n\n", headers=NDJSON)
    assert code(answer) == (413, "body_too_large")
    assert batch(written) == []
    answer = written.post(BATCH, data=_lines(lines[0]), content_type="application/json")
    assert code(answer) == (415, "unsupported_media_type")


def test_the_document_has_it_all(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").json
    listing = document["paths"]["/api/v1/listings/{listing_id}"]
    assert set(listing) == {"get", "put", "patch", "delete"}
    assert {"200", "201", "403", "413", "507"} <= set(listing["put"]["responses"])
    line = document["components"]["schemas"]["BatchLine"]
    assert set(line["discriminator"]["mapping"]) == {"put", "patch", "delete"}
    files = document["components"]["schemas"]["ListingForm"]["properties"]["image"]["items"]
    assert (files["type"], files["format"]) == ("string", "binary")


def test_an_id_that_is_no_utf8(written: FlaskClient) -> None:
    answer = written.delete("/api/v1/listings/%E9")
    assert answer.status_code in (404, 422)
    answer = written.put("/api/v1/listings/%E9", json={"title": "x"})
    assert answer.status_code == 422
    assert "UTF-8" in answer.json["error"]["message"]


def test_a_body_of_another_type_is_not_said_to_be_wrong(written: FlaskClient) -> None:
    for method, path in (("PATCH", f"{LISTINGS}/a"), ("POST", BATCH)):
        response = written.open(path, method=method, data=b"x", content_type="text/plain")
        assert response.status_code == 415
        assert response.json["error"]["message"] == "A body of type text/plain is not taken here."


def test_what_cannot_be_an_id_says_what_can(written: FlaskClient) -> None:
    response = written.put(f"{LISTINGS}/{'x' * 201}", json={})
    assert response.status_code == 422
    assert "1 to 200 characters" in response.json["error"]["hint"]
