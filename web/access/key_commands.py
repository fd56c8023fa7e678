"""`lookalike keys`: make, list and revoke the keys of a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import index_option, json_option, out, write_json

if TYPE_CHECKING:
    from web.access.keys import Key, Scope

SPANS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

LONGEST = timedelta(days=36_500)

FIRST_KEY = (
    "It is the first key: from now on, writing takes one on this machine, too."
    " Reading does where LOOKALIKE_READS=keys is set."
)

LAST_KEY = "There is no key left: with LOOKALIKE_WRITES=keys, programs on this machine may write."


def read_span(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    """Read a length of time: ``12h``, ``90d`` or ``8w``."""
    if value is None:
        return None
    said = re.fullmatch(r"([1-9][0-9]{0,5})([hdw])", value)
    if said is None or int(said[1]) * SPANS[said[2]] > LONGEST:
        raise click.BadParameter(f"{value!r} is no length of time such as 12h, 90d or 8w.")
    return int(said[1]) * SPANS[said[2]]


def read_rate(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Check a rate: ``1000 per minute``, or ``off`` for without limit."""
    from web.access.keys import RATE_OR_OFF  # noqa: PLC0415 - not for --help

    if value is not None and not RATE_OR_OFF.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no rate such as '1000 per minute', nor off.")
    return value


def keys_option(command: Any) -> Any:
    """Add the option `--keys`."""
    return click.option(
        "--keys",
        "given",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="LOOKALIKE_KEYS",
        show_envvar=True,
        help="The file of keys.  [default: INDEX.keys.json beside the index]",
    )(index_option(command))


@click.group("keys", short_help="Make, list and revoke the keys of a server.")
def keys() -> None:
    """Make, list and revoke the keys of a server.

    A key is shown once, when it is made; the file beside the index has its hash. Servers follow the
    file: a new key works, and a revoked one fails, from the next request on.

    \b
    lookalike keys add shop --scope read
    lookalike keys add nightly-sync --scope write --expires 90d
    lookalike keys add me --scope admin
    """


@keys.command("add", short_help="Make a key, and print it once.")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "write", "admin"]),
    required=True,
    help="read: search and look. write: change listings, too. admin: the administration page, too.",
)
@click.option(
    "--expires", metavar="SPAN", callback=read_span, help="After which time it ends: 12h, 90d, 8w."
)
@click.option(
    "--rate",
    metavar="RATE",
    callback=read_rate,
    help="How often it may search, where that is not the server's LOOKALIKE_RATE_SEARCH:"
    " '1000 per minute', or off.",
)
@keys_option
@json_option
def add(
    name: str,
    scope: Scope,
    expires: timedelta | None,
    rate: str | None,
    index_folder: Path,
    given: Path | None,
    as_json: bool,
) -> None:
    """Make a key called NAME, and print it once: to stdout, and nothing else there."""
    from web.access.key_making import add_key  # noqa: PLC0415
    from web.access.keys import keys_file  # noqa: PLC0415

    path = keys_file(index_folder, given)
    first = not path.exists()
    until = None if expires is None else datetime.now(UTC).replace(microsecond=0) + expires
    key, text = add_key(path, name, scope, until, rate)
    if as_json:
        write_json({**_shown(key), "key": text})
        return
    ends = f", until {_day(until)}" if until is not None else ""
    click.echo(f"The key {name!r} ({scope}{ends}). It is shown this once:", err=True)
    click.echo(text)
    click.echo("Programs send it as: Authorization: Bearer KEY", err=True)
    click.echo("People sign in with it at: /sign-in", err=True)
    if first:
        click.echo(FIRST_KEY, err=True)


@keys.command("list", short_help="List the keys: names, scopes and dates.")
@keys_option
@json_option
def list_(index_folder: Path, given: Path | None, as_json: bool) -> None:
    """List the keys: names, scopes and dates, but not the keys themselves."""
    from web.access.key_use import last_used  # noqa: PLC0415
    from web.access.keys import keys_file, read_keys  # noqa: PLC0415

    path = keys_file(index_folder, given)
    there = read_keys(path).keys
    if as_json:
        for key in there:
            write_json({**_shown(key), "last_used": _moment(last_used(path, key.id))})
        return
    if not there:
        click.echo(f"There are no keys in {path}.", err=True)
        return
    _print_table([(key, last_used(path, key.id)) for key in there])


@keys.command("revoke", short_help="Take a key away.")
@click.argument("which", metavar="ID|NAME")
@keys_option
@json_option
def revoke(which: str, index_folder: Path, given: Path | None, as_json: bool) -> None:
    """Take a key away, by its id or its name. Servers refuse it from the next request on."""
    from web.access.key_making import revoke_key  # noqa: PLC0415
    from web.access.key_use import forget_use  # noqa: PLC0415
    from web.access.keys import keys_file  # noqa: PLC0415

    path = keys_file(index_folder, given)
    key, left = revoke_key(path, which)
    forget_use(path, key.id)
    if as_json:
        write_json({**_shown(key), "left": left})
        return
    click.echo(f"The key {key.name!r} ({key.id}) is revoked.", err=True)
    if not left:
        click.echo(LAST_KEY, err=True)


def _print_table(rows: list[tuple[Key, datetime | None]]) -> None:
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "name", "scope", "made (UTC)", "expires", "last used", "searches"):
        table.add_column(title)
    for key, used in rows:
        ends = "never" if key.expires is None else _day(key.expires)
        ends = f"{ends} (over)" if key.expired else ends
        rate = key.rate or ""
        table.add_row(key.id, key.name, key.scope, _day(key.made), ends, _day(used), rate)
    out().print(table)


def _shown(key: Key) -> dict[str, Any]:
    """Return what is told of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "made": _moment(key.made),
        "expires": _moment(key.expires),
        "expired": key.expired,
        "rate": key.rate,
    }


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
