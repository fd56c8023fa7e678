"""The real network over a real Milvus: the command line says the same as over a folder."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.milvus.server import shared

pytest.importorskip("pymilvus")
pytest.importorskip("milvus")


def test_index_search_and_remove(demo, run, tmp_path):
    work, index = tmp_path / "work", shared().address("demo")
    shutil.copytree(demo.index, work)  # nothing needs to be embedded again
    done = run("index", demo.catalogue, "--index", index, "--work", work, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["milvus"]
    assert said["written"] == said["listings"] == said["expected"] > 0
    assert said["overlap"] == 1
    photo = sorted((demo.folder / "photos").rglob("*.jpg"))[0]
    answers = []
    for where in (demo.index, index):
        found = run("search", photo, "--index", where, "--json", "-k", "10")
        assert found.returncode == 0, found.stderr
        hits = json.loads(found.stdout)["hits"]
        answers.append([(hit["listing"]["id"], round(hit["score"], 3)) for hit in hits])
    assert answers[0] == answers[1]
    best = answers[0][0][0]
    assert run("remove", best, "--index", index).returncode == 0
    found = run("search", photo, "--index", index, "--json")
    assert best not in [hit["listing"]["id"] for hit in json.loads(found.stdout)["hits"]]
    status = run("status", "--index", index, "--json")
    assert json.loads(status.stdout)["listings"] == said["listings"] - 1
