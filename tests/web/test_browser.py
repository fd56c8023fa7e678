"""The page with its script, in a real browser."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM
from tests.web.conftest import FakeEngine, drawn

pytestmark = pytest.mark.browser

PASTE = """photo => {
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "x.jpg", { type: "image/jpeg" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried }));
}"""

DRAG = """([event, type]) => {
    const carried = new DataTransfer();
    carried.items.add(new File(["text"], "x", { type }));
    const options = { dataTransfer: carried, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent(event, options));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("LOOKALIKE_REQUIRE_BROWSER"):
            pytest.fail("Chromium is not installed, and this run requires it.")
        pytest.skip("Chromium is not installed: run `make test` as root, or install it yourself.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(params=[1280, 390])
def context(
    browser: Browser, address: tuple[str, int], request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url="http://{}:{}".format(*address), viewport={"width": request.param, "height": 844}
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: tuple[str, int]) -> Iterator[Page]:
    """A page that may neither complain, nor ask anybody else, nor overflow its window."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))
    ours = ("http://{}:{}/".format(*address), "blob:", "data:")
    page.on("request", lambda asked: asked.url.startswith(ours) or complaints.append(asked.url))
    yield page
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    # Chromium itself reports answers of 400 and more.
    assert not [one for one in complaints if not one.startswith("Failed to load resource")]


def choose(page: Page, photo: bytes) -> None:
    file = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}
    page.set_input_files("#photo", files=[file], no_wait_after=True)


def test_a_chosen_photo_is_answered_in_place(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    title = page.locator("#results-title")
    expect(title).to_be_focused()
    expect(page.locator("#news")).to_have_text("24 listings found.")
    expect(page.locator("#searching")).to_be_hidden()
    expect(page.locator("#stage .asked img")).to_be_visible()
    choose(page, drawn((0, 0, 250)))  # and again
    expect(page.locator("#stage .results")).to_have_count(1)
    page.locator("#stage .more").first.click()
    page.wait_for_url("**/listings/*#similar")
    expect(page.locator("#listing-title")).to_be_attached()


def test_a_photo_is_pasted(page: Page, photo: bytes) -> None:
    page.goto("/")
    page.evaluate(PASTE, base64.b64encode(photo).decode())
    expect(page.locator("#results-title")).to_be_focused()


def test_a_drop_is_shown_and_its_kind_looked_at(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["dragenter", "text/plain"])
    expect(page.locator("#search.over")).to_be_visible()
    page.evaluate(DRAG, ["drop", "text/plain"])
    expect(page.locator("#search.over")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("That was not a photo.")


def test_what_is_no_picture_is_said_in_place(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["drop", "image/jpeg"])
    expect(page.get_by_role("alert")).to_contain_text("not a picture")


def test_a_photo_that_is_too_large_is_not_sent(page: Page) -> None:
    page.goto("/")
    page.route("**/search", lambda route: pytest.fail("It was sent."))
    choose(page, b"\xff" * 300_000)
    expect(page.get_by_role("alert")).to_contain_text("larger than")


def test_escape_cancels(page: Page, photo: bytes) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto("/")
    page.route("**/search", hold)
    choose(page, photo)
    expect(page.locator("#searching")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#searching")).to_be_hidden()
    expect(page.locator("#news")).to_have_text("Search cancelled.")
    expect(page.locator("#photo")).to_be_focused()


def test_a_server_that_is_gone_is_said(page: Page, photo: bytes) -> None:
    page.goto("/")
    page.route("**/search", lambda route: route.abort())
    choose(page, photo)
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")


def test_the_keyboard_leads_through(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#photo")).to_be_focused()


def test_the_documentation_is_shown(page: Page) -> None:
    page.goto("/api/v1/docs")
    document = page.request.get("/api/v1/openapi.json").json()
    operations = sum(len(methods) for methods in document["paths"].values())
    assert operations > 10
    expect(page.locator(".opblock")).to_have_count(operations)


def test_without_the_script(browser: Browser, address: tuple[str, int], photo: bytes) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/".format(*address))
    choose(page, photo)
    page.get_by_role("button", name="Find look-alikes").click()
    expect(page.locator("#found .card")).to_have_count(24)
    plain.close()


def test_why_is_shown_over_the_page(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    control = page.locator("button[data-why]").first
    control.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(control).to_be_focused()
    page.route("**/why", lambda route: route.abort())
    control.click()
    expect(dialog.get_by_role("alert")).to_contain_text("could not be reached")
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_why_between_listings(page: Page) -> None:
    page.goto("/listings/p1")
    page.locator("a[data-why]").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_have_count(2)
    dialog.get_by_role("link").first.click()
    page.wait_for_url("**/listings/p1")
    page.locator("a[data-why='gone']").click()  # what has no picture cannot be compared
    expect(dialog.get_by_role("alert")).to_contain_text("no picture")


def test_why_without_the_script(browser: Browser, address: tuple[str, int]) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/listings/p1".format(*address))
    page.locator("a[data-why]").first.click()
    page.wait_for_url("**/listings/p1/why/*")
    expect(page.locator(".why-pair img")).to_have_count(2)
    plain.close()


def test_a_listing_is_narrowed_in_place(page: Page) -> None:
    page.goto("/listings/p1")
    cards = page.locator("#similar .card")
    before = cards.count()
    opened = page.locator("#filter-panel > summary")
    if opened.is_visible():
        opened.click()
    page.get_by_role("checkbox", name="bags").check()
    send = page.get_by_role("button", name="Show what fits")
    if page.viewport_size and page.viewport_size["width"] < 1000:
        send.click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(cards).to_have_count(6)
    assert "filter=category%3Abags" in page.url
    page.go_back()
    expect(cards).to_have_count(before)
    page.goto("/listings/p1?filter=category:bags+price:..1")
    expect(page.get_by_text("No listing meets this filter")).to_be_visible()
    page.get_by_role("link", name="Remove the filter").click()
    expect(cards).to_have_count(before)


def test_a_photo_is_narrowed_in_place(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    expect(page.locator("#results-title")).to_be_focused()
    opened = page.locator("#filter-panel > summary")
    if opened.is_visible():
        opened.click()
    page.get_by_role("checkbox", name="shoes").check()
    if page.viewport_size and page.viewport_size["width"] < 1000:
        page.get_by_role("button", name="Show what fits").click()
    expect(page.locator("#stage .card")).to_have_count(6)
    expect(page.locator("#news")).to_have_text("6 listings found.")
    page.locator(".chip").click()
    expect(page.locator("#stage .card")).to_have_count(24)


@pytest.mark.parametrize("by", ["photo", "listing"])
def test_more_is_added_without_a_jump(app: Flask, page: Page, photo: bytes, by: str) -> None:
    settings = app.extensions["lookalike.settings"]
    app.extensions["lookalike.settings"] = replace(settings, page_hits=8)
    page.goto("/" if by == "photo" else "/listings/p1")
    if by == "photo":
        choose(page, photo)
    cards = page.locator("#stage .card, #similar .card")
    expect(cards).to_have_count(8)
    more = page.locator("[data-more]").get_by_text("Show more").or_(page.locator("a[data-more]"))
    more.scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    more.click()
    expect(cards).to_have_count(16)
    assert page.evaluate("scrollY") == at
    expect(page.locator("#news")).to_have_text("8 more listings.")
    expect(cards.nth(8).locator("a").first).to_be_focused()
    more.click()
    expect(page.locator(".more-hits")).to_have_count(0)
    numbers = [card.get_attribute("href") for card in page.locator(".results .cover").all()]
    assert len(numbers) == len(set(numbers))


def test_similar_offers_are_opened(page: Page, engine: FakeEngine) -> None:
    engine.copies |= {"p5": "p4", "p6": "p4"}
    page.goto("/listings/p1")
    offers = page.locator(".offers")
    expect(offers.locator("summary")).to_contain_text("2 similar offers")
    offers.locator("summary").click()
    expect(offers.get_by_role("link")).to_have_count(2)
    offers.get_by_role("link").first.click()
    page.wait_for_url("**/listings/p*")


def test_more_and_filters_without_the_script(
    app: Flask, browser: Browser, address: tuple[str, int], photo: bytes
) -> None:
    settings = app.extensions["lookalike.settings"]
    app.extensions["lookalike.settings"] = replace(settings, page_hits=4)
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/listings/p1?filter=category:bags".format(*address))
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_text("Places 5 to 6")).to_be_visible()
    page.goto("http://{}:{}/".format(*address))
    choose(page, photo)
    page.get_by_role("button", name="Find look-alikes").click()
    expect(page.locator(".filters")).to_have_count(0)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#results-title")).to_contain_text("Listings 5 to 8")
    plain.close()
