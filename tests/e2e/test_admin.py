"""The administration page, from signing in to a catalogue that is uploaded and taken back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OUTPUT, Demo, Run
from tests.e2e.serving import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def key(demo: Demo, run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    words = ("keys", "add", "boss", "--scope", "admin", "--index", demo.index)
    made = run(*words, env={**os.environ, "LOOKALIKE_KEYS": str(keys)})
    assert made.returncode == 0, made.stderr
    return made.stdout.strip(), keys


@pytest.fixture(scope="module")
def shop(
    demo: Demo, key: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("admin")
    with serving(
        demo.index,
        folder,
        LOOKALIKE_KEYS=str(key[1]),
        LOOKALIKE_CATALOGUE_PICTURES=str(demo.folder),
    ) as url:
        yield url


def sign_in(page: Page, shop: str, key: str) -> None:
    page.goto(f"{shop}/admin")
    page.fill("#key", key)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{shop}/admin")


def without(catalogue: Path, share: float, *more: dict[str, str]) -> bytes:
    """Return a catalogue without a share of its rows, and with further ones."""
    with catalogue.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kept = rows[int(share * len(rows)) :]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows([*kept, *({**kept[0], **one} for one in more)])
    return out.getvalue().encode()


def upload(page: Page, data: bytes) -> None:
    page.set_input_files(
        "#upload-file", {"name": "shop.csv", "mimeType": "text/csv", "buffer": data}
    )
    expect(page.locator("#job-said")).to_have_text("Nothing has been changed yet.", timeout=60_000)


def test_a_stranger_is_asked_for_a_key(page: Page, shop: str) -> None:
    page.goto(f"{shop}/admin")
    assert page.url.startswith(f"{shop}/sign-in")
    assert page.request.get(f"{shop}/admin/figures.json").status == 401


def test_the_page_tells_what_is_served(page: Page, shop: str, key: tuple[str, Path]) -> None:
    sign_in(page, shop, key[0])
    state = page.locator("section[aria-labelledby=state-title]")
    expect(state).to_contain_text("nsfwjs" if "nsfwjs" in state.inner_text() else "imagenet")
    expect(page.locator("[data-step]")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    size = "phone" if page.evaluate("innerWidth") < 600 else "desktop"
    page.screenshot(path=OUTPUT / f"{size}-admin.png", full_page=True)


@pytest.fixture
def broken(demo: Demo) -> Iterator[str]:
    path = demo.folder / "broken.jpg"
    path.write_text("no picture at all")
    yield path.name
    path.unlink()


def test_a_catalogue_is_uploaded(
    page: Page, shop: str, key: tuple[str, Path], demo: Demo, broken: str
) -> None:
    sign_in(page, shop, key[0])
    rows = ({"id": "added", "title": "An added one"}, {"id": "bad", "image": broken})
    upload(page, without(demo.catalogue, 0, *rows))
    expect(page.locator("#job-detail")).to_contain_text("removed")
    page.click("#job-sync")
    expect(page.locator("#job-said")).to_have_text("Done.", timeout=120_000)
    page.goto(f"{shop}/listings/added")
    expect(page.locator("#listing-title")).to_have_text("An added one")
    page.goto(f"{shop}/admin#failures")
    failure = page.locator(".failure", has_text="bad")
    expect(failure).to_contain_text("picture")
    expect(page.locator("#job-said")).to_have_text("Done.")  # told after the page was left, too


def test_many_removals_are_asked_about(
    page: Page, shop: str, key: tuple[str, Path], demo: Demo
) -> None:
    sign_in(page, shop, key[0])
    upload(page, without(demo.catalogue, 0.5))
    expect(page.locator("#job-removals")).to_be_visible()
    expect(page.locator("#job-sync")).to_be_hidden()


def test_what_a_catalogue_leaves_out_is_told(page: Page, shop: str, key: tuple[str, Path]) -> None:
    sign_in(page, shop, key[0])
    upload(
        page,
        b"Handle,Title,Image Src,Status\na,A,https://shop.example/a.jpg,active\n"
        b"b,B,https://shop.example/b.jpg,draft\n",
    )
    expect(page.locator("#job-detail")).to_contain_text("1 product left out")


def test_what_is_no_catalogue_is_told(page: Page, shop: str, key: tuple[str, Path]) -> None:
    sign_in(page, shop, key[0])
    data = {"name": "x.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    page.set_input_files("#upload-file", data)
    said = page.locator("#job-said")
    expect(said).to_have_text("It failed, and nothing is lost.", timeout=60_000)
    expect(page.locator("#job-detail")).to_contain_text("column")
    for work in ("#job-sync", "#job-removals", "#job-stop"):
        expect(page.locator(work)).to_be_hidden()  # it would only fail once more
    page.select_option("#upload-encoding", "cp1252")
    western = "id,title,image\na,Café,https://shop.example/a.jpg\n".encode("cp1252")
    page.set_input_files("#upload-file", {**data, "buffer": western})
    expect(said).to_have_text("Nothing has been changed yet.", timeout=60_000)
    page.select_option("#upload-encoding", "utf-8")
    page.set_input_files("#upload-file", {**data, "buffer": western})
    expect(page.locator("#job-detail")).to_contain_text("Choose the encoding", timeout=60_000)
    outside = {**data, "buffer": b"id,image\n1,../../../../etc/hostname\n"}
    page.set_input_files("#upload-file", outside)
    expect(page.locator("#job-detail")).to_contain_text("outside", timeout=60_000)


def test_another_site_cannot_upload(page: Page, shop: str, key: tuple[str, Path]) -> None:
    sign_in(page, shop, key[0])
    answer = page.request.post(
        f"{shop}/admin/catalogue",
        data={"name": "a.csv", "size": 10},
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status == 403
