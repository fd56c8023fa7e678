"""Likes in a browser: chosen on several pages, searched by, alone and together with a photo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import choose, is_phone, keep, no_violations, until
from tests.web.conftest import FakeEngine

pytestmark = pytest.mark.browser

one_size = pytest.mark.parametrize("context", [1280], indirect=True)
"""For what is the same at every size."""


def toggle(page: Page, name: str, kind: str = "Like") -> None:
    page.get_by_role("button", name=f"{kind} this: {name}", exact=True).first.click()


def test_several_hits_are_chosen_and_searched_by(page: Page) -> None:
    page.goto("/listings/p1")
    tray = page.get_by_role("region", name="Chosen listings")
    expect(tray).to_be_hidden()
    toggle(page, "Product 2")
    expect(page.locator("#news")).to_have_text("Product 2: like this.")
    expect(tray).to_be_visible()
    liked = page.locator("#similar").get_by_role("button", name="Like this: Product 2", exact=True)
    expect(liked).to_have_attribute("aria-pressed", "true")
    toggle(page, "Product 5", "Not like")
    toggle(page, "Product 3")
    expect(tray.get_by_role("button", name="Remove")).to_have_count(3)
    tray.get_by_role("button", name="Remove Product 3").click()
    expect(page.locator("#news")).to_have_text("Product 3 was removed.")
    keep(page, "likes-tray")
    tray.get_by_role("button", name="Find look-alikes").click()
    page.wait_for_url("**/like?like=p2&unlike=p5")
    expect(page.get_by_role("heading", level=1)).to_have_text("Like these, not like those")
    expect(page.locator("#similar .card")).to_have_count(22)
    expect(tray).to_be_hidden()  # the page says what the tray would
    # More of it, and the page can be asked anew.
    toggle(page, "Product 3")
    expect(tray).to_be_visible()
    tray.get_by_role("button", name="Find look-alikes").click()
    page.wait_for_url("**/like?like=p2&like=p3&unlike=p5")
    keep(page, "likes")
    page.locator("#chosen").get_by_role("link", name="Remove Product 5").click()
    page.wait_for_url("**/like?like=p2&like=p3")


@one_size
def test_likes_by_keyboard_and_through_other_pages(page: Page) -> None:
    page.goto("/")
    first = page.get_by_role("button", name="Like this: Product 0", exact=True)
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # it cannot be both
    expect(first).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.goto("/listings/p4")
    tray = page.get_by_role("region", name="Chosen listings")
    expect(tray.get_by_role("button", name="Remove Product 0")).to_be_visible()
    remove = tray.get_by_role("button", name="Remove Product 0")
    remove.focus()
    page.keyboard.press("Enter")
    expect(tray).to_be_hidden()
    expect(page.locator("main")).to_be_focused()


def test_what_is_focused_is_not_behind_the_tray(page: Page) -> None:
    page.goto("/listings/p1")
    toggle(page, "Product 2")
    link = page.locator("#similar .card").last.get_by_role("link", name="Why?")
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    link.focus()
    until(
        page,
        """link => link.getBoundingClientRect().bottom
        <= document.getElementById('tray').getBoundingClientRect().top""",
        link.element_handle(),
    )


@one_size
def test_a_photo_is_searched_with_together_with_likes(
    page: Page, photo: bytes, engine: FakeEngine
) -> None:
    page.goto("/")
    choose(page, photo)
    expect(page.locator("#stage .card")).to_have_count(24)
    toggle(page, "Product 2")
    tray = page.get_by_role("region", name="Chosen listings")
    expect(tray.get_by_text("Your photo")).to_be_visible()
    tray.get_by_role("button", name="Find look-alikes").click()
    expect(page.locator("#stage .card")).to_have_count(23)
    assert engine.asked is not None
    first, second = engine.asked.positives
    assert first.photo is not None
    assert second.listing_id == "p2"
    # What narrows it goes on with both, and so does the heat map.
    page.locator("#stage .order").get_by_role("link", name="Cheapest first").click()
    expect(page.locator("#stage .order [aria-current]")).to_have_text("Cheapest first")
    assert len(engine.asked.positives) == 2
    page.locator("#stage [data-why='p4']").click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(2)
    page.keyboard.press("Escape")
    tray.get_by_role("button", name="Clear").click()
    expect(tray.get_by_role("button", name="Find look-alikes")).to_be_visible()
    tray.get_by_role("button", name="Find look-alikes").click()
    expect(page.locator("#stage .card")).to_have_count(24)


@one_size
def test_why_on_the_page_of_likes(page: Page) -> None:
    page.goto("/like?like=p1&like=p11")
    page.locator("a[data-why='p10']").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Product 11")).to_be_visible()


def test_likes_without_the_script(browser: Browser, address: tuple[str, int]) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/listings/p1".format(*address))
    page.get_by_role("link", name="Not like this: Product 2").click()
    page.wait_for_url("**/like?like=p1&unlike=p2")
    page.get_by_role("link", name="Like this: Product 3", exact=True).click()
    page.wait_for_url("**/like?like=p1&like=p3&unlike=p2")
    page.get_by_role("link", name="Remove Product 1").click()
    page.wait_for_url("**/like?like=p3&unlike=p2")
    plain.close()


def test_nothing_is_in_the_way_of_anybody(page: Page) -> None:
    """With listings chosen, and the tray over the page: light on a desktop, dark on a phone."""
    page.emulate_media(color_scheme="dark" if is_phone(page) else "light", reduced_motion="reduce")
    for address in ("/listings/remote?sort=price", "/like?like=p1&unlike=p2"):
        page.goto(address)
        toggle(page, "Product 4")
        toggle(page, "Product 5", "Not like")
        no_violations(page)
