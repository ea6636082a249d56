"""Reliability diagrams: how often the most probable class is right, against how probable it was said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.metrics import ECE_BINS
from lossbench.report import columns, words
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.pictures import Panel, Reliability
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
    without = any(panel.group.link != "softmax" for panel in panels)
    note = f"{columns.NO_SOFTMAX} the loss trains no softmax probabilities" if without else ""
    sentences = (f"reliability on the test set, {scene.at} epoch", *scene.sentences, note)
    figure, body, axes = canvas.grid(len(panels), sentences, meanings, width=2.2, height=2.3)
    for panel, axis in zip(panels, axes, strict=True):
        if panel.reliability:
            _draw(axis, panel.reliability)
        axis.set_title(_title(panel))
    axes[0].set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    body.supxlabel("confidence: probability of the most probable class")
    body.supylabel("accuracy: share of images for which it is right")
    return figure


def _draw(axis: Axes, found: Reliability) -> None:
    edges = np.linspace(0, 1, ECE_BINS + 1)
    axis.bar(edges[:-1], found.share, 1 / ECE_BINS, align="edge", color=canvas.FAINT, zorder=0)
    axis.plot((0, 1), (0, 1), color=canvas.BASELINE, linestyle=":", linewidth=1)
    axis.vlines(found.confidence, found.low, found.high, color=canvas.INK, linewidth=1)
    axis.plot(found.confidence, found.accuracy, color=canvas.INK, marker="o", markersize=3, linewidth=1, clip_on=False)
    axis.set_aspect("equal")


def _title(panel: Panel) -> str:
    mark = columns.NO_SOFTMAX if panel.group.link != "softmax" else ""
    return f"{canvas.label(panel.group.label + mark, 28)}\nECE {words.number('ece', panel.group.metrics['ece'].mean)}"
