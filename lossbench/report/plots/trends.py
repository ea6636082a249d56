"""A metric against the size of a condition: a panel per loss, every seed as a dot, the mean with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import figures
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.result import Estimate
    from lossbench.analysis.trends import Trend
    from lossbench.metrics import Metric

LOGARITHMIC = {"data.imbalance.ratio"}


def plot_trend(trend: Trend, metric: Metric, subtitles: Sequence[str], confidence: str) -> Figure:
    """Plot a metric against the size of the condition."""
    axis_title, quantity = figures.trend_axis(trend), figures.axis_title(metric)
    keys = [
        canvas.line_key("one seed", marker="o", fillstyle="none", linestyle="none", markersize=3),
        canvas.line_key(f"mean and its {confidence} interval", marker="D", markersize=3),
        *canvas.baseline_key(trend.baseline),
    ]
    lines, baseline = figures.trend_lines(trend, metric), figures.trend_baseline(trend, metric)
    sentences = (f"{quantity} against {axis_title}", *subtitles, figures.omitted_losses(len(trend.lines)))
    figure, body, axes = canvas.panel_grid(len(lines), sentences, keys)
    for axis, (label, line) in zip(axes, lines.items(), strict=True):
        _plot_line(axis, trend.sizes, line)
        if baseline:
            axis.plot(trend.sizes, baseline, color=canvas.BASELINE, linestyle="--", linewidth=1.1)
        axis.set_title(canvas.wrapped_label(label))
    _set_scale(axes[0], trend)
    body.supxlabel(canvas.wrapped_label(axis_title, 60))
    body.supylabel(quantity)
    return figure


def _plot_line(axis: Axes, sizes: Sequence[float], line: Sequence[Estimate | None]) -> None:
    """Plot the dots and the interval at each size, and the line of the means."""
    for size, estimate in zip(sizes, line, strict=True):
        if estimate:
            values = list(estimate.values.values())
            axis.plot([size] * len(values), values, "o", color=canvas.INK, markersize=3, fillstyle="none")
        if estimate and estimate.interval:
            axis.vlines(size, *estimate.interval, color=canvas.INK, linewidth=1.2)
    axis.plot(sizes, figures.means(line), color=canvas.INK, marker="D", markersize=3, linewidth=1.2)


def _set_scale(axis: Axes, trend: Trend) -> None:
    """Set a tick at each size; ratios have a logarithmic scale."""
    from matplotlib.ticker import FixedLocator, NullLocator

    if trend.key in LOGARITHMIC:
        axis.set_xscale("log")
    axis.margins(x=0.1)
    axis.xaxis.set_major_locator(FixedLocator(trend.sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
