"""All losses of a condition on one axis, each with its interval and verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.report.forest import Forest, ForestRow

ROW = 0.27
"""Inches per loss."""


def plot_forest(plot: Forest | None, subtitles: Sequence[str]) -> Figure | None:
    """Plot the losses of a condition; return None if no loss has a value."""
    if plot is None:
        return None
    figure, axis = row_figure([row.label for row in plot.rows], (plot.title, *subtitles), _keys(plot))
    axis.set_xlim(plot.low, plot.high)
    for place, row in enumerate(plot.rows):
        _plot_row(axis, place, plot, row)
    if plot.rope is not None:
        axis.axvspan(-plot.rope, plot.rope, color=canvas.FAINT, zorder=0, linewidth=0)
    if plot.reference is not None:
        axis.axvline(plot.reference, color=canvas.BASELINE, linestyle="--", linewidth=1, zorder=1)
    axis.set_xlabel(canvas.wrapped_label(plot.axis, 90))
    label_right(axis, [formatting.clean(row.verdict) for row in plot.rows])
    return figure


def row_figure(labels: Sequence[str], sentences: Sequence[str], keys: Sequence[Artist]) -> tuple[Figure, Axes]:
    """Return a figure with a row per loss, the first on top, and its axes."""
    figure, body = canvas.figure_with_head(8, 0.6 + ROW * len(labels), sentences, keys)
    axis: Axes = body.subplots()
    axis.set_yticks(range(len(labels)), [canvas.wrapped_label(label, 44, 2) for label in labels])
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=canvas.FAINT, linewidth=0.6)
    axis.set_axisbelow(True)
    return figure, axis


def label_right(axis: Axes, words: Sequence[str]) -> None:
    """Write a word to the right of each row."""
    right = axis.secondary_yaxis("right")
    right.set_yticks(range(len(words)), words)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)


def _plot_row(axis: Axes, place: int, plot: Forest, row: ForestRow) -> None:
    for arrow in plot.arrows(row):
        at, side = (0.005, "left") if arrow.startswith("←") else (0.995, "right")
        axis.text(at, place, arrow, transform=axis.get_yaxis_transform(), ha=side, va="center", fontsize=7)
    if row.value is not None and plot.shows(row):
        if row.interval:
            axis.plot(row.interval, [place, place], color=canvas.INK, linewidth=1.6, solid_capstyle="butt", zorder=2)
        fill = canvas.INK if row.is_decided else "white"
        axis.plot(row.value, place, "o", color=canvas.INK, markersize=5, markerfacecolor=fill, zorder=3)


def _keys(plot: Forest) -> list[Artist]:
    what = "difference" if plot.reference is not None else "mean"
    keys = [canvas.line_key(f"{what} and its {plot.confidence} interval", marker="o", linewidth=1.6)]
    if any(row.value is not None and not row.is_decided for row in plot.rows):
        keys.append(canvas.line_key("no difference shown", marker="o", markerfacecolor="white"))
    if plot.reference is not None:
        keys.append(canvas.line_key("baseline", color=canvas.BASELINE, linestyle="--"))
    if plot.rope is not None:
        keys.append(canvas.area_key("equivalent", canvas.FAINT))
    return keys
