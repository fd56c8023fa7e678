"""Why a hit was found, with the real network: by the program, the API and the page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from lookalike import Engine
from search.explain import Explanation, explain
from search.explain_cells import contributions, pooled
from search.query import Query
from tests.e2e.conftest import OUTPUT, Demo, Run


@pytest.fixture(scope="module")
def engine(demo: Demo) -> Iterator[Engine]:
    opened = Engine.open(demo.index)
    yield opened
    opened.close()


def photos(demo: Demo) -> list[tuple[Path, str]]:
    with demo.queries.open(newline="") as file:
        return [(demo.folder / row["image"], row["listing"]) for row in csv.DictReader(file)]


def add_up(explanation: Explanation) -> None:
    for cells, constant in (
        (explanation.query_map, explanation.query_constant),
        (explanation.hit_map, explanation.hit_constant),
    ):
        assert cells.shape == (17, 17)
        assert cells.sum() + constant == pytest.approx(explanation.similarity, abs=1e-4)
    assert explanation.similarity == pytest.approx(explanation.stored_similarity, abs=2e-3)


def test_places_and_the_constant_are_the_similarity(engine: Engine, demo: Demo) -> None:
    for photo, listing in photos(demo)[::50]:
        add_up(explain(engine, Query(photo=photo), listing))
        part = Query(photo=photo, region=(0.1, 0.2, 0.7, 0.6))
        add_up(explain(engine, part, listing))
        hit = engine.search(listing_id=listing, k=1).hits[0]
        explanation = explain(engine, Query(listing_id=listing), hit.listing.id)
        assert explanation.stored_similarity == pytest.approx(hit.similarity, abs=2e-3)
        add_up(explanation)


def noise(seed: int, scale: int) -> Image.Image:
    drawn = np.random.default_rng(seed).integers(60, 190, (scale, scale, 3), np.uint8)
    return Image.fromarray(drawn).resize((300, 300), Image.Resampling.BICUBIC)


def test_a_pasted_product_is_found_in_both_pictures(engine: Engine) -> None:
    """Where two pictures share nothing but a product, both maps are hottest on it."""
    projection = engine.snapshot.projection
    right = 0
    products = engine.sample(6)
    for n, (listing, _) in enumerate(products):
        with Image.open(listing.pictures[0].uri) as opened:
            product = opened.convert("RGB").resize((110, 110))
        maps = []
        for ground, corner in ((noise(2 * n, 6), (10, 20)), (noise(2 * n + 1, 40), (170, 160))):
            ground.paste(product, corner)
            out = io.BytesIO()
            ground.save(out, "PNG")
            maps.append(engine.embedder().maps(engine.prepared(out.getvalue()).pixels))
        first, second = (projection.transform(pooled(one))[0] for one in maps)
        for one, other, (x, y) in ((maps[0], second, (10, 20)), (maps[1], first, (170, 160))):
            cells, _ = contributions(projection, one, other)
            row, column = np.unravel_index(int(cells.argmax()), cells.shape)
            at_x, at_y = (13.5 + 16 * (column + 0.5), 13.5 + 16 * (row + 0.5))
            right += x - 8 <= at_x <= x + 118 and y - 8 <= at_y <= y + 118
    assert right >= 2 * len(products) - 2


def test_the_program_draws_it(demo: Demo, run: Run, tmp_path: Path) -> None:
    photo, listing = photos(demo)[0]
    sheet = tmp_path / "why.png"
    asked = ("explain", photo, listing, "--index", demo.index)
    done = run(*asked, "--out", sheet, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert np.sum(said["query"]["map"]) + said["query"]["constant"] == pytest.approx(
        said["similarity"], abs=1e-3
    )
    with Image.open(sheet) as drawn:
        assert drawn.width > 900
    wrong = run("explain", photo, "none", "--index", demo.index)
    assert wrong.returncode == 1
    assert "none" in wrong.stderr


def test_the_api_says_it(server: str, demo: Demo) -> None:
    photo, listing = photos(demo)[0]
    with httpx.Client(base_url=server, timeout=60) as client:
        answer = client.post(
            "/api/v1/explain", files={"image": photo.read_bytes()}, data={"listing_id": listing}
        )
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["rows"], said["columns"]) == (17, 17)
        assert np.sum(said["hit"]["map"]) + said["hit"]["constant"] == pytest.approx(
            said["similarity"], abs=1e-3
        )


@pytest.mark.browser
def test_the_page_shows_it(
    server: str, demo: Demo, page: Page, request: pytest.FixtureRequest
) -> None:
    photo, listing = photos(demo)[0]
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(server)
    page.set_input_files("input[type=file]", str(photo))
    control = page.locator("button[data-why]").first
    control.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_have_count(2, timeout=30_000)
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{request.node.callspec.id}-why.png")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(control).to_be_focused()
    page.goto(f"{server}/listings/{quote(listing)}")
    page.locator("a[data-why]").first.click()
    expect(dialog.get_by_role("img")).to_have_count(2, timeout=30_000)
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not complaints
