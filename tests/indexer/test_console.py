"""What a person sees: lines folded at words, commands whole, bars that end full."""

import errno
import io
import os
import sys

import pytest
from rich.console import Console

from indexer.console import TerminalProgress, folded, run_reporting_errors


@pytest.fixture
def on_terminal(monkeypatch):
    """Let stderr be a terminal of 40 columns; called in a test, since pytest sets stderr anew."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def begin():
        monkeypatch.setenv("COLUMNS", "40")
        monkeypatch.setattr(sys, "stderr", Terminal())

    return begin


@pytest.fixture
def bars():
    """Progress on a terminal of 80 columns that is kept as text."""
    shown = TerminalProgress()
    shown._console = Console(file=io.StringIO(), force_terminal=True, width=80, no_color=True)
    return shown


def last_lines(bars):
    text = bars._console.file.getvalue().replace("\r", "\n")
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_long_lines_are_folded_at_words(on_terminal):
    on_terminal()
    text = "The catalogue lacks five of the eight listings that are indexed."
    assert folded(text) == "The catalogue lacks five of the eight\nlistings that are indexed."
    assert folded(text, "  ").splitlines()[1] == "  listings that are indexed."
    assert folded("Short.", "  ") == "  Short."


def test_a_command_is_not_folded(on_terminal):
    on_terminal()
    command = "lookalike index CATALOG --index /a/rather/long/path"
    assert folded(f"Make one with: {command}", "  ") == f"  Make one with:\n    {command}"


def test_nothing_is_folded_for_a_file():
    assert folded("word " * 100) == "word " * 100


@pytest.mark.parametrize(
    ("number", "named"), [(errno.ENOSPC, "to.tflite"), (errno.ENOENT, "from.tflite")]
)
def test_a_copy_that_fails_names_the_file_at_fault(number, named, capsys):
    def fail():
        raise OSError(number, os.strerror(number), "from.tflite", None, "to.tflite")

    assert run_reporting_errors(fail) == 1
    assert capsys.readouterr().err == f"Error: {os.strerror(number)}: {named}.\n"


@pytest.mark.parametrize(
    ("total", "unit", "shown"),
    [
        (1_200_000, "pictures", "1,200,000/1,200,000"),
        (None, "listings", "1,200,000"),
        (1_200_000, "bytes", "1.2 MB"),
    ],
)
def test_a_bar_ends_full_and_fits(bars, total, unit, shown):
    with bars.track("Reading the catalogue", total, unit) as advance:
        for _ in range(3):
            advance(400_000)
    lines = last_lines(bars)
    assert any(shown in line for line in lines)
    assert all("…" not in line for line in lines)


def test_steps_have_no_bar(bars):
    with bars.track("Preparing the network", None, "steps"):
        pass
    assert "━" not in bars._console.file.getvalue()


def test_nothing_to_do_shows_nothing(bars):
    with bars.track("Comparing", 0, "listings") as advance:
        advance(0)
    assert bars._console.file.getvalue() == ""
