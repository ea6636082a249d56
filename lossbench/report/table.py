"""The comparison as a table for a terminal: complete at 80 columns, a ± behind every mean where there is room."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.metrics import METRICS, REPORTED
from lossbench.report import words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

    from lossbench.analysis.summary import Comparison, Group

GAP = 2
LOSS_AT_LEAST, LOSS_AT_MOST = 20, 44
"""A label is wrapped before the numbers suffer, but not to less than the first and only if longer than the second."""


class ComparisonTable:
    """A comparison that rich prints at the width of its console: title, a table for each condition, footnotes."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts, as rich asks for them."""
        from rich.text import Text

        comparison, width = self.comparison, options.max_width
        groups = [group for block in comparison.blocks for group in block.groups]
        layout = _layout(groups, words.shown(comparison), width)
        yield Text(words.title(comparison), style="bold")
        for block in comparison.blocks:
            yield Text("")
            if condition := words.condition(comparison, block):
                yield Text(words.filled(condition, width, " · "), style="cyan")
            yield _table(block.groups, layout)
        notes = words.legend(comparison) + words.notes(comparison)
        if notes:
            lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in notes)
            yield Text("\n".join(["", *lines]), style="dim")


@dataclass(frozen=True)
class _Layout:
    """Widths of the columns, equal in all blocks; what stands in a column, one below the other; what has a ±."""

    loss: int
    count: int
    values: Mapping[str, int]
    columns: Mapping[str, Sequence[str]]
    spread: Collection[str]

    @property
    def width(self) -> int:
        """Of the whole table: each value has a column for its mark, and all but the first have a gap before them."""
        return self.loss + self.count + sum(self.values.values()) + len(self.values) + GAP * (len(self.values) + 1)


def _layout(groups: Sequence[Group], metrics: Collection[str], width: int) -> _Layout:
    """Every standard deviation where that leaves room for the labels, else that of accuracy alone."""
    longest = max(len("loss"), *(len(words.clean(group.loss)) for group in groups))
    count = max(len(line) for group in groups for line in words.counts(group))
    columns = {name: [each for each in (name, f"{name}_scaled") if each in metrics] for name in METRICS}
    for spread in (tuple(REPORTED), ("accuracy",)):
        values = {name: _width(groups, column, spread) for name, column in columns.items()}
        layout = _Layout(0, count, values, columns, spread)
        room = width - layout.width
        if room >= min(longest, LOSS_AT_MOST):
            break
    return replace(layout, loss=min(longest, max(room, LOSS_AT_LEAST)))


def _width(groups: Sequence[Group], column: Sequence[str], spread: Collection[str]) -> int:
    values = (len(_value(group, name, spread)) for group in groups for name in column)
    return max(*map(len, _header(column)), *values)


def _header(column: Sequence[str]) -> list[str]:
    """The title of what stands above; below it, `scaled` for what stands there."""
    return [words.header(column[0]), *("scaled" for _ in column[1:])]


def _table(groups: Sequence[Group], layout: _Layout) -> Table:
    """A row for each group; behind each value one column for its mark, and its scaled value below it."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False, width=layout.width)
    table.add_column("loss", width=layout.loss)
    table.add_column("n", width=layout.count)
    for name, width in layout.values.items():
        table.add_column("\n".join(line.rjust(width) for line in _header(layout.columns[name])), width=width + 1)
    for group in groups:
        cells = [Text("\n".join(_wrapped(words.clean(group.loss), layout.loss))), Text("\n".join(words.counts(group)))]
        cells += [_cell(group, layout, name) for name in layout.values]
        table.add_row(*cells)
    return table


def _cell(group: Group, layout: _Layout, name: str) -> Text:
    from rich.text import Text

    lines = []
    for each in layout.columns[name]:
        mark = words.mark(group, each)
        value = _value(group, each, layout.spread).rjust(layout.values[name])
        lines.append(Text(value + mark, style="bold" if mark == words.BEST else ""))
    return Text("\n").join(lines)


def _value(group: Group, name: str, spread: Collection[str]) -> str:
    """A mean, with its standard deviation where that is shown; a missing one is padded, so that the points align."""
    estimate = group.metrics[name]
    if name not in spread:
        return words.number(name, estimate.mean)
    text = words.estimate(name, estimate)
    return text + " " * (len(words.number(name, 0)) - 1) * text.endswith("± -")


def _wrapped(label: str, width: int) -> list[str]:
    """Lines of a label, broken behind a blank or an underscore; within a word only where it is longer than a line."""
    lines = [""]
    for piece in re.findall(rf"[^ _]{{1,{width - 3}}}[ _]?|[ _]", label):
        if len(lines[-1] + piece.rstrip()) > width:
            lines.append("  ")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
