"""Every seed as a dot: a row per loss, below the dots their mean with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import figures, wording
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.result import Estimate, Group
    from lossbench.metrics import Metric
    from lossbench.report.figures import ConditionFigure

BELOW = 0.3
"""Distance of mean and interval from a row's middle, in rows; the dots lie above the middle."""


def plot_seeds(content: ConditionFigure, metric: Metric) -> Figure | None:
    """Plot a metric of every run; return None if no loss has it."""
    groups = [panel.group for panel in content.panels if panel.group.metrics[metric.name].values]
    if not groups:
        return None
    keys = [
        canvas.line_key("one seed, at the same height in every row", marker="o", fillstyle="none", linestyle="none"),
        canvas.line_key(f"mean and its {content.confidence} interval", marker="D", linewidth=2),
    ]
    if content.baseline:
        keys.append(canvas.line_key("mean of the baseline", color=canvas.BASELINE, linestyle="--"))
    note = figures.softmax_footnote(groups) if metric.needs_softmax else ""
    sentences = (f"every seed: {figures.axis_title(metric)}, {content.at} epoch", *content.subtitles, note)
    figure, body = canvas.figure_with_head(8, 0.6 + 0.45 * len(groups), sentences, keys)
    axis: Axes = body.subplots()
    estimates = [figures.axis_estimate(metric, group.metrics[metric.name]) for group in groups]
    heights = _heights(estimates)
    for row, estimate in enumerate(estimates):
        _plot_row(axis, row, estimate, heights)
    _set_rows(axis, groups, metric, content)
    return figure


def _heights(estimates: Sequence[Estimate]) -> Mapping[int, float]:
    """Return each seed's height, from the top of a row down to its middle."""
    seeds = sorted({seed for each in estimates for seed in each.values})
    return {seed: -0.35 + 0.45 * (index + 0.5) / len(seeds) for index, seed in enumerate(seeds)}


def _plot_row(axis: Axes, row: int, estimate: Estimate, heights: Mapping[int, float]) -> None:
    values, places = list(estimate.values.values()), [row + heights[seed] for seed in estimate.values]
    axis.plot(values, places, "o", color=canvas.INK, markersize=4, fillstyle="none", zorder=3)
    if estimate.interval:
        axis.plot(estimate.interval, [row + BELOW] * 2, color=canvas.INK, linewidth=2, solid_capstyle="butt")
    if estimate.mean is not None:
        axis.plot(estimate.mean, row + BELOW, "D", color=canvas.INK, markersize=4)
    if row % 2:
        axis.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0, linewidth=0)


def _set_rows(axis: Axes, groups: Sequence[Group], metric: Metric, content: ConditionFigure) -> None:
    """Name the rows, and draw the baseline's mean through all of them."""
    axis.set_yticks(range(len(groups)), [_row_name(group, metric, content) for group in groups])
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(figures.axis_title(metric))
    if (mean := figures.mean_of(content.baseline, metric)) is not None:
        axis.axvline(mean, color=canvas.BASELINE, linestyle="--", linewidth=1, zorder=1)
    if metric.is_share:
        low, high = axis.get_xlim()
        axis.set_xlim(max(low, 0), min(high, 100 if metric.in_percent else 1))


def _row_name(group: Group, metric: Metric, content: ConditionFigure) -> str:
    which = " (baseline)" if content.baseline and group.label == content.baseline.group.label else ""
    label = canvas.marked_label if metric.needs_softmax else lambda of, *size: canvas.wrapped_label(of.label, *size)
    return f"{label(group, 36, 2)}{which}\nn = {wording.run_counts(group)}"
