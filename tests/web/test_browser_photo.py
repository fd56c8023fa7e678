"""Where photos come from, in a real browser, and what becomes of them before they travel."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browsing import (
    DESKTOP,
    answered,
    asked_for,
    choose,
    drag,
    encoded,
    held_back,
    keep,
    no_violations,
    searched_with,
)
from tests.web.conftest import FakeEngine, drawn

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("ready")]

PASTE = """([data, kind]) => {
    const carried = new DataTransfer();
    if (kind === "file") {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        carried.items.add(new File([bytes], "x.jpg", { type: "image/jpeg" }));
    } else {
        carried.setData(kind, data);
    }
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
}"""

DRAG = """([event, type, data]) => {
    const carried = new DataTransfer();
    if (type === "text/uri-list") {
        carried.setData(type, data);
    } else {
        const bytes = Uint8Array.from(atob(data ?? ""), (letter) => letter.charCodeAt(0));
        carried.items.add(new File([bytes], "x", { type }));
    }
    const options = { dataTransfer: carried, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent(event, options));
}"""

PLACE = "https://shop.example/boot.jpg"


@dataclass
class FakeFetcher:
    """Fetches one photo, wherever it is asked to look."""

    photo: bytes
    asked: list[str] = field(default_factory=list)
    max_bytes: int = 200_000

    def fetch(self, url: str, **_: object) -> bytes:
        self.asked.append(url)
        return self.photo


@pytest.fixture
def fetcher(app: Flask, photo: bytes) -> Iterator[FakeFetcher]:
    app.extensions["lookalike.fetcher"] = FakeFetcher(photo)
    yield app.extensions["lookalike.fetcher"]


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
    page.evaluate(PASTE, [base64.b64encode(photo).decode(), "file"])
    expect(page.locator("#results-title")).to_be_focused()


def test_a_photo_is_dropped(page: Page, engine: FakeEngine, photo: bytes) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["drop", "image/jpeg", base64.b64encode(photo).decode()])
    expect(answered(page)).to_be_focused()
    assert engine.asked is not None and engine.asked.photo == photo


def test_a_drop_is_shown_and_its_kind_looked_at(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["dragenter", "text/plain"])
    expect(page.locator("#search.over")).to_be_visible()
    page.evaluate(DRAG, ["drop", "text/plain"])
    expect(page.locator("#search.over")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("That was not a photo.")


@DESKTOP
def test_what_is_no_picture_is_said_in_place(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["drop", "image/jpeg", base64.b64encode(b"text").decode()])
    expect(page.get_by_role("alert")).to_contain_text("not a picture")


@DESKTOP
def test_a_photo_that_is_too_large_is_not_sent(page: Page) -> None:
    page.goto("/")
    page.route("**/search", lambda route: pytest.fail("It was sent."))
    choose(page, b"\xff" * 300_000)
    expect(page.get_by_role("alert")).to_contain_text("larger than")


@DESKTOP
def test_escape_cancels(page: Page, photo: bytes) -> None:
    page.goto("/")
    held_back(page)
    choose(page, photo)
    expect(page.locator("#searching")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#searching")).to_be_hidden()
    expect(page.locator("#news")).to_have_text("Search cancelled.")
    expect(page.locator("#photo")).to_be_focused()


def test_without_the_script(browser: Browser, address: tuple[str, int], photo: bytes) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/".format(*address))
    choose(page, photo)
    page.get_by_role("button", name="Find look-alikes").click()
    expect(page.locator("#found .card")).to_have_count(24)
    plain.close()


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


# Where photos come from


@DESKTOP
def test_the_camera_is_offered_where_there_is_touch(
    browser: Browser, address: tuple[str, int], page: Page, photo: bytes
) -> None:
    page.goto("/")
    expect(page.get_by_text("Take a photo", exact=True)).to_be_hidden()
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    on_phone = phone.new_page()
    on_phone.goto("http://{}:{}/".format(*address))
    expect(on_phone.get_by_text("Take a photo", exact=True)).to_be_visible()
    assert on_phone.locator("#camera").get_attribute("capture") == "environment"
    file = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}
    on_phone.set_input_files("#camera", files=[file])
    answered(on_phone)
    phone.close()


def test_a_pictures_address(
    page: Page, engine: FakeEngine, fetcher: FakeFetcher, photo: bytes
) -> None:
    for times, way in enumerate(("typed", "pasted", "copied", "dropped"), 1):
        page.goto("/map")
        page.goto("/")
        if way == "typed":
            page.get_by_label("Or give a picture's address").fill(PLACE)
            page.keyboard.press("Enter")
        elif way == "dropped":
            page.evaluate(DRAG, ["drop", "text/uri-list", PLACE])
        else:
            page.evaluate(PASTE, [PLACE, "text/plain" if way == "pasted" else "text/uri-list"])
        expect(answered(page)).to_be_focused()
        assert fetcher.asked == times * [PLACE]
    assert engine.asked is not None and engine.asked.photo == photo
    expect(page.locator("#asked-photo")).to_have_js_property("naturalWidth", 120)
    drag(page, (0.1, 0.1), (0.9, 0.9))
    asked_for(page, engine, (0.1, 0.1, 0.8, 0.8))
    assert fetcher.asked == times * [PLACE]  # the photo is here by now


def test_an_address_that_fails_can_be_corrected(page: Page, fetcher: FakeFetcher) -> None:
    page.goto("/")
    field = page.get_by_label("Or give a picture's address")
    photo, fetcher.photo = fetcher.photo, b"no picture"
    field.fill(PLACE + "x")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    keep(page, "wrong-address")
    expect(field).to_have_value(PLACE + "x")
    expect(page.locator(".drop-address button")).to_be_visible()
    fetcher.photo = photo
    field.fill(PLACE)
    field.press("Enter")
    answered(page)
    assert fetcher.asked == [PLACE + "x", PLACE]
    expect(field).to_be_hidden()


@DESKTOP
def test_addresses_only_where_the_server_fetches(app: Flask, page: Page) -> None:
    app.extensions["lookalike.fetcher"] = None
    page.goto("/")
    expect(page.locator("#image-url")).to_have_count(0)
    page.route("**/search", lambda route: pytest.fail("It was sent."))
    page.evaluate(PASTE, [PLACE, "text/plain"])
    page.evaluate(DRAG, ["drop", "text/uri-list", PLACE])
    expect(page.locator("#stage")).to_be_empty()


@DESKTOP
def test_text_pasted_into_a_field_stays_there(page: Page, fetcher: FakeFetcher) -> None:
    page.goto("/")
    page.locator("#image-url").focus()
    page.evaluate(PASTE, [PLACE, "text/plain"])
    expect(page.locator("#stage")).to_be_empty()
    assert fetcher.asked == []


# Made smaller before it travels


@DESKTOP
def test_a_phones_photo_is_turned_and_made_smaller(page: Page, engine: FakeEngine) -> None:
    image = Image.effect_noise((2400, 1800), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright
    large = encoded(image, "JPEG", quality=95, exif=exif)
    assert len(large) > 1_000_000  # the limit is 200,000
    clear = Image.new("L", (2400, 1800), 190)
    large = encoded(Image.merge("RGB", [clear] * 3), "JPEG", quality=100, exif=exif) + bytes(
        300_000
    )
    searched_with(page, large)
    assert engine.asked is not None and isinstance(engine.asked.photo, bytes)
    sent = Image.open(io.BytesIO(engine.asked.photo))
    assert (sent.format, sent.size) == ("JPEG", (768, 1024))
    assert len(engine.asked.photo) < 200_000
    assert not sent.getexif()
    expect(page.locator("#asked-photo")).to_have_js_property("naturalHeight", 1024)


@DESKTOP
def test_what_is_transparent_becomes_white(page: Page, engine: FakeEngine) -> None:
    noise = Image.effect_noise((300, 300), 120).convert("RGBA")
    noise.putalpha(0)
    searched_with(page, encoded(noise, "PNG"))
    assert engine.asked is not None and isinstance(engine.asked.photo, bytes)
    sent = Image.open(io.BytesIO(engine.asked.photo))
    assert sent.format == "JPEG"
    assert sent.convert("L").getextrema() == (255, 255)


@DESKTOP
def test_a_small_photo_travels_as_it_is(page: Page, engine: FakeEngine, photo: bytes) -> None:
    searched_with(page, photo)
    assert engine.asked is not None and engine.asked.photo == photo


@DESKTOP
def test_what_the_browser_cannot_read_travels_whole(page: Page, engine: FakeEngine) -> None:
    strange = encoded(Image.new("RGB", (200, 100), (200, 40, 40)), "TIFF", compression="tiff_lzw")
    searched_with(page, strange)
    assert engine.asked is not None and engine.asked.photo == strange
    # The server could read it, and sent it back to be looked at and to be marked.
    expect(page.locator("#asked-photo")).to_have_js_property("naturalWidth", 200)
    drag(page, (0.2, 0.1), (0.8, 0.9))
    asked_for(page, engine, (0.2, 0.1, 0.6, 0.8))
    assert engine.asked.photo[:2] == b"\xff\xd8"


# What goes wrong, and what moves


def test_a_lost_connection_can_be_tried_again(page: Page, photo: bytes) -> None:
    page.goto("/")
    page.route("**/search", lambda route: route.abort())
    choose(page, photo)
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    keep(page, "unreachable")
    page.unroute("**/search")
    page.get_by_role("button", name="Try again").click()
    answered(page)


@DESKTOP
def test_a_connection_lost_while_marking_leaves_the_answer(page: Page, halves: bytes) -> None:
    searched_with(page, halves)
    page.route("**/search", lambda route: route.abort())
    drag(page, (0.1, 0.1), (0.6, 0.9))
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(page.locator("#stage .card")).to_have_count(24)


def test_nothing_jumps_when_the_answer_comes(page: Page, halves: bytes) -> None:
    page.goto("/")
    held = held_back(page)
    choose(page, halves)
    waiting = page.locator("#searching-photo")
    expect(waiting).to_have_js_property("naturalWidth", 400)
    keep(page, "searching")
    before = waiting.bounding_box()
    held[0].continue_()
    answered(page)
    assert page.locator("#asked-photo").bounding_box() == before


def test_the_states_are_accessible(context: BrowserContext, page: Page, halves: bytes) -> None:
    page.goto("/")
    no_violations(page)
    choose(page, halves)
    answered(page)
    drag(page, (0.1, 0.1), (0.6, 0.9))
    expect(page.locator(".seen")).to_contain_text("The part that you marked")
    no_violations(page)
    page.get_by_role("button", name="Share").click()
    no_violations(page)
