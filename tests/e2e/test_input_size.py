"""An index with another input size than the network was trained on, through the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.slow


def test_input_size(run: Run, tmp_path: Path) -> None:
    shop, index = tmp_path / "shop", tmp_path / "index"
    assert run("demo", "--out", shop, "--listings", 6).returncode == 0
    catalogue = shop / "catalog.csv"
    made = run("index", catalogue, "--index", index, "--input-size", 150, "--json", "--quiet")
    assert made.returncode == 0, made.stderr

    with catalogue.open(newline="", encoding="utf-8") as file:
        listings = list(csv.DictReader(file))
    pictures = [shop / listing["image"] for listing in listings]
    found = run("search", *pictures, "--index", index, "-k", 1, "--json")
    assert found.returncode == 0, found.stderr
    first = [json.loads(line)["hits"][0] for line in found.stdout.splitlines()]
    assert [hit["listing"]["id"] for hit in first] == [listing["id"] for listing in listings]
    assert all(hit["near_duplicate"] for hit in first)

    said = json.loads(run("status", "--index", index, "--json").stdout)
    assert (said["network"]["input_size"], said["listings"]) == (150, len(listings))
    assert "150 px" in run("status", "--index", index).stdout

    refused = run("index", catalogue, "--index", index, "--input-size", 299)
    assert refused.returncode == 1
    assert "The index was made with 150 pixels a side, not with 299." in refused.stderr
    assert "--replace" in " ".join(refused.stderr.split())
    for _ in range(2):  # nothing was changed by that, and the size need not be said again
        again = run("index", catalogue, "--index", index, "--json", "--quiet")
        assert json.loads(again.stdout)["plan"]["unchanged"] == len(listings)
    assert run("verify", "--index", index).returncode == 0


def test_an_input_size_that_is_too_small(run: Run, tmp_path: Path) -> None:
    shop, index = tmp_path / "shop", tmp_path / "index"
    assert run("demo", "--out", shop, "--listings", 1).returncode == 0
    refused = run("index", shop / "catalog.csv", "--index", index, "--input-size", 74)
    assert refused.returncode == 2
    assert "too small for InceptionV3" in refused.stderr
