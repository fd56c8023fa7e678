"""Answers in a browser: their order, pages that come by themselves, the way back, pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from tests.web.browsing import choose, keep, until
from tests.web.conftest import FakeEngine

pytestmark = pytest.mark.browser

SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) window.shifts.push([one.value, one.hadRecentInput]);
    }).observe({ type: "layout-shift", buffered: true });
}"""


one_size = pytest.mark.parametrize("context", [1280], indirect=True)
"""For what is the same at every size."""


@pytest.fixture
def small_pages(app: Flask) -> None:
    settings = app.extensions["lookalike.settings"]
    app.extensions["lookalike.settings"] = replace(settings, page_hits=4)


# ---- the order, and the category at a click ----


@one_size
@pytest.mark.usefixtures("small_pages")
def test_an_order_that_is_refused_leaves_what_is_shown(page: Page) -> None:
    page.goto("/listings/p1")
    problem = '<div class="trouble" role="alert"><p>Too many at once.</p></div>'
    page.route("**sort=**", lambda route: route.fulfill(status=429, body=problem))
    page.get_by_role("link", name="Cheapest first").click()
    expect(page.get_by_role("alert")).to_have_text("Too many at once.")
    expect(page.locator("#similar .card").first).to_be_visible()
    assert "sort" not in page.url


def test_the_order_is_changed_in_place(page: Page) -> None:
    page.goto("/listings/p1")
    order = page.get_by_role("list", name="Order")
    order.get_by_role("link", name="Dearest first").click()
    expect(page.get_by_text("closest, dearest first.")).to_be_visible()
    expect(order.get_by_role("link", name="Dearest first")).to_be_focused()
    expect(page.locator("#similar .cover").first).to_have_text("Product 11")
    assert "sort=-price" in page.url
    keep(page, "sorted")
    page.go_back()
    expect(order.locator("[aria-current]")).to_have_text("Closest first")
    page.get_by_role("link", name="Only shoes").click()
    expect(page.locator(".chip")).to_have_text(re.compile("shoes"))
    expect(page.locator("#similar .card")).to_have_count(5)


# ---- pages that come by themselves, and the way back ----


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    ("context", "start"), [(1280, "/like?like=p1"), (390, "/listings/p1")], indirect=["context"]
)
def test_more_comes_by_itself_then_the_button_asks(page: Page, start: str) -> None:
    page.goto(start)
    cards = page.locator("#similar .card")
    for _ in range(4):  # three pages by themselves, whatever is scrolled
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.wait_for_timeout(60)
    expect(cards).to_have_count(16)
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    expect(page.locator("footer")).to_be_in_viewport()
    page.wait_for_timeout(150)
    expect(cards).to_have_count(16)
    assert page.evaluate("document.activeElement === document.body")  # nobody's focus is moved
    more = page.get_by_role("link", name="Show more")
    more.scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    more.click()
    expect(cards.nth(16).get_by_role("link").first).to_be_focused()
    assert page.evaluate("scrollY") == at
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    expect(cards).to_have_count(23)
    expect(page.locator("#news")).to_have_text("3 more listings.")
    expect(page.locator(".more-hits")).to_have_count(0)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    ("context", "start"),
    [(1280, "/listings/p1?sort=price"), (390, "/like?like=p1")],
    indirect=["context"],
)
def test_whoever_comes_back_finds_the_place(page: Page, start: str) -> None:
    page.goto(start)
    cards = page.locator("#similar .card")
    for _ in range(4):
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.wait_for_timeout(60)
    expect(cards).to_have_count(16)
    before = page.locator("#similar .cover").evaluate_all("all => all.map(one => one.href)")
    cards.nth(13).scroll_into_view_if_needed()
    at = page.evaluate("scrollY")
    cards.nth(13).get_by_role("link").first.click()
    page.wait_for_url(lambda url: url in before)
    page.go_back()
    expect(cards).to_have_count(16)
    after = page.locator("#similar .cover").evaluate_all("all => all.map(one => one.href)")
    assert after == before
    until(page, f"Math.abs(scrollY - {at}) < 3")
    # What came back works as before: toggles, and the button.
    cards.nth(13).get_by_role("button", name="Like this", exact=False).first.click()
    expect(page.get_by_role("region", name="Chosen listings")).to_be_visible()
    page.get_by_role("link", name="Show more").click()
    expect(cards).to_have_count(23)
    # And whoever comes anew begins at the beginning.
    page.goto(start)
    assert page.evaluate("scrollY") == 0


