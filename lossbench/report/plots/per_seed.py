"""Every seed as a dot: a row for each loss, below the dots their mean with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.comparison import columns
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Group
    from lossbench.report.plots.scene import Scene

BELOW = 0.3
"""Where mean and interval lie, in rows from a row's middle; the dots lie above."""


def draw(scene: Scene, measure: Measure) -> Figure | None:
    """A measure of every run; None where no loss has it."""
    groups = [panel.group for panel in scene.panels if panel.group.metrics[measure.name].values]
    if not groups:
        return None
    meanings = [
        canvas.stroke("one seed, at the same height in every row", marker="o", fillstyle="none", linestyle="none"),
        canvas.stroke(f"mean and its {scene.confidence} interval", marker="D", linewidth=2),
        *([canvas.stroke("mean of the baseline", color=canvas.BASELINE, linestyle="--")] if scene.baseline else []),
    ]
    note = canvas.footnote(groups) if measure.of_probabilities else ""
    sentences = (f"every seed: {canvas.quantity(measure)}, {scene.at} epoch", *scene.sentences, note)
    figure, body = canvas.page(8, 0.6 + 0.45 * len(groups), sentences, meanings)
    axis: Axes = body.subplots()
    heights = _heights(groups, measure)
    for row, group in enumerate(groups):
        _draw(axis, row, group, measure, heights)
    _frame(axis, groups, measure, scene)
    return figure


def _heights(groups: Sequence[Group], measure: Measure) -> Mapping[int, float]:
    """Where each seed's dot lies, from the top of a row down to its middle."""
    seeds = sorted({seed for group in groups for seed in group.metrics[measure.name].values})
    return {seed: -0.35 + 0.45 * (place + 0.5) / len(seeds) for place, seed in enumerate(seeds)}


def _draw(axis: Axes, row: int, group: Group, measure: Measure, heights: Mapping[int, float]) -> None:
    estimate, factor = group.metrics[measure.name], canvas.scale(measure)
    values = [factor * value for value in estimate.values.values()]
    places = [row + heights[seed] for seed in estimate.values]
    axis.plot(values, places, "o", color=canvas.INK, markersize=4, fillstyle="none", zorder=3)
    if estimate.interval:
        ends = [factor * end for end in estimate.interval]
        axis.plot(ends, [row + BELOW] * 2, color=canvas.INK, linewidth=2, solid_capstyle="butt")
    if estimate.mean is not None:
        axis.plot(factor * estimate.mean, row + BELOW, "D", color=canvas.INK, markersize=4)
    if row % 2:
        axis.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0, linewidth=0)


def _frame(axis: Axes, groups: Sequence[Group], measure: Measure, scene: Scene) -> None:
    """Names of the rows with their runs, and the baseline's mean through all of them."""
    axis.set_yticks(range(len(groups)), [_name(group, measure, scene) for group in groups])
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(canvas.quantity(measure))
    mean = scene.baseline.group.metrics[measure.name].mean if scene.baseline else None
    if mean is not None:
        axis.axvline(canvas.scale(measure) * mean, color=canvas.BASELINE, linestyle="--", linewidth=1, zorder=1)
    if measure.is_share:
        low, high = axis.get_xlim()
        axis.set_xlim(max(low, 0), min(high, canvas.scale(measure)))


def _name(group: Group, measure: Measure, scene: Scene) -> str:
    which = " (baseline)" if scene.baseline and group.label == scene.baseline.group.label else ""
    name = canvas.name(group, 36, 2) if measure.of_probabilities else canvas.label(group.label, 36, 2)
    return f"{name}{which}\nn = {columns.counts(group)}"
