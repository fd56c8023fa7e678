"""Imports run one way, web -> search -> indexer, and TensorFlow stays in one file."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import lookalike
from web.settings import Settings, variable

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"indexer": {"search", "web"}, "search": {"web"}, "web": set[str]()}
FILES = [path for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert not imported(path) & FORBIDDEN[package]
    if path != ROOT / "indexer" / "network.py":
        assert not imported(path) & {"tensorflow", "keras"}


def test_the_help_says_what_the_commands_say() -> None:
    group = lookalike.cli
    context = lookalike.click.Context(group)
    for name, (_, line) in lookalike.COMMANDS.items():
        command = group.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200) == line


def test_the_readme_names_every_command_and_setting() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in lookalike.COMMANDS:
        assert f"`{name}`" in readme or f"`lookalike {name}" in readme, name
    for setting in fields(Settings):
        assert variable(setting.name) in readme
        assert setting.metadata["help"] in readme


def test_the_readme_names_every_kind_of_catalogue() -> None:
    readme = (ROOT / "README.md").read_text()
    for kind in ("folder", "CSV", "TSV", "JSONL", "Parquet", "TFRecord", "Shopify", "Merchant"):
        assert kind in readme
