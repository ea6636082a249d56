"""Memorisation of wrong labels: what each loss learns of them, all losses on one axis with their names at the lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.report import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.analysis.figure_data import Band
    from lossbench.report.figures import ConditionFigure

COLUMNS = ("memorized", "recovered")
"""Columns of `metrics.csv` that only runs with wrong labels have."""

TITLE = "memorisation of wrong labels"
ROOM = 0.06
"""Room above and below the lines, as a share of their range."""


@dataclass(frozen=True)
class Line:
    """One loss.

    Attributes:
        label: The loss.
        band: Mean, lowest and highest seed per epoch, in per cent.
        number: Its place among the losses of the condition, the same on every axis; None for the baseline.
    """

    label: str
    band: Band
    number: int | None

    @property
    def end(self) -> float:
        """The mean of the last epoch."""
        return float(self.band.mean[-1])


@dataclass(frozen=True)
class Lines:
    """All losses of a condition on one axis; `lines` are ordered by their ends, the highest first."""

    title: str
    lines: Sequence[Line]

    @property
    def epochs(self) -> int:
        """The largest number of epochs."""
        return max(len(line.band.mean) for line in self.lines)

    @property
    def y(self) -> tuple[float, float]:
        """The range of the axis: all bands with some room."""
        edges = [value for line in self.lines for edge in (line.band.low, line.band.high) for value in edge]
        finite = [value for value in edges if math.isfinite(value)]
        low, high = min(finite), max(finite)
        room = ROOM * (high - low) or 1
        return low - room, high + room


def memorization(content: ConditionFigure) -> list[Lines]:
    """Return the lines for each of `COLUMNS`; nothing where no run has wrong labels.

    A loss with a run that lacks a value of the last epoch is left out.
    """
    baseline = content.baseline.group.label if content.baseline else None
    panels = {panel.group.label: panel for panel in (*content.panels, content.baseline) if panel}
    numbers = {label: number for number, label in enumerate(label for label in panels if label != baseline)}
    found = []
    for column in COLUMNS:
        bands = figures.curves(panels.values(), column)
        lines = [Line(label, band, numbers.get(label)) for label, band in bands.items()]
        shown = sorted((line for line in lines if math.isfinite(line.end)), key=lambda line: -line.end)
        if shown:
            found.append(Lines(figures.CURVES[column].title, shown))
    return found


def spread(places: Iterable[float], gap: float, low: float, high: float) -> list[float]:
    """Move descending places as little as possible so that neighbours are `gap` apart, between `low` and `high`.

    The smallest sum of squared moves is the isotonic regression of the places with the gaps taken out.

    Example:
        >>> spread([5.0, 4.8, 1.0], gap=1.0, low=0.0, high=9.0)
        [5.4, 4.4, 1.0]
    """
    blocks: list[list[float]] = []
    for index, place in enumerate(places):
        blocks.append([place + index * gap])
        while len(blocks) > 1 and _mean(blocks[-2]) < _mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    fitted = [_mean(block) for block in blocks for _ in block]
    lowest = low + (len(fitted) - 1) * gap
    return [min(max(place, lowest), high) - index * gap for index, place in enumerate(fitted)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
