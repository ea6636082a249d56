"""Charts as SVG, small enough for a phone: one loss per chart, with the baseline as a dashed line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench.report import figures
from lossbench.report.page.html import Html, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.analysis.figure_data import Band, Floats, Reliability
    from lossbench.analysis.result import Estimate

WIDTH, HEIGHT = 300, 180
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 34
CELL = 24
MOST_DOTS = 20
"""Epochs up to which each point of a curve has a dot."""


@dataclass(frozen=True)
class Frame:
    """The ranges of two axes, and their position in the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: int = HEIGHT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return a point in the drawing's coordinates."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), self.height - BOTTOM - up * (self.height - BOTTOM - TOP)


def axis_range(values: Iterable[float]) -> tuple[float, float]:
    """Return the range of the finite values with a margin."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round numbers in a range, at most `most`."""
    raw = (high - low) / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def tick_labels(numbers: Sequence[float]) -> dict[float, str]:
    """Return the labels of ticks, each with as many decimals as the number that needs most."""
    short = {number: f"{number:.6g}" for number in numbers}
    if any("e" in text for text in short.values()):
        return short
    decimals = max((len(text.partition(".")[2]) for text in short.values()), default=0)
    return {number: f"{number:.{decimals}f}" for number in numbers}


def curve_chart(band: Band, baseline: Band | None, y: tuple[float, float], about: str) -> Html:
    """Return a learning curve with its band over seeds."""
    epochs = range(1, len(band.mean) + 1)
    frame = Frame((0.5, len(epochs) + 0.5), y)
    marks = [band_area(frame, band, "band")]
    if baseline:
        marks.append(polyline(frame, zip(epochs, baseline.mean, strict=False), "baseline"))
    mean = [*zip(epochs, band.mean, strict=True)]
    marks.append(polyline(frame, mean, "mean"))
    marks += _dots(frame, mean) if len(mean) <= MOST_DOTS else ()
    return drawing(about, axes(frame, epoch_ticks(len(epochs)), "epoch"), marks)


def epoch_ticks(epochs: int) -> list[int]:
    """Return whole numbers from 1 to the number of epochs."""
    return sorted({max(1, round(tick)) for tick in ticks(1, max(2, epochs))} & set(range(1, epochs + 1))) or [1]


def band_area(frame: Frame, band: Band, class_: str) -> Html:
    """Return the area from the lowest to the highest seed."""
    epochs = range(1, len(band.mean) + 1)
    edges = [*zip(epochs, band.low, strict=True), *reversed([*zip(epochs, band.high, strict=True)])]
    return element("polygon", points=_points(frame, edges), class_=class_)


def seed_chart(estimate: Estimate, baseline: float | None, x: tuple[float, float], about: str) -> Html:
    """Return every seed as a dot, below them the mean with its interval; the dashed line is the baseline's mean."""
    height = 84
    frame = Frame(x, (0, 1), height)
    marks = [_line(frame, baseline, 0, baseline, 1, "baseline")] if baseline is not None else []
    for index, (seed, value) in enumerate(estimate.values.items()):
        up = 0.92 - 0.5 * index / max(1, len(estimate.values) - 1)
        marks.append(_circle(frame, value, up, "seed", f"seed {seed}: {value:.6g}"))
    if estimate.interval:
        marks.append(_line(frame, estimate.interval.low, 0.18, estimate.interval.high, 0.18, "interval"))
    if estimate.mean is not None:
        marks.append(_circle(frame, estimate.mean, 0.18, "dot"))
    return drawing(about, axes(frame, ticks(*x), "", upright=False), marks, height)


def trend_chart(
    sizes: Sequence[float],
    line: Sequence[Estimate | None],
    baseline: Sequence[float],
    y: tuple[float, float],
    words: tuple[str, str],
) -> Html:
    """Return a metric against the size of a condition: seeds, means, intervals.

    Args:
        sizes: The sizes.
        line: The loss's estimate at each size.
        baseline: The baseline's mean at each size; empty without a baseline.
        y: The range of the metric.
        words: The title of the axis, and the description of the chart.
    """
    frame = Frame(axis_range(sizes), y)
    means = [(size, each) for size, each in zip(sizes, line, strict=True) if each and each.mean is not None]
    marks = [
        polyline(frame, zip(sizes, baseline, strict=False), "baseline"),
        polyline(frame, [(size, each.mean) for size, each in means if each.mean is not None], "mean"),
    ]
    for size, each in means:
        marks += [_circle(frame, size, value, "seed") for value in each.values.values()]
        marks += [_line(frame, size, each.interval.low, size, each.interval.high, "interval")] if each.interval else []
        marks += [_circle(frame, size, each.mean, "dot")] if each.mean is not None else []
    return drawing(words[1], axes(frame, list(sizes), words[0]), marks)


def reliability_chart(found: Reliability, about: str) -> Html:
    """Return accuracy against confidence; bars: share of the images; vertical lines: lowest to highest seed."""
    frame = Frame((0, 1), (0, 1), 240)
    bins = len(found.share)
    marks = [_bar(frame, (index / bins, (index + 1) / bins), share, "share") for index, share in enumerate(found.share)]
    marks.append(_line(frame, 0, 0, 1, 1, "baseline"))
    full = np.isfinite(found.confidence)
    for x, low, high in zip(found.confidence[full], found.low[full], found.high[full], strict=True):
        marks.append(_line(frame, x, low, x, high, "interval"))
    points = [*zip(found.confidence[full], found.accuracy[full], strict=True)]
    marks += [polyline(frame, points, "mean"), *_dots(frame, points)]
    return drawing(about, axes(frame, [0, 0.5, 1], "confidence"), marks, 240)


