"""What a person sees in the terminal: errors in words, bars on stderr, tables on stdout."""

from __future__ import annotations

import errno
import json
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from indexer.errors import LookalikeError, UsageError
from indexer.milvus.address import is_milvus
from indexer.progress import SILENT, Advance, Progress

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

INTERRUPTED = 130
REFRESH = 0.1
"""Seconds between two looks of a bar."""


def run_reporting_errors(work: Callable[[], Any]) -> int:
    """Run a command and return its exit code, with errors told in words on stderr."""
    try:
        code = work()
    except LookalikeError as error:
        return report(error)
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
        # Of a copy that finds no room, the second file is the one that is written.
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        name = (error.filename2 if full else None) or error.filename
        where = f" {name}" if name else ""
        return _report(f"{error.strerror or error}:{where}.", "", 1)
    # Without its standalone mode, click returns the code of an Exit, and what a command returns.
    return code if isinstance(code, int) else 0


def report(error: LookalikeError) -> int:
    """Tell an error in words on stderr; return its exit code."""
    return _report(error.message, error.hint, error.exit_code)


def _report(message: str, hint: str, code: int) -> int:
    click.secho("Error:", fg="red", bold=True, nl=False, err=True)
    click.echo(folded(f"Error: {message}").removeprefix("Error:"), err=True)
    if hint:
        click.echo(folded(hint, "  "), err=True)
    return code


def folded(text: str, indent: str = "") -> str:
    """Fold text for stderr at words, and leave a command at its end whole.

    A terminal folds in the middle of words, but gives what it folded as one line to whoever
    copies it.
    """
    width = shutil.get_terminal_size().columns
    if not sys.stderr.isatty() or len(indent + text) <= width:
        return indent + text
    if "\n" in text:
        return "\n".join(folded(line, indent) for line in text.split("\n"))
    prose, mark, command = text.partition(": lookalike ")
    folds = textwrap.TextWrapper(
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = folds.wrap(f"{prose}:" if mark else prose)
    return "\n".join([*lines, f"{indent}  lookalike {command}"] if mark else lines)


def index_option(command: F) -> F:
    """Add the shared option `--index`, of a command that needs a folder."""
    return _index_option("The index's folder.", _folder)(command)


def any_index_option(command: F) -> F:
    """Add the shared option `--index`, of a command that takes an index in Milvus too."""
    return _index_option("The index's folder, or milvus://HOST:PORT/COLLECTION.", None)(command)


def _index_option(
    help_: str, callback: Callable[[click.Context, click.Parameter, Path], Path] | None
) -> Callable[[F], F]:
    return click.option(
        "--index",
        "index_folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("data/index"),
        envvar="LOOKALIKE_INDEX",
        show_default=True,
        show_envvar=True,
        callback=callback,
        help=help_,
    )


def _folder(context: click.Context, _: click.Parameter, path: Path) -> Path:
    if is_milvus(path):
        raise UsageError(
            f"`lookalike {context.info_name}` needs an index in a folder, and not one in Milvus.",
            hint="Run it on the work folder that fills the collection.",
        )
    return path


def json_option(command: F) -> F:
    """Add the shared option `--json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Write JSON to stdout, one object a line, and nothing else there.",
    )(command)


def write_json(value: Any) -> None:
    """Write one JSON value as one line on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def out() -> Console:
    """Return the console on stdout, for tables."""
    from rich.console import Console  # noqa: PLC0415 - 50 ms that --help need not pay

    # Piped into a file or another program, a table should not be folded at 80 columns. What a
    # catalogue says is shown as it stands there: "bags:dress:1.jpg" holds no picture of a dress,
    # and "Mug [blue]" no colour.
    width = None if sys.stdout.isatty() else 200
    return Console(highlight=False, markup=False, emoji=False, width=width)


class TerminalProgress:
    """Bars with rate and time left, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415

        self._console = Console(stderr=True, highlight=False, emoji=False)

    @contextmanager
    def track(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Show a bar for the length of a block; plain lines where stderr is no terminal."""
        from rich import progress as rich  # noqa: PLC0415

        if total == 0:  # a bar of nothing says nothing
            yield lambda _: None
            return
        counted = unit != "steps"
        with rich.Progress(*_columns(counted), console=self._console) as bars:
            task = bars.add_task(f"{what:<21}", total=total, count=_count(0, total, unit), rate="")

            done, shown = 0, time.monotonic()

            def advance(count: int) -> None:
                nonlocal done, shown
                done += count
                # A bar takes 0.1 ms to update: as long as reading a listing of the catalogue.
                if time.monotonic() - shown >= REFRESH:
                    shown = time.monotonic()
                    update()

            def update(**changes: Any) -> None:
                bars.update(task, completed=done, count=_count(done, total, unit), **changes)
                speed = bars.tasks[0].speed
                bars.update(task, rate=f"{_amount(speed, unit)}/s" if speed else "")

            yield advance
            done = done or 1
            update(total=done)  # the spinner stops, the bar is full

    def say(self, line: str) -> None:
        """Show one line of text."""
        self._console.print(folded(line), markup=False, soft_wrap=True)


def _columns(counted: bool) -> list[Any]:
    """Return what a bar is made of; it fits 80 columns up to millions of pictures."""
    from rich import progress as rich  # noqa: PLC0415

    class Time(rich.ProgressColumn):
        """The time that is left, and at the end the time that it took."""

        def render(self, task: rich.Task) -> Any:
            if task.finished or task.total is None:
                return rich.TimeElapsedColumn().render(task)
            left = rich.TimeRemainingColumn(compact=True).render(task)
            return left + " left" if task.time_remaining is not None else ""

    columns: list[Any] = [rich.SpinnerColumn(), rich.TextColumn("{task.description}")]
    if counted:
        columns += [rich.BarColumn(None), rich.TextColumn("{task.fields[count]}")]
        columns += [rich.TextColumn("[dim]{task.fields[rate]}")]
    return [*columns, Time()]


def _count(done: int, total: int | None, unit: str) -> str:
    if unit == "bytes":
        return _amount(done if total is None else total, unit)
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def _amount(number: float, unit: str) -> str:
    return f"{number / 1e6:,.1f} MB" if unit == "bytes" else f"{number:,.0f} {unit}"


def progress(quiet: bool = False) -> Progress:
    """Return bars for a person, or silence."""
    return SILENT if quiet else TerminalProgress()
