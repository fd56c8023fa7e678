"""`lookalike remove`: by name, from a file, from standard input."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from indexer.catalog import Catalog
from indexer.commands.remove import remove
from indexer.errors import IndexNotReady, UsageError


@pytest.fixture
def run(indexed):
    def invoke(*arguments, said=None):
        result = CliRunner().invoke(
            remove,
            ["--index", str(indexed), *map(str, arguments)],
            input=said,
            standalone_mode=False,
        )
        if result.exception is not None:
            raise result.exception
        return result

    return invoke


def left(folder):
    with Catalog(folder) as catalog:
        return {row[0] for row in catalog.db.execute("SELECT id FROM listings")}


def test_by_name(run, indexed):
    result = run("bags:00.png", "hats:01.jpg")
    assert result.return_value == 0
    assert "Removed 2 listings." in result.stderr
    assert result.stdout == ""
    assert len(left(indexed)) == 10
    assert "bags:00.png" not in left(indexed)


def test_some_are_not_there(run, indexed):
    result = run("nobody", "bags:00.png", "nobody")
    assert result.return_value == 1
    assert "Removed 1 listing. Not there: nobody." in result.stderr
    assert len(left(indexed)) == 11
    assert run("nobody", "--missing-ok").return_value == 0
    many = run(*[f"n{n}" for n in range(14)])
    assert "n9 and 4 more" in many.stderr


def test_from_a_file_and_from_standard_input(run, indexed, tmp_path):
    file = tmp_path / "ids.txt"
    file.write_text("\ufeffbags:00.png\r\n\nhats:01.jpg\n", encoding="utf-8")
    assert run("--from", file).return_value == 0
    assert run("--from", "-", "shoes:02.png", said="bags:03.jpg\nbags:03.jpg\n").return_value == 0
    assert len(left(indexed)) == 8


def test_json(run):
    result = run("bags:00.png", "nobody", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": "bags:00.png", "outcome": "removed"},
        {"id": "nobody", "outcome": "listing_not_found"},
    ]
    assert result.stderr == ""


def test_wrong_use(run, tmp_path):
    with pytest.raises(UsageError, match="no id"):
        run()
    with pytest.raises(IndexNotReady):
        CliRunner().invoke(
            remove,
            ["--index", str(tmp_path / "none"), "a"],
            standalone_mode=False,
            catch_exceptions=False,
        )
