"""Plots of how well an index answers, by matplotlib (the `plot` extra)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from indexer.errors import UsageError
from indexer.plots import COLOURS, GREY, new_plot, save_plot

STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
"""A line's colour may be lost in print, its dashes are not."""


LABEL = 110, 18
"""Room that the label of a point takes, in pixels."""


def plot_precision(
    path: Path,
    curves: Mapping[str, ArrayLike],
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    *,
    title: str = "Precision by rank",
    about: str = "share of the first k hits that are right",
) -> None:
    """Draw the precision among the first k hits, one curve per recipe or index.

    Parameters
    ----------
    path : Path
        Ends in ``.png`` or ``.svg``.
    curves : mapping of str to array_like, shape (K,)
        Label to P@1, P@2, ..., P@K; they may differ in length.
    bands : mapping of str to pair of array_like, optional
        Label to the low and high ends of its confidence interval, each as long as its curve.
        A label without one is drawn without.
    title, about : str, optional
        The heading and the line below it.

    Raises
    ------
    UsageError
        If there is nothing to draw, a band does not fit its curve, or matplotlib does not write
        files of this ending.
    """
    if not curves or not all(np.size(curve) for curve in curves.values()):
        raise UsageError("There is no precision to plot.", hint="Evaluate at least one query.")
    figure, axes = new_plot(title, about, "k, hits looked at", "Precision at k")
    highest, longest = 0.0, 1
    for n, (label, values) in enumerate(curves.items()):
        curve = np.asarray(values, float).ravel()
        ranks = np.arange(1, len(curve) + 1)
        colour = COLOURS[n % len(COLOURS)]
        if bands and label in bands:
            low, high = (np.asarray(end, float).ravel() for end in bands[label])
            if len(low) != len(curve) or len(high) != len(curve):
                raise UsageError(f"The confidence band of {label!r} does not fit its curve.")
            axes.fill_between(ranks, low, high, color=colour, alpha=0.15, linewidth=0)
            highest = max(highest, float(np.nanmax(high)))
        marker = "o" if len(curve) <= 20 else ""
        style = STYLES[n % len(STYLES)]
        axes.plot(ranks, curve, color=colour, linestyle=style, linewidth=2, marker=marker, ms=4)
        highest, longest = max(highest, float(np.nanmax(curve))), max(longest, len(curve))
    _name_lines(axes, curves, longest)
    # From zero, so that a small lead does not look like a large one.
    axes.set(xlim=(1 - longest * 0.02, longest * 1.01), ylim=(0, min(1.02, highest * 1.1 + 1e-3)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.spines["right"].set_visible(False)
    save_plot(figure, path)


def plot_recall_latency(
    path: Path,
    points: Sequence[tuple[str, float, float]],
    *,
    k: int = 10,
    chosen: str | None = None,
    exact_ms: float | None = None,
    title: str | None = None,
    about: str = "one query at a time; better is up and to the left",
) -> None:
    """Draw what each setting of an approximate index finds and how long it takes.

    Parameters
    ----------
    path : Path
        Ends in ``.png`` or ``.svg``.
    points : sequence of (str, float, float)
        Label (``"nprobe 16"``), recall@k against exact search (0 to 1), and the median
        milliseconds of a query. They are joined in the order of their time.
    k : int, optional
        How many hits the recall is of.
    chosen : str, optional
        The label of the setting that serves: drawn larger.
    exact_ms : float, optional
        Median milliseconds of exact search, drawn as a line.
    title, about : str, optional
        The heading and the line below it.

    Raises
    ------
    UsageError
        If there is nothing to draw, or matplotlib does not write files of this ending.
    """
    if not points:
        raise UsageError("There is no setting to plot.")
    title = title if title is not None else f"Recall@{k} and time of a query"
    figure, axes = new_plot(title, about, "Median time of a query [ms]", f"Recall@{k}")
    ordered = sorted(points, key=lambda point: (point[2], point[1]))
    times = np.array([ms for _, _, ms in ordered])
    recalls = np.array([recall for _, recall, _ in ordered])
    axes.set_xscale("log")
    axes.plot(times, recalls, color=COLOURS[0], linewidth=1.5, marker="o", ms=6)
    if chosen is not None:
        served = [(ms, recall) for label, recall, ms in ordered if label == chosen]
        axes.plot(*zip(*served, strict=True), "o", color=COLOURS[1], markersize=10, zorder=3)
    if exact_ms is not None:
        axes.axvline(exact_ms, color=GREY, linestyle="--", linewidth=1)
        axes.annotate(
            f"exact: {exact_ms:.3g} ms",
            (exact_ms, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(-5, 2),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=GREY,
        )
    slowest = max(times.max(), exact_ms or 0)
    span = max(1.0, float(np.log10(slowest / times.min())))
    # Room on the right for the last label, whatever the range.
    axes.set_xlim(times.min() / 10 ** (0.06 * span), slowest * 10 ** (0.16 * span))
    low = float(recalls.min())
    axes.set_ylim(max(0.0, low - 0.12 * (1 - low) - 0.005), 1 + 0.04 * (1 - low) + 0.002)
    axes.axhline(1, color=GREY, linewidth=0.8)
    _write_times_plainly(axes)
    _name_points(axes, ordered, chosen)
    save_plot(figure, path)


def _name_points(
    axes: Axes, points: Sequence[tuple[str, float, float]], chosen: str | None
) -> None:
    """Write each point's label beside it; of labels that would touch, the first or what serves."""
    taken: list[NDArray[np.float64]] = []
    for label, recall, ms in sorted(points, key=lambda point: point[0] != chosen):
        serves = label == chosen
        place = axes.transData.transform((ms, recall))
        if any(abs(place[0] - x) < LABEL[0] and abs(place[1] - y) < LABEL[1] for x, y in taken):
            continue
        taken.append(place)
        axes.annotate(
            f"{label} (serves)" if serves else label,
            (ms, recall),
            xytext=(8, -12),
            textcoords="offset points",
            fontsize=9,
            fontweight="bold" if serves else "normal",
            color=COLOURS[1] if serves else GREY,
            parse_math=False,
        )


def _name_lines(axes: Axes, curves: Mapping[str, ArrayLike], longest: int) -> None:
    """Write each curve's name at its end, moved apart where they would touch; no legend covers."""
    lines = axes.get_lines()
    ends = sorted(
        (float(np.asarray(line.get_ydata(), float)[-1]), n) for n, line in enumerate(lines)
    )
    height = max(float(np.nanmax(np.asarray(line.get_ydata(), float))) for line in lines) * 0.06
    names, last = list(curves), -np.inf
    for end, n in ends:
        at = max(end, last + height)
        last = at
        x = float(np.asarray(lines[n].get_xdata(), float)[-1])
        axes.annotate(
            f"{names[n]}  {end:.2f}",
            (x, end),
            # The text may lie higher than its line's end, never outside of the picture.
            xytext=(longest * 1.03, at),
            textcoords="data",
            color=lines[n].get_color(),
            fontsize=9.5,
            fontweight="bold",
            va="center",
            annotation_clip=False,
            parse_math=False,
        )


def _write_times_plainly(axes: Axes) -> None:
    """Label 0.1, 0.2, 0.5, 1, ... rather than powers of ten."""
    low, high = axes.get_xlim()
    wanted = [m * 10.0**e for e in range(-6, 7) for m in (1, 2, 5)]
    ticks = [tick for tick in wanted if low <= tick <= high]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
