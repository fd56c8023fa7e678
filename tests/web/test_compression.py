"""Answers on their way: smaller, and not sent twice."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest
from flask.testing import FlaskClient

from web.pages.urls import STATIC, static_version

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def http(address: tuple[str, int]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url="http://{}:{}".format(*address)) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/openapi.json", "/static/app.css", "/api/v1/listings/p1/similar"]
)
def test_text_is_compressed_for_who_can_read_that(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path), client.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]
    if "similar" not in path:  # it tells how long it took
        assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert packed.content_length == len(packed.data)


@pytest.mark.parametrize("path", ["/health", "/listings/p1/pictures/0", "/nowhere"])
def test_little_and_pictures_and_errors_are_not(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


@pytest.mark.parametrize("way", ["zstd", "br", "gzip"])
@pytest.mark.parametrize(
    "path", ["/static/app.css", "/api/v1/openapi.json", "/api/v1/status", "/api/v1/listings/p1"]
)
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, way: str, path: str) -> None:
    ways = {"Accept-Encoding": way}
    first = client.get(path, headers=ways)
    assert first.headers["ETag"]
    again = client.get(path, headers={**ways, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    other = client.get(path, headers={**ways, "If-None-Match": '"something else"'})
    assert other.status_code == 200


def test_a_part_of_a_file_is_a_part_of_the_whole(client: FlaskClient) -> None:
    part = client.get("/static/app.css", headers={**GZIP, "Range": "bytes=0-2999"})
    assert part.status_code == 206
    assert part.data == (STATIC / "app.css").read_bytes()[:3000]


def test_the_connection_goes_on_after_a_file(http: httpx.Client) -> None:
    url = f"/static/app.css?v={static_version('app.css')}"
    for _ in range(2):
        answer = http.get(url, headers=GZIP)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Connection" not in answer.headers
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.text == (STATIC / "app.css").read_text()


def test_every_answer_of_the_api_says_how_long_it_took(
    client: FlaskClient, http: httpx.Client
) -> None:
    for path in ("/api/v1/status", "/api/v1/listings/none", "/api/v1/nowhere"):
        assert client.get(path).headers["Server-Timing"].startswith("app;dur=")
    similar = "/api/v1/listings/p1/similar"
    assert "embed;dur=10.0" in client.get(similar).headers["Server-Timing"]
    said = http.get(similar).headers["Server-Timing"]
    assert [one.partition(";")[0] for one in said.split(", ")] == [
        *("decode", "embed", "search", "total", "queue", "app")
    ]
