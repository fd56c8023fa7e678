"""Every example of README.md and docs/ runs as it stands, on the drawn catalogue.

One that cannot says so above itself: ``<!-- not run: why -->``. Examples of a page run in their
order, in a folder that has what they speak of, beside a server of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.documented import Block, as_json, blocks
from tests.e2e.serving import serving

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SERVER = "http://127.0.0.1:8000"
SAYS = {"README.md": "components; sneaker\n", "recipe.md": "category: sneaker "}
"""What examples say in the end: they show that it works, so they must come out right."""


def page_name(path: Path) -> str:
    return path.name


def to_run(path: Path) -> list[Block]:
    return [block for block in blocks(path) if not block.not_run]


WITH_EXAMPLES = [path for path in PAGES if to_run(path)]


@pytest.fixture
def shop(demo: Demo, tmp_path: Path) -> Path:
    """A folder as a reader has it: a catalogue, its index, and a few photos."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copytree(demo.folder, data / "demo")
    shutil.copy(demo.catalogue, tmp_path / "catalog.csv")
    (tmp_path / "pictures").symlink_to(data / "demo" / "pictures")
    (tmp_path / "photos").symlink_to(data / "demo" / "photos")
    shutil.copy(demo.queries, tmp_path / "queries.csv")
    for name, photo in (("photo", "sneaker-002"), ("shoe", "sneaker-003"), ("a", "boot-001")):
        shutil.copy(demo.folder / "photos" / f"{photo}.jpg", tmp_path / f"{name}.jpg")
    shutil.copy(demo.folder / "photos" / "boot-002.jpg", tmp_path / "b.jpg")
    return tmp_path


def here(block: Block, url: str, folder: Path) -> Block:
    """Return an example with the server's real address; the server runs already."""
    lines = [
        ":" if re.match(r"\s*(\w+=\S+ )*lookalike serve", line) else line
        for line in block.text.replace(SERVER, url).replace("/shop/", f"{folder}/").splitlines()
    ]
    return replace(block, text="\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=page_name)
def test_the_examples_run(path: Path, demo: Demo, shop: Path) -> None:
    for program in ("curl", "jq"):
        if shutil.which(program) is None:
            if os.environ.get("LOOKALIKE_REQUIRE_BROWSER"):
                pytest.fail(f"{program} is not installed, and this run requires it.")
            pytest.skip(f"{program} is not installed: run `make test` as root, or install it.")
    steps = to_run(path)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
        "CURL_HOME": str(shop),
    }
    environment.pop("LOOKALIKE_INDEX", None)
    # Else curl takes an error for an answer like any other.
    (shop / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    with serving(demo.index, shop) as url:
        ran = subprocess.run(
            [sys.executable, "-m", "tests.e2e.documented", str(shop / "environment")],
            input=as_json([here(block, url, shop) for block in steps]),
            capture_output=True,
            text=True,
            check=False,
            cwd=shop,
            env=environment,
            timeout=300,
        )
    said = ran.stdout[-6000:] + ran.stderr[-4000:]
    assert ran.returncode == 0, said
    assert SAYS.get(path.name, "") in ran.stdout, said


def test_what_is_not_run_says_why() -> None:
    left_out = [block for path in PAGES for block in blocks(path) if block.not_run]
    for block in left_out:
        print(f"{block.page}, line {block.line}: {block.not_run}")
        assert len(block.not_run) > 10, block
    pages = {path.stem for path in WITH_EXAMPLES}
    assert pages >= {"README", "tutorial", "marketplace", "recipe", "client", "api", "filters"}