def class_chart(rates: Floats, baseline: Floats | None, y: tuple[float, float], about: str) -> Html:
    """Return a bar per class for the images that are taken for another class; dashed marks are the baseline's."""
    frame = Frame((-0.6, len(rates) - 0.4), y)
    marks = [
        _bar(frame, (index - 0.38, index + 0.38), share, "bar", f"class {index}: {share:.2f} %")
        for index, share in enumerate(rates)
        if math.isfinite(share)
    ]
    if baseline is not None and len(baseline) == len(rates):
        marks += [
            _line(frame, index - 0.45, share, index + 0.45, share, "baseline")
            for index, share in enumerate(baseline)
            if math.isfinite(share)
        ]
    return drawing(about, axes(frame, list(range(0, len(rates), math.ceil(len(rates) / 10))), "true class"), marks)


def matrix_chart(cells: Floats, limit: float, about: str, *, signed: bool) -> Html:
    """Return per cent of each true class (row) taken for each class; `signed` for differences from the baseline."""
    size = CELL * len(cells)
    marks = [
        part
        for (true, predicted), cell in np.ndenumerate(cells)
        if abs(cell) >= figures.SMALLEST
        for part in _cell(true, predicted, cell, limit, shaded=signed or true != predicted, signed=signed)
    ]
    names = [
        name
        for index in range(len(cells))
        for name in (
            _text(18, 22 + CELL * index + 16, str(index), "end"),
            _text(22 + CELL * index + 12, 16, str(index), "middle"),
        )
    ]
    frame = element("rect", x=22, y=22, width=size, height=size, class_="frame")
    return element(
        "svg", frame, *names, *marks, viewBox=f"0 0 {size + 26} {size + 26}", role="img", aria_label=about, class_="m"
    )


def _cell(true: int, predicted: int, cell: float, limit: float, *, shaded: bool, signed: bool) -> Iterator[Html]:
    depth = min(1.0, abs(cell) / limit) if shaded else 0.0
    x, y = 22 + CELL * predicted, 22 + CELL * true
    side = ("more" if cell > 0 else "less") if signed else "mistake"
    if depth:
        yield element("rect", x=x, y=y, width=CELL, height=CELL, class_=side, fill_opacity=round(depth, 2))
    number = figures.cell_text(cell, signed=signed)
    yield _text(x + CELL / 2, y + 15, number, "middle", "dark" if depth > figures.DARK else None)


def drawing(
    about: str, scales: Iterable[Html], marks: Iterable[Html], height: int = HEIGHT, width: int = WIDTH
) -> Html:
    """Return axes and marks as a picture that is described by `about`."""
    return element("svg", *scales, *marks, viewBox=f"0 0 {width} {height}", role="img", aria_label=about)


def axes(frame: Frame, across: Sequence[float], name: str, *, upright: bool = True) -> Iterator[Html]:
    """Yield the horizontal axis with ticks and name; if upright, also the ticks of the other axis with lines across."""
    low = frame.y[0]
    yield _line(frame, frame.x[0], low, frame.x[1], low, "axis")
    for tick, text in tick_labels(across).items():
        x, y = frame.at(tick, low)
        yield _text(x, y + 14, text, "middle")
    for tick, text in tick_labels(ticks(*frame.y) if upright else ()).items():
        yield _line(frame, frame.x[0], tick, frame.x[1], tick, "grid")
        x, y = frame.at(frame.x[0], tick)
        yield _text(x - 5, y + 4, text, "end")
    if name:
        yield _text((LEFT + WIDTH - RIGHT) / 2, frame.height - 5, name, "middle")


def _text(x: float, y: float, text: str, anchor: str, class_: str | None = None) -> Html:
    return element("text", text, x=round(x, 1), y=round(y, 1), text_anchor=anchor, class_=class_)


def _line(frame: Frame, x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    (left, top), (right, bottom) = frame.at(x1, y1), frame.at(x2, y2)
    return element("line", x1=round(left, 1), y1=round(top, 1), x2=round(right, 1), y2=round(bottom, 1), class_=class_)


def _circle(frame: Frame, x: float, y: float, class_: str, title: str = "") -> Html:
    left, top = frame.at(x, y)
    tooltip = [element("title", title)] if title else []
    return element("circle", *tooltip, cx=round(left, 1), cy=round(top, 1), r=3, class_=class_)


def _bar(frame: Frame, sides: tuple[float, float], value: float, class_: str, title: str = "") -> Html:
    (left, top), (right, bottom) = frame.at(sides[0], max(value, frame.y[0])), frame.at(sides[1], frame.y[0])
    tooltip = [element("title", title)] if title else []
    return element(
        "rect",
        *tooltip,
        x=round(left, 1),
        y=round(top, 1),
        width=round(right - left, 1),
        height=round(bottom - top, 1),
        class_=class_,
    )


def _dots(frame: Frame, points: Iterable[tuple[float, float]]) -> list[Html]:
    return [_circle(frame, x, y, "dot") for x, y in points if math.isfinite(y)]


def polyline(frame: Frame, points: Iterable[tuple[float, float]], class_: str) -> Html:
    """Return a line through points; those that are not finite are left out."""
    return element("polyline", points=_points(frame, points), class_=class_)


def _points(frame: Frame, points: Iterable[tuple[float, float]]) -> str:
    placed = [frame.at(x, y) for x, y in points if math.isfinite(y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
