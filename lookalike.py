"""Lookalike: similar-image search for product catalogues.

The command line is one thin group that loads a command's module only when that command runs, so
that `lookalike --help` imports none of TensorFlow, LiteRT, FAISS and scikit-learn. In Python,
``from lookalike import Engine``.
"""

from __future__ import annotations

import sys
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any


def _leave_working_folder() -> None:
    """Drop the folder one stands in from the import path (`python -m lookalike` puts it there).

    The packages have everyday names: a shop's own folder `web/` must not be imported instead.
    """
    here = Path(__file__).resolve().parent
    stands_in = {"", str(Path.cwd())} - {str(here)}
    if sys.path and sys.path[0] in stands_in:
        del sys.path[0]


if __name__ == "__main__":
    _leave_working_folder()

import click  # noqa: E402 - only after the folder one stands in is out of the way

if TYPE_CHECKING:
    from indexer.listing import Listing, Picture
    from indexer.operations import Patch, Put, Remove
    from indexer.writing import Writer
    from search.engine import Engine
    from search.query import Example, Hit, Page, Query
    from web.client import ApiError, Client

__all__ = [
    "ApiError",
    "Client",
    "Engine",
    "Example",
    "Hit",
    "Listing",
    "Page",
    "Patch",
    "Picture",
    "Put",
    "Query",
    "Remove",
    "Writer",
    "main",
]

HOMES = {
    "ApiError": "web.client",
    "Client": "web.client",
    "Engine": "search.engine",
    "Example": "search.query",
    "Hit": "search.query",
    "Listing": "indexer.listing",
    "Page": "search.query",
    "Patch": "indexer.operations",
    "Picture": "indexer.listing",
    "Put": "indexer.operations",
    "Query": "search.query",
    "Remove": "indexer.operations",
    "Writer": "indexer.writing",
}

COMMANDS = {
    "demo": ("indexer.commands.demo", "Draw a small catalogue of products to try things on."),
    "index": ("indexer.commands.index", "Index a catalogue, or bring its index up to date."),
    "search": ("search.commands", "Find the listings that look like a photo."),
    "classify": ("search.classify_command", "Predict the category of a photo."),
    "calibrate": (
        "search.calibrate_command",
        "Choose the recipe that serves this catalogue best.",
    ),
    "evaluate": ("search.evaluate_command", "Measure how good the answers are."),
    "explain": ("search.explain_command", "Show why a listing looks like a photo."),
    "map": ("search.map_command", "Draw the catalogue as a map, look-alikes side by side."),
    "duplicates": (
        "search.duplicates_command",
        "Find listings that show the same picture.",
    ),
    "serve": ("web.commands", "Serve the page and the JSON API."),
    "keys": ("web.access.key_commands", "Make, list and revoke the keys of a server."),
    "status": ("indexer.commands.status", "Show what an index is and holds."),
    "remove": (
        "indexer.commands.remove",
        "Remove listings; the next search does not find them.",
    ),
    "verify": ("indexer.commands.verify", "Check every file of an index."),
    "compact": ("indexer.commands.compact", "Build a new snapshot from the stored features."),
    "backup": ("indexer.commands.backup", "Copy an index that is in use, and check the copy."),
    "restore": ("indexer.commands.restore", "Make a backup the index again."),
    "export": (
        "indexer.commands.export",
        "Write the catalogue and its vectors to a Parquet file.",
    ),
    "import": ("indexer.commands.import_", "Take exported listings over into an index."),
    "plan": ("indexer.commands.plan", "Say what a catalogue of some size takes."),
    "network": ("indexer.commands.network", "Show, draw, fetch or export the network."),
}
"""Each command's module and its line in `--help`, which is checked against the command's own."""


class LazyGroup(click.Group):
    """Loads a command when it is asked for (after click's own "Lazily Loading Subcommands")."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module  # noqa: PLC0415 - only when a command runs

        module = import_module(COMMANDS[cmd_name][0])
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lookalike", prog_name="lookalike")
def cli() -> None:
    """Similar-image search for product catalogues.

    \b
    Try it:     lookalike demo && lookalike index data/demo/catalog.csv && lookalike serve
    Your own:   lookalike index catalog.csv
                lookalike search photo.jpg
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    from indexer.console import run_reporting_errors  # noqa: PLC0415

    sys.exit(run_reporting_errors(lambda: cli.main(arguments, standalone_mode=False)))


def __getattr__(name: str) -> Any:
    """Import what this module offers to Python only when it is used."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(HOMES[name]), name)


if __name__ == "__main__":
    main()
