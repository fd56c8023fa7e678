"""Sharing a search, in a real browser."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browsing import (
    DESKTOP,
    asked_for,
    drag,
    keep,
    narrowed,
    no_violations,
    searched_with,
)
from tests.web.conftest import FakeEngine
from web.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("ready")]


# Sharing


def shared(page: Page) -> str:
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this search")
    expect(dialog).to_contain_text("kept on this server for 24 hours")
    expect(dialog).to_contain_text("It is deleted on")
    keep(page, "share")
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_label("The address of this search")
    expect(field).to_be_visible()
    return field.input_value()


def test_a_search_is_shared_and_forgotten(
    browser: Browser, context: BrowserContext, page: Page, engine: FakeEngine, halves: bytes
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    searched_with(page, halves)
    drag(page, (0.55, 0.1), (0.95, 0.9))
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    narrowed(page, "shoes")
    names = page.locator("#stage .card h3").all_text_contents()
    address = shared(page)
    expect(page.locator("#share-said")).to_have_text("The link is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == address
    keep(page, "shared")

    plain = browser.new_context(java_script_enabled=False)
    other = plain.new_page()
    other.goto(address)
    expect(other.get_by_text("Somebody shared this photo with you.")).to_be_visible()
    assert other.locator("#found .card h3").all_text_contents() == names
    expect(other.locator("#frame-shade rect")).to_have_attribute("x", "0.55")
    other.get_by_role("link", name="Remove all").click()
    expect(other.locator("#found .card")).to_have_count(24)
    expect(other.get_by_role("button", name="Delete it now")).to_have_count(0)

    page.get_by_role("button", name="Delete it now").click()
    expect(page.locator("#news")).to_have_text("The shared photo is deleted.")
    other.reload()
    expect(other.get_by_role("heading", name="This link has ended.")).to_be_visible()
    plain.close()


def test_a_shared_photo_is_searched_on_with(page: Page, engine: FakeEngine, halves: bytes) -> None:
    searched_with(page, halves)
    page.goto(shared(page))
    expect(page.get_by_text("You shared this photo.")).to_be_visible()
    keep(page, "shared-page")
    no_violations(page)
    expect(page.get_by_role("button", name="Share")).to_be_hidden()
    drag(page, (0.55, 0.1), (0.95, 0.9))
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    narrowed(page, "shoes")
    expect(page.locator("#stage .card")).to_have_count(6)
    page.get_by_role("link", name="New search").click()
    expect(page.locator("#stage")).to_be_empty()
    expect(page.get_by_text("Or start from one of these")).to_be_visible()


@DESKTOP
def test_a_link_that_cannot_be_made_is_said(
    app: Flask, page: Page, settings: Settings, photo: bytes
) -> None:
    searched_with(page, photo)
    page.get_by_role("button", name="Share").click()
    page.route("**/share", lambda route: route.abort())
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("could not be reached")
    page.unroute("**/share")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("The address of this search")).to_be_visible()
