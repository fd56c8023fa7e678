"""`lookalike duplicates` with the real network, on copies planted in a drawn catalogue."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page

from tests.e2e.conftest import OUTPUT, Run

PRODUCTS = 12
LOW = "--min-similarity", "0.2"
"""In a catalogue this small, the projection sets even copies apart."""

HOSTILE = "<script>document.title = 'run'</script> & <b>bold</b>"


@pytest.fixture(scope="module")
def planted(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the index of a catalogue with two copies and a recolouring of every product."""
    folder = tmp_path_factory.mktemp("duplicates")
    done = run("demo", "--out", folder / "demo", "--listings", PRODUCTS)
    assert done.returncode == 0, done.stderr
    with (folder / "demo" / "catalog.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in list(rows):
        id_ = row["id"]
        with Image.open(folder / "demo" / row["image"]) as opened:
            image = opened.convert("RGB")
        width, height = image.size
        cropped = image.crop((width // 20, 0, width, height - height // 20))
        mirrored = ImageOps.mirror(image).resize((width // 2, height // 2))
        hues, saturation, value = image.convert("HSV").split()
        turned = hues.point([(level + 128) % 256 for level in range(256)])
        strong = saturation.point([min(255, 2 * level) for level in range(256)])
        recoloured = Image.merge("HSV", (turned, strong, value)).convert("RGB")
        for name, copy in (("crop", cropped), ("mirror", mirrored), ("other", recoloured)):
            copy.save(folder / f"{name}-{id_}.jpg", quality=70)
            image_path = str(folder / f"{name}-{id_}.jpg")
            rows.append({"id": f"{name}-{id_}", "image": image_path, "title": HOSTILE})
    table = folder / "demo" / "planted.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("id", "image", "title"), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    done = run("index", table, "--index", folder / "index")
    assert done.returncode == 0, done.stderr
    return folder / "index"


def test_planted_copies_are_found(run: Run, planted: Path, tmp_path: Path) -> None:
    done = run("duplicates", *LOW, "--index", planted, "--json", "--csv", tmp_path / "d.csv")
    assert done.returncode == 0, done.stderr
    groups = [
        [one["id"] for one in json.loads(line)["listings"]]
        for line in done.stdout.split("\n")
        if line
    ]
    assert len(groups) == PRODUCTS
    for group in groups:
        assert sorted(group) == sorted([group[0], f"crop-{group[0]}", f"mirror-{group[0]}"])
    with (tmp_path / "d.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3 * PRODUCTS


@pytest.mark.browser
def test_the_gallery_in_a_browser(
    run: Run, planted: Path, tmp_path: Path, page: Page, request: pytest.FixtureRequest
) -> None:
    gallery = tmp_path / "duplicates.html"
    done = run("duplicates", *LOW, "--index", planted, "--html", gallery)
    assert done.returncode == 0, done.stderr
    page.goto(gallery.as_uri())
    assert page.title() == "Near-duplicate listings"
    assert page.locator("section").count() == PRODUCTS
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].slice(0, 3).every(i => i.naturalWidth > 0)")
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{request.node.callspec.id}-duplicates.png")
