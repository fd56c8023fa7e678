"""Pages of other sites that ask the API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from indexer.errors import UsageError
from tests.web.conftest import Client, FakeEngine
from tests.web.keyed import bearer, key_for
from tests.web.living import served
from web.access.key_shape import SHAPE
from web.app import create_app
from web.settings import Settings

SHOP = "https://shop.example"
ALLOWED = "Access-Control-Allow-Origin"
LISTING = "/api/v1/listings/p1"

Make = Callable[..., tuple[Settings, FlaskClient]]


@pytest.fixture
def make(tmp_path: Path, engine: FakeEngine) -> Make:
    def made(cors_origins: str, **given: object) -> tuple[Settings, FlaskClient]:
        settings = Settings(index=tmp_path / "index", cors_origins=cors_origins, **given)  # type: ignore[arg-type]
        app = create_app(settings, engine=engine)
        app.test_client_class = Client
        return settings, app.test_client()

    return made


def names(said: str) -> set[str]:
    return {name.strip().lower() for name in said.split(",")}


def test_none_may_unless_they_are_named(client: FlaskClient) -> None:
    answer = client.get(LISTING, headers={"Origin": SHOP})
    assert answer.status_code == 200  # its browser lets no page read it
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert ALLOWED not in client.options(LISTING, headers={"Origin": SHOP}).headers


def test_those_that_are_named_may_read(make: Make) -> None:
    _, client = make(f"{SHOP}, http://localhost:5173")
    for origin in (SHOP, "http://localhost:5173"):
        answer = client.get(LISTING, headers={"Origin": origin})
        assert answer.headers[ALLOWED] == origin
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "origin" in names(answer.headers["Vary"])
        assert names(answer.headers["Access-Control-Expose-Headers"]) == {
            "etag",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "retry-after",
            "server-timing",
            "x-request-id",
        }


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example",
        "https://shop.example:8443",
        "https://shopXexample",
        "https://a.shop.example",
        "https://shop.example.evil.example",
        "null",
    ],
)
def test_no_others(make: Make, origin: str) -> None:
    _, client = make(SHOP)
    assert ALLOWED not in client.get(LISTING, headers={"Origin": origin}).headers


def test_errors_can_be_read_too(make: Make, engine: FakeEngine) -> None:
    _, client = make(SHOP)
    asked = {"headers": {"Origin": SHOP}}
    assert client.get("/api/v1/listings/nobody", **asked).headers[ALLOWED] == SHOP
    assert client.get("/api/v1/nowhere", **asked).headers[ALLOWED] == SHOP
    engine.failure = RuntimeError("broken")
    failed = client.post("/api/v1/search", json={"listing_id": "p1"}, **asked)
    assert (failed.status_code, failed.headers[ALLOWED]) == (500, SHOP)


def test_only_the_api(make: Make) -> None:
    _, client = make("*")
    for path in ("/", "/listings/p1", "/sign-in", "/admin", "/metrics", "/static/app.css"):
        assert ALLOWED not in client.get(path, headers={"Origin": SHOP}).headers


def test_all_may_where_all_are_named(make: Make) -> None:
    _, client = make("*")
    answer = client.get(LISTING, headers={"Origin": SHOP})
    assert answer.headers[ALLOWED] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/search"),
        ("PUT", LISTING),
        ("PATCH", LISTING),
        ("DELETE", LISTING),
        ("POST", "/api/v1/listings:batch"),
    ],
)
def test_a_browser_may_ask_beforehand_without_a_key(make: Make, method: str, path: str) -> None:
    settings, client = make(SHOP, reads="keys")
    key_for(settings, "write")
    answer = client.options(
        path,
        headers={
            "Origin": SHOP,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, x-request-id, cookie",
        },
    )
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == SHOP
    assert method.lower() in names(answer.headers["Access-Control-Allow-Methods"])
    sent = names(answer.headers["Access-Control-Allow-Headers"])
    assert sent == {"authorization", "content-type", "x-request-id"}
    assert int(answer.headers["Access-Control-Max-Age"]) >= 600


def test_a_page_with_a_key_of_its_own_may_write(make: Make) -> None:
    settings, client = make(SHOP)
    page = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}
    key = key_for(settings, "write")
    # The engine of the tests writes nothing, so it is past the door that one is told so.
    refused = client.delete(LISTING, headers=page)
    assert refused.status_code == 401
    assert refused.headers[ALLOWED] == SHOP
    taken = client.delete(LISTING, headers={**page, **bearer(key)})
    assert taken.status_code not in (401, 403)


def test_a_page_of_another_site_may_not_use_who_is_signed_in(make: Make) -> None:
    settings, client = make(SHOP)
    key = key_for(settings, "write")
    assert SHAPE.fullmatch(key)
    assert client.post("/sign-in", data={"key": key}).status_code == 303
    page = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}
    assert client.delete(LISTING, headers=page).status_code == 403


def test_nearness_alone_lets_no_page_of_another_site_write(make: Make) -> None:
    _, client = make(SHOP)
    page = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}
    assert client.delete(LISTING, headers=page, base_url="http://127.0.0.1").status_code == 403


class Shop(BaseHTTPRequestHandler):
    """A page of another site."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"A shop.")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


@pytest.fixture
def api(make: Make, shop: int) -> Iterator[tuple[str, Settings]]:
    """Serve from a thread."""
    settings, client = make(f"http://localhost:{shop}")
    with served(client.application, settings, threads=2) as url:
        yield url, settings


def test_a_real_browser_lets_the_page_ask(
    browser: Browser, shop: int, api: tuple[str, Settings]
) -> None:
    at, settings = api
    key = key_for(settings, "write")
    page = browser.new_page()
    ask = """async ([url, method, key]) => {
        const headers = { "X-Request-ID": "from-a-page" };
        if (key) headers.Authorization = `Bearer ${key}`;
        try {
            const answer = await fetch(url, { method, headers });
            const told = ["X-Request-ID", "Server-Timing"].map((name) => answer.headers.get(name));
            return [answer.status, (await answer.json()).error?.code ?? "", ...told];
        } catch (error) {
            return [error.name];
        }
    }"""
    url = at + LISTING
    page.goto(f"http://localhost:{shop}/")
    status, code, name, timing = page.evaluate(ask, [url, "GET", ""])
    assert (status, code, name) == (200, "", "from-a-page")
    assert "dur=" in timing
    assert page.evaluate(ask, [url, "DELETE", ""])[:2] == [401, "unauthorized"]
    # The engine of the tests writes nothing; that one is told so is past the door.
    assert page.evaluate(ask, [url, "DELETE", key])[:2] == [503, "index_not_ready"]
    page.goto(f"http://127.0.0.1:{shop}/")
    assert page.evaluate(ask, [url, "GET", ""]) == ["TypeError"]
    page.close()


@pytest.mark.parametrize(
    "said",
    ["shop.example", "https://*.shop.example", "https://shop.example/path", "ftp://a", "a b"],
)
def test_what_is_no_origin_is_refused(make: Make, said: str) -> None:
    with pytest.raises(UsageError, match="cors_origins"):
        make(said)


@pytest.mark.parametrize("said", ["none", "", " none "])
def test_none_is_none(make: Make, said: str) -> None:
    _, client = make(said)
    assert ALLOWED not in client.get(LISTING, headers={"Origin": SHOP}).headers
