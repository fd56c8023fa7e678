"""Why a hit was found by a picture that was searched with by its address."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web.errors import FetchRefused

EXPLAIN = "/api/v1/explain"
URL = "https://shop.example/a.jpg"
FORM = "multipart/form-data"


class OnePicture:
    """Has a picture under one address."""

    max_bytes = 200_000

    def __init__(self, photo: bytes) -> None:
        self.photo = photo

    def fetch(self, url: str, **_: object) -> bytes:
        if url != URL:
            raise FetchRefused("That is no place on the open internet.")
        return self.photo


@pytest.fixture(autouse=True)
def _fetching(app: Flask, photo: bytes) -> Iterator[None]:
    app.extensions["lookalike.fetcher"] = OnePicture(photo)
    yield


def test_the_api_says_of_an_address_what_it_says_of_its_photo(
    client: FlaskClient, photo: bytes
) -> None:
    by_url = client.post(EXPLAIN, json={"image_url": URL, "listing_id": "p3"})
    sent = {"image": (io.BytesIO(photo), "a.jpg"), "listing_id": "p3"}
    assert by_url.status_code == 200
    assert by_url.json == client.post(EXPLAIN, data=sent).json


def test_a_part_of_it(client: FlaskClient) -> None:
    whole = {"image_url": URL, "listing_id": "p3"}
    part = {**whole, "region": [0.0, 0.0, 0.3, 0.3]}
    assert client.post(EXPLAIN, json=part).json != client.post(EXPLAIN, json=whole).json


def test_one_of_them(client: FlaskClient) -> None:
    both = {"image_url": URL, "query_listing_id": "p1", "listing_id": "p3"}
    assert client.post(EXPLAIN, json=both).status_code == 422
    elsewhere = {"image_url": "http://10.0.0.1/", "listing_id": "p3"}
    assert client.post(EXPLAIN, json=elsewhere).json["error"]["code"] == FetchRefused.code


def test_the_page_does_the_same(client: FlaskClient, photo: bytes) -> None:
    by_url = client.post("/why", data={"image_url": URL, "listing_id": "p3"}, content_type=FORM)
    sent = {"image": (io.BytesIO(photo), "a.jpg"), "listing_id": "p3"}
    assert by_url.status_code == 200
    assert by_url.text == client.post("/why", data=sent).text


def test_where_the_server_fetches_nothing_it_says_so(app: Flask, client: FlaskClient) -> None:
    app.extensions["lookalike.fetcher"] = None
    answer = client.post(EXPLAIN, json={"image_url": URL, "listing_id": "p3"})
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "url_search_disabled")
    page = client.post("/why", data={"image_url": URL, "listing_id": "p3"}, content_type=FORM)
    assert page.status_code == 422
