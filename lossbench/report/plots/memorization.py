"""Memorisation of wrong labels: all losses on one axis, each named at the end of its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import memorization
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.report.figures import ConditionFigure
    from lossbench.report.memorization import Lines

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f4f24")
"""Okabe and Ito's colours; a line leads from each name to its curve, so that no two need telling apart."""

WIDTH, LOWEST, ROW = 7.5, 2.2, 0.17
"""Inches: the figure, the lowest axis, one name."""


def plot_memorization(content: ConditionFigure) -> Figure | None:
    """Plot how many wrong labels each loss learns, and how often it finds the true class; None without wrong labels."""
    found = memorization.memorization(content)
    if not found:
        return None
    keys = [
        canvas.line_key("mean over seeds"),
        canvas.area_key("lowest to highest seed", canvas.PALE),
        *canvas.baseline_key(content.baseline.group.label if content.baseline else None),
    ]
    height = max(LOWEST, ROW * max(len(each.lines) for each in found))
    sentences = (f"{memorization.TITLE}, over the epochs", *content.subtitles)
    figure, body = canvas.figure_with_head(WIDTH, 0.5 + (height + 0.35) * len(found), sentences, keys)
    axes = body.subplots(len(found), 1, squeeze=False, sharex=True).ravel()
    for axis, lines in zip(axes, found, strict=True):
        _plot_lines(axis, lines, ROW / height)
        axis.set_title(lines.title, loc="left")
    canvas.set_epochs(axes[-1])
    body.supxlabel("epoch")
    return figure


def _plot_lines(axis: Axes, shown: Lines, row: float) -> None:
    """Plot the lines and their names to the right; `row` is the height of a name as a share of the axis."""
    low, high = shown.y
    places = memorization.spread((line.end for line in shown.lines), row * (high - low), low, high)
    for line, place in zip(shown.lines, places, strict=True):
        epochs = range(1, len(line.band.mean) + 1)
        colour, dashes = (canvas.BASELINE, "--") if line.number is None else (COLOURS[line.number % len(COLOURS)], "-")
        axis.fill_between(epochs, line.band.low, line.band.high, color=colour, alpha=0.18, linewidth=0)
        axis.plot(epochs, line.band.mean, color=colour, linestyle=dashes, linewidth=1.4)
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "relpos": (0, 0.5), "shrinkA": 0, "shrinkB": 0}
        axis.annotate(
            canvas.short_label(line.label, 36),
            (epochs[-1], line.end),
            xytext=(1.06, place),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            arrowprops=leader,
            annotation_clip=False,
        )
    axis.set(xlim=(1 if shown.epochs > 1 else 0.5, shown.epochs), ylim=(low, high))
