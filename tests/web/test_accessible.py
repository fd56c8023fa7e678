"""Every page and state of it: for everybody, in either colours, at either size, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from indexer.errors import IndexNotReady
from tests.web.browsing import (
    DESKTOP,
    answered,
    choose,
    drag,
    held_back,
    is_phone,
    opened_filters,
    violations,
)
from tests.web.conftest import FakeEngine
from tests.web.keyed import key_for
from web.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("ready")]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, page_hits=8, samples=6)


@pytest.fixture
def calm(page: Page) -> Page:
    """A page on which nothing moves: colours that are just changing have no contrast.

    It is light on a desktop and dark on a phone: colours and sizes have nothing to do with each
    other.
    """
    scheme: Any = "dark" if is_phone(page) else "light"
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
    return page


class Checks:
    """Looks at each state, and tells of all that is wrong at the end."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[tuple[str, str, list[str]]] = []

    def __call__(self, state: str) -> None:
        self.wrong += [(state, id_, nodes) for id_, nodes in violations(self.page)]


@pytest.fixture
def check(calm: Page) -> Iterator[Checks]:
    checks = Checks(calm)
    yield checks
    assert not checks.wrong


def test_searching_with_a_photo(check: Checks, engine: FakeEngine, halves: bytes) -> None:
    page = check.page
    page.goto("/")
    check("home")
    held = held_back(page)
    choose(page, halves)
    expect(page.locator("#searching")).to_be_visible()
    check("searching")
    held[0].continue_()
    page.unroute("**/search")
    answered(page)
    drag(page, (0.1, 0.1), (0.6, 0.9))
    expect(page.locator(".seen")).to_contain_text("The part that you marked")
    answered(page)
    opened_filters(page)
    page.locator("#stage .like").first.click()
    expect(page.locator("#tray")).to_be_visible()
    check("results with a box, filters and the tray")
    page.locator("#tray-clear").click()
    page.locator("button[data-why]").first.click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(2)
    page.get_by_text("In numbers").click()
    check("why")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Share").click()
    check("sharing")
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_label("The address of this search")
    expect(field).to_be_visible()
    check("shared")
    page.goto(field.input_value())
    check("a shared photo")
    page.get_by_role("button", name="Delete it now").click()
    expect(page.get_by_role("heading", name="The photo is deleted")).to_be_visible()
    check("deleted")
    engine.close_match = False
    page.goto("/")
    choose(page, b"no picture")
    expect(page.get_by_role("alert")).to_be_visible()
    check("no photo")
    choose(page, halves)
    answered(page)
    check("nothing close")


