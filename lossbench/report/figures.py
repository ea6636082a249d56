"""The content of every figure, in the units that readers see: the plots draw it with Matplotlib, the page as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.metrics import BEST_EPOCH, METRICS
from lossbench.report import formatting, wording
from lossbench.report.comparison import columns
from lossbench.runs.tuning import SUFFIX
from lossbench.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.figure_data import Band, FigureData, Floats, Panel
    from lossbench.analysis.result import At, Comparison, Estimate, Group
    from lossbench.analysis.trends import Trend
    from lossbench.analysis.tuning_curves import TuningCurve
    from lossbench.metrics import Metric

MOST_LOSSES = 20
"""Losses per figure."""

SMALLEST = 0.05
"""Per cent: a cell of a confusion matrix below this would be shown as 0.0 and is left empty."""

DARK = 0.6
"""The share of the colour scale above which a cell needs light text."""


class Curve(NamedTuple):
    """A column of `metrics.csv` as a figure shows it: title with unit, factor to that unit, scale of the axis."""

    title: str
    factor: int
    scale: str


def validation_title(metric: Metric) -> str:
    """Return a metric of validation images with its unit: `validation accuracy (%)`."""
    return f"validation {metric.title} ({'%' if metric.in_percent else metric.unit})"


def axis_factor(metric: Metric) -> int:
    """Return the factor from a metric to the unit of its axis: shares of images in per cent."""
    return 100 if metric.in_percent else 1


def _validation_curve(metric: Metric) -> Curve:
    return Curve(validation_title(metric), axis_factor(metric), "linear" if metric.is_share else "log")


CURVES = {
    **{f"val_{name}": _validation_curve(METRICS[name]) for name in BEST_EPOCH},
    "accuracy": Curve("training accuracy, labels as seen (%)", 100, "linear"),
    "memorized": Curve("wrong training labels learnt (%)", 100, "linear"),
    "recovered": Curve("true class found despite a wrong label (%)", 100, "linear"),
}

TREND_AXES = {
    "data.label_noise.rate": "label noise (share of labels)",
    "data.imbalance.ratio": "imbalance (images of the largest class to one of the smallest)",
}


@dataclass(frozen=True)
class ConditionFigure:
    """What the figures of one condition have in common.

    Attributes:
        panels: Its losses, the best first, at most `MOST_LOSSES`.
        baseline: The baseline, which need not be among the panels.
        cut: The sentence that says how many losses are left out; empty if none is.
        subtitles: The lines below the title of each plot.
        confidence: Confidence of the intervals, such as `95 %`.
        at: The epoch whose weights were tested.
    """

    panels: tuple[Panel, ...]
    baseline: Panel | None
    cut: str
    subtitles: tuple[str, ...]
    confidence: str
    at: At


def condition_figure(comparison: Comparison, data: FigureData, condition: str) -> ConditionFigure:
    """Return the figures of one condition of a comparison; `condition` is its title."""
    cut = omitted_losses(len(data.panels))
    unlike = wording.unlike_groups(panel.group for panel in data.panels)
    return ConditionFigure(
        panels=data.panels[:MOST_LOSSES],
        baseline=data.baseline,
        cut=cut,
        subtitles=(condition, wording.background(comparison), cut, unlike),
        confidence=formatting.percent(comparison.query.confidence),
        at=comparison.query.at,
    )


def omitted_losses(losses: int) -> str:
    """Return the sentence of a figure that shows the best losses only; empty if it shows all."""
    return f"the best {MOST_LOSSES} of {losses} losses" if losses > MOST_LOSSES else ""


def softmax_footnote(groups: Iterable[Group]) -> str:
    """Return the meaning of the mark after a loss's name; empty if no name has it."""
    marked = any(group.link != "softmax" for group in groups)
    return f"{columns.NO_SOFTMAX} the loss trains no softmax probabilities, or does not declare them" if marked else ""


def axis_title(metric: Metric) -> str:
    """Return a metric with its unit: `test accuracy (%)`, `test NLL (nats)`."""
    return f"test {metric.title} ({'%' if metric.in_percent else metric.unit})"


