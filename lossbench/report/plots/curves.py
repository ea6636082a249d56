"""Learning curves: a panel for each loss, the mean over seeds in a band from the lowest to the highest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lossbench.metrics import BEST_EPOCH, METRICS
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lossbench.analysis.figure_data import Band
    from lossbench.metrics import Metric
    from lossbench.report.plots.scene import Scene


class Column(NamedTuple):
    """How a column of `metrics.csv` is drawn: its name with the unit, what it is multiplied by, on which scale."""

    title: str
    factor: int
    scale: str


def _of_metric(metric: Metric) -> Column:
    unit = "%" if metric.in_percent else metric.unit
    scale = "linear" if metric.is_share else "log"
    return Column(f"validation {metric.title} ({unit})", 100 if metric.in_percent else 1, scale)


COLUMNS = {
    **{f"val_{name}": _of_metric(METRICS[name]) for name in BEST_EPOCH},
    "accuracy": Column("training accuracy, labels as seen (%)", 100, "linear"),
    "memorized": Column("wrong training labels learnt (%)", 100, "linear"),
}
FEW_EPOCHS = 20
WIDE = 5
"""The ratio of largest to smallest value from which a logarithmic scale shows more."""


def draw(scene: Scene, name: str) -> Figure | None:
    """A column of `metrics.csv` against the epoch; None where no run has it."""
    column, panels = COLUMNS[name], [panel for panel in scene.panels if name in panel.curves]
    if not panels:
        return None
    baseline = scene.baseline.curves.get(name) if scene.baseline else None
    meanings = [
        canvas.stroke("mean over seeds", marker="."),
        canvas.area("lowest to highest seed", canvas.PALE),
        *canvas.dashed(scene.baseline.group.label if scene.baseline and baseline else None),
    ]
    figure, body, axes = canvas.grid(len(panels), (f"learning curves: {column.title}", *scene.sentences), meanings)
    for panel, axis in zip(panels, axes, strict=True):
        _draw(axis, panel.curves[name], column.factor)
        if baseline:
            _draw_baseline(axis, baseline, column.factor)
        axis.set_title(canvas.label(panel.group.label))
    _scale(axes, column.scale)
    body.supxlabel("epoch")
    body.supylabel(canvas.label(column.title, 24))
    return figure


def _draw(axis: Axes, band: Band, factor: int) -> None:
    epochs, low, high = _epochs(band.mean), factor * band.low, factor * band.high
    axis.fill_between(epochs, low, high, color=canvas.PALE, linewidth=0)
    if len(epochs) == 1:
        axis.vlines(epochs, low, high, color=canvas.PALE, linewidth=5)
    axis.plot(epochs, factor * band.mean, color=canvas.INK, marker=_marker(epochs, "."))


def _draw_baseline(axis: Axes, band: Band, factor: int) -> None:
    epochs = _epochs(band.mean)
    dashes = axis.plot(epochs, factor * band.mean, color=canvas.BASELINE, linestyle="--", linewidth=1.1)
    dashes[0].set_marker(_marker(epochs, "_"))


def _marker(epochs: range, form: str) -> str:
    """One at each epoch, where there are few."""
    return form if len(epochs) <= FEW_EPOCHS else ""


def _scale(axes: Sequence[Axes], scale: str) -> None:
    """Whole epochs; a logarithmic scale only where the values span much, and with plain numbers."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axis = axes[0]
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10), integer=True, min_n_ticks=1))
    low, high = min(each.dataLim.ymin for each in axes), max(each.dataLim.ymax for each in axes)
    if scale == "log" and high > WIDE * low > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _epochs(values: NDArray[np.float64]) -> range:
    """Counted from 1."""
    return range(1, len(values) + 1)
