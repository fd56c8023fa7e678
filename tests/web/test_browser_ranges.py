"""Prices from and up to, typed beside an answer in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.browsing import DESKTOP, choose, is_phone, keep, opened_filters

pytestmark = pytest.mark.browser

ROOM = """(field) => {
    const around = field.closest(".filters").getBoundingClientRect();
    const box = field.getBoundingClientRect();
    const style = getComputedStyle(field);
    const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
    return Math.min(box.left - around.left, around.right - box.right) - ring;
}"""
"""How many pixels there are beside a field, within what is scrolled, beyond its ring."""


def test_prices_from_and_up_to(page: Page) -> None:
    page.goto("/listings/p1")
    opened_filters(page)
    cards = page.locator("#similar .card")
    page.get_by_label("Price, from").fill("1236")
    if not is_phone(page):  # there, what is said counts at once
        page.keyboard.press("Enter")
        expect(cards).to_have_count(10)
    page.get_by_label("Price, up to").fill("1240")
    if is_phone(page):
        page.get_by_role("button", name="Show what fits").click()
    else:
        page.keyboard.press("Enter")
    expect(cards).to_have_count(4)
    prices = page.locator("#similar .price").all_text_contents()
    assert all("€1,236" <= price <= "€1,240" for price in prices)
    assert "price" in page.url


@DESKTOP
@pytest.mark.parametrize("start", ["a listing", "a photo"])
def test_a_range_the_wrong_way_round_asks_once_and_stays(
    page: Page, photo: bytes, start: str
) -> None:
    if start == "a photo":
        page.goto("/")
        choose(page, photo)
    else:
        page.goto("/listings/p1")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "max.price" in one.url else None)
    low, high = page.get_by_label("Price, from"), page.get_by_label("Price, up to")
    high.fill("1240")
    high.press("Enter")
    expect(page.locator(".filter-chips .chip")).to_have_text("Price: up to 1240")
    low.fill("1300")
    low.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("above the greatest")
    expect(alert).to_contain_text("takes no account of it")
    expect(page.locator(".filtered[aria-busy]")).to_have_count(0)
    keep(page, f"wrong-range-{start[2:]}")
    expect(low).to_have_value("1300")
    expect(high).to_have_value("1240")
    expect(page.locator(".filter-chips .chip")).to_have_count(0)
    page.wait_for_timeout(200)  # for what must not come
    assert [one.partition("?")[2] for one in asked] == [
        "max.price=1240",
        "min.price=1300&max.price=1240",
    ]
    if start == "a listing":
        assert "?min.price=1300&max.price=1240" in page.url


@DESKTOP
def test_the_ring_around_a_field_is_not_cut_off(page: Page) -> None:
    page.goto("/listings/p1")
    for name in ("Price, from", "Price, up to"):
        field = page.get_by_label(name)
        field.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(field).to_be_focused()
        room = field.evaluate(ROOM)
        assert room >= 0, f"{name}: {room} px"


@DESKTOP
def test_what_is_typed_while_an_answer_comes_is_kept(page: Page) -> None:
    page.goto("/listings/p1")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/listings/p1?*", hold, times=1)
    page.get_by_label("Price, from").fill("1236")
    page.get_by_label("Price, up to").click()
    page.keyboard.type("1240")
    held[0].continue_()
    cards = page.locator("#similar .card")
    expect(cards).to_have_count(10)
    expect(page.get_by_label("Price, up to")).to_have_value("1240")
    page.keyboard.press("Tab")
    expect(cards).to_have_count(4)
