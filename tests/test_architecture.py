"""Imports run one way, web -> search -> indexer, and TensorFlow stays in one file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lookalike
from web.settings import described

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


def test_a_page_names_every_command() -> None:
    page = (ROOT / "docs" / "reference-cli.md").read_text()
    for name in lookalike.COMMANDS:
        assert f"`{name}`" in page or f"`lookalike {name}`" in page, name


def test_a_page_says_of_every_setting_what_the_code_says() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    for name, default, about in described():
        shown = f"{int(default):,}" if default.isdecimal() else default
        assert f"| `{name}` | {shown} | {about} |\n" in page


@pytest.mark.parametrize("page", ["README.md", "docs/catalogues.md"])
def test_a_page_names_every_kind_of_catalogue(page: str) -> None:
    text = (ROOT / page).read_text()
    for kind in ("folder", "CSV", "TSV", "JSONL", "Parquet", "TFRecord", "Shopify", "Merchant"):
        assert kind in text


def test_the_readme_is_a_first_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 180  # what is more belongs into docs/
    first_screen = "\n".join(readme.splitlines()[:40])
    for said in ("make demo", "lookalike index", "curl -F image=@", "docs/tutorial.md"):
        assert said in first_screen
    for link in re.findall(r"\]\(((?!http)[^)#]+)", readme):
        assert (ROOT / link).exists(), link
