"""Section on the memorisation of wrong labels: all losses on one axis, each named at the end of its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import memorization
from lossbench.report.formatting import clean
from lossbench.report.page import charts
from lossbench.report.page.html import Html, element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.report.figures import ConditionFigure
    from lossbench.report.memorization import Line, Lines

COLOURS = 7
"""Colours of `style.css`, `l0` to `l6`; a line leads from each name to its curve, so that no two need telling apart."""

NAMES, LETTERS, ROW = 190, 27, 14
"""Pixels to the right of the axis for the names, the letters that fit there, pixels per name."""


def memorization_section(content: ConditionFigure) -> Html:
    """Return the curves of memorised and of recovered labels; nothing where no run has wrong labels."""
    found = memorization.memorization(content)
    if not found:
        return Html()
    note = f"mean in a band from the lowest to the highest seed{'; dashed: the baseline' * bool(content.baseline)}"
    figures = [element("figure", element("figcaption", each.title), _chart(each)) for each in found]
    title = memorization.TITLE.capitalize()
    return element(
        "section", element("h3", title), element("p", note, class_="faint"), element("div", *figures, class_="lines")
    )


def _chart(shown: Lines) -> Html:
    height = max(charts.HEIGHT, ROW * len(shown.lines) + charts.TOP + charts.BOTTOM)
    frame = charts.Frame((0.5, shown.epochs + 0.5), shown.y, height)
    per_pixel = (shown.y[1] - shown.y[0]) / (height - charts.TOP - charts.BOTTOM)
    places = memorization.spread((line.end for line in shown.lines), ROW * per_pixel, *shown.y)
    marks = [mark for line, place in zip(shown.lines, places, strict=True) for mark in _marks(frame, line, place)]
    whole_numbers = charts.epoch_ticks(shown.epochs)
    about = f"{shown.title}, at the end: " + ", ".join(f"{clean(line.label)} {line.end:.4g}" for line in shown.lines)
    return charts.drawing(about, charts.axes(frame, whole_numbers, "epoch"), marks, height, charts.WIDTH + NAMES)


def _marks(frame: charts.Frame, line: Line, place: float) -> Iterator[Html]:
    """Yield band, mean, and the name with a line that leads to it."""
    class_ = "lb" if line.number is None else f"l{line.number % COLOURS}"
    band, epochs = line.band, range(1, len(line.band.mean) + 1)
    yield charts.band_area(frame, band, class_)
    yield charts.polyline(frame, zip(epochs, band.mean, strict=True), class_)
    (x, y), (_, named) = frame.at(epochs[-1], line.end), frame.at(epochs[-1], place)
    side = charts.WIDTH - charts.RIGHT
    points = f"{x:.1f},{y:.1f} {side - 2:.1f},{y:.1f} {side + 10:.1f},{named:.1f}"
    yield element("polyline", points=points, class_=f"leader {class_}")
    label = clean(line.label)
    shown = label if len(label) <= LETTERS else f"{label[:LETTERS]}…"
    yield element("text", element("title", label), shown, x=side + 13, y=round(named + 4, 1))
