"""Confusion matrices, a panel for each loss: as they are, and how they differ from the baseline's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.report import formatting
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lossbench.report.plots.scene import Scene

MOST_NUMBERED = 12
"""With more classes there is no room for a number in each cell."""

DARK = 0.6
"""The share of the scale from which a shade is dark."""

SMALLEST = 0.05
"""Per cent: what would be shown as 0.0 is left empty."""


def draw(scene: Scene) -> Figure | None:
    """How many per cent of each true class are taken for which; only mistakes are shaded."""
    matrices = {panel.group.label: 100 * panel.confusion for panel in scene.panels if panel.confusion is not None}
    if not matrices:
        return None
    mistakes = [matrix[~np.eye(len(matrix), dtype=bool)] for matrix in matrices.values()]
    limits = 0, max(SMALLEST, *(np.nanmax(each, initial=0) for each in mistakes))
    sentences = (f"confusion on the test set, {scene.at} epoch, mean over seeds", *scene.sentences)
    return _matrices(matrices, sentences, limits, "Blues", lambda cell: f"{cell:.1f}", diagonal=False)


def draw_difference(scene: Scene) -> Figure | None:
    """What a loss does more or less often than the baseline, in percentage points; None without a baseline."""
    matrices = {panel.group.label: 100 * panel.difference for panel in scene.panels if panel.difference is not None}
    if not matrices or scene.baseline is None:
        return None
    limit = max(SMALLEST, *(np.nanmax(np.abs(each), initial=0) for each in matrices.values()))
    held = f"confusion minus that of {canvas.short(scene.baseline.group.label)}"
    sentences = (f"{held}: test set, {scene.at} epoch, mean over shared seeds", *scene.sentences)
    return _matrices(matrices, sentences, (-limit, limit), "RdBu", _signed, diagonal=True)


def _matrices(
    matrices: Mapping[str, NDArray[np.float64]],
    sentences: Sequence[str],
    limits: tuple[float, float],
    colours: str,
    text: Callable[[float], str],
    *,
    diagonal: bool,
) -> Figure:
    """A panel for each matrix on one scale; `diagonal` says whether what is right is shaded too."""
    figure, body, axes = canvas.grid(len(matrices), sentences, (), width=2.8, height=3.0)
    for axis, (label, matrix) in zip(axes, matrices.items(), strict=True):
        shaded = matrix if diagonal else np.where(np.eye(len(matrix)), np.nan, matrix)
        image = axis.imshow(shaded, cmap=colours, vmin=limits[0], vmax=limits[1])
        if len(matrix) <= MOST_NUMBERED:
            _number(axis, matrix, np.abs(shaded) > DARK * limits[1], text)
            axis.set(xticks=range(len(matrix)), yticks=range(len(matrix)))
        same = diagonal and (np.abs(matrix) < SMALLEST).all()
        axis.set_title(canvas.label(label) + "\nthe same" * bool(same))
        axis.spines[:].set_visible(True)
        axis.tick_params(length=0)
    unit = "percentage points of the true class" if diagonal else "mistakes, % of the true class"
    body.colorbar(image, ax=axes, label=unit, shrink=0.6, aspect=30)
    body.supxlabel("predicted class")
    body.supylabel("true class")
    return figure


def _number(axis: Axes, matrix: NDArray[np.float64], dark: NDArray[np.bool_], text: Callable[[float], str]) -> None:
    """The number of each cell, white where the shade is dark; not weighed when the figure is laid out."""
    for (true, predicted), cell in np.ndenumerate(matrix):
        if abs(cell) >= SMALLEST:
            colour = "white" if dark[true, predicted] else "black"
            written = axis.text(predicted, true, text(cell), color=colour, fontsize=5)
            written.set(ha="center", va="center", in_layout=False)


def _signed(cell: float) -> str:
    return f"{cell:+.1f}".replace("-", formatting.MINUS)
