"""A comparison drawn: PNG for documents, SVG for papers and the web, readable in grey and by the colour-blind.

canvas.py        sizes, inks, labels, grids of panels, files
scene.py         what the figures of one condition have in common
curves.py        learning curves with bands over seeds
seeds.py         every seed as a dot, with the interval of the mean
growth.py        a measure against label noise, imbalance, or another number that varies
reliability.py   confidence against accuracy
confusion.py     which class is taken for which, and how that differs from the baseline

Each loss has a panel or a row of its own, the baseline dashed in each of them: no colour has to be told from another.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from lossbench.analysis import trends as analysis
from lossbench.report import formatting, wording
from lossbench.report.plots import canvas, confusion, curves, per_seed, reliability, trends
from lossbench.report.plots.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from lossbench.analysis.figure_data import FigureData
    from lossbench.analysis.result import Comparison


def save(comparison: Comparison, pictures: Sequence[FigureData], directory: Path) -> list[Path]:
    """Draw a comparison into a folder; where it has several conditions, each has a folder in it.

    Args:
        comparison: What was compared.
        pictures: What its runs show beside their metrics, one for each of its blocks.
        directory: Where the files go.

    Returns:
        The files, a PNG and an SVG for each figure.

    Raises:
        MachineError: A file cannot be written.
    """
    with canvas.style():
        return [
            path
            for name, figure in chain(_of_conditions(comparison, pictures), _across(comparison))
            if figure
            for path in canvas.save(figure, directory, name)
        ]


def _of_conditions(comparison: Comparison, pictures: Sequence[FigureData]) -> Iterator[tuple[str, Figure | None]]:
    """The figures of each condition, with their names."""
    for number, (block, picture) in enumerate(zip(comparison.blocks, pictures, strict=True), 1):
        condition = wording.condition(comparison, block)
        folder = f"{number}-{_slug(condition)}/" if len(pictures) > 1 else ""
        scene = _scene(comparison, picture, condition)
        for measure in comparison.question.measures:
            yield f"{folder}seeds-{measure.name}", per_seed.draw(scene, measure)
        for column in curves.COLUMNS:
            yield f"{folder}curves-{column}", curves.draw(scene, column)
        yield f"{folder}reliability", reliability.draw(scene)
        yield f"{folder}confusion", confusion.draw(scene)
        yield f"{folder}confusion-difference", confusion.draw_difference(scene)


def _across(comparison: Comparison) -> Iterator[tuple[str, Figure | None]]:
    """The figures across conditions, with their names."""
    for measure in comparison.question.measures:
        names: Counter[str] = Counter()
        for trend in analysis.trends(comparison, measure.name):
            name = f"{measure.name}-against-{_slug(trend.key)}"
            names[name] += 1
            told = " · ".join(wording.setting(key, value) for key, value in trend.condition.items() if value)
            about = (told, wording.background(comparison))
            figure = trends.draw(trend, measure, about, formatting.percent(comparison.question.confidence))
            yield f"{name}{f'-{names[name]}' * (names[name] > 1)}", figure


def _scene(comparison: Comparison, picture: FigureData, condition: str) -> Scene:
    return Scene(
        panels=picture.panels[: canvas.MOST_LOSSES],
        baseline=picture.baseline,
        sentences=(condition, wording.background(comparison), canvas.cut(len(picture.panels))),
        confidence=formatting.percent(comparison.question.confidence),
        at=comparison.question.at,
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower().replace("data.", "")).strip("-.")[:60]
