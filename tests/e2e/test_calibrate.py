"""`lookalike calibrate` through the real command line: what is promised of it, measured."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo, Run


@pytest.fixture(scope="module")
def halves(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Every other customer photo in a folder, without labels; the others in a table, with them."""
    folder = tmp_path_factory.mktemp("photos")
    with demo.queries.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::2]:
        shutil.copy(demo.folder / row["image"], folder)
    asked = folder.parent / "asked.csv"
    with asked.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "listing"))
        writer.writerows((demo.folder / row["image"], row["listing"]) for row in rows[1::4])
    return folder, asked


def hit_at_1(run: Run, index: Path, asked: Path) -> float:
    said = run("evaluate", asked, "--index", index, "--json")
    assert said.returncode == 0, said.stderr
    figures = {one["name"]: one for one in json.loads(said.stdout)["by_listing"]}
    return float(figures["hit@1"]["plain"]["value"])


def test_unlabelled_photos_find_more(
    run: Run, demo: Demo, halves: tuple[Path, Path], tmp_path: Path
) -> None:
    photos, asked = halves
    index = tmp_path / "index"
    shutil.copytree(demo.index, index)
    before = hit_at_1(run, index, asked)
    (photos / "broken.jpg").write_bytes(b"no picture")
    done = run("calibrate", "--index", index, "--photos", photos, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["photos"] == 150
    assert [Path(one["photo"]).name for one in said["rejected"]] == ["broken.jpg"]
    assert said["snapshot"] == "000002"
    assert hit_at_1(run, index, asked) >= before + 0.05
    # Their features are kept; the photos are not, and a later sync goes on using them.
    kept = index / "photos.npz"
    assert kept.stat().st_size < 150 * 3072 * 2 + 10_000
    again = run("index", demo.catalogue, "--index", index)
    assert again.returncode == 0, again.stderr
    status = json.loads(run("status", "--index", index, "--json").stdout)
    assert status["photos"] == 150
    assert status["recipe"] == said["recipe"]
    forgotten = run("calibrate", "--index", index, "--forget-photos", "--json")
    assert json.loads(forgotten.stdout)["photos"] == 0
    assert not kept.exists()