@one_size
@pytest.mark.usefixtures("small_pages")
def test_the_answer_to_a_photo_is_found_again(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    cards = page.locator("#stage .card")
    expect(cards.first).to_be_visible()
    for _ in range(4):
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.wait_for_timeout(60)
    expect(cards).to_have_count(16)
    cards.nth(13).get_by_role("link").first.click()
    page.wait_for_url("**/listings/*")
    page.go_back()
    expect(cards).to_have_count(16)
    expect(cards.nth(13)).to_be_in_viewport()


@one_size
@pytest.mark.usefixtures("small_pages")
def test_a_page_that_does_not_come_is_said(page: Page) -> None:
    page.route("**cursor=**", lambda route: route.abort())
    page.goto("/listings/p1")
    page.get_by_role("link", name="Show more").scroll_into_view_if_needed()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    keep(page, "unreachable")
    page.unroute("**cursor=**")
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_role("alert")).to_have_count(0)


# ---- pictures ----


def test_nothing_moves_when_pictures_come(page: Page) -> None:
    held: list[Route] = []
    let_go = False

    def hold(route: Route) -> None:
        if let_go:
            route.continue_()
        else:
            held.append(route)

    page.route("**/thumbnails/**", hold)
    page.add_init_script(f"({SHIFTS})()")
    page.goto("/like?like=p1", wait_until="commit")
    expect(page.locator("#similar .box.waiting").first).to_be_visible()
    keep(page, "waiting")
    let_go = True
    for route in held:
        route.continue_()
    expect(page.locator("#similar .box.waiting:has(img:not([loading='lazy']))")).to_have_count(0)
    shifts = page.evaluate("shifts")
    assert sum(value for value, by_input in shifts if not by_input) < 0.02, shifts


def test_the_pictures_of_a_listing_by_keyboard(page: Page) -> None:
    page.goto("/listings/remote")
    strip = page.get_by_role("group", name="Pictures")
    strip.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#news")).to_have_text("Picture 2 of 2")
    expect(page.locator("#picture-2")).to_be_in_viewport(ratio=0.6)
    expect(page.locator(".choices [aria-current]")).to_have_attribute("href", "#picture-2")
    expect(page.get_by_role("button", name="Next picture")).to_be_disabled()
    page.get_by_role("button", name="Previous picture").click()
    expect(page.locator("#picture-1")).to_be_in_viewport(ratio=0.6)
    page.get_by_role("link", name="Show picture 2").click()
    expect(page.locator("#gallery-count")).to_have_text("Picture 2 of 2")
    assert "#" not in page.url
    keep(page, "listing")


def test_the_way_to_a_category(page: Page) -> None:
    page.goto("/listings/p1")
    crumbs = page.get_by_role("navigation", name="Where this is")
    crumbs.get_by_role("link", name="shoes").click()
    page.wait_for_url("**/listings/p1?filter=category:shoes*")
    expect(page.locator("#similar .card")).to_have_count(5)


def test_what_it_seems_to_be_is_a_filter_at_a_click(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    only = page.get_by_role("list", name="Narrow to a category").get_by_role("link")
    expect(only).to_have_text("Only shoes 81%")
    only.click()
    expect(page.locator("#stage .card")).to_have_count(6)
    expect(page.locator(".filter-chips .chip")).to_have_text("Category: shoes")
    expect(only).to_have_count(0)


# ---- nothing to show ----


def test_nothing_close_and_nothing_at_all(page: Page, engine: FakeEngine) -> None:
    engine.close_match = False
    page.goto("/listings/p1")
    expect(page.get_by_role("heading", name="No close match")).to_be_visible()
    keep(page, "no-close-match")
    page.goto("/listings/p1?filter=category:bags+price:..1")
    expect(page.get_by_role("heading", name="No listing meets this filter")).to_be_visible()
    keep(page, "nothing-left")
    page.goto("/like?unlike=p1")
    expect(page.get_by_role("heading", level=1)).to_have_text("What should it look like?")
    keep(page, "likes-empty")
