"""What a person sees in the terminal: errors in words, bars on stderr, tables on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from indexer.errors import LookalikeError
from indexer.progress import SILENT, Advance, Progress

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

INTERRUPTED = 130


def run_reporting_errors(work: Callable[[], Any]) -> int:
    """Run a command and return its exit code, with errors told in words on stderr."""
    try:
        code = work()
    except LookalikeError as error:
        return _report(error.message, error.hint, error.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more at exit.
        sys.stderr.close()
        return 0
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _report(f"{error.strerror or error}:{where}.", "", 1)
    # Without its standalone mode, click returns the code of an Exit, and what a command returns.
    return code if isinstance(code, int) else 0


def _report(message: str, hint: str, code: int) -> int:
    click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return code


def index_option(command: F) -> F:
    """Add the shared option `--index`."""
    return click.option(
        "--index",
        "index_folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("data/index"),
        envvar="LOOKALIKE_INDEX",
        show_default=True,
        show_envvar=True,
        help="The index's folder.",
    )(command)


def json_option(command: F) -> F:
    """Add the shared option `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Write JSON to stdout, and nothing else there."
    )(command)


def write_json(value: Any) -> None:
    """Write one JSON value as one line on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def out() -> Console:
    """Return the console on stdout, for tables."""
    from rich.console import Console  # noqa: PLC0415 - 50 ms that --help need not pay

    # Piped into a file or another program, a table should not be folded at 80 columns.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


class TerminalProgress:
    """Bars with rate and time left, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415

        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def track(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Show a bar for the length of a block; plain lines where stderr is no terminal."""
        from rich import progress as rich  # noqa: PLC0415

        columns: list[Any] = [rich.SpinnerColumn(), rich.TextColumn("{task.description}")]
        if unit != "steps":
            columns += [rich.BarColumn(), rich.MofNCompleteColumn()]
            columns += [rich.TextColumn("[dim]{task.fields[rate]}")]
            columns += [rich.TimeRemainingColumn()]
        columns += [rich.TimeElapsedColumn()]
        with rich.Progress(*columns, console=self._console, transient=False) as bars:
            task = bars.add_task(f"{what:<24}", total=total, rate="")

            def advance(count: int) -> None:
                bars.advance(task, count)
                speed = bars.tasks[0].speed
                if speed:
                    bars.update(task, rate=f"{speed:,.0f} {unit}/s")

            yield advance

    def say(self, line: str) -> None:
        """Show one line of text."""
        self._console.print(line, markup=False, soft_wrap=True)


def progress(quiet: bool = False) -> Progress:
    """Return bars for a person, or silence."""
    return SILENT if quiet else TerminalProgress()
