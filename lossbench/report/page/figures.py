"""The charts of one condition, and those across conditions; each loss has a chart of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.analysis import trends as analysis
from lossbench.report import formatting, wording
from lossbench.report.formatting import clean
from lossbench.report.page import charts
from lossbench.report.page.html import Html, element
from lossbench.report.plots import canvas
from lossbench.report.plots.curves import COLUMNS
from lossbench.report.plots.trends import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lossbench.analysis.figure_data import FigureData, Floats, Panel
    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Comparison, Estimate
    from lossbench.analysis.trends import Trend


def section(comparison: Comparison, picture: FigureData) -> Html:
    """Seeds, curves, reliability, confusion and classes of one condition."""
    panels = picture.panels[: canvas.MOST_LOSSES]
    baseline = picture.baseline
    confidence = formatting.percent(comparison.question.confidence)
    held = f"; dashed: {clean(baseline.group.label)}" if baseline else ""
    cut = element("p", canvas.cut(len(picture.panels)), class_="faint")
    seeds = [(canvas.quantity(each), _seeds(panels, baseline, each)) for each in comparison.question.measures]
    curves = [(column.title, _curves(panels, baseline, name)) for name, column in COLUMNS.items()]
    matrices = [
        ("mistakes, % of each true class", _matrices(panels, lambda panel: panel.confusion, signed=False)),
        (
            f"minus {clean(comparison.baseline)}, percentage points",
            _matrices(panels, lambda panel: panel.difference, signed=True),
        ),
    ]
    return element(
        "div",
        cut,
        _figures("Every seed", f"a dot a seed; below, the mean with its {confidence} interval{held}", "Measure", seeds),
        _figures("Learning curves", f"mean in a band from the lowest to the highest seed{held}", "Metric", curves),
        _figures(
            "Reliability",
            "accuracy against confidence; dashed: calibrated; bars: share of the images; upright: lowest to highest "
            f"seed. {canvas.footnote(panel.group for panel in panels)}",
            "Show",
            [("reliability", _reliability(panels))],
        ),
        _figures("Confusion", "row: true class; column: predicted class; mean over seeds", "Show", matrices),
        _figures(
            "Classes", f"share of each class's images that is taken for another, %{held}", "Show",
            [("mistakes", _missed(panels, baseline))],
        ),
    )  # fmt: skip


def trends(comparison: Comparison) -> Html:
    """Each measure against each condition that has a size."""
    options = [
        (f"{canvas.quantity(measure)} against {_name(trend)}{_told(trend)}", _trend(trend, measure))
        for measure in comparison.question.measures
        for trend in analysis.trends(comparison, measure.name)
    ]  # fmt: skip
    drawn = _figures("Over the conditions", "a dot a seed; dashed: the baseline", "Show", options)
    nothing = element("p", "No condition with a size, such as label noise, varies between these runs.", class_="faint")
    return element("section", element("h2", "Trends", id="trends"), drawn if options else nothing)


def _name(trend: Trend) -> str:
    return NAMES.get(trend.key, clean(trend.key))


def _told(trend: Trend) -> str:
    told = " · ".join(wording.setting(key, value) for key, value in trend.condition.items() if value)
    return f" ({told})" * bool(told)


def _figures(title: str, note: str, switch: str, options: Iterable[tuple[str, Sequence[Html]]]) -> Html:
    """A heading, what the marks mean, and one of several rows of charts; nothing where there are no charts."""
    shown = [element("div", *drawn, class_="charts", data_option=name) for name, drawn in options if drawn]
    if not shown:
        return Html()
    return element(
        "section", element("h3", title), element("p", note, class_="faint"), element("div", *shown, data_switch=switch)
    )


def _figure(label: str, chart: Html) -> Html:
    return element("figure", element("figcaption", clean(label)), chart)


def _seeds(panels: Sequence[Panel], baseline: Panel | None, measure: Measure) -> list[Html]:
    factor = canvas.scale(measure)
    estimates = {panel.group.label: panel.group.metrics[measure.name] for panel in panels}
    x = charts.span(factor * value for each in estimates.values() for value in _extent(each))
    held = baseline.group.metrics[measure.name].mean if baseline else None
    return [
        _figure(
            label,
            charts.strip(
                {seed: factor * value for seed, value in each.values.items()},
                None if each.mean is None else factor * each.mean,
                each.interval and (factor * each.interval.low, factor * each.interval.high),
                None if held is None else factor * held,
                x,
                f"{canvas.quantity(measure)} of {clean(label)}: {formatting.estimate(measure, each)}, "
                f"interval {formatting.interval(measure, each.interval)}",
            ),
        )
        for label, each in estimates.items()
        if each.values
    ]


def _extent(estimate: Estimate) -> list[float]:
    return [*estimate.values.values(), *(estimate.interval or ())]


def _curves(panels: Sequence[Panel], baseline: Panel | None, name: str) -> list[Html]:
    column, having = COLUMNS[name], [panel for panel in panels if name in panel.curves]
    bands = [panel.curves[name] for panel in having]
    y = charts.span(column.factor * value for band in bands for edge in (band.low, band.high) for value in edge)
    held = baseline.curves.get(name) if baseline else None
    return [
        _figure(
            panel.group.label,
            charts.curve(
                band,
                held,
                y,
                column.factor,
                f"{column.title} of {clean(panel.group.label)}, at the end {column.factor * band.mean[-1]:.4g}",
            ),
        )
        for panel, band in zip(having, bands, strict=True)
    ]


def _reliability(panels: Sequence[Panel]) -> list[Html]:
    return [
        _figure(
            f"{clean(panel.group.label)} · ECE {ece}",
            charts.reliability(panel.reliability, f"reliability of {clean(panel.group.label)}: ECE {ece}"),
        )
        for panel in panels
        if panel.reliability
        for ece in [formatting.number("ece", panel.group.metrics["ece"].mean)]
    ]


def _matrices(panels: Sequence[Panel], of: Callable[[Panel], Floats | None], *, signed: bool) -> list[Html]:
    cells = {panel.group.label: matrix for panel in panels if (matrix := of(panel)) is not None}
    shaded = [matrix if signed else _mistakes(matrix) for matrix in cells.values()]
    limit = max([charts.SMALLEST, *(float(np.nanmax(np.abs(each), initial=0)) for each in shaded)])
    return [
        _figure(label, charts.matrix(matrix, limit, _largest(label, matrix, signed=signed), signed=signed))
        for label, matrix in cells.items()
    ]


def _mistakes(matrix: Floats) -> Floats:
    return np.where(np.eye(len(matrix), dtype=bool), 0, matrix)


def _largest(label: str, matrix: Floats, *, signed: bool) -> str:
    """The confusion in words: its largest cells away from the diagonal."""
    mistakes = np.nan_to_num(_mistakes(matrix))
    places = np.argsort(-np.abs(mistakes), axis=None)[:3]
    cells = [divmod(int(place), len(matrix)) for place in places]
    told = ", ".join(f"{true} as {predicted} {100 * mistakes[true, predicted]:.1f} %" for true, predicted in cells)
    return f"confusion of {clean(label)}{' minus the baseline' * signed}: most {told}"


def _missed(panels: Sequence[Panel], baseline: Panel | None) -> list[Html]:
    """Bars from 0: the share of each class's images that are taken for another."""
    shares = {panel.group.label: share for panel in panels if (share := _mistaken(panel)) is not None}
    held = _mistaken(baseline) if baseline else None
    most = max((float(np.nanmax(each, initial=0)) for each in shares.values()), default=0)
    return [
        _figure(label, charts.bars(each, held, (0, 1.06 * most or 1), f"mistakes in each class of {clean(label)}, %"))
        for label, each in shares.items()
    ]


def _mistaken(panel: Panel) -> Floats | None:
    return None if panel.confusion is None else 100 * (1 - np.diagonal(panel.confusion))


def _trend(trend: Trend, measure: Measure) -> list[Html]:
    factor = canvas.scale(measure)
    lines = dict(list(trend.lines.items())[: canvas.MOST_LOSSES])
    every = [each for line in lines.values() for each in line if each]
    y = charts.span(factor * value for each in every for value in _extent(each))
    held = trend.lines.get(trend.baseline, ()) if trend.baseline else ()
    means = [factor * each.mean if each and each.mean is not None else float("nan") for each in held]
    name = _name(trend)
    return [
        _figure(
            label,
            charts.trend(
                trend.sizes,
                [_point(each, factor) for each in line],
                means,
                y,
                (name, f"{canvas.quantity(measure)} of {clean(label)} against {name}"),
            ),
        )
        for label, line in lines.items()
    ]


def _point(each: Estimate | None, factor: float) -> tuple[float, tuple[float, float] | None, list[float]] | None:
    if each is None or each.mean is None:
        return None
    interval = each.interval and (factor * each.interval.low, factor * each.interval.high)
    return factor * each.mean, interval, [factor * value for value in each.values.values()]
