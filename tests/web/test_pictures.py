"""Thumbnails and previews."""

from __future__ import annotations

import io
import logging

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.web.conftest import SECRET, FakeEngine, drawn
from web.answers.headers import FOREVER


def test_a_thumbnail_is_kept_forever(client: FlaskClient, engine: FakeEngine) -> None:
    key = engine.keys["p1"][0]
    response = client.get(f"/thumbnails/{key}.jpg")
    assert response.mimetype == "image/jpeg"
    assert response.headers["Cache-Control"] == FOREVER
    assert response.headers["ETag"] == f'"{key}"'
    again = client.get(f"/thumbnails/{key}.jpg", headers={"If-None-Match": f'"{key}"'})
    assert (again.status_code, again.data) == (304, b"")
    assert client.head(f"/thumbnails/{key}.jpg").status_code == 200


@pytest.mark.parametrize("key", ["ab", "ABCDEF", "..%2fx", "x", "%00"])
def test_a_thumbnail_that_is_not_there(client: FlaskClient, key: str) -> None:
    response = client.get(f"/thumbnails/{key}.jpg")
    assert response.status_code == 404
    assert "immutable" not in response.headers["Cache-Control"]


def test_a_preview_is_a_jpeg_of_bounded_size(
    client: FlaskClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "picture", lambda *_: drawn((9, 9, 9), (2000, 1500)))
    response = client.get("/listings/p1/pictures/0")
    assert response.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(response.data)).size == (1200, 900)
    tag = response.headers["ETag"]
    again = client.get("/listings/p1/pictures/0", headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_a_preview_that_cannot_be_made_is_a_thumbnail(
    client: FlaskClient,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(engine, "picture", lambda *_: b"damaged")
    with caplog.at_level(logging.WARNING):
        response = client.get("/listings/p1/pictures/0")
    assert response.headers["Location"] == f"/thumbnails/{engine.keys['p1'][0]}.jpg"
    assert "No preview" in caplog.text


def test_a_preview_of_what_is_not_there(client: FlaskClient) -> None:
    for path in ("/listings/p1/pictures/1", "/listings/p1/pictures/x", "/listings/no/pictures/0"):
        assert client.get(path).status_code == 404
    gone = client.get("/listings/gone/pictures/0")
    assert gone.status_code == 404
    assert SECRET not in gone.text
