"""Learning curves: a panel per loss, the mean over seeds in a band from the lowest to the highest seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import figures
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.figure_data import Band
    from lossbench.report.figures import ConditionFigure

FEW_EPOCHS = 20
"""Up to this many epochs, each has a marker."""

WIDE = 5
"""The ratio of largest to smallest value from which a logarithmic scale shows more."""


def plot_curves(content: ConditionFigure, column: str) -> Figure | None:
    """Plot a column of `metrics.csv` against the epoch; return None if no run has it."""
    title, _, scale = figures.CURVES[column]
    bands = figures.curves(content.panels, column)
    if not bands:
        return None
    baseline = figures.curve(content.baseline, column)
    keys = [
        canvas.line_key("mean over seeds", marker="."),
        canvas.area_key("lowest to highest seed", canvas.PALE),
        *canvas.baseline_key(content.baseline.group.label if content.baseline and baseline else None),
    ]
    figure, body, axes = canvas.panel_grid(len(bands), (f"learning curves: {title}", *content.subtitles), keys)
    for axis, (label, band) in zip(axes, bands.items(), strict=True):
        _plot_band(axis, band)
        if baseline:
            _plot_baseline(axis, baseline)
        axis.set_title(canvas.wrapped_label(label))
    _set_scales(axes, scale)
    body.supxlabel("epoch")
    body.supylabel(canvas.wrapped_label(title, 24))
    return figure


def _plot_band(axis: Axes, band: Band) -> None:
    epochs = range(1, len(band.mean) + 1)
    axis.fill_between(epochs, band.low, band.high, color=canvas.PALE, linewidth=0)
    if len(epochs) == 1:
        axis.vlines(epochs, band.low, band.high, color=canvas.PALE, linewidth=5)
    axis.plot(epochs, band.mean, color=canvas.INK, marker=_marker(epochs, "."))


def _plot_baseline(axis: Axes, band: Band) -> None:
    epochs = range(1, len(band.mean) + 1)
    dashes = axis.plot(epochs, band.mean, color=canvas.BASELINE, linestyle="--", linewidth=1.1)
    dashes[0].set_marker(_marker(epochs, "_"))


def _marker(epochs: range, form: str) -> str:
    return form if len(epochs) <= FEW_EPOCHS else ""


def _set_scales(axes: Sequence[Axes], scale: str) -> None:
    """Set ticks at whole epochs, and a logarithmic scale with plain numbers where the values span much."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis = axes[0]
    canvas.set_epochs(axis)
    low, high = min(each.dataLim.ymin for each in axes), max(each.dataLim.ymax for each in axes)
    if scale == "log" and high > WIDE * low > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
