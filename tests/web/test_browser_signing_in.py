"""Signing in, in a real browser: with the keyboard, from a link elsewhere, and out again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.web.browsing import keep, no_violations
from tests.web.conftest import FakeEngine
from tests.web.keyed import key_for
from web.access.keys import Scope
from web.app import create_app
from web.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, reads="keys")


@pytest.fixture
def app(settings: Settings, engine: FakeEngine) -> Flask:
    return create_app(settings, engine=engine)


@pytest.fixture
def elsewhere(address: tuple[str, int]) -> Iterator[str]:
    """Another site, with a link to here."""

    class Linking(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write('<a href="http://{}:{}/listings/p1">go</a>'.format(*address).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Linking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_in_and_out(page: Page, settings: Settings, colours: str) -> None:
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    key = key_for(settings, "read")
    page.goto("/listings/p1")
    keep(page, f"sign-in-{colours}")
    page.keyboard.type("lk_wrong")  # the field has the focus
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This key is unknown")
    expect(page.get_by_label("Key")).to_be_focused()
    no_violations(page)
    keep(page, f"sign-in-wrong-{colours}")
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/listings/p1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Product 1")
    assert key[12:] not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    keep(page, f"signed-in-{colours}")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in?next=/")
    page.goto("/listings/p1")
    expect(page.get_by_label("Key")).to_be_visible()


@pytest.mark.parametrize("scope", ["admin", "write"])
def test_only_an_admin_is_led_to_administration(
    page: Page, settings: Settings, scope: Scope
) -> None:
    key = key_for(settings, scope)
    page.goto("/")
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Admin")
    if scope != "admin":
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(link).to_have_count(0)
        return
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Administration")
    expect(link).to_have_attribute("aria-current", "page")
    # All of the header is in one line, on a phone too.
    tops = page.locator(".top :is(.brand, .button)").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map((box) => box.y + box.height / 2)"
    )
    assert max(tops) - min(tops) < 2
    keep(page, "admin-link")


def test_a_link_from_elsewhere(page: Page, settings: Settings, elsewhere: str) -> None:
    key = key_for(settings, "read")
    page.goto("/listings/p1")
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Product 1")
    other = page.context.new_page()
    other.goto(elsewhere)
    other.get_by_role("link").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Product 1")
    other.close()
