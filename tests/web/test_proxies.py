"""Behind a proxy, and under a prefix."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from indexer.errors import UsageError
from tests.web.conftest import Client, FakeEngine
from tests.web.keyed import key_for
from tests.web.living import served
from web.access import scopes as access
from web.answers.proxies import without_prefix
from web.answers.wanted import FRAGMENT
from web.app import create_app
from web.settings import Settings

PREFIX = "/shop/look"

HTML = {"Accept": "text/html"}

URL = re.compile(r'\s(?:href|src|action|formaction|data-[a-z-]+)="(/[^"]*)"')

LISTING = "/api/v1/listings/p1"

Make = Callable[..., tuple[Settings, Flask, FlaskClient]]


@pytest.fixture
def make(tmp_path: Path, engine: FakeEngine) -> Make:
    def made(**given: Any) -> tuple[Settings, Flask, FlaskClient]:
        settings = Settings(index=tmp_path / "index", **given)
        app = create_app(settings, engine=engine)

        @app.get("/api/who")
        def who() -> Any:
            told = {"who": access.client(), "url": request.url_root, "secure": request.is_secure}
            return jsonify(told)

        app.view_functions["who"] = who
        app.test_client_class = Client
        return settings, app, app.test_client()

    return made


def told(answer: TestResponse) -> dict[str, Any]:
    assert answer.json is not None
    found: dict[str, Any] = answer.json
    return found


def asked(client: FlaskClient, at: str = "198.51.100.1", **forwarded: str) -> dict[str, Any]:
    """Ask who asks, through something at an address that says `forwarded`."""
    headers = {f"X-Forwarded-{name.title()}": value for name, value in forwarded.items()}
    return told(client.get("/api/who", headers=headers, environ_overrides={"REMOTE_ADDR": at}))


@pytest.fixture(autouse=True)
def _open_to_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access.NEEDED, "who", "open")


def test_nobody_is_believed_unless_they_are_counted(make: Make) -> None:
    _, _, client = make()
    said = asked(client, **{"for": "203.0.113.9"}, proto="https", host="shop.example", prefix="/x")
    assert said == {"who": "address:198.51.100.1", "url": "http://localhost/", "secure": False}


def test_one_proxy_is_believed(make: Make) -> None:
    _, _, client = make(proxies=1)
    said = asked(client, **{"for": "203.0.113.9"}, proto="https", host="shop.example")
    assert said == {
        "who": "address:203.0.113.9",
        "url": "https://shop.example/",
        "secure": True,
    }


@pytest.mark.parametrize(
    ("proxies", "said", "found"),
    [
        (1, "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 192.0.2.1, 203.0.113.9", "203.0.113.9"),
        (2, "127.0.0.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.1"),  # there is one proxy too few: nobody's word counts
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::/64"),
        (1, "2001:db8::1", "2001:db8::/64"),
        (1, "unknown", "198.51.100.1"),
        (1, "_hidden", "198.51.100.1"),
        (1, "", "198.51.100.1"),
    ],
)
def test_what_a_client_adds_is_not_looked_at(
    make: Make, proxies: int, said: str, found: str
) -> None:
    _, _, client = make(proxies=proxies)
    assert asked(client, **{"for": said})["who"] == f"address:{found}"


def test_a_client_chooses_no_scheme_and_no_prefix(make: Make) -> None:
    _, _, client = make(proxies=1)
    said = asked(client, proto="javascript", prefix="//evil.example")
    assert said["url"] == "http://localhost/"
    page = client.get("/", headers={"X-Forwarded-Prefix": "/evil"}).text
    assert "/evil" not in page


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_whoever_comes_through_a_proxy_is_not_on_this_machine(make: Make, proxies: int) -> None:
    """Without a key, that is all that tells who may write; a proxy's neighbour may not, either."""
    _, _, client = make(proxies=proxies)
    for said in ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9, 127.0.0.1", "::1", "what"):
        for at in ("127.0.0.1", "203.0.113.7"):
            through: dict[str, Any] = {
                "headers": {"X-Forwarded-For": said},
                "environ_overrides": {"REMOTE_ADDR": at},
            }
            assert client.delete(LISTING, **through).status_code == 403, (said, at)
            assert client.get("/metrics", **through).status_code == 403, (said, at)


