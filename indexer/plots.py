"""Plots of an index, by matplotlib (the `plot` extra), and the look that all plots share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.projection import Projection

ACCENT, GREY, INK = "#0072b2", "#6b7280", "#1b1d1c"

COLOURS = (ACCENT, "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by most colour-blind people too (after Okabe and Ito)."""


def new_plot(title: str, about: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """Return an empty plot: what it shows in bold, of what in a line below."""
    figure = Figure(
        figsize=(8, 4.8), dpi=150, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    )
    axes = figure.add_subplot()
    # Names come from people: a dollar sign in one starts no formula.
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=26, parse_math=False)
    axes.text(
        0,
        1.03,
        about,
        transform=axes.transAxes,
        color=GREY,
        fontsize=9.5,
        va="bottom",
        parse_math=False,
    )
    axes.set_xlabel(xlabel, color=INK, labelpad=6)
    axes.set_ylabel(ylabel, color=INK, labelpad=6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=GREY, alpha=0.18, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def save_plot(figure: Figure, path: Path) -> None:
    """Write a plot.

    Raises
    ------
    UsageError
        If the file's ending is not one that matplotlib writes.
    """
    try:
        figure.savefig(path)
    except ValueError as error:
        raise UsageError(
            f"matplotlib cannot write {path}.", hint="Use a name that ends in .png or .svg."
        ) from error


def plot_variance(projection: Projection, path: Path) -> None:
    """Draw the cumulative explained variance, with the dimensions that were kept.

    The number of components is drawn on a logarithmic scale: half of the variance lies in the
    first few per cent of them, where a linear one shows nothing but a wall.

    Raises
    ------
    UsageError
        If the file's ending is not one that matplotlib writes.
    """
    cumulative = np.cumsum(projection.explained_variance_ratio_)
    components = np.arange(1, len(cumulative) + 1)
    dims = min(projection.dims, len(cumulative))
    kept = float(cumulative[dims - 1])
    recipe = projection.recipe
    figure, axes = new_plot(
        f"{dims} dimensions keep {kept:.1%} of the variance",
        f"recipe {recipe.name!r}: {' + '.join(recipe.features)},"
        f" fitted on {projection.fitted_on_:,} pictures",
        "Principal components",
        "Cumulative explained variance",
    )
    axes.set_xscale("log", base=2)
    axes.plot(components, cumulative, color=ACCENT, linewidth=2)
    axes.fill_between(components[:dims], cumulative[:dims], color=ACCENT, alpha=0.12, linewidth=0)
    axes.plot([dims], [kept], "o", color=ACCENT, markersize=8, zorder=3)
    axes.annotate(
        f"kept: {dims}",
        (dims, kept),
        xytext=(-8, 8),
        textcoords="offset points",
        ha="right",
        fontweight="bold",
        color=ACCENT,
    )
    for share in (0.5, 0.8, 0.9, 0.95, 0.99):
        _mark_share(axes, cumulative, share)
    last = max(2, len(cumulative))
    ticks = [2**n for n in range(last.bit_length()) if 2**n <= last]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlim=(1, last * 1.12), ylim=(0, 1.04))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    save_plot(figure, path)


def _mark_share(axes: Axes, cumulative: NDArray[np.floating], share: float) -> None:
    """Say how many components explain a share of the variance."""
    if cumulative[-1] < share - 1e-6:
        return
    needed = int(np.argmax(cumulative >= share - 1e-6)) + 1
    reached = float(cumulative[needed - 1])
    axes.plot([needed], [reached], "o", color="white", markeredgecolor=GREY, markersize=5, zorder=2)
    axes.annotate(
        f"{share:.0%}: {needed:,}",
        (needed, reached),
        xytext=(7, -11),
        textcoords="offset points",
        color=GREY,
        fontsize=9,
    )
