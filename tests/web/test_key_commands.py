"""`lookalike keys`, as it is typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.errors import LookalikeError
from web.access.key_commands import keys
from web.access.key_use import KeyUse
from web.access.keys import read_keys


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "ix"


def run(index: Path, *arguments: str) -> Result:
    return CliRunner(env={"LOOKALIKE_KEYS": None}).invoke(keys, [*arguments, "--index", str(index)])


def test_a_key_is_printed_once_and_alone(index: Path) -> None:
    made = run(index, "add", "shop", "--scope", "read")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert made.stdout == f"{key}\n"
    there = read_keys(index.with_name("ix.keys.json"))
    assert there.known(key) is not None
    assert key not in made.stderr
    assert "first key" in made.stderr
    assert "first key" not in run(index, "add", "other", "--scope", "read").stderr
    for said in (run(index, "list"), run(index, "list", "--json"), run(index, "revoke", "shop")):
        assert key[12:] not in said.output
    assert [key.name for key in read_keys(index.with_name("ix.keys.json")).keys] == ["other"]


def test_the_list_has_it_all(index: Path) -> None:
    run(index, "add", "shop", "--scope", "read", "--expires", "90d", "--rate", "1000 per minute")
    run(index, "add", "me", "--scope", "admin", "--rate", "off")
    path = index.with_name("ix.keys.json")
    first, second = read_keys(path).keys
    assert first.expires is not None
    assert timedelta(days=89) < first.expires - datetime.now(UTC) <= timedelta(days=90)
    KeyUse(path).note(second.id)
    lines = [json.loads(line) for line in run(index, "list", "--json").stdout.splitlines()]
    assert [line["name"] for line in lines] == ["shop", "me"]
    assert lines[0]["rate"] == "1000 per minute"
    assert lines[0]["last_used"] is None
    assert lines[1]["last_used"] is not None
    assert lines[1]["expires"] is None
    table = run(index, "list").stdout
    for word in (first.id, "shop", "read", "1000 per minute", "never", "admin"):
        assert word in table


def test_without_any_the_list_says_so(index: Path) -> None:
    said = run(index, "list")
    assert (said.exit_code, said.stdout) == (0, "")
    assert "no keys" in said.stderr


def test_the_last_key_gone_is_said(index: Path) -> None:
    run(index, "add", "a", "--scope", "read")
    key = json.loads(run(index, "add", "b", "--scope", "write", "--json").stdout)
    assert key["key"].startswith(f"lk_{key['id']}_")
    assert "There is no key left" not in run(index, "revoke", "a").stderr
    assert "There is no key left" in run(index, "revoke", key["id"]).stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("add", "x"),
        ("add", "x", "--scope", "owner"),
        ("add", "x", "--scope", "read", "--expires", "90"),
        ("add", "x", "--scope", "read", "--expires", "0d"),
        ("add", "x", "--scope", "read", "--expires", "999999w"),
        ("add", "x", "--scope", "read", "--rate", "many"),
        ("add", "x", "--scope", "read", "--rate", "0 per minute"),
    ],
)
def test_wrong_usage(index: Path, wrong: tuple[str, ...]) -> None:
    said = run(index, *wrong)
    assert said.exit_code == 2
    assert not index.with_name("ix.keys.json").exists()


def test_another_file(index: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "keys.json"
    made = run(index, "add", "shop", "--scope", "read", "--keys", str(other))
    assert read_keys(other).known(made.stdout.strip()) is not None


def test_errors_are_told_in_words(index: Path) -> None:
    assert isinstance(run(index, "revoke", "nobody").exception, LookalikeError)
    index.with_name("ix.keys.json").write_text("{")
    for command in (("list",), ("add", "x", "--scope", "read"), ("revoke", "x")):
        assert isinstance(run(index, *command).exception, LookalikeError)
