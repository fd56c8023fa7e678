"""The whole program with its real network, on a small drawn catalogue: one index for all tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OUTPUT = Path(__file__).parent.parent / "output"
"""Where screenshots are left to be looked at; ignored by git."""

LOOKALIKE = Path(sys.executable).parent / "lookalike"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def lookalike(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the real command line."""
    return subprocess.run(
        [str(LOOKALIKE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        **options,  # type: ignore[call-overload]
    )


@pytest.fixture(scope="session")
def run() -> Run:
    return lookalike


@dataclass
class Demo:
    """The drawn catalogue and its index."""

    folder: Path
    catalogue: Path
    queries: Path
    index: Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("e2e")
    out = folder / "demo"
    drawn = lookalike("demo", "--out", out)
    assert drawn.returncode == 0, drawn.stderr
    index = folder / "index"
    indexed = lookalike("index", out / "catalog.csv", "--index", index)
    assert indexed.returncode == 0, indexed.stderr
    return Demo(out, out / "catalog.csv", out / "queries.csv", index)


@pytest.fixture(scope="session")
def server(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real server on a free port, started in a folder that holds decoys of our packages."""
    folder = tmp_path_factory.mktemp("shop")
    for decoy in ("web", "search", "indexer"):
        (folder / decoy).mkdir()
        (folder / decoy / "__init__.py").write_text("raise ImportError('the wrong package')\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "serve", "--index", str(demo.index), "--port", "0"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    deadline = time.monotonic() + 60
    url, said = None, ""
    while url is None and time.monotonic() < deadline:
        line = process.stderr.readline()
        said += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            url = found.group()
        elif not line:
            break
    assert url, said
    try:
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode in (0, -15)


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in real Chromium, at desktop and at phone size."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("LOOKALIKE_REQUIRE_BROWSER"):
            pytest.fail("Chromium is not installed, and this run requires it.")
        pytest.skip("Chromium is not installed: run `make test` as root, or install it yourself.")
    width, height = request.param
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        opened = browser.new_page(viewport={"width": width, "height": height})
        yield opened
        browser.close()
