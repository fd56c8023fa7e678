"""The page with its script, in a real browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import choose
from tests.web.conftest import FakeEngine

pytestmark = pytest.mark.browser


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


def test_where_nothing_may_be_stored_a_photo_is_searched_with(page: Page, photo: bytes) -> None:
    page.add_init_script(
        """Object.defineProperty(window, "sessionStorage", {
            get() { throw new DOMException("Not allowed.", "SecurityError"); },
        });"""
    )
    page.goto("/")
    choose(page, photo)
    expect(page.locator("#stage .card")).to_have_count(24)
    page.locator("#stage .like").first.click()
    expect(page.locator("#tray .tray-one")).to_have_count(1)
