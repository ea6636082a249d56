"""Sections of charts: those of one condition, and those across conditions; each loss has a chart of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.analysis import trends as analysis
from lossbench.analysis.ranks import mean_ranks
from lossbench.metrics import METRICS
from lossbench.report import figures, formatting, rank_words
from lossbench.report.formatting import clean
from lossbench.report.page import charts, row_charts
from lossbench.report.page.html import Html, element
from lossbench.report.page.memorization import memorization_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.figure_data import Floats, Panel
    from lossbench.analysis.result import Comparison, Estimate
    from lossbench.analysis.trends import Trend
    from lossbench.metrics import Metric
    from lossbench.report.figures import ConditionFigure


def condition_section(content: ConditionFigure, metrics: Iterable[Metric]) -> Html:
    """Return seeds, curves, memorisation, reliability, confusion and classes of one condition."""
    panels, baseline = content.panels, content.baseline
    name = clean(baseline.group.label) if baseline else ""
    dashed = f"; dashed: {name}" * bool(baseline)
    return element(
        "div",
        element("p", content.cut, class_="faint"),
        _switched(
            "Every seed",
            f"one dot per seed; below, the mean with its {content.confidence} interval{dashed}",
            "Measure",
            {figures.axis_title(each): _seed_charts(content, each) for each in metrics},
        ),
        _switched(
            "Learning curves",
            f"mean in a band from the lowest to the highest seed{dashed}",
            "Metric",
            {curve.title: _curve_charts(content, column) for column, curve in figures.CURVES.items()},
        ),
        memorization_section(content),
        _switched(
            "Reliability",
            "accuracy against confidence; dashed: calibrated; bars: share of the images; vertical: lowest to highest "
            f"seed. {figures.softmax_footnote(panel.group for panel in panels)}",
            "Show",
            {"reliability": _reliability_charts(panels)},
        ),
        _switched(
            "Confusion",
            "row: true class; column: predicted class; mean over seeds",
            "Show",
            {
                "mistakes, % of each true class": _confusion_charts(panels, signed=False),
                f"minus {name}, percentage points": _confusion_charts(panels, signed=True),
            },
        ),
        _switched(
            "Classes",
            f"share of each class's images that is taken for another, %{dashed}",
            "Show",
            {"mistakes": _class_charts(panels, baseline)},
        ),
    )


def trends_section(comparison: Comparison) -> Html:
    """Return each metric against each condition that has a size."""
    options = {}
    for metric in comparison.query.metrics:
        for trend in analysis.trends(comparison, metric.name):
            constant = figures.trend_condition(trend)
            title = f"{figures.axis_title(metric)} against {figures.trend_axis(trend)}"
            options[f"{title}{f' ({constant})' * bool(constant)}"] = _trend_charts(trend, metric)
    shown = _switched("Over the conditions", "one dot per seed; dashed: the baseline", "Show", options)
    nothing = element("p", "No condition with a size, such as label noise, varies between these runs.", class_="faint")
    return element("section", element("h2", "Trends", id="trends"), shown if options else nothing)


def ranks_section(comparison: Comparison) -> Html:
    """Return mean ranks over the conditions by each metric; nothing where there are too few conditions or losses."""
    found = [each for metric in comparison.query.metrics if (each := mean_ranks(comparison, metric))]
    options = [
        element(
            "div",
            element("p", rank_words.MEANING, class_="faint") if each.labels else Html(),
            *(element("p", note, class_="faint") for note in rank_words.notes(each)),
            row_charts.rank_figure(each) if each.labels else Html(),
            data_option=rank_words.title(each),
        )
        for each in found
    ]
    shown = element("div", *options, data_switch="Show")
    return element("section", element("h2", "Ranks", id="ranks"), shown) if options else Html()


def _switched(title: str, note: str, switch: str, options: Mapping[str, Sequence[Html]]) -> Html:
    """Return a heading, the meaning of the marks, and one of several rows of charts; nothing without charts."""
    shown = [element("div", *each, class_="charts", data_option=name) for name, each in options.items() if each]
    if not shown:
        return Html()
    return element(
        "section", element("h3", title), element("p", note, class_="faint"), element("div", *shown, data_switch=switch)
    )


def _figure(label: str, chart: Html) -> Html:
    return element("figure", element("figcaption", clean(label)), chart)


def _extent(estimates: Iterable[Estimate | None]) -> tuple[float, float]:
    """Return the range of an axis that shows all values and intervals."""
    return charts.axis_range(
        value for each in estimates if each for value in (*each.values.values(), *(each.interval or ()))
    )


def _seed_charts(content: ConditionFigure, metric: Metric) -> list[Html]:
    groups = [panel.group for panel in content.panels if panel.group.metrics[metric.name].values]
    estimates = {each.label: figures.axis_estimate(metric, each.metrics[metric.name]) for each in groups}
    x, baseline = _extent(estimates.values()), figures.mean_of(content.baseline, metric)
    charted = []
    for group in groups:
        estimate = group.metrics[metric.name]
        values = f"{formatting.estimate(metric, estimate)}, interval {formatting.interval(metric, estimate.interval)}"
        about = f"{figures.axis_title(metric)} of {clean(group.label)}, mean ± standard deviation: {values}"
        charted.append(_figure(group.label, charts.seed_chart(estimates[group.label], baseline, x, about)))
    return charted


def _curve_charts(content: ConditionFigure, column: str) -> list[Html]:
    bands = figures.curves(content.panels, column)
    y = charts.axis_range(value for band in bands.values() for edge in (band.low, band.high) for value in edge)
    baseline, title = figures.curve(content.baseline, column), figures.CURVES[column].title
    return [
        _figure(
            label, charts.curve_chart(band, baseline, y, f"{title} of {clean(label)}, at the end {band.mean[-1]:.4g}")
        )
        for label, band in bands.items()
    ]


def _reliability_charts(panels: Sequence[Panel]) -> list[Html]:
    charted = []
    for panel in panels:
        if panel.reliability:
            label, ece = panel.group.label, formatting.value(METRICS["ece"], panel.group.metrics["ece"].mean)
            chart = charts.reliability_chart(panel.reliability, f"reliability of {clean(label)}: ECE {ece}")
            charted.append(_figure(f"{label} · ECE {ece}", chart))
    return charted


def _confusion_charts(panels: Sequence[Panel], *, signed: bool) -> list[Html]:
    matrices, limit = figures.confusion_matrices(panels, difference=signed)
    return [
        _figure(label, charts.matrix_chart(each, limit, _largest(label, each, signed=signed), signed=signed))
        for label, each in matrices.items()
    ]


def _largest(label: str, matrix: Floats, *, signed: bool) -> str:
    """Return a confusion matrix in words: its largest cells off the diagonal."""
    cells = np.nan_to_num(figures.mistakes(matrix))
    places = [divmod(int(index), len(matrix)) for index in np.argsort(-np.abs(cells), axis=None)[:3]]
    largest = ", ".join(f"{true} as {predicted} {cells[true, predicted]:.1f} %" for true, predicted in places)
    return f"confusion of {clean(label)}{' minus the baseline' * signed}: most {largest}"


def _class_charts(panels: Sequence[Panel], baseline: Panel | None) -> list[Html]:
    """Return the share of each class's images that is taken for another, as bars from 0."""
    error_rates = figures.error_rates(panels)
    of_baseline = next(iter(figures.error_rates([baseline]).values()), None) if baseline else None
    most = max((float(np.nanmax(each, initial=0)) for each in error_rates.values()), default=0)
    return [
        _figure(
            label,
            charts.class_chart(
                each, of_baseline, (0, 1.06 * most or 1), f"mistakes in each class of {clean(label)}, %"
            ),
        )
        for label, each in error_rates.items()
    ]


def _trend_charts(trend: Trend, metric: Metric) -> list[Html]:
    lines, baseline = figures.trend_lines(trend, metric), figures.trend_baseline(trend, metric)
    y, axis = _extent(each for line in lines.values() for each in line), figures.trend_axis(trend)
    about = f"{figures.axis_title(metric)} of {{}} against {axis}"
    return [
        _figure(label, charts.trend_chart(trend.sizes, line, baseline, y, (axis, about.format(clean(label)))))
        for label, line in lines.items()
    ]
