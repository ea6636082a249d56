"""Confusion matrices, one panel per loss, and their differences from the baseline's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.report import figures
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lossbench.analysis.figure_data import Floats
    from lossbench.report.figures import ConditionFigure

MOST_NUMBERED = 12
"""With more classes there is no room for a number in each cell."""


def plot_confusion(content: ConditionFigure) -> Figure | None:
    """Plot which share of each true class is taken for which class; only mistakes are shaded."""
    matrices, limit = figures.confusion_matrices(content.panels, difference=False)
    sentences = (f"confusion on the test set, {content.at} epoch, mean over seeds", *content.subtitles)
    return _plot_matrices(matrices, sentences, limit, signed=False)


def plot_confusion_difference(content: ConditionFigure) -> Figure | None:
    """Plot the confusion minus the baseline's, in percentage points; return None without a baseline."""
    if content.baseline is None:
        return None
    matrices, limit = figures.confusion_matrices(content.panels, difference=True)
    title = f"confusion minus that of {canvas.short_label(content.baseline.group.label)}"
    sentences = (f"{title}: test set, {content.at} epoch, mean over shared seeds", *content.subtitles)
    return _plot_matrices(matrices, sentences, limit, signed=True)


def _plot_matrices(
    matrices: Mapping[str, Floats], sentences: Sequence[str], limit: float, *, signed: bool
) -> Figure | None:
    """Plot a panel per matrix on one colour scale; differences have two colours and a shaded diagonal."""
    if not matrices:
        return None
    figure, body, axes = canvas.panel_grid(len(matrices), sentences, (), width=2.8, height=3.0)
    low, colours = (-limit, "RdBu") if signed else (0, "Blues")
    for axis, (label, matrix) in zip(axes, matrices.items(), strict=True):
        shaded = matrix if signed else np.where(np.eye(len(matrix)), np.nan, matrix)
        image = axis.imshow(shaded, cmap=colours, vmin=low, vmax=limit)
        if len(matrix) <= MOST_NUMBERED:
            _write_numbers(axis, matrix, np.abs(shaded) > figures.DARK * limit, signed=signed)
            axis.set(xticks=range(len(matrix)), yticks=range(len(matrix)))
        same = signed and (np.abs(matrix) < figures.SMALLEST).all()
        axis.set_title(canvas.wrapped_label(label) + "\nno difference" * bool(same))
        axis.spines[:].set_visible(True)
        axis.tick_params(length=0)
    unit = "percentage points of the true class" if signed else "mistakes, % of the true class"
    body.colorbar(image, ax=axes, label=unit, shrink=0.6, aspect=30)
    body.supxlabel("predicted class")
    body.supylabel("true class")
    return figure


def _write_numbers(axis: Axes, matrix: Floats, dark: NDArray[np.bool_], *, signed: bool) -> None:
    """Write the number of each cell, white on dark; the layout does not count them, since they lie inside."""
    for (true, predicted), cell in np.ndenumerate(matrix):
        if abs(cell) >= figures.SMALLEST:
            colour = "white" if dark[true, predicted] else "black"
            written = axis.text(predicted, true, figures.cell_text(cell, signed=signed), color=colour, fontsize=5)
            written.set(ha="center", va="center", in_layout=False)
