"""The map: its page, its data and pictures, and its script in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import web.pages.map
from search.map_picture import COLOURS, SHEET_SIDE, SHEET_TILE
from tests.web.browsing import until
from tests.web.conftest import SECRET, FakeEngine, new_engine
from tests.web.test_pages import Links
from web.answers.headers import FOREVER
from web.app import create_app
from web.pages.urls import STATIC
from web.settings import Settings


class MappedEngine(FakeEngine):
    """Has what the map asks of an engine: colours as vectors, listings numbered from 1."""

    @property
    def snapshot(self) -> Any:
        seen = [id_ for id_ in self.listings if self.keys[id_][0]]
        colours = np.array([self.colours[id_] for id_ in seen], np.float32).reshape(-1, 3) - 127.5
        numbers = np.array([1 + list(self.listings).index(id_) for id_ in seen], np.int64)
        return SimpleNamespace(
            folder=Path(SECRET),
            manifest={"created": "2026-01-01T00:00:00+00:00"},
            vectors=colours / np.linalg.norm(colours, axis=1, keepdims=True),
            listings=numbers,
            pictures=numbers,
        )

    @contextmanager
    def catalog(self) -> Iterator[Any]:
        numbered = dict(enumerate(self.listings, 1))
        yield SimpleNamespace(
            listings=lambda numbers: {int(n): self.listing(numbered[n]) for n in numbers},
            positions=lambda pictures: dict.fromkeys(pictures, 0),
        )


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return MappedEngine(new_engine().listings)


def test_the_page_leads_to_its_parts(client: FlaskClient) -> None:
    shown = client.get("/map")
    assert shown.status_code == 200
    links = Links(shown.text)
    assert not links.unsafe
    for url in {url for url in links.to if url.startswith("/")}:
        assert client.get(url.partition("#")[0]).status_code == 200, url
    assert 'data-points="/map/points.json"' in shown.text
    assert 'href="/map"' in client.get("/").text


def test_the_points(client: FlaskClient, engine: FakeEngine) -> None:
    answer = client.get("/map/points.json")
    said = answer.json
    assert said is not None
    assert SECRET not in answer.text
    count = len(engine.listings) - 1
    assert said["total"] == len(said["points"]) == count
    # What has no picture that could be read lies nowhere.
    assert {point["id"] for point in said["points"]} == set(engine.listings) - {"gone"}
    cells = set()
    for point in said["points"]:
        assert 0 < point["x"] < 1
        assert 0 < point["y"] < 1
        cells.add((int(point["x"] * said["columns"]), int(point["y"] * said["rows"])))
        assert client.get(point["url"]).status_code == 200
        assert client.get(point["thumbnail_url"]).status_code == 200
    assert len(cells) == count
    levels = [point["level"] for point in said["points"]]
    assert levels == sorted(levels, reverse=True)
    categories = {one["name"]: (one["count"], one["hue"]) for one in said["categories"]}
    assert sum(number for number, _ in categories.values()) == count
    assert categories["shoes"] == (6, 1)
    assert categories[""][1] is None


def test_the_points_are_sent_once(client: FlaskClient) -> None:
    tag = client.get("/map/points.json").headers["ETag"]
    again = client.get("/map/points.json", headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_a_sheet_holds_the_small_tiles(client: FlaskClient, engine: FakeEngine) -> None:
    said = client.get("/map/points.json").json
    assert said is not None
    (url,) = said["sheets"]
    answer = client.get(url)
    assert answer.headers["Cache-Control"] == FOREVER
    sheet = Image.open(io.BytesIO(answer.data))
    assert sheet.size == (SHEET_SIDE * SHEET_TILE, SHEET_SIDE * SHEET_TILE)
    for point in said["points"][:5]:
        row, column = divmod(point["slot"], SHEET_SIDE)
        middle = ((column + 0.5) * SHEET_TILE, (row + 0.5) * SHEET_TILE)
        found = sheet.getpixel((int(middle[0]), int(middle[1])))
        picture = Image.open(io.BytesIO(engine.thumbnails[engine.keys[point["id"]][0]]))
        wanted = picture.getpixel((picture.width // 2, picture.height // 2))
        assert np.abs(np.subtract(found, wanted)).max() < 30
    for wrong in (url.replace("/0.", "/1."), re.sub(r"sheets/\w+", "sheets/0", url)):
        assert client.get(wrong).status_code == 404


def test_a_sheet_is_found_by_another_process(client: FlaskClient, engine: FakeEngine) -> None:
    said = client.get("/map/points.json").json
    assert said is not None
    other = create_app(Settings(), engine=engine).test_client()
    answer = other.get(said["sheets"][0])
    assert answer.status_code == 200
    assert answer.data == client.get(said["sheets"][0]).data


def test_the_map_is_made_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = web.pages.map.map_of
    monkeypatch.setattr(web.pages.map, "map_of", lambda snapshot: made.append(1) or real(snapshot))
    for _ in range(3):
        client.get("/map/points.json")
    assert made == [1]


def test_sheets_of_older_maps_are_forgotten(engine: FakeEngine) -> None:
    holder = web.pages.map.MapHolder()
    drawn = holder.get(engine)
    places = web.pages.map.places(engine, drawn)
    versions = [holder.note(drawn, places[n:]) for n in range(4)]
    assert len(set(versions)) == 4
    assert holder.sheet(engine, versions[0], 0) is None
    assert holder.sheet(engine, versions[3], 0) is not None


def test_the_whole_as_one_picture(client: FlaskClient) -> None:
    picture = Image.open(io.BytesIO(client.get("/map/still.jpg").data))
    assert picture.width == web.pages.map.STILL_WIDTH


def test_an_empty_catalogue_and_none_at_all(settings: Settings) -> None:
    client = create_app(settings, engine=MappedEngine({})).test_client()
    said = client.get("/map/points.json").json
    assert said is not None
    assert (said["points"], said["sheets"], said["total"]) == ([], [], 0)
    assert client.get("/map/still.jpg").status_code == 200
    nothing = create_app(settings).test_client()
    assert "lookalike index" in nothing.get("/map").text
    assert nothing.get("/map/points.json").status_code == 503


def test_the_style_has_every_colour() -> None:
    style = (STATIC / "map.css").read_text()
    for n, colour in enumerate(COLOURS):
        assert f"--hue-{n}: #" in style
        assert f".swatch.hue-{n}" in style
        assert n == 6 or f"--hue-{n}: {colour};" in style  # yellow is darker on paper


MOST_COLOURS = """canvas => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let n = 0; n < data.length; n += 4 * 97) seen.add(data[n] + "," + data[n + 1] + "," + data[n + 2]);
    return seen.size;
}"""  # noqa: E501


@pytest.fixture
def shown(page: Page) -> Iterator[Page]:
    """The map, with its tiles drawn."""
    page.goto("/map")
    expect(page.locator("#map-wait")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    until(page, f"({MOST_COLOURS})(document.getElementById('map-canvas')) > 20")
    yield page


@pytest.mark.browser
def test_the_map_is_drawn_and_leads_to_a_listing(shown: Page, engine: FakeEngine) -> None:
    expect(shown.locator("#map-summary")).to_contain_text(f"{len(engine.listings) - 1} listings")
    expect(shown.locator("#map-legend button")).to_have_count(4)
    canvas, card = shown.locator("#map-canvas"), shown.locator("#map-card")
    expect(card).to_be_hidden()
    box = canvas.bounding_box()
    assert box is not None
    shown.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.45)
    expect(card).to_be_visible()
    address = card.get_attribute("href")
    shown.mouse.down()
    shown.mouse.up()
    shown.wait_for_url(f"**{address}")
    shown.go_back()
    expect(shown.locator("#map-card.docked")).to_have_attribute("href", str(address))


@pytest.mark.browser
def test_zooming_and_moving(shown: Page) -> None:
    whole, closer = shown.locator("#map-all"), shown.locator("#map-in")
    expect(whole).to_be_disabled()
    closer.click()
    expect(whole).to_be_enabled()
    whole.click()
    expect(whole).to_be_disabled()
    box = shown.locator("#map-canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.mouse.move(x, y)
    shown.mouse.wheel(0, -500)
    expect(whole).to_be_enabled()
    shown.mouse.down()
    shown.mouse.move(x + 60, y + 60, steps=4)
    shown.mouse.up()
    assert shown.url.endswith("/map")  # a drag is no click


@pytest.mark.browser
def test_the_keyboard_goes_from_listing_to_listing(shown: Page) -> None:
    shown.locator("#map-canvas").focus()
    said = shown.locator("#map-said")
    shown.keyboard.press("ArrowRight")
    expect(said).not_to_be_empty()
    first = said.text_content()
    shown.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(str(first))
    shown.keyboard.press("ArrowLeft")
    expect(said).to_have_text(str(first))
    shown.keyboard.press("+")
    expect(shown.locator("#map-all")).to_be_enabled()
    shown.keyboard.press("Home")
    expect(shown.locator("#map-all")).to_be_disabled()
    shown.keyboard.press("Enter")
    shown.wait_for_url("**/listings/*")


@pytest.mark.browser
def test_a_category_is_picked(shown: Page) -> None:
    shoes = shown.get_by_role("button", name="shoes")
    shoes.click()
    expect(shoes).to_have_attribute("aria-pressed", "true")
    shoes.click()
    expect(shoes).to_have_attribute("aria-pressed", "false")


@pytest.mark.browser
def test_a_tap_tells_first(browser: Browser, address: tuple[str, int]) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto("http://{}:{}/map".format(*address))
    expect(page.locator("#map-wait")).to_have_count(0)
    box = page.locator("#map-canvas").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
    card = page.locator("#map-card.docked")
    expect(card).to_be_visible()
    card.click()
    page.wait_for_url("**/listings/*")
    phone.close()


@pytest.mark.browser
def test_without_the_script(browser: Browser, address: tuple[str, int]) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto("http://{}:{}/map".format(*address))
    assert page.locator(".map-still").evaluate("image => image.naturalWidth") == 1600
    expect(page.locator("#map-canvas")).to_be_hidden()
    plain.close()


@pytest.mark.browser
def test_a_map_that_cannot_be_loaded(page: Page) -> None:
    page.route("**/map/points.json", lambda route: route.abort())
    page.goto("/map")
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
