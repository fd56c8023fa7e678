"""A real browser in front of the fake engine: fixtures and helpers to look at pages with."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from tests.e2e.conftest import CHROMIUM, OUTPUT
from web.settings import Settings

DESKTOP = pytest.mark.parametrize("context", [1280], indirect=True)
"""For what is the same at any size."""


@pytest.fixture(scope="session")
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


@pytest.fixture
def halves() -> bytes:
    """A photo that is red on the left and blue on the right."""
    image = Image.new("RGB", (400, 300), (230, 20, 20))
    image.paste((20, 20, 230), (200, 0, 400, 300))
    return encoded(image, "JPEG")


@pytest.fixture
def ready(settings: Settings, engine: Any) -> None:
    settings.index.mkdir(parents=True, exist_ok=True)
    engine.view()  # takes a while the first time


def opened_filters(page: Page) -> None:
    """Open the panel of filters where it is closed: on a phone."""
    opened = page.locator("#filter-panel > summary")
    if opened.is_visible():
        opened.click()


def is_phone(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] < 1000


def keep(page: Page, name: str) -> None:
    """Leave a screenshot to be looked at."""
    OUTPUT.mkdir(exist_ok=True)
    device = "phone" if is_phone(page) else "desktop"
    page.screenshot(path=OUTPUT / f"{device}-{name}.png")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def answered(page: Page) -> Locator:
    """Wait for an answer, and return its title."""
    title = page.locator("#stage #results-title")
    expect(title).to_be_visible()
    expect(page.locator("#searching")).to_be_hidden()
    expect(page.locator("#stage[aria-busy]")).to_have_count(0)
    return title


def searched_with(page: Page, photo: bytes) -> None:
    page.goto("/")
    choose(page, photo)
    answered(page)


def asked_for(page: Page, engine: Any, region: tuple[float, ...] | None) -> None:
    """Wait until the newest answer is one to this part of the photo."""
    for _ in range(100):
        found = engine.asked.region if engine.asked else ()
        if (found is None) == (region is None) and found == pytest.approx(region, abs=0.02):
            answered(page)
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{found} was asked for, and not {region}.")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place of the photo to another; both are shares of it."""
    page.locator("#frame").scroll_into_view_if_needed()
    box = page.locator("#frame").bounding_box()
    assert box is not None
    (x0, y0), (x1, y1) = (
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
    page.mouse.move(x1, y1)
    page.mouse.up()


def held_back(page: Page) -> list[Route]:
    """Hold searches back, and return those that are held."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/search", hold)
    return held


def narrowed(page: Page, name: str) -> None:
    opened_filters(page)
    page.get_by_role("checkbox", name=name).check()
    if is_phone(page):
        page.get_by_role("button", name="Show what fits").click()
    expect(page.locator(".chip")).to_have_count(1)
    answered(page)


RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
"""What is looked for; what holds is not told, which would take as long again."""

SETTLED = """() => Promise.allSettled(
    document.getAnimations()
        .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
        .map((one) => one.finished)
).then(() => true)"""
"""Waits for what moves and ends: colours that are just changing have no contrast."""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds: each rule, and where it does not hold."""
    page.evaluate(SETTLED)
    found = Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]


def no_violations(page: Page) -> None:
    assert not violations(page)


def until(page: Page, expression: str, of: object = None) -> None:
    """Wait until an expression, or a function of an element, holds in the page.

    Playwright's own wait_for_function evaluates a text in the page again and again, which the
    page's policy forbids unless it is true the first time.
    """
    for _ in range(400):
        if page.evaluate(expression, of):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"Not so after ten seconds: {expression}")