def test_programs_on_this_machine_may_still_write(make: Make) -> None:
    _, _, client = make(proxies=1)
    near: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "127.0.0.1"}}
    assert client.delete(LISTING, **near).status_code != 403
    assert client.delete(LISTING).status_code != 403  # as the tests' client stands


def test_limits_are_those_of_the_client_behind_the_proxy(make: Make) -> None:
    _, _, client = make(proxies=1, rate_read="1 per minute")
    for address, status in (("203.0.113.1", 200), ("203.0.113.2", 200), ("203.0.113.1", 429)):
        answer = client.get(LISTING, headers={"X-Forwarded-For": f"127.0.0.1, {address}"})
        assert answer.status_code == status


def test_the_cookie_is_for_https_where_the_proxy_has_https(make: Make) -> None:
    settings, _, client = make(proxies=1, reads="keys")
    key = key_for(settings, "read")
    for proto, secure in (("https", True), ("http", False)):
        answer = client.post("/sign-in", data={"key": key}, headers={"X-Forwarded-Proto": proto})
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure


@pytest.mark.parametrize("stripped", [True, False])
def test_everything_is_under_the_prefix(make: Make, photo: bytes, stripped: bool) -> None:
    """Whether the proxy takes the prefix off or leaves it, every address that is told has it."""
    _, _, client = make(url_prefix=PREFIX)
    on = "" if stripped else PREFIX
    pages = [
        client.get(f"{on}/", headers=HTML).text,
        client.get(f"{on}/listings/p1", headers=HTML).text,
        client.get(f"{on}/listings/p1?filter=category:shoes", headers=HTML).text,
        client.get(f"{on}/map", headers=HTML).text,
        client.get(f"{on}/sign-in", headers=HTML).text,
        client.get(f"{on}/nowhere", headers=HTML).text,
        client.get(f"{on}/api/v1/docs", headers=HTML).text,
        client.get(f"{on}/strip/p1", headers=HTML).text,
        client.post(
            f"{on}/search", data={"image": (io.BytesIO(photo), "a.jpg")}, headers=HTML
        ).text,
    ]
    found = {html.unescape(url) for page in pages for url in URL.findall(page)}
    assert len(found) > 40
    assert [url for url in found if not url.startswith(f"{PREFIX}/")] == []
    shown = ("/static/", "/thumbnails/", "/listings/p3", "/api/v1/docs", "/map")
    for url in found:
        inner = url.removeprefix(PREFIX)
        if inner.startswith(shown) or inner == "/":
            assert client.get(on + inner, headers=HTML).status_code == 200, url


def test_both_ways_are_the_same_page(make: Make) -> None:
    _, _, client = make(url_prefix=PREFIX)
    pages = {client.get(path).text for path in (f"{PREFIX}/", PREFIX, "/")}
    assert len(pages) == 1
    assert client.get(f"{PREFIX}s/").status_code == 404  # another place that begins alike
    assert client.get("/shop/").status_code == 404


def test_the_api_is_under_the_prefix(make: Make, photo: bytes) -> None:
    _, _, client = make(url_prefix=PREFIX)
    form = {"image": (io.BytesIO(photo), "a.jpg"), "k": "2"}
    page = told(client.post(f"{PREFIX}/api/v1/search", data=form))
    for hit in page["hits"]:
        for name in ("thumbnail_url", "image_url"):
            url = hit["listing"][name]
            assert url.startswith((f"{PREFIX}/", "https://shop.example/"))
        assert client.get(hit["listing"]["thumbnail_url"]).status_code == 200
    listing = told(client.get(f"{PREFIX}/api/v1/listings/p1/similar"))
    assert listing["hits"]
    document = told(client.get(f"{PREFIX}/api/v1/openapi.json"))
    assert document["servers"][0]["url"] == PREFIX
    error = client.get(f"{PREFIX}/api/v1/nowhere")
    assert (error.status_code, told(error)["error"]["code"]) == (404, "not_found")


