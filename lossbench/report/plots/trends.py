"""A measure as a condition grows: a panel for each loss, every seed as a dot, the mean with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Estimate
    from lossbench.analysis.trends import Trend

NAMES = {
    "data.label_noise.rate": "label noise (share of labels)",
    "data.imbalance.ratio": "imbalance (images of the largest class to one of the smallest)",
}
LOGARITHMIC = {"data.imbalance.ratio"}


def draw(trend: Trend, measure: Measure, about: Sequence[str], confidence: str) -> Figure:
    """A measure against the size of the condition."""
    name, quantity = NAMES.get(trend.key, formatting.clean(trend.key)), canvas.quantity(measure)
    meanings = [
        canvas.stroke("one seed", marker="o", fillstyle="none", linestyle="none", markersize=3),
        canvas.stroke(f"mean and its {confidence} interval", marker="D", markersize=3),
        *canvas.dashed(trend.baseline),
    ]
    shown = list(trend.lines.items())[: canvas.MOST_LOSSES]
    sentences = (f"{quantity} against {name}", *about, canvas.cut(len(trend.lines)))
    figure, body, axes = canvas.grid(len(shown), sentences, meanings)
    baseline = trend.lines.get(trend.baseline) if trend.baseline else None
    for axis, (label, line) in zip(axes, shown, strict=True):
        _draw(axis, trend.sizes, line, measure)
        if baseline:
            axis.plot(trend.sizes, _means(baseline, measure), color=canvas.BASELINE, linestyle="--", linewidth=1.1)
        axis.set_title(canvas.label(label))
    _scale(axes[0], trend)
    body.supxlabel(canvas.label(name, 60))
    body.supylabel(quantity)
    return figure


def _draw(axis: Axes, sizes: Sequence[float], line: Sequence[Estimate | None], measure: Measure) -> None:
    """Dots, the means that there are, and an interval at each of them."""
    factor = canvas.scale(measure)
    for size, estimate in zip(sizes, line, strict=True):
        if estimate:
            values = [factor * value for value in estimate.values.values()]
            axis.plot([size] * len(values), values, "o", color=canvas.INK, markersize=3, fillstyle="none")
        if estimate and estimate.interval:
            low, high = estimate.interval
            axis.vlines(size, factor * low, factor * high, color=canvas.INK, linewidth=1.2)
    axis.plot(sizes, _means(line, measure), color=canvas.INK, marker="D", markersize=3, linewidth=1.2)


def _means(line: Sequence[Estimate | None], measure: Measure) -> list[float]:
    return [math.nan if each is None or each.mean is None else canvas.scale(measure) * each.mean for each in line]


def _scale(axis: Axes, trend: Trend) -> None:
    """A tick at each size; an imbalance counts by its ratio."""
    from matplotlib.ticker import FixedLocator, NullLocator

    if trend.key in LOGARITHMIC:
        axis.set_xscale("log")
    axis.margins(x=0.1)
    axis.xaxis.set_major_locator(FixedLocator(trend.sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
