"""Section of the tuned losses: expected best validation score against the number of settings, a chart per loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lossbench.analysis.result import Estimate
from lossbench.analysis.tuning_curves import tuning_figures
from lossbench.report import figures, formatting, wording
from lossbench.report.formatting import clean
from lossbench.report.page import charts
from lossbench.report.page.html import Html, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.result import Comparison
    from lossbench.analysis.tuning_curves import TuningCurve, TuningFigure

MOST_SIZES = 10
"""Numbers of settings that a chart shows."""


def tuning_section(comparison: Comparison) -> Html:
    """Return the charts of each condition; nothing without a tuning."""
    shown = [_condition(each, comparison.baseline) for each in tuning_figures(comparison)]
    if not shown:
        return Html()
    note = "mean of the best of k settings over all subsets of the settings tried; dashed: the baseline"
    return element("section", element("h2", "Tuning", id="tuning"), element("p", note, class_="faint"), *shown)


def _condition(content: TuningFigure, baseline: str | None) -> Html:
    title = figures.validation_title(content.metric)
    factor = figures.axis_factor(content.metric)
    condition = wording.group_name("", content.condition).strip(" ()")
    reference = figures.tuned_reference(content.curves, baseline)
    shown = content.curves[: figures.MOST_LOSSES]
    y = charts.axis_range(factor * value for each in shown for value in each.expected)
    return element(
        "section",
        element("h3", f"{title}{f' · {condition}' * bool(condition)}"),
        element("p", f"mean over tuning seeds {formatting.seeds(content.seeds)}", class_="faint"),
        element("div", *(_chart(each, reference, y, factor, title) for each in shown), class_="charts"),
    )


def _chart(curve: TuningCurve, reference: TuningCurve | None, y: tuple[float, float], factor: int, title: str) -> Html:
    sizes = _sizes(len(curve.expected))
    line = [_estimate(factor * curve.expected[size - 1]) for size in sizes]
    dashed = (
        [factor * reference.expected[size - 1] for size in sizes if size <= len(reference.expected)]
        if reference
        else []
    )
    about = (
        f"{title} of {clean(curve.label)}: the default {_text(factor * curve.means[0])}, "
        f"the best of {len(curve.means)} settings {_text(factor * curve.expected[-1])}"
    )
    chart = charts.trend_chart(sizes, line, dashed, y, ("settings tried", about))
    return element("figure", element("figcaption", clean(curve.label)), chart)


def _text(mean: float) -> str:
    return "has no score" if math.isnan(mean) else f"{mean:.4g}"


def _estimate(mean: float) -> Estimate | None:
    return None if math.isnan(mean) else Estimate(mean=mean)


def _sizes(number: int) -> Sequence[int]:
    return sorted({round(each) for each in np.linspace(1, number, min(number, MOST_SIZES))})
