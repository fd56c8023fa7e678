"""The documentation site: it builds without a warning, is whole, and needs no other host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike
from web.settings import described

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", folder / "doctrees", DOCS, folder / "html"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(DOCS.parent)},
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return folder / "html"


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


def test_every_page_is_there(site: Path) -> None:
    for page in DOCS.glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()


def test_nothing_comes_from_another_host(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|iframe|source)[^>]+src="([^"]+)"|<link[^>]+href="([^"]+)"')
    for page in site.glob("*.html"):
        for found in loads.findall(page.read_text(encoding="utf-8")):
            assert not "".join(found).startswith(("http:", "https:", "//")), (page, found)
    for styles in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", styles.read_text(encoding="utf-8"))


def test_the_api_is_described(site: Path) -> None:
    text = text_of(site / "reference-api.html")
    for said in ("POST /api/v1/search", "GET /api/v1/listings/{listing_id}/similar", "PageAnswer"):
        assert said in text
    assert "Retry-After" in text


def test_all_commands_and_settings_are_described(site: Path) -> None:
    text = text_of(site / "reference-cli.html")
    for command in lookalike.COMMANDS:
        assert f"Usage: lookalike {command}" in text
    text = text_of(site / "settings.html")
    for name, _, _ in described():
        assert name in text


def test_all_public_names_are_described(site: Path) -> None:
    page = (site / "reference-python.html").read_text(encoding="utf-8")
    for name in set(lookalike.__all__) - {"main"}:
        assert f'id="lookalike.{name}"' in page, name