def test_signing_in_under_the_prefix(make: Make) -> None:
    settings, _, client = make(url_prefix=PREFIX, reads="keys")
    key = key_for(settings, "read")
    asked = client.get(f"{PREFIX}/listings/p1?filter=price:1..2", headers=HTML)
    assert asked.status_code == 303
    assert asked.location.startswith(f"{PREFIX}/sign-in?next=")
    form = client.get(asked.location, headers=HTML)
    following = re.search(r'name="next" value="([^"]*)"', form.text)
    assert following is not None
    assert following[1].startswith(f"{PREFIX}/listings/p1?")
    data = {"key": key, "next": html.unescape(following[1])}
    answer = client.post(f"{PREFIX}/sign-in", data=data)
    assert (answer.status_code, answer.location) == (303, data["next"])
    assert re.search(rf"Path={PREFIX}(;|$)", answer.headers["Set-Cookie"])
    assert client.get(f"{PREFIX}/", headers=HTML).status_code == 200
    assert client.post(f"{PREFIX}/sign-in", data={**data, "next": "/map"}).location == f"{PREFIX}/"
    out = client.post(f"{PREFIX}/sign-out")
    assert out.location == f"{PREFIX}/"
    assert re.search(rf"Path={PREFIX}(;|$)", out.headers["Set-Cookie"])
    assert client.get(f"{PREFIX}/", headers=HTML).status_code == 303


def test_the_language_is_remembered_under_the_prefix(make: Make) -> None:
    _, _, client = make(url_prefix=PREFIX)
    answer = client.get(f"{PREFIX}/?lang=ja")
    assert re.search(rf"Path={PREFIX}(;|$)", answer.headers["Set-Cookie"])
    assert '<html lang="ja"' in client.get(f"{PREFIX}/").text


def test_a_share_is_told_as_the_outside_has_it(make: Make, photo: bytes) -> None:
    settings, _, client = make(url_prefix=PREFIX, proxies=1)
    settings.index.mkdir()  # where what is shared is kept
    answer = client.post(
        f"{PREFIX}/share",
        data={"image": (io.BytesIO(photo), "a.jpg")},
        headers={
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
            FRAGMENT: "1",
        },
    )
    assert f"https://shop.example{PREFIX}/" in answer.text


@pytest.fixture
def outside(make: Make) -> Iterator[str]:
    """Serve under the prefix from a thread."""
    settings, app, _ = make(url_prefix=PREFIX, proxies=1)
    with served(app, settings, threads=2) as url:
        yield url


def test_a_real_request_under_the_prefix(outside: str) -> None:
    for start in (outside, outside + PREFIX):
        with urlopen(f"{start}/") as answer:
            page = answer.read().decode()
        style = re.findall(r'href="(/[^"]*/static/[^"]+\.css[^"]*)"', page)[0]
        assert style.startswith(f"{PREFIX}/static/")
        for url in (outside + style, outside + style.removeprefix(PREFIX)):
            with urlopen(url) as answer:
                assert answer.headers["Cache-Control"].endswith("immutable")
        with urlopen(f"{start}/api/v1/listings/p1") as answer:
            assert json.load(answer)["thumbnail_url"].startswith(f"{PREFIX}/")
        with urlopen(f"{start}/health") as answer:
            assert answer.status == 200


def test_a_search_in_a_browser_under_the_prefix(
    browser: Browser, outside: str, photo: bytes
) -> None:
    """What scripts ask for is under it, too."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    with page.expect_response(lambda answer: answer.request.method == "POST") as found:
        page.goto(f"{outside}{PREFIX}/")
        page.set_input_files(
            "#photo", files=[{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}]
        )
    assert found.value.status == 200
    expect(page.get_by_role("link", name="Product 9", exact=True)).to_be_visible()
    own = (f"{outside}{PREFIX}/", "blob:", "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    page.close()


@pytest.mark.parametrize("said", ["look", "/look/", "//evil.example", "/a b", "/..", "/a/../b"])
def test_what_is_no_path_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="url_prefix"):
        Settings(url_prefix=said)


@pytest.mark.parametrize("said", ["/api", "/static/files", "/listings", "/admin"])
def test_what_is_a_place_of_the_server_is_refused(make: Make, said: str) -> None:
    with pytest.raises(UsageError, match="url_prefix"):
        make(url_prefix=said)


def test_less_than_no_proxy_is_refused() -> None:
    with pytest.raises(UsageError, match="proxies"):
        Settings(proxies=-1)


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/look", "/"),
        ("/look/", "/"),
        ("/look/map", "/map"),
        ("/looks", "/looks"),
        ("/map", "/map"),
        ("/look/look", "/look"),
    ],
)
def test_the_prefix_is_taken_off_once(path: str, inner: str) -> None:
    assert without_prefix(path, "/look") == inner
    assert without_prefix(path, "") == path
