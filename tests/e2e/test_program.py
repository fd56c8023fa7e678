"""The promises of the README, through the real command line, network and server."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from indexer.catalog import Catalog
from lookalike import Engine
from tests.e2e.conftest import LOOKALIKE, OUTPUT, Demo, Run


def photos(demo: Demo) -> list[tuple[Path, str]]:
    with demo.queries.open(newline="") as file:
        return [(demo.folder / row["image"], row["listing"]) for row in csv.DictReader(file)]


def test_customer_photos_find_their_listing(demo: Demo) -> None:
    engine = Engine.open(demo.index)
    asked = photos(demo)
    hits = [
        listing in [hit.listing.id for hit in engine.search(photo=photo, k=5).hits]
        for photo, listing in asked
    ]
    assert len(asked) >= 250
    assert np.mean(hits) >= 0.9


def test_a_picture_finds_itself_however_it_was_saved(demo: Demo, tmp_path: Path) -> None:
    engine = Engine.open(demo.index)
    for listing, _ in engine.sample(5):
        with Image.open(listing.pictures[0].uri) as opened:
            picture = opened.convert("RGB")
        variants = {
            "alpha.png": picture.convert("RGBA"),
            "photo.webp": picture,
            "turned.jpg": picture.transpose(Image.Transpose.ROTATE_90),
        }
        for name, variant in variants.items():
            exif = Image.Exif()
            if name == "turned.jpg":
                exif[0x0112] = 6  # to be turned by 90 degrees clockwise when shown
            variant.save(tmp_path / name, exif=exif, quality=92)
            first = engine.search(photo=tmp_path / name, k=1).hits[0]
            assert first.listing.id == listing.id, name
            assert first.near_duplicate, (name, first.similarity)


def test_search_writes_json_and_a_montage(demo: Demo, run: Run, tmp_path: Path) -> None:
    asked = [str(photo) for photo, _ in photos(demo)[:2]]
    montage = tmp_path / "hits.png"
    done = run("search", *asked, "-k", 3, "--json", "--index", demo.index, "--montage", montage)
    assert done.returncode == 0, done.stderr
    pages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(page["hits"]) for page in pages] == [3, 3]
    with Image.open(montage) as sheet:
        assert sheet.width > 600


def test_a_bad_photo_is_told_in_words(demo: Demo, run: Run) -> None:
    done = run("search", demo.catalogue, "--index", demo.index)
    assert done.returncode == 1
    assert "Error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_network_is_refused(demo: Demo, run: Run) -> None:
    done = run("index", demo.catalogue, "--index", demo.index, "--input-size", 224)
    assert done.returncode == 1
    assert "299" in done.stderr


def test_a_killed_run_goes_on_where_it_stopped(demo: Demo, run: Run, tmp_path: Path) -> None:
    index = tmp_path / "index"
    arguments = ["index", str(demo.catalogue), "--index", str(index)]
    process = subprocess.Popen([str(LOOKALIKE), *arguments], stderr=subprocess.DEVNULL)
    while process.poll() is None and _embedded(index) == 0:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = _embedded(index)
    assert kept > 0
    again = run(*arguments, "--json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert report["work"]["embedded"] <= _embedded(index) - kept
    assert run("verify", "--index", index).returncode == 0


def _embedded(index: Path) -> int:
    if not (index / "catalog.db").exists():
        return 0
    try:
        with Catalog(index) as catalog:
            return catalog.count("embeddings")
    except sqlite3.OperationalError:  # it is being made just now
        return 0


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, lookalike, contextlib\n"
        "with contextlib.suppress(SystemExit): lookalike.main(['--help'])\n"
        "heavy = {'tensorflow', 'ai_edge_litert', 'faiss', 'sklearn', 'numpy', 'flask', 'rich'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_api_answers(server: str, demo: Demo) -> None:
    photo, _ = photos(demo)[0]
    with httpx.Client(base_url=server, timeout=60) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200
        answer = client.post("/api/v1/search", files={"image": photo.read_bytes()}, data={"k": "5"})
        assert answer.status_code == 200, answer.text
        hits = answer.json()["hits"]
        assert len(hits) == 5
        thumbnail = client.get(hits[0]["listing"]["thumbnail_url"])
        assert thumbnail.headers["content-type"] == "image/jpeg"
        similar = client.get(f"/api/v1/listings/{hits[0]['listing']['id']}/similar?k=3").json()
        assert hits[0]["listing"]["id"] not in [h["listing"]["id"] for h in similar["hits"]]
        refused = client.post("/api/v1/search", files={"image": b"no picture"})
        assert refused.status_code == 415
        assert set(refused.json()["error"]) == {"code", "message", "hint"}


@pytest.mark.browser
def test_a_photo_chosen_in_a_browser_shows_its_hits(
    server: str, demo: Demo, page: Page, request: pytest.FixtureRequest
) -> None:
    photo, _ = photos(demo)[0]
    page.goto(server)
    page.set_input_files("input[type=file]", str(photo))
    page.wait_for_selector(".results .card img", timeout=30_000)
    assert page.locator(".results .card").count() == 24
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{request.node.callspec.id}-results.png")
    page.locator(".results .card a").first.click()
    page.wait_for_url("**/listings/**")
    assert page.locator(".card").count() >= 10
