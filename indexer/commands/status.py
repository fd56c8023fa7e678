"""`lookalike status`: what an index is and holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.console import any_index_option, json_option, out, write_json
from indexer.errors import IndexNotReady, MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from indexer.catalog import Catalog


@click.command("status", short_help="Show what an index is and holds.")
@any_index_option
@json_option
@click.option("--failures", is_flag=True, help="List the rejected pictures and why.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the cumulative explained variance into this .png or .svg file.",
)
def status(index_folder: Path, as_json: bool, failures: bool, plot: Path | None) -> None:
    """Show what an index is and holds."""
    from indexer.catalog import Catalog  # noqa: PLC0415
    from indexer.milvus.address import is_milvus  # noqa: PLC0415

    if is_milvus(index_folder):
        _show_milvus(index_folder, as_json, folder_needed=failures or plot is not None)
        return
    with Catalog(index_folder) as catalog:
        if failures:
            _failures(catalog, as_json)
        elif plot is None:
            _show(facts(index_folder, catalog), as_json)
    if plot is not None:
        _plot(index_folder, plot)


def _show_milvus(index: Path, as_json: bool, *, folder_needed: bool) -> None:
    from indexer.milvus.moving import facts_of, rows  # noqa: PLC0415 - an extra

    if folder_needed:
        raise UsageError(
            "Milvus keeps no rejected pictures and no plots.",
            hint="Ask the work folder: --index data/milvus-COLLECTION.",
        )
    said = facts_of(index)
    _show(said, as_json, rows)


def facts(folder: Path, catalog: Catalog) -> dict[str, Any]:
    """Return what is known of an index, published or half built."""
    from indexer.catalog import FAILED, PENDING  # noqa: PLC0415
    from indexer.catalog_rows import PICTURELESS  # noqa: PLC0415
    from indexer.changes import changes_since  # noqa: PLC0415
    from indexer.model import installed_network  # noqa: PLC0415
    from indexer.snapshot import open_current  # noqa: PLC0415

    network = installed_network(folder)
    said: dict[str, Any] = {
        "index": str(folder),
        "listings": catalog.count("listings"),
        "without_pictures": catalog.count("listings", PICTURELESS),
        "pictures": catalog.count("pictures"),
        "pending": catalog.count("pictures", "state = ?", PENDING),
        "failures": catalog.count("pictures", "state = ?", FAILED),
        "network": asdict(network) if network else None,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "snapshot": None,
    }
    try:
        snapshot = open_current(folder)
    except IndexNotReady:
        return said
    manifest = snapshot.manifest
    ratios = snapshot.projection.explained_variance_ratio_
    return {
        **said,
        "snapshot": snapshot.name,
        "created": manifest["created"],
        "version": manifest["version"],
        "vectors": snapshot.count,
        "dims": snapshot.projection.dims,
        "explained_variance": round(float(ratios[: snapshot.projection.dims].sum()), 4),
        "recipe": manifest["recipe"],
        "photos": manifest["photos"],
        "learned": manifest.get("learned", 0),
        **changes_since(catalog, manifest).as_dict(),
        "mismatched": manifest.get("mismatched") or {},
        "queries": _queries(folder, manifest),
        "category_model": manifest["categories"],
        "faiss": manifest["index"],
    }


def _show(
    said: dict[str, Any],
    as_json: bool,
    rows: Callable[[dict[str, Any]], list[tuple[str, str]]] | None = None,
) -> None:
    if as_json:
        write_json(said)
        return
    from rich.table import Table  # noqa: PLC0415

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    for name, value in (rows or _rows)(said):
        table.add_row(name, value)
    out().print(table)


def _rows(said: dict[str, Any]) -> list[tuple[str, str]]:
    bare = said["without_pictures"]
    rows = [
        ("Index", f"{said['index']} ({said['bytes'] / 1e6:,.1f} MB)"),
        ("Listings", f"{said['listings']:,}" + f" ({bare:,} without a picture)" * bool(bare)),
        (
            "Pictures",
            f"{said['pictures']:,} ({said['pending']:,} pending, {said['failures']:,} rejected)",
        ),
    ]
    network, recipe = said["network"], said.get("recipe")
    if network:
        rows.append(
            (
                "Network",
                f"InceptionV3 mixed7, {network['name']} ({network['sha256'][:8]}),"
                f" {network['input_size']} px, pixels {network['scaling']}",
            )
        )
    if recipe is None:
        return [*rows, ("Snapshot", "none yet; run `lookalike index` again to finish")]
    faiss = said["faiss"]
    created = said["created"].replace("T", " ").replace("+00:00", " UTC")
    return [
        *rows,
        (
            "Recipe",
            f"{recipe['name']}: {' + '.join(recipe['features'])}, power {recipe['power']:g},"
            f" whitening {recipe['whitening']:g}",
        ),
        (
            "Vectors",
            f"{said['vectors']:,} with {said['dims']} dimensions, explaining"
            f" {said['explained_variance']:.1%} of the variance",
        ),
        ("Categories", _categories(said["category_model"])),
        ("Photos", _photos(said["photos"], said["learned"], said["queries"])),
        ("FAISS", f"{faiss['factory']}, recall@10 {faiss['recall_at_10']:.3f}"),
        ("Snapshot", f"{said['snapshot']} of {created}, by version {said['version']}"),
        ("Since then", _since(said)),
        *[("Not as before", _mismatched(said["mismatched"]))] * bool(said["mismatched"]),
    ]


def _since(said: dict[str, Any]) -> str:
    """Say what came and went since the snapshot; the next search sees it all the same."""
    if not said["changed"]:
        return f"nothing changed (catalogue at change {said['change']:,})"
    changes = "1 change" if said["changed"] == 1 else f"{said['changed']:,} changes"
    return (
        f"{changes} (catalogue at change {said['change']:,}), searched beside it until the next"
        " (see: lookalike compact)"
    )


def _mismatched(fields: dict[str, int]) -> str:
    """Say which fields have values that are not of the type that they were first seen with."""
    named = ", ".join(f"{name} ({count:,})" for name, count in sorted(fields.items()))
    return f"values of another type than their field's, left out of filters: {named}"


def _categories(model: dict[str, Any] | None) -> str:
    if model is None:
        return "none that could be told apart"
    use = (
        f"prior of weight {model['weight']:g}" if model["weight"] else "no prior: it would not help"
    )
    return (
        f"{model['categories']:,}, told apart by {model['classifier']}, {model['accuracy']:.0%}"
        f" right on held-out pictures, {use}"
    )


def _queries(folder: Path, manifest: Mapping[str, Any]) -> int | None:
    """Return how many queries servers have learned from so far; None where that is unreadable."""
    from indexer.errors import IndexUnusable  # noqa: PLC0415
    from indexer.learned import read_learned  # noqa: PLC0415
    from indexer.recipe import Recipe  # noqa: PLC0415

    try:
        kept = read_learned(folder)
    except IndexUnusable:
        return None
    recipe = Recipe.from_dict(manifest["recipe"])
    fits = kept is not None and kept.fits(recipe, manifest["network"]["sha256"])
    return kept.count if kept is not None and fits else 0


def _photos(photos: int, learned: int, queries: int | None) -> str:
    from indexer.learned import FEWEST  # noqa: PLC0415

    of = " and ".join(
        [f"{photos:,} customers' photos"] * bool(photos) + [f"{learned:,} queries"] * bool(learned)
    )
    said = (
        f"centred by the mean of {of}"
        if of
        else "compared as catalogue pictures (see: lookalike calibrate --photos)"
    )
    if queries is None:
        return f"{said}; what was learned from queries cannot be read (see: lookalike verify)"
    if queries == learned:
        return said
    use = "the next snapshot uses them" if queries >= FEWEST else f"used from {FEWEST} on"
    return f"{said}; learned from {queries:,} queries so far, {use}"


def _failures(catalog: Catalog, as_json: bool) -> None:
    found = list(catalog.failures())
    if as_json:
        for failure in found:
            write_json(asdict(failure))
        return
    if not found:
        click.echo("No picture was rejected.")
        return
    from rich.padding import Padding  # noqa: PLC0415

    console = out()
    for failure in found:
        # Not a table: a path that is folded in a narrow column cannot be copied.
        console.print(failure.listing, style="bold", soft_wrap=True)
        console.print(Padding.indent(failure.reason, 2))
        # A folder's listing stands nowhere but at its picture.
        line = "" if failure.uri.endswith(failure.origin) else failure.origin
        where = ", from ".join(filter(None, (failure.uri, line)))
        console.print(f"  {where}", style="dim", soft_wrap=True)


def _plot(folder: Path, path: Path) -> None:
    from indexer.snapshot import open_current  # noqa: PLC0415

    try:
        from indexer.plots import plot_variance  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Plots", "plot") from error
    plot_variance(open_current(folder).projection, path)
    click.echo(f"The cumulative explained variance is drawn in {path}.", err=True)
