"""Charts with a row per loss on one axis, as wide as the page: their text keeps its size at every width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting, rank_words
from lossbench.report.page import charts
from lossbench.report.page.html import Html, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lossbench.analysis.ranks import MeanRanks
    from lossbench.report.forest import Forest, ForestRow

MOST_TICKS = 5


class RowAxis:
    """Positions on the axis of a chart, in per cent of its width."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.ticks = charts.tick_labels(charts.ticks(low, high, MOST_TICKS))

    def at(self, value: float) -> str:
        """Return a position: `12.5%`; one beyond the axis is at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return f"{100 * share:.2f}%"

    def upright(self, value: float, class_: str) -> Html:
        """Return a line through the whole row."""
        return element("line", x1=self.at(value), x2=self.at(value), y1=0, y2="100%", class_=class_)

    def grid(self) -> list[Html]:
        """Return a line per tick."""
        return [self.upright(tick, "grid") for tick in self.ticks]

    def row(self, name: str) -> Html:
        """Return the row below all others: the numbers of the ticks, and the axis's name."""
        numbers = [
            element("text", text.replace("-", formatting.MINUS), x=self.at(tick), y=14, text_anchor="middle")
            for tick, text in self.ticks.items()
        ]
        line = element("line", x1=0, x2="100%", y1=0.5, y2=0.5, class_="axis")
        return row("", [line, *numbers], name, "", class_="row ends")


def forest_figure(plot: Forest) -> Html:
    """Return the forest plot of one condition."""
    axis = RowAxis(plot.low, plot.high)
    rows = [
        row(each.label, _forest_marks(plot, each, axis), _about(plot, each), each.verdict, title=each.numbers)
        for each in plot.rows
    ]
    return element(
        "section",
        element("h3", plot.title),
        element("p", plot.note, class_="faint"),
        element("figure", *rows, axis.row(plot.axis), element("figcaption", plot.axis), class_="rows"),
    )


def rank_figure(ranks: MeanRanks) -> Html:
    """Return mean ranks over conditions, each with a bar down to the last loss that is not shown to differ."""
    axis = RowAxis(0.5, len(ranks.labels) + 0.5)
    rows = [
        row(label, _rank_marks(rank, ranks.ranks[last], axis), _alike(label, ranks.labels[last]), number)
        for label, rank, last, number in zip(
            ranks.labels, ranks.ranks, ranks.last, rank_words.numbers(ranks), strict=True
        )
    ]
    return element("figure", *rows, axis.row(rank_words.AXIS), element("figcaption", rank_words.AXIS), class_="rows")


def row(label: str, marks: Iterable[Html], about: str, word: str, *, title: str = "", class_: str = "row") -> Html:
    """Return a row: the loss, a word on it, and its marks; `title` has the numbers that the marks show."""
    tooltip = [element("title", title)] if title else []
    drawn = element("svg", *tooltip, *marks, role="img", aria_label=about)
    return element(
        "div",
        element("div", formatting.clean(label), class_="label"),
        element("div", drawn, class_="plot"),
        element("div", word, class_="said"),
        class_=class_,
    )


def _forest_marks(plot: Forest, of: ForestRow, axis: RowAxis) -> Iterator[Html]:
    if plot.rope is not None:
        width = f"{2 * 100 * plot.rope / (plot.high - plot.low):.2f}%"
        yield element("rect", x=axis.at(-plot.rope), width=width, y=0, height="100%", class_="rope")
    yield from axis.grid()
    if plot.reference is not None:
        yield axis.upright(plot.reference, "baseline")
    if of.value is not None and plot.shows(of):
        low, high = of.interval or (of.value, of.value)
        yield element("line", x1=axis.at(low), x2=axis.at(high), y1="50%", y2="50%", class_="interval")
        yield element("circle", cx=axis.at(of.value), cy="50%", r=4.5, class_="dot" if of.is_decided else "dot hollow")
    for arrow in plot.arrows(of):
        at, anchor = ("0%", "start") if arrow.startswith("←") else ("100%", "end")
        yield element("text", arrow, x=at, y="50%", dy=4, text_anchor=anchor, class_="beyond")


def _about(plot: Forest, of: ForestRow) -> str:
    """Return a row in words."""
    numbers = f"{of.numbers}, {plot.confidence} interval in brackets" if of.interval else of.numbers
    return ": ".join(filter(None, (formatting.clean(of.label), numbers or of.verdict)))


def _rank_marks(rank: float, last: float, axis: RowAxis) -> Iterator[Html]:
    yield from axis.grid()
    if last > rank:
        yield element("line", x1=axis.at(rank), x2=axis.at(last), y1="50%", y2="50%", class_="reach")
    yield element("circle", cx=axis.at(rank), cy="50%", r=4.5, class_="dot")


def _alike(label: str, last: str) -> str:
    """Return in words how far down the losses reach that are not shown to differ."""
    others = (
        "differs from every loss below" if last == label else f"not shown to differ down to {formatting.clean(last)}"
    )
    return f"{formatting.clean(label)}: {others}"