def axis_estimate(metric: Metric, estimate: Estimate) -> Estimate:
    """Return an estimate in the unit of its axis: shares of images in per cent."""
    factor = axis_factor(metric)
    return replace(
        estimate,
        values={seed: factor * value for seed, value in estimate.values.items()},
        mean=None if estimate.mean is None else factor * estimate.mean,
        interval=estimate.interval and Interval(factor * estimate.interval.low, factor * estimate.interval.high),
    )


def curve(panel: Panel | None, name: str) -> Band | None:
    """Return a column of `metrics.csv` in the unit of its axis; None if no run has it."""
    if panel is None or name not in panel.curves:
        return None
    band, factor = panel.curves[name], CURVES[name].factor
    return replace(band, mean=factor * band.mean, low=factor * band.low, high=factor * band.high)


def curves(panels: Iterable[Panel], name: str) -> dict[str, Band]:
    """Return a column of `metrics.csv` by label of the loss, in the unit of its axis."""
    return {panel.group.label: band for panel in panels if (band := curve(panel, name))}


def confusion_matrices(panels: Iterable[Panel], *, difference: bool) -> tuple[dict[str, Floats], float]:
    """Return confusion matrices by label, in per cent of each true class, and the end of their colour scale.

    Args:
        panels: The losses.
        difference: Return each matrix minus the baseline's, with correct predictions on the scale; else the scale
            covers mistakes only.
    """
    shares = {panel.group.label: panel.difference if difference else panel.confusion for panel in panels}
    matrices = {label: 100 * each for label, each in shares.items() if each is not None}
    scaled = matrices.values() if difference else map(mistakes, matrices.values())
    return matrices, max([SMALLEST, *(float(np.nanmax(np.abs(each), initial=0)) for each in scaled)])


def mistakes(matrix: Floats) -> Floats:
    """Return a confusion matrix with zeros for correct predictions."""
    return np.where(np.eye(len(matrix), dtype=bool), 0, matrix)


def cell_text(cell: float, *, signed: bool) -> str:
    """Return a cell of a confusion matrix: `1.3`, or `−0.4` with its sign."""
    return f"{cell:+.1f}".replace("-", formatting.MINUS) if signed else f"{cell:.1f}"


def trend_axis(trend: Trend) -> str:
    """Return the title of the axis along which a condition varies."""
    return TREND_AXES.get(trend.key, formatting.clean(trend.key))


def trend_condition(trend: Trend) -> str:
    """Return the settings that are constant in a trend: `model cnn · data.train_size 1000`."""
    return " · ".join(wording.setting(key, value) for key, value in trend.condition.items() if value)


def trend_lines(trend: Trend, metric: Metric) -> dict[str, list[Estimate | None]]:
    """Return each loss's estimates in the unit of the axis, one per size; at most `MOST_LOSSES` losses."""
    shown = list(trend.lines.items())[:MOST_LOSSES]
    return {label: [each and axis_estimate(metric, each) for each in line] for label, line in shown}


def trend_baseline(trend: Trend, metric: Metric) -> list[float]:
    """Return the baseline's means, one per size, NaN where there is none; empty without a baseline."""
    line = trend.lines.get(trend.baseline, ()) if trend.baseline else ()
    return means([each and axis_estimate(metric, each) for each in line])


def tuned_reference(curves: Iterable[TuningCurve], baseline: str | None) -> TuningCurve | None:
    """Return the tuning curve of the baseline, which may be named with its default or its best setting."""
    name = (baseline or "").removesuffix(SUFFIX)
    return next((each for each in curves if each.label == name), None)


def means(line: Sequence[Estimate | None]) -> list[float]:
    """Return the means of estimates, NaN where there is none."""
    return [math.nan if each is None or each.mean is None else each.mean for each in line]


def mean_of(panel: Panel | None, metric: Metric) -> float | None:
    """Return a loss's mean in the unit of its axis; None if it has none."""
    return axis_estimate(metric, panel.group.metrics[metric.name]).mean if panel else None


def error_rates(panels: Iterable[Panel]) -> Mapping[str, Floats]:
    """Return the percentage of misclassified images per class, by label of the loss."""
    return {
        panel.group.label: 100 * (1 - np.diagonal(panel.confusion)) for panel in panels if panel.confusion is not None
    }
