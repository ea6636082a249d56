"""Tuning curves: expected best validation score against the number of trials, a panel per loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import figures
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.tuning_curves import TuningCurve, TuningFigure

TICKS = 6
"""Largest number of ticks along the number of trials."""


def plot_tuning(content: TuningFigure, subtitles: Sequence[str], baseline: str | None) -> Figure:
    """Plot the expected best score of each loss; those of the baseline are dashed in every panel.

    Args:
        content: The curves of one tuning in one condition.
        subtitles: Sentences below the title.
        baseline: Label of the baseline.
    """
    title = figures.validation_title(content.metric)
    factor = figures.axis_factor(content.metric)
    shown = content.curves[: figures.MOST_LOSSES]
    reference = figures.tuned_reference(content.curves, baseline)
    keys = [
        canvas.line_key("expected best of k settings", marker="."),
        canvas.line_key("the default", color=canvas.INK, linestyle=":", linewidth=1.1),
        *canvas.baseline_key(reference.label if reference else None),
    ]
    sentences = (f"tuning: {title}", *subtitles, figures.omitted_losses(len(content.curves)))
    figure, body, axes = canvas.panel_grid(len(shown), sentences, keys)
    for axis, curve in zip(axes, shown, strict=True):
        _plot_curve(axis, curve, factor)
        if reference:
            _plot_line(axis, [factor * each for each in reference.expected], color=canvas.BASELINE, linestyle="--")
        axis.set_title(canvas.wrapped_label(curve.label))
    _set_ticks(axes[0])
    body.supxlabel("settings tried, k")
    body.supylabel(canvas.wrapped_label(title, 24))
    return figure


def _plot_curve(axis: Axes, curve: TuningCurve, factor: int) -> None:
    _plot_line(axis, [factor * each for each in curve.expected], color=canvas.INK, marker=".")
    axis.axhline(factor * curve.means[0], color=canvas.INK, linestyle=":", linewidth=1.1)


def _plot_line(axis: Axes, values: Sequence[float], color: str, marker: str = "", linestyle: str = "-") -> None:
    axis.plot(range(1, len(values) + 1), values, color=color, marker=marker, linestyle=linestyle, linewidth=1.2)


def _set_ticks(axis: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(TICKS, steps=(1, 2, 5, 10), integer=True, min_n_ticks=1))
