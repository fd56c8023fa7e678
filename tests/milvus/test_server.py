"""The web server over Milvus: it keeps nothing, and follows what becomes of the index there."""

from __future__ import annotations

import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.push import push
from indexer.milvus.rows import picture_number
from indexer.operations import Patch
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


def test_an_index_that_is_gone_and_one_made_anew_with_another_network(shop, tmp_path):
    """What happens when Milvus itself is lost is in tests/e2e/test_milvus.py."""
    index = shop.server.address("anew")
    push(shop.index, Address.parse(index))
    with closing(Milvus(Address.parse(index))) as milvus:
        app = create_app(Settings(index=Path(index)))
        client = app.test_client()
        assert client.get("/ready").status_code == 200
        for name in milvus.list_collections():
            if name.startswith("anew"):
                milvus.drop_collection(name)
        wait_until(lambda: client.get("/ready").status_code == 503)
        assert client.get("/ready").get_json()["error"]["code"] == "index_not_ready"
    folder = tmp_path / "index"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    card = json.loads((folder / "network.json").read_bytes())
    (folder / "network.json").write_text(json.dumps({**card, "name": "new", "sha256": "1" * 64}))
    push(folder, Address.parse(index))
    wait_until(lambda: client.get("/ready").status_code == 200)
    assert client.get("/api/v1/status").get_json()["network"]["name"] == "new"
    assert client.get("/api/v1/listings/l7/similar").status_code == 200
    app.extensions["lookalike.engine"].close()


def test_writes_to_one_listing_take_turns(app, shop):
    """Each adds an attribute to what it reads, and none takes back another's."""
    path = "/api/v1/listings/l30"
    with ThreadPoolExecutor(6) as writers:
        answers = writers.map(
            lambda n: app.test_client().patch(path, json={"attributes": {f"turn {n}": n}}), range(6)
        )
        assert {answer.status_code for answer in answers} == {200}
    attributes = app.test_client().get(path).get_json()["attributes"]
    assert {f"turn {n}" for n in range(6)} <= set(attributes)


def test_a_removal_that_was_cut_short_is_completed(app, shop):
    engine = app.extensions["lookalike.engine"].get()
    client = app.test_client()
    photo = shop.photo(41).read_bytes()
    path = "/api/v1/listings/half"
    assert client.put(path, data={"image": (io.BytesIO(photo), "x.png")}).status_code == 201
    # As if whoever removed it had been stopped before the listing itself was gone.
    engine.writer(engine.limits)._store._delete(None, [picture_number("half", 0)])
    assert client.patch(path, json={"price": 3}).status_code == 404
    assert client.put(path, data={"image": (io.BytesIO(photo), "x.png")}).status_code == 200
    assert client.get(f"{path}/similar").status_code == 200
    engine.writer(engine.limits)._store._delete(None, [picture_number("half", 0)])
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404


def test_one_line_of_a_batch_that_is_too_large_fails_alone(app, shop):
    engine = app.extensions["lookalike.engine"].get()
    many = {f"a{n}": [f"{n} {m} " + "x" * 200 for m in range(60)] for n in range(4)}
    large, small = engine.writer(engine.limits).write(
        [Patch("l31", {}, many), Patch("l32", {"price": 1234})]
    )
    assert isinstance(large, UsageError)
    assert small.outcome == "patched"
