"""The part of a photo that matters, filters and the history, in a real browser."""

from __future__ import annotations

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import (
    DESKTOP,
    answered,
    asked_for,
    choose,
    drag,
    encoded,
    held_back,
    keep,
    narrowed,
    searched_with,
)
from tests.web.conftest import FakeEngine

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("ready")]


# The part that matters


def test_a_part_is_marked_by_pointer(page: Page, engine: FakeEngine, halves: bytes) -> None:
    searched_with(page, halves)
    whole = page.locator("#stage .card h3").first.text_content()
    drag(page, (0.55, 0.1), (0.95, 0.9))  # the blue half
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    assert page.locator("#stage .card h3").first.text_content() != whole
    expect(page.locator("#region")).to_be_focused()
    expect(page.locator("#news")).to_contain_text("listings found")
    expect(page.locator(".seen")).to_contain_text("The part that you marked")
    keep(page, "region")
    drag(page, (0.75, 0.5), (0.25, 0.5))  # moved, as far as the edge
    asked_for(page, engine, (0.05, 0.1, 0.4, 0.8))
    drag(page, (0.45, 0.9), (0.65, 0.7))  # its lower right corner
    asked_for(page, engine, (0.05, 0.1, 0.6, 0.6))
    drag(page, (0.9, 0.9), (0.91, 0.91))  # a click beside it is none
    expect(page.locator("#region")).to_be_visible()
    page.get_by_role("button", name="Whole photo").click()
    expect(page.locator("#region")).to_be_hidden()
    asked_for(page, engine, None)
    expect(page.locator("#stage .card h3").first).to_have_text(whole or "")


def test_a_part_is_marked_by_keys(page: Page, engine: FakeEngine, halves: bytes) -> None:
    searched_with(page, halves)
    page.get_by_role("button", name="Mark a part").focus()
    page.keyboard.press("Enter")
    region = page.locator("#region")
    expect(region).to_be_focused()
    asked_for(page, engine, (0.15, 0.15, 0.7, 0.7))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#news")).to_have_text(
        "Marked from 21 to 91 percent across, from 15 to 79 percent down."
    )
    asked_for(page, engine, (0.21, 0.15, 0.7, 0.64))
    expect(region).to_be_focused()  # the answer changes around the photo
    page.keyboard.press("Escape")
    asked_for(page, engine, None)
    expect(page.get_by_role("button", name="Mark a part")).to_be_focused()


def test_a_part_is_marked_by_touch(
    browser: Browser, address: tuple[str, int], engine: FakeEngine, halves: bytes
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto("http://{}:{}/".format(*address))
    choose(page, halves)
    answered(page)
    box = page.locator("#frame").bounding_box()
    assert box is not None
    touched = context.new_cdp_session(page)

    def touch(kind: str, *at: tuple[float, float]) -> None:
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in at
        ]
        touched.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0.2, 0.2))
    for n in range(1, 7):
        touch("touchMove", (0.2 + n / 10, 0.2 + n / 10))
    touch("touchEnd")
    asked_for(page, engine, (0.2, 0.2, 0.6, 0.6))
    touch("touchStart", (0.5, 0.5))
    for n in range(1, 6):
        touch("touchMove", (0.5 - n / 50, 0.5))
    touch("touchEnd")
    asked_for(page, engine, (0.1, 0.2, 0.6, 0.6))
    context.close()


def test_the_object_is_suggested(page: Page, engine: FakeEngine) -> None:
    image = Image.new("RGB", (400, 300), (240, 240, 238))
    image.paste((180, 30, 40), (200, 90, 320, 240))
    searched_with(page, encoded(image, "JPEG"))
    page.get_by_role("button", name="Only the object").click()
    asked_for(page, engine, (0.48, 0.27, 0.35, 0.56))
    searched_with(page, encoded(Image.effect_noise((200, 200), 90).convert("RGB"), "JPEG"))
    expect(page.get_by_role("button", name="Only the object")).to_be_hidden()


@DESKTOP
def test_the_old_answer_stays_until_the_new_one(
    page: Page, engine: FakeEngine, halves: bytes
) -> None:
    searched_with(page, halves)
    held = held_back(page)
    drag(page, (0.1, 0.1), (0.6, 0.9))
    expect(page.locator("#stage[aria-busy=true] .card")).to_have_count(24)
    drag(page, (0.9, 0.95), (0.61, 0.05))  # another box: the first question is not waited for
    while len(held) < 2:
        page.wait_for_timeout(50)
    held[-1].continue_()
    asked_for(page, engine, (0.61, 0.05, 0.29, 0.9))
    assert len(held) == 2


# Filters, the history, and coming back


def test_a_filter_keeps_the_part_and_back_undoes_each(
    page: Page, engine: FakeEngine, halves: bytes
) -> None:
    searched_with(page, halves)
    cards = page.locator("#stage .card")
    drag(page, (0.55, 0.1), (0.95, 0.9))
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    narrowed(page, "shoes")
    expect(cards).to_have_count(6)
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    page.go_back()
    expect(cards).to_have_count(24)
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    page.go_back()
    asked_for(page, engine, None)
    expect(page.locator("#region")).to_be_hidden()
    page.go_forward()
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    expect(page.locator("#region")).to_be_visible()
    page.go_back()
    asked_for(page, engine, None)
    page.go_back()
    expect(page.locator("#stage")).to_be_empty()
    expect(page.locator(".hero.done")).to_have_count(0)


def test_a_search_survives_reload_until_a_new_one(
    page: Page, engine: FakeEngine, halves: bytes
) -> None:
    searched_with(page, halves)
    drag(page, (0.55, 0.1), (0.95, 0.9))
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    narrowed(page, "shoes")
    engine.asked = None
    page.reload()
    asked_for(page, engine, (0.55, 0.1, 0.4, 0.8))
    expect(page.locator("#stage .card")).to_have_count(6)
    expect(page.locator("#region")).to_be_visible()
    expect(page.locator("#asked-photo")).to_have_js_property("naturalWidth", 400)
    page.get_by_role("link", name="日本語").click()  # taken along to another language
    page.wait_for_url("**/?lang=ja")
    expect(page.locator("#stage .card")).to_have_count(6)
    page.locator("[data-new-search]").click()
    expect(page.locator(".hero.done")).to_have_count(0)
    expect(page.locator("#photo")).to_be_focused()
    assert "photo" not in page.evaluate("Object.keys(sessionStorage).join()")
    page.reload()
    expect(page.locator("#stage")).to_be_empty()


def test_back_from_a_listing_is_where_one_was(
    page: Page, engine: FakeEngine, halves: bytes
) -> None:
    searched_with(page, halves)
    names = page.locator("#stage .card h3").all_text_contents()
    link = page.locator("#stage .cover").nth(9)
    link.scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    assert at > 0
    link.click()
    expect(page.locator("#listing-title")).to_be_visible()
    page.go_back()
    answered(page)
    assert page.locator("#stage .card h3").all_text_contents() == names
    assert page.evaluate("scrollY") == pytest.approx(at, abs=2)
