"""Reliability diagrams: how often the most probable class is right, against how probable it was said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.metrics import ECE_BINS
from lossbench.report import formatting
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.figure_data import Reliability
    from lossbench.report.plots.scene import Scene


def draw(scene: Scene) -> Figure | None:
    """A panel for each loss; None where no run has predictions."""
    panels = [panel for panel in scene.panels if panel.reliability]
    if not panels:
        return None
    meanings = [
        canvas.stroke("images of all seeds; upright: lowest to highest seed", marker="o"),
        canvas.area("share of the images", canvas.FAINT),
        canvas.stroke("calibrated", color=canvas.BASELINE, linestyle=":"),
    ]
    note = canvas.footnote(panel.group for panel in panels)
    sentences = (f"reliability on the test set, {scene.at} epoch", *scene.sentences, note)
    figure, body, axes = canvas.grid(len(panels), sentences, meanings, width=2.2, height=2.3)
    for panel, axis in zip(panels, axes, strict=True):
        if panel.reliability:
            _draw(axis, panel.reliability)
        ece = formatting.number("ece", panel.group.metrics["ece"].mean)
        axis.set_title(f"{canvas.name(panel.group, 28)}\nECE {ece}")
    axes[0].set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    body.supxlabel("confidence (probability of the predicted class)")
    body.supylabel("accuracy (share of images)")
    return figure


def _draw(axis: Axes, found: Reliability) -> None:
    edges = np.linspace(0, 1, ECE_BINS + 1)
    axis.bar(edges[:-1], found.share, 1 / ECE_BINS, align="edge", color=canvas.FAINT, zorder=0)
    axis.plot((0, 1), (0, 1), color=canvas.BASELINE, linestyle=":", linewidth=1)
    axis.vlines(found.confidence, found.low, found.high, color=canvas.INK, linewidth=1)
    axis.plot(found.confidence, found.accuracy, color=canvas.INK, marker="o", markersize=3, linewidth=1, clip_on=False)
    axis.set_aspect("equal")
