"""Plots of an index, by matplotlib (the `plot` extra)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.projection import Projection

ACCENT, GREY = "#2f5fd0", "#6b7280"


def plot_variance(projection: Projection, path: Path) -> None:
    """Draw the cumulative explained variance, with the dimensions that were kept.

    Raises
    ------
    UsageError
        If the file's ending is not one that matplotlib writes.
    """
    cumulative = np.cumsum(projection.explained_variance_ratio_)
    components = np.arange(1, len(cumulative) + 1)
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(components, cumulative, color=ACCENT, linewidth=2)
    axes.fill_between(components, cumulative, color=ACCENT, alpha=0.08)
    for share in (0.8, 0.9, 0.95, 0.99):
        _mark_share(axes, cumulative, share)
    dims = projection.dims
    kept = float(cumulative[min(dims, len(cumulative)) - 1])
    axes.plot([dims], [kept], "o", color=ACCENT, markersize=7)
    axes.annotate(
        f"kept: {dims} dimensions, {kept:.1%}",
        (dims, kept),
        xytext=(12, -18),
        textcoords="offset points",
        fontweight="bold",
    )
    axes.set(
        xlabel="Principal components",
        ylabel="Cumulative explained variance",
        title=f"Recipe {projection.recipe.name!r}: {' + '.join(projection.recipe.features)},"
        f" fitted on {projection.fitted_on_:,} pictures",
        xlim=(0, len(cumulative) * 1.02),
        ylim=(0, 1.02),
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    try:
        figure.savefig(path)
    except ValueError as error:
        raise UsageError(
            f"matplotlib cannot write {path}.", hint="Use a name that ends in .png or .svg."
        ) from error


def _mark_share(axes: Axes, cumulative: NDArray[np.floating], share: float) -> None:
    """Say how many components explain a share of the variance."""
    if cumulative[-1] < share - 1e-6:
        return
    needed = int(np.argmax(cumulative >= share - 1e-6)) + 1
    axes.plot([0, needed, needed], [share, share, 0], color=GREY, linewidth=0.8, linestyle=":")
    axes.annotate(
        f"{share:.0%}: {needed}",
        (needed, 0),
        xytext=(3, 5),
        textcoords="offset points",
        color=GREY,
        fontsize=8,
    )
