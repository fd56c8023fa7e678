"""The web server over Milvus: it keeps nothing, and waits for a Milvus that is lost."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from search.milvus import MilvusEngine
from tests.milvus.server import wait_until
from web.app import create_app
from web.settings import Settings


@pytest.fixture(scope="module")
def app(shop, tmp_path_factory):
    keys = tmp_path_factory.mktemp("web") / "keys.json"
    made = create_app(Settings(index=Path(shop.address), keys=keys))
    made.testing = True
    yield made
    made.extensions["lookalike.engine"].close()


def test_page_and_api(app, shop):
    client = app.test_client()
    assert client.get("/ready").status_code == 200
    photo = {"image": (io.BytesIO(shop.photo(3).read_bytes()), "3.png"), "k": "5"}
    answer = client.post("/api/v1/search", data=photo).get_json()
    assert answer["hits"][0]["listing"]["id"] == "l3"
    assert len(answer["hits"]) == 5
    more = client.post("/api/v1/search", json={"cursor": answer["next_cursor"]}).get_json()
    ids = [hit["listing"]["id"] for hit in answer["hits"] + more["hits"]]
    assert len(ids) == len(set(ids)) == 10
    assert client.get("/api/v1/listings/l7/similar?filter=category:bags").status_code == 200
    assert client.get(answer["hits"][0]["listing"]["thumbnail_url"]).mimetype == "image/jpeg"
    assert client.get("/api/v1/status").get_json()["vectors"] == 72
    assert b"Product" in client.get("/").data
    page = client.get("/listings/l8/similar")
    assert page.status_code in (200, 404)
    assert client.get("/metrics").status_code == 200


def test_a_write_is_seen_by_another_server(app, shop):
    client = app.test_client()
    path = "/api/v1/listings/from-api"
    photo = {"image": (io.BytesIO(shop.photo(11).read_bytes()), "x.png"), "price": "77"}
    assert client.put(path, data=photo).status_code == 201
    try:
        other = create_app(Settings(index=Path(shop.address)))
        found = other.test_client().get("/api/v1/listings/l11/similar?filter=price:77")
        assert [hit["listing"]["id"] for hit in found.get_json()["hits"]][:1] == ["from-api"]
        other.extensions["lookalike.engine"].close()
        assert client.patch(path, json={"price": 78}).status_code == 200
        assert client.get(path).get_json()["price"] == 78
    finally:
        assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404


def test_a_lost_milvus_comes_back_by_itself(app, shop):
    client = app.test_client()
    assert client.get("/ready").status_code == 200
    shop.server.stop()
    try:
        started = time.monotonic()
        wait_until(lambda: client.get("/ready").status_code == 503)
        assert time.monotonic() - started < 30
        for path in ("/ready", "/api/v1/listings/l7/similar"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.get_json()["error"]["code"] == "store_unavailable"
        assert client.get("/health").status_code == 200
    finally:
        shop.server.start()
    wait_until(lambda: client.get("/ready").status_code == 200)
    wait_until(lambda: client.get("/api/v1/listings/l7/similar").status_code == 200)
    assert isinstance(app.extensions["lookalike.engine"].engine, MilvusEngine)
