"""The strip of similar listings in the pages of other sites."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from indexer.errors import QueryError, UsageError
from tests.e2e.conftest import OUTPUT
from tests.web.browsing import until
from tests.web.conftest import FakeEngine
from web.app import create_app
from web.pages.strip import frame_ancestors
from web.settings import Settings

ROOT = Path(__file__).parent.parent.parent

PRODUCT_PAGE = """<!doctype html><html lang="en"><head><title>A shop</title>
<style>body {{ background: {ground}; }}</style></head><body><h1>A product of another site</h1>
<div id="here"></div><script src="{server}/static/strip.js" data-listing="{listing}" {more} async>
</script><p id="after">What comes after it.</p></body></html>"""


def allow(app: Flask, origins: str) -> None:
    settings = app.extensions["lookalike.settings"]
    app.extensions["lookalike.settings"] = replace(settings, embed_origins=origins)


@pytest.mark.parametrize(
    ("origins", "policy"),
    [
        ("none", "'none'"),
        ("", "'none'"),
        ("*", "*"),
        ("https://shop.example", "https://shop.example"),
        ("https://a.example, http://*.b.example:8080", "https://a.example http://*.b.example:8080"),
    ],
)
def test_origins_as_a_policy_names_them(origins: str, policy: str) -> None:
    assert frame_ancestors(origins) == policy


@pytest.mark.parametrize(
    "origins", ["shop.example", "https://shop.example/path", "https://a; script-src *", "'self'"]
)
def test_what_is_no_origin_stops_the_server(origins: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no origin"):
        create_app(Settings(index=tmp_path, embed_origins=origins), engine=FakeEngine({}))


def test_it_is_framed_by_nobody_unless_told(client: FlaskClient, app: Flask) -> None:
    closed = client.get("/strip/p1")
    assert closed.status_code == 200
    assert "frame-ancestors 'none'" in closed.headers["Content-Security-Policy"]
    allow(app, "https://shop.example")
    opened = client.get("/strip/p1")
    policy = opened.headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://shop.example")
    assert "unsafe" not in policy
    assert "X-Frame-Options" not in opened.headers
    # And nothing else is opened with it.
    for path in ("/", "/listings/p1", "/like?like=p1", "/strip"):
        other = client.get(path)
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
        assert other.headers["X-Frame-Options"] == "DENY"


def test_it_sets_no_cookie(client: FlaskClient) -> None:
    answer = client.get("/strip/p1?language=ja&lang=xx")
    assert "Set-Cookie" not in answer.headers
    assert '<html lang="ja"' in answer.text
    assert '<html lang="en"' in client.get("/strip/p1").text


def test_links_lead_to_the_shop_or_to_the_listing_here(
    client: FlaskClient, engine: FakeEngine
) -> None:
    strip = client.get("/strip/p11?count=24").text
    assert 'href="https://shop.example/r" target="_top" rel="noopener"' in strip
    assert 'href="/listings/p1" target="_top" rel="noopener"' in strip
    assert "javascript:" not in strip
    assert "<script>alert" not in strip
    assert engine.asked is not None
    assert engine.asked.fold


@pytest.mark.parametrize(("asked", "given"), [("", 6), ("3", 3), ("0", 1), ("99", 23), ("x", 6)])
def test_how_many(client: FlaskClient, asked: str, given: int) -> None:
    assert client.get(f"/strip/p1?count={asked}").text.count("<li>") == given


@pytest.mark.parametrize(("asked", "given"), [("dark", "dark"), ("", "auto"), ('"><b>', "auto")])
def test_themes(client: FlaskClient, asked: str, given: str) -> None:
    answer = client.get("/strip/p1", query_string={"theme": asked})
    assert f'data-theme="{given}"' in answer.text


def test_what_has_nothing_to_show_is_empty(client: FlaskClient, engine: FakeEngine) -> None:
    missing = client.get("/strip/none")
    assert missing.status_code == 404
    assert "<main" not in missing.text
    assert missing.headers["Cache-Control"] == "no-store"
    engine.failure = QueryError("It has no picture that could be searched with.")
    compared = client.get("/strip/gone")
    assert compared.status_code == 200
    assert "<main" not in compared.text


def test_the_documentation_says_how(app: Flask) -> None:
    said = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    assert 'static/strip.js" data-listing=' in said
    assert "LOOKALIKE_EMBED_ORIGINS" in said
    script = (ROOT / "web" / "static" / "strip.js").read_text(encoding="utf-8")
    for name in ("count", "theme", "language", "into", "title"):
        assert f"`data-{name}`" in said
        assert name in script


# ---- in a browser, in the page of another site ----


class Shop(ThreadingHTTPServer):
    """Another site, on a port of its own; answers with the page that it was given."""

    page = ""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            assert isinstance(self.server, Shop)
            self.wfile.write(self.server.page.encode())

        def log_message(self, *args: object) -> None:
            pass

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(("127.0.0.1", 0), Shop.Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_of_another_site_shows_it(
    app: Flask, browser: Browser, address: tuple[str, int], shop: Shop, width: int
) -> None:
    server = "http://{}:{}".format(*address)
    allow(app, shop.origin)
    shop.page = PRODUCT_PAGE.format(server=server, listing="p1", more="", ground="#101010")
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{shop.origin}/product")
    frame = page.frame_locator("iframe[title='Similar listings']")
    expect(frame.get_by_role("link")).to_have_count(6)
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    until(page, "document.querySelector('iframe').offsetHeight > 150")
    inner = frame.locator("body").evaluate("body => Math.ceil(body.getBoundingClientRect().height)")
    assert page.locator("iframe").evaluate("frame => frame.offsetHeight") == inner
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    # What another frame or page says of a height is of no account.
    page.evaluate("postMessage({ lookalike: 'strip', height: 9999 }, '*')")
    assert context.cookies() == []
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{width}-strip.png")
    assert page.locator("iframe").evaluate("frame => frame.offsetHeight") == inner
    frame.get_by_role("link").first.click()
    page.wait_for_url(f"{server}/listings/*")
    assert not complaints
    context.close()


@pytest.mark.browser
def test_where_it_is_not_allowed_it_takes_no_room(
    app: Flask, browser: Browser, address: tuple[str, int], shop: Shop
) -> None:
    server = "http://{}:{}".format(*address)
    more = 'data-into="#here" data-theme="light" data-count="3"'
    page = browser.new_page()
    for origins, listing in (("https://shop.example", "p1"), (shop.origin, "none")):
        allow(app, origins)
        shop.page = PRODUCT_PAGE.format(server=server, listing=listing, more=more, ground="#fff")
        page.goto(f"{shop.origin}/product", wait_until="networkidle")
        assert page.locator("#here iframe").evaluate("frame => frame.offsetHeight") <= 1
    page.close()
