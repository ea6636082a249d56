"""Plots of a comparison: PNG for documents, SVG for papers and the web, readable in grey and by the colour-blind.

canvas.py        sizes, inks, labels, grids of panels, files
curves.py        learning curves with bands over seeds
forest.py        all losses on one axis, each with its interval and verdict
memorization.py  what the losses learn of wrong labels, all on one axis
per_seed.py      every seed as a dot, with the interval of the mean
ranks.py         mean ranks over conditions
trends.py        a metric against label noise, imbalance, or another number that varies
reliability.py   confidence against accuracy
loss_map.py      which losses may be best in each cell of a map
tuning.py        expected best validation score against the number of tuning trials
confusion.py     which class is taken for which, and how that differs from the baseline

Each loss has a panel or a row of its own, or its name at its line, so no two colours need telling apart; the baseline
is a dashed line. The cells of a map have the names of their losses.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from lossbench.analysis import trends as analysis
from lossbench.analysis.ranks import mean_ranks
from lossbench.analysis.tuning_curves import tuning_figures
from lossbench.report import figures, formatting, map_figure, wording
from lossbench.report.forest import forest as content_of_forest
from lossbench.report.plots import (
    canvas,
    confusion,
    curves,
    forest,
    loss_map,
    memorization,
    per_seed,
    ranks,
    reliability,
    trends,
    tuning,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from lossbench.analysis.figure_data import FigureData
    from lossbench.analysis.result import Block, Comparison
    from lossbench.report.figures import ConditionFigure


def save_plots(comparison: Comparison, data: Sequence[FigureData], directory: Path) -> list[Path]:
    """Plot a comparison into a folder, with a subfolder per condition if there are several.

    Args:
        comparison: The comparison.
        data: Curves, calibration and confusion of its runs, one record per block; none are needed for a map, which is
            the only plot of a comparison that has one.
        directory: The folder.

    Returns:
        The files, a PNG and an SVG per figure.

    Raises:
        MachineError: A file cannot be written.
    """
    every = _map_plot(comparison) if comparison.loss_map else _all_plots(comparison, data)
    with canvas.style():
        return [path for name, figure in every if figure for path in canvas.save_figure(figure, directory, name)]


def _map_plot(comparison: Comparison) -> Iterator[tuple[str, Figure | None]]:
    yield f"map-{comparison.query.metrics[0].name}", loss_map.plot_map(map_figure.map_figure(comparison))


def _all_plots(comparison: Comparison, data: Sequence[FigureData]) -> Iterator[tuple[str, Figure | None]]:
    yield from _condition_plots(comparison, data)
    yield from _rank_plots(comparison)
    yield from _trend_plots(comparison)
    yield from _tuning_plots(comparison)


def _condition_plots(comparison: Comparison, data: Sequence[FigureData]) -> Iterator[tuple[str, Figure | None]]:
    """Yield the figures of each condition with their names."""
    for number, (block, of_block) in enumerate(zip(comparison.blocks, data, strict=True), 1):
        condition = wording.condition(comparison, block)
        folder = f"{number}-{_slug(condition)}/" if len(data) > 1 else ""
        content = figures.condition_figure(comparison, of_block, condition)
        yield f"{folder}forest", _forest(comparison, block, content)
        for metric in comparison.query.metrics:
            yield f"{folder}seeds-{metric.name}", per_seed.plot_seeds(content, metric)
        for column in figures.CURVES:
            yield f"{folder}curves-{column}", curves.plot_curves(content, column)
        yield f"{folder}memorization", memorization.plot_memorization(content)
        yield f"{folder}reliability", reliability.plot_reliability(content)
        yield f"{folder}confusion", confusion.plot_confusion(content)
        yield f"{folder}confusion-difference", confusion.plot_confusion_difference(content)


def _forest(comparison: Comparison, block: Block, content: ConditionFigure) -> Figure | None:
    """Plot all losses of a condition, however many."""
    needs_softmax = comparison.query.metrics[0].needs_softmax
    subtitles = [each for each in content.subtitles if each != content.cut]
    footnote = figures.softmax_footnote(block.groups) if needs_softmax else ""
    return forest.plot_forest(content_of_forest(comparison, block), [*subtitles, footnote])


def _rank_plots(comparison: Comparison) -> Iterator[tuple[str, Figure | None]]:
    """Yield the mean ranks by each metric with their names."""
    for metric in comparison.query.metrics:
        yield f"ranks-{metric.name}", ranks.plot_ranks(mean_ranks(comparison, metric), [wording.background(comparison)])


def _trend_plots(comparison: Comparison) -> Iterator[tuple[str, Figure | None]]:
    """Yield the figures across conditions with their names."""
    confidence = formatting.percent(comparison.query.confidence)
    for metric in comparison.query.metrics:
        names: Counter[str] = Counter()
        for trend in analysis.trends(comparison, metric.name):
            name = f"{metric.name}-against-{_slug(trend.key)}"
            names[name] += 1
            unlike = wording.unlike_groups(group for block in comparison.blocks for group in block.groups)
            subtitles = (figures.trend_condition(trend), wording.background(comparison), unlike)
            figure = trends.plot_trend(trend, metric, subtitles, confidence)
            yield f"{name}{f'-{names[name]}' * (names[name] > 1)}", figure


def _tuning_plots(comparison: Comparison) -> Iterator[tuple[str, Figure | None]]:
    """Yield a figure per tuning and condition with its name."""
    found = list(tuning_figures(comparison))
    for number, content in enumerate(found, 1):
        condition = wording.group_name("", content.condition).strip(" ()")
        name = f"tuning{f'-{number}-{_slug(condition)}' * (len(found) > 1)}"
        seeds = f"mean over tuning seeds {formatting.seeds(content.seeds)}"
        yield name, tuning.plot_tuning(content, (condition, wording.background(comparison), seeds), comparison.baseline)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower().replace("data.", "")).strip("-.")[:60]
