"""Look for trouble for as long as is asked: `python -m tests.fuzz --minutes 10`."""

from __future__ import annotations

import importlib
import time
import traceback

import click

from tests.fuzz import running

MODULES = ("test_pictures", "test_parsers", "test_catalogues", "test_web")


@click.command(help=__doc__)
@click.option("--minutes", type=float, default=10.0, show_default=True)
@click.option("--only", type=click.Choice(MODULES), multiple=True, help="Of all modules, these.")
def main(minutes: float, only: tuple[str, ...]) -> None:
    """Run every property again and again with new examples; what fails is printed, shrunk."""
    running.LONG = True
    loaded = [importlib.import_module(f"tests.fuzz.{name}") for name in only or MODULES]
    found: dict[str, str] = {}
    end, rounds, began = time.monotonic() + minutes * 60, 0, None
    while time.monotonic() < end:
        for module in loaded:
            for test in module.FUZZ:
                try:
                    test()
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                    where = "".join(traceback.format_exception(error)[-3:])
                    if test.__name__ not in found:
                        click.echo(f"{test.__name__}:\n{where}\n{getattr(error, '__notes__', '')}")
                    found[test.__name__] = where
        rounds += 1
        began = began or running.memory()
        held = running.memory()
        if began is not None and held is not None:
            click.echo(f"Round {rounds}: {held / 2**20:.0f} MiB, {(held - began) / 2**20:+.0f}.")
    click.echo(f"{rounds} rounds; {len(found)} properties failed: {', '.join(found) or 'none'}.")
    raise SystemExit(bool(found))


main()
