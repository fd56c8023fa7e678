"""The living catalogue with the real network, through the real command line and server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo, Run

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def living(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the index that may be changed."""
    folder = tmp_path_factory.mktemp("living") / "index"
    shutil.copytree(demo.index, folder)
    return folder


@pytest.fixture(scope="module")
def api(living: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "lookalike", "serve", "--index", str(living), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = re.search(r"http://\S+", process.stderr.readline())
    assert found
    yield f"{found.group()}/api/v1"
    process.terminate()
    process.communicate(timeout=30)


def asked(url: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, JSON if data else {}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def in_base64(path: Path) -> str:
    import base64

    return base64.b64encode(path.read_bytes()).decode()


def found(url: str, photo: Path, **more: Any) -> list[str]:
    page = asked(f"{url}/search", "POST", {"image_base64": in_base64(photo), **more})
    return [hit["listing"]["id"] for hit in page["hits"]]


def test_a_photo_becomes_a_listing_changes_and_goes(api: str, demo: Demo, living: Path) -> None:
    photo = sorted((demo.folder / "photos").glob("*.jpg"))[5]
    new = f"{api}/listings/NEW-1"
    said = {"image_base64": in_base64(photo), "title": "New", "category": "found", "price": 12.5}
    assert asked(new, "PUT", said)["outcome"] == "created"
    assert asked(new, "PUT", said)["outcome"] == "unchanged"
    assert found(api, photo)[0] == "NEW-1"
    assert found(api, photo, filter="category:found price:12..13") == ["NEW-1"]
    assert asked(new, "PATCH", {"price": 99.0})["outcome"] == "patched"
    assert found(api, photo, filter="category:found price:12..13") == []
    assert asked(new)["price"] == 99
    assert asked(f"{api}/status")["listings"] == 301
    assert asked(new, "DELETE")["outcome"] == "removed"
    assert "NEW-1" not in found(api, photo, k=300)


def test_the_page_and_the_command_line_see_the_same(api: str, run: Run, living: Path) -> None:
    first = asked(f"{api}/listings/sneaker-001/similar?k=3")["hits"][0]["listing"]["id"]
    assert run("remove", first, "--index", living).returncode == 0
    page = asked(f"{api}/listings/sneaker-001/similar?k=300")
    assert first not in [hit["listing"]["id"] for hit in page["hits"]]
    assert run("remove", first, "--index", living).returncode == 1


def test_pages_follow_one_another(api: str) -> None:
    seen, cursor = [], None
    page = asked(f"{api}/listings/sneaker-001/similar?k=60")
    while True:
        seen += [hit["listing"]["id"] for hit in page["hits"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        page = asked(f"{api}/search", "POST", {"cursor": cursor})
    assert len(seen) == len(set(seen)) == 298


def test_a_dry_run_tells_and_does_nothing(run: Run, demo: Demo, living: Path) -> None:
    told = run("index", demo.catalogue, "--index", living, "--dry-run", "--json")
    assert told.returncode == 0, told.stderr
    plan = json.loads(told.stdout)["plan"]
    assert (plan["added"], plan["removed"], plan["unchanged"]) == (1, 0, 299)


def test_a_backup_is_an_index_and_comes_back(run: Run, living: Path, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "kept", "--index", living).returncode == 0
    assert run("verify", "--index", tmp_path / "kept").returncode == 0
    back = run("restore", tmp_path / "kept", "--index", tmp_path / "back")
    assert back.returncode == 0, back.stderr
    told = run("search", "--id", "sneaker-001", "--index", tmp_path / "back", "--json")
    assert json.loads(told.stdout)["hits"]


def test_what_is_exported_is_found_where_it_is_imported(
    run: Run, living: Path, tmp_path: Path
) -> None:
    file = tmp_path / "all.parquet"
    assert run("export", file, "--index", living).returncode == 0
    told = run("import", file, "--index", tmp_path / "other")
    assert told.returncode == 0, told.stderr

    def ids(index: Path) -> list[str]:
        said = run("search", "--id", "sneaker-001", "--index", index, "--json", "-k", 5)
        return [hit["listing"]["id"] for hit in json.loads(said.stdout)["hits"]]

    # The models are learned anew there, from the same features.
    here, there = ids(living), ids(tmp_path / "other")
    assert here[0] == there[0]
    assert len(set(here) & set(there)) >= 4


def test_a_plan(run: Run) -> None:
    told = run("plan", "--listings", "100M", "--memory", "64GB", "--no-probe", "--json")
    assert told.returncode == 0, told.stderr
    assert "IVF" in told.stdout
    assert run("plan", "--listings", "many").returncode == 2
