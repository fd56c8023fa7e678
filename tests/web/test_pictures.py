"""Thumbnails and previews."""

from __future__ import annotations

import io
import logging
import re

import pytest
from flask.testing import FlaskClient
from PIL import Image

from indexer.pictures import THUMBNAIL_SIDE, prepare, to_jpeg
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


@pytest.mark.parametrize(("side", "progressive"), [(2000, True), (401, True), (400, False)])
def test_a_preview_comes_whole_and_coarse_first_where_it_is_large(
    client: FlaskClient,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    side: int,
    progressive: bool,
) -> None:
    monkeypatch.setattr(engine, "picture", lambda *_: drawn((9, 9, 9), (side, side // 2)))
    preview = Image.open(io.BytesIO(client.get("/listings/p1/pictures/0").data))
    assert bool(preview.info.get("progressive")) is progressive
    assert preview.size == (min(side, 1200), min(side, 1200) // 2)


def test_thumbnails_are_made_as_ever(photo: bytes) -> None:
    """They are kept by what they are of: another way to make them would leave two of each."""
    picture = Image.open(io.BytesIO(photo))
    before = io.BytesIO()
    picture.save(before, "JPEG", quality=82, comment=b"")
    assert prepare(photo, thumbnail=True).thumbnail == before.getvalue()
    assert to_jpeg(picture, THUMBNAIL_SIDE, 82) == before.getvalue()


@pytest.mark.parametrize(
    "path", ["/", "/listings/p1", "/listings/remote", "/like?like=p1&unlike=p2"]
)
def test_room_is_kept_for_every_picture(client: FlaskClient, path: str) -> None:
    pictures = re.findall(r"<img [^>]*>", client.get(path).text)
    assert len(pictures) > 10
    for picture in pictures:
        empty = "src=" not in picture  # the photo of a search to come, sized by the script
        assert empty or re.search(r'width="\d+" height="\d+"', picture), picture


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
