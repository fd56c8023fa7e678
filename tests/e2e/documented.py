"""The examples of the documentation: found in its pages, and run one after another.

As a program it runs the steps of one page, given as JSON on standard input: Python in one
namespace, shell in one environment, so that each finds what those before it left.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LANGUAGES = {"sh": "sh", "console": "sh", "python": "python"}

SHELL = re.compile(r"(\w+=\S+ )*(lookalike|curl|make|pip|npm) ")
"""What an indented example begins with, if it is one of commands."""

NOT_RUN = re.compile(r"<!--\s*not run:\s*(.+?)\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """An example: where it stands, what it is, and why it is not run, if it is not."""

    page: str
    line: int
    language: str
    text: str
    not_run: str = ""


def blocks(path: Path) -> Iterator[Block]:
    """Yield the examples of a page: fenced ones by their language, indented ones as shell."""
    from markdown_it import MarkdownIt

    why = ""
    for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
        if token.type == "html_block":
            found = NOT_RUN.search(token.content)
            why = found[1] if found else ""
            continue
        language = LANGUAGES.get(token.info.strip()) if token.type == "fence" else None
        if token.type == "code_block" and SHELL.match(token.content):
            language = "sh"
        if language is not None:
            line = token.map[0] + 1 if token.map else 0
            yield Block(path.name, line, language, token.content, why)
        if token.type in ("fence", "code_block", "heading_open", "paragraph_open"):
            why = ""


def run(steps: list[dict[str, Any]], env_file: Path) -> None:
    """Run the steps of a page."""
    names: dict[str, Any] = {"__name__": "__main__"}
    environment = dict(os.environ)
    for step in steps:
        said = f"{step['page']}, line {step['line']}:\n{step['text']}"
        print(f"== {said}", flush=True)
        if step["language"] == "python":
            exec(compile(step["text"], f"{step['page']}:{step['line']}", "exec"), names)
            continue
        script = f"set -a\n{step['text']}\nenv -0 > {env_file}"
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode:
            sys.exit(f"Exit code {done.returncode}: {said}")
        pairs = env_file.read_text().split("\0")
        environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        os.environ |= environment


def as_json(steps: list[Block]) -> str:
    """Return steps as this program takes them."""
    return json.dumps([asdict(step) for step in steps])


if __name__ == "__main__":
    run(json.load(sys.stdin), Path(sys.argv[1]))
