"""Reliability diagrams: accuracy of the most probable class against its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.metrics import ECE_BINS, METRICS
from lossbench.report import figures, formatting
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.figure_data import Reliability
    from lossbench.report.figures import ConditionFigure


def plot_reliability(content: ConditionFigure) -> Figure | None:
    """Plot a panel per loss; return None if no run has predictions."""
    panels = [(panel.group, panel.reliability) for panel in content.panels if panel.reliability]
    if not panels:
        return None
    keys = [
        canvas.line_key("images of all seeds; vertical: lowest to highest seed", marker="o"),
        canvas.area_key("share of the images", canvas.FAINT),
        canvas.line_key("calibrated", color=canvas.BASELINE, linestyle=":"),
    ]
    note = figures.softmax_footnote(group for group, _ in panels)
    sentences = (f"reliability on the test set, {content.at} epoch", *content.subtitles, note)
    figure, body, axes = canvas.panel_grid(len(panels), sentences, keys, width=2.2, height=2.3)
    for (group, reliability), axis in zip(panels, axes, strict=True):
        _plot_bins(axis, reliability)
        ece = formatting.value(METRICS["ece"], group.metrics["ece"].mean)
        axis.set_title(f"{canvas.marked_label(group, 28)}\nECE {ece}")
    axes[0].set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    body.supxlabel("confidence (probability of the predicted class)")
    body.supylabel("accuracy (share of images)")
    return figure


def _plot_bins(axis: Axes, found: Reliability) -> None:
    edges = np.linspace(0, 1, ECE_BINS + 1)
    axis.bar(edges[:-1], found.share, 1 / ECE_BINS, align="edge", color=canvas.FAINT, zorder=0)
    axis.plot((0, 1), (0, 1), color=canvas.BASELINE, linestyle=":", linewidth=1)
    axis.vlines(found.confidence, found.low, found.high, color=canvas.INK, linewidth=1)
    axis.plot(found.confidence, found.accuracy, color=canvas.INK, marker="o", markersize=3, linewidth=1, clip_on=False)
    axis.set_aspect("equal")
