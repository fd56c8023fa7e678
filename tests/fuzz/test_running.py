"""The program that goes on looking."""

from __future__ import annotations

import subprocess
import sys


def test_it_can_be_asked_to_go_on() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", "0", "--only", "test_parsers"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "0 properties failed: none." in ended.stdout