def test_pages(check: Checks, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    page = check.page
    for address in (
        "/listings/remote?sort=price",
        "/listings/p1?filter=category:bags+price:..1",
        "/listings/gone",
        "/like?like=p1&unlike=p2",
        "/like",
        "/listings/p1/why/p2",
        "/strip/p1",
        "/nothing/here",
        "/sign-in",
    ):
        page.goto(address)
        check(address)

    def nothing(_: int) -> None:
        raise IndexNotReady("There is no index.")

    monkeypatch.setattr(engine, "sample", nothing)
    page.goto("/")
    expect(page.locator(".command").first).to_be_visible()
    check("setup")


def test_the_map_and_administration(check: Checks, settings: Settings) -> None:
    page = check.page
    page.goto("/map")
    expect(page.locator("#map-wait")).to_be_hidden()
    check("map")
    key = key_for(settings, "admin")
    page.goto("/sign-in?next=/admin")
    page.get_by_label("Key").fill("lk_wrong")
    page.get_by_label("Key").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check("wrong key")
    page.get_by_label("Key").fill(key)
    page.get_by_label("Key").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Administration")).to_be_visible()
    check("administration")


@DESKTOP
def test_in_japanese(check: Checks, halves: bytes) -> None:
    page = check.page
    page.goto("/?lang=ja")
    choose(page, halves)
    answered(page)
    check("results")
    page.goto("/listings/p1")
    assert page.locator("html").get_attribute("lang") == "ja"
    check("listing")


@DESKTOP
def test_as_narrow_as_a_page_that_is_enlarged_four_times(
    calm: Page, settings: Settings, halves: bytes
) -> None:
    page, key = calm, key_for(settings, "admin")
    page.set_viewport_size({"width": 320, "height": 640})
    for address in ("/", "photo", "/listings/remote", "/like?like=p1&unlike=p2", "/map", "/admin"):
        if address == "photo":
            choose(page, halves)
            answered(page)
            opened_filters(page)
        else:
            page.goto(address)
        if address == "/admin":
            page.get_by_label("Key").fill(key)
            page.get_by_label("Key").press("Enter")
            expect(page.get_by_role("heading", level=1, name="Administration")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide == 320, address


# By keyboard

FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const shown = one.closest(".drop")?.querySelector(".drop-area") ?? one;
    const seen = one.matches(".drop-file") ? shown : one;
    const styles = [getComputedStyle(seen), getComputedStyle(seen, "::after")];
    const ringed = styles.some((one) => one.outlineStyle !== "none" && one.outlineWidth !== "0px");
    const box = seen.getBoundingClientRect();
    const name = one.id || one.getAttribute("href") || one.textContent.trim();
    const inside = box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0;
    const place = [...document.querySelectorAll("*")].indexOf(one);
    return { name, ringed, inside, place };
}"""


def tabbed_through(page: Page) -> list[dict[str, Any]]:
    """Press Tab until the page is over, and return what was focused."""
    found: list[dict[str, Any]] = []
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    for _ in range(150):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUS)
        if one is None or (found and one["place"] == found[0]["place"]):
            return found
        found.append(one)
    pytest.fail("The keyboard is trapped.")


def test_the_keyboard_reaches_everything(calm: Page, halves: bytes) -> None:
    page = calm
    for state in ("home", "results"):
        if state == "home":
            page.goto("/")
        else:
            choose(page, halves)
            answered(page)
            opened_filters(page)
        found = tabbed_through(page)
        hidden = [one["name"] for one in found if not one["ringed"] or not one["inside"]]
        assert not hidden, state
        places = [one["place"] for one in found]
        assert places == sorted(places), state
        reached = {one["place"] for one in found}
        all_of_it = page.evaluate(
            """() => [...document.querySelectorAll("*")].flatMap((one, place) =>
                one.matches("a[href], button, input, select, summary, [tabindex='0']") &&
                !one.disabled && one.type !== "hidden" && one.checkVisibility() ? [place] : [])"""
        )
        assert set(all_of_it) <= reached, state


# Quieter, and in the system's own colours


def test_nothing_moves_for_those_who_want_calm(calm: Page, halves: bytes) -> None:
    page = calm
    held_back(page)
    page.goto("/")
    choose(page, halves)
    expect(page.locator("#searching")).to_be_visible()
    moving = page.evaluate(
        """() => document.getAnimations().flatMap(({ effect }) =>
            effect.getKeyframes()
                .filter((frame) => "transform" in frame || "backgroundPosition" in frame)
                .map(() => effect.target.className))"""
    )
    assert not moving


@DESKTOP
def test_the_systems_own_colours(browser: Browser, page: Page, halves: bytes) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/")
    choose(page, halves)
    answered(page)
    assert not is_phone(page)
    current = page.locator(".order a[aria-current]")
    expect(current).to_have_css("text-decoration-line", "underline")
    page.locator("#stage .like").first.click()
    pressed = page.locator("#stage .like[aria-pressed=true]")
    other = page.locator("#stage .like[aria-pressed=false]").first
    ground = "one => getComputedStyle(one).backgroundColor"
    assert pressed.evaluate(ground) != other.evaluate(ground)
