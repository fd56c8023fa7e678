"""An evaluation as tables in the terminal; they fit 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.console import out

if TYPE_CHECKING:
    from rich.table import Table

    from search.comparing import Compared, ComparedFigure
    from search.evaluation import Evaluation, Figure
    from search.metrics import Estimate


def show(result: Evaluation) -> None:
    """Print everything that was measured on stdout."""
    console = out()
    photos = result.photos
    console.print(
        f"Snapshot {result.snapshot}, recipe {result.recipe}. Figures of"
        f" {max(photos.by_listing, photos.by_category):,} photos, with 95 % intervals.",
        style="bold",
        soft_wrap=True,
    )
    if photos.in_catalogue:
        console.print(
            f"{photos.in_catalogue:,} of the photos are pictures of the catalogue; each is left"
            " out of its own answer."
        )
    for by, count, figures in (
        ("listing", photos.by_listing, result.by_listing),
        ("category", photos.by_category, result.by_category),
    ):
        if figures:
            console.print()
            console.print(_figures(f"By {by}", f"{count:,} photos", figures, result))
    console.print()
    console.print(_facts(result))
    if result.compared:
        console.print()
        console.print(_compared(result.compared))
        console.print(_legend(result.compared), style="dim")


def _table(title: str, *columns: str, gap: int = 2) -> Table:
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False)
    table.add_column(title, no_wrap=True)
    for name in columns:
        table.add_column(name)
    return table


def _figures(title: str, count: str, figures: Sequence[Figure], result: Evaluation) -> Table:
    weighs = result.prior_weight > 0
    rolls = any(figure.dice is not None for figure in figures)
    columns = ["as it answers"] + ["similarity alone"] * weighs + ["category + dice"] * rolls
    table = _table(f"{title}, {count}", *columns)
    for figure in figures:
        cells = [_estimate(figure.value)]
        if weighs:
            cells.append(_estimate(figure.plain))
        if figure.dice is not None:
            cells.append(_estimate(figure.dice))
        table.add_row(figure.name, *cells)
    return table


def _facts(result: Evaluation) -> Table:
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, said in _said(result):
        table.add_row(name, said)
    return table


def _said(result: Evaluation) -> list[tuple[str, str]]:
    rows = []
    if result.classifier is not None:
        rows.append(
            (
                "Predicted category",
                f"right {_estimate(result.classifier.accuracy)}, calibration error"
                f" {_short(result.classifier.calibration_error)}; it weighs {result.prior_weight:g}"
                " in the ranking",
            )
        )
    close = result.close_match
    parts = [
        f"{_short(share)} {which}"
        for share, which in ((close.right_above, "with one"), (close.right_below, "without"))
        if share is not None
    ]
    rows += [
        (
            "Close match",
            f"{close.share:.1%} of the photos have one; the first hit is right by"
            f" {close.judged_by}: {', '.join(parts)}",
        ),
        (
            "Approximate search",
            f"{result.factory} finds {result.ann_recall_at_10:.1%} of the ten nearest",
        ),
    ]
    if result.took_ms:
        stages = ", ".join(
            f"{stage} {times.median:.1f} ({times.p95:.1f})"
            for stage, times in result.took_ms.items()
        )
        rows.append(("One photo", f"{stages} ms: median (95th percentile)"))
    return rows


def _compared(recipes: Sequence[Compared]) -> Table:
    narrow = len(recipes) > 2
    table = _table("Recipe", *(recipe.name for recipe in recipes), gap=1 if narrow else 2)
    table.add_row("Dimensions", *(str(recipe.dims) for recipe in recipes))
    table.add_row("Category weighs", *(f"{recipe.prior_weight:g}" for recipe in recipes))
    weighs = any(recipe.prior_weight for recipe in recipes)
    group = None
    for row in zip(*(recipe.figures for recipe in recipes), strict=True):
        one = row[0]
        if not one.prior and not weighs:
            continue
        if group != (one.judged_by, one.prior):
            group = one.judged_by, one.prior
            table.add_row()
            if one.prior:
                table.add_row(f"By {one.judged_by}", style="bold")
        name = one.name if one.prior else f"{one.name} alone"
        table.add_row(name, *(_cell(figure, narrow) for figure in row))
    return table


def _cell(figure: ComparedFigure, narrow: bool) -> str:
    if figure.difference is None:
        return _estimate(figure.value)
    change = figure.difference
    verdict = ""
    if figure.significant:
        verdict = " better" if change.value > 0 else " worse"
    value = _short(figure.value.value)
    span = f"({_short(change.low, '+')} to {_short(change.high, '+')})"
    if narrow:
        return f"{value}{verdict}\n{_short(change.value, '+')} {span}"
    return f"{value}  {_short(change.value, '+')} {span}{verdict}"


def _legend(recipes: Sequence[Compared]) -> str:
    said = []
    if any(recipe.prior_weight for recipe in recipes):
        said.append("Alone: by similarity alone, without the category.")
    if len(recipes) > 1:
        said.append(
            f"Signed: the difference to {recipes[0].name}, photo by photo, with its 95 % interval;"
            " better or worse where that leaves out zero."
        )
    return " ".join(said)


def _estimate(one: Estimate) -> str:
    return f"{_short(one.value)} ({_short(one.low)}–{_short(one.high)})"


def _short(value: float, sign: str = "") -> str:
    """Write .683 for 0.683: three of them and their intervals fit side by side."""
    value = round(value, 3) + 0.0  # no -.000
    return f"{value:{sign}.3f}".replace("0.", ".", 1) if abs(value) < 0.9995 else f"{value:.3f}"
