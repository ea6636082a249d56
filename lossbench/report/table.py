"""The comparison as a table for a terminal: complete at 80 columns, a ± behind every mean where there is room."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.metrics import METRICS
from lossbench.report import words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

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
        layout = _layout([group for block in comparison.blocks for group in block.groups], width)
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
    """Widths of the columns, equal in all blocks, and the metrics whose standard deviation is shown."""

    loss: int
    count: int
    values: Mapping[str, int]
    spread: Collection[str]

    @property
    def width(self) -> int:
        """Of the whole table: each value has a column for its mark, and all but the first have a gap before them."""
        return self.loss + self.count + sum(self.values.values()) + len(self.values) + GAP * (len(self.values) + 1)


def _layout(groups: Sequence[Group], width: int) -> _Layout:
    """Every standard deviation where that leaves room for the labels, else that of accuracy alone."""
    longest = max(len("loss"), *(len(words.clean(group.loss)) for group in groups))
    count = max(len(line) for group in groups for line in words.counts(group))
    for spread in (tuple(METRICS), ("accuracy",)):
        layout = _Layout(0, count, {name: _width(groups, name, spread) for name in METRICS}, spread)
        room = width - layout.width
        if room >= min(longest, LOSS_AT_MOST):
            break
    return replace(layout, loss=min(longest, max(room, LOSS_AT_LEAST)))


def _width(groups: Sequence[Group], name: str, spread: Collection[str]) -> int:
    return max(len(words.header(name)), *(len(_value(group, name, spread)) for group in groups))


def _table(groups: Sequence[Group], layout: _Layout) -> Table:
    """A row for each group; behind each value one column for its mark."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False, width=layout.width)
    table.add_column("loss", width=layout.loss)
    table.add_column("n", width=layout.count)
    for name, width in layout.values.items():
        table.add_column(words.header(name).rjust(width), width=width + 1)
    for group in groups:
        cells = [Text("\n".join(_wrapped(words.clean(group.loss), layout.loss))), Text("\n".join(words.counts(group)))]
        for name, width in layout.values.items():
            mark = words.mark(group, name)
            value = _value(group, name, layout.spread).rjust(width)
            cells.append(Text(value + mark, style="bold" if mark == words.BEST else ""))
        table.add_row(*cells)
    return table


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
