"""Tables of labelled rows for a terminal, complete at any width: one table if there is room, else several."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting
from lossbench.report.comparison import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.text import Text

    from lossbench.report.comparison.columns import Column

LABEL_AT_MOST = 44
"""The width to which labels are wrapped to make room for numbers."""

LABEL_AT_LEAST, NARROWEST = 24, 16
"""The narrowest labels: of a table that takes further columns, and of one that is too wide otherwise."""

NARROW = 72
"""A console with fewer columns has the narrowest labels everywhere."""

STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "identical": "cyan"}


def _spaced(mark: str) -> str:
    """Return a mark with a blank before the sign of a verdict, which would read as part of the number."""
    return f"{mark[:-1]} {mark[-1]}" if mark[-1:] in columns.VERDICT_MARKS.values() else mark


@dataclass(frozen=True)
class Stack:
    """Columns placed one below the other.

    Attributes:
        columns: The columns, the topmost first.
        width: The width that they share.
        tail: The part of the width for a standard deviation.
        marked: The width of the marks after it.
    """

    columns: tuple[Column, ...]
    width: int = 0
    tail: int = 0
    marked: int = 0

    @property
    def heads(self) -> list[str]:
        """Return the titles, one per line; a scaled column says `scaled` below its parent's title."""
        top, *below = self.columns
        return [*top.heads, *(column.short_head or column.head for column in below)]

    def text(self, column: Column, row: Any) -> str:
        """Return a column's text, with blanks for a missing deviation so that decimal points stay in line."""
        text = column.text(row)
        return text + " " * self.tail if column.is_estimate and " ± " not in text else text

    def cell(self, row: Any) -> list[tuple[str, str]]:
        """Return the lines of a row's cell, each as wide as the stack, with their styles."""
        lines = []
        for column in self.columns:
            text, mark = self.text(column, row), _spaced(column.mark(row))
            padded = text.rjust(self.width) if column.is_number else (text + mark).ljust(self.width + self.marked)
            style = "bold" if columns.is_best(mark) else STYLES.get(text, "")
            lines.append((padded + mark.ljust(self.marked) * column.is_number, style))
        return lines


@dataclass(frozen=True)
class Page:
    """One table: the width of its labels, the gap between columns, the head of the labels, and the stacks."""

    label: int
    gap: int
    head: str
    stacks: tuple[Stack, ...]

    @property
    def width(self) -> int:
        """Return the width of a line."""
        return self.label + sum(self.gap + stack.width + stack.marked for stack in self.stacks)

    def lines(
        self, rows: Sequence[Any], width: int, remarks: Callable[[Any], Iterator[str]] | None = None
    ) -> Iterator[Text]:
        """Yield header, rule, and the lines of each row with its remarks, if any are given."""
        from rich.text import Text

        heads = [[(self._padded_head(line, stack), "bold") for line in stack.heads] for stack in self.stacks]
        title = formatting.wrap_label(self.head, self.label)
        height = max(len(title), *map(len, heads))
        padded = [[(" " * len(each[0][0]), "")] * (height - len(each)) + each for each in heads]
        yield from self._row([""] * (height - len(title)) + title, padded, "bold")
        yield Text("─" * self.width)
        for row in rows:
            cells = [stack.cell(row) for stack in self.stacks]
            yield from self._row(formatting.wrap_label(formatting.clean(row.label), self.label), cells, "")
            for remark in remarks(row) if remarks else ():
                yield Text(textwrap.fill(remark, width, initial_indent="  ", subsequent_indent="  "), style="dim")

    def _padded_head(self, head: str, stack: Stack) -> str:
        return head.rjust(stack.width) + " " * stack.marked if stack.columns[0].is_number else head.ljust(stack.width)

    def _row(self, label: Sequence[str], cells: Sequence[Sequence[tuple[str, str]]], style: str) -> Iterator[Text]:
        from rich.text import Text

        for number in range(max(len(label), *map(len, cells))):
            parts = [(formatting.pad(label[number] if number < len(label) else "", self.label), style)]
            for cell in cells:
                parts.append((" " * self.gap, ""))
                parts.append(cell[number] if number < len(cell) else (" " * len(cell[0][0]), ""))
            yield Text.assemble(*parts)


def pages(head: str, every: Sequence[Column], rows: Sequence[Any], width: int) -> list[Page]:
    """Return one table with intervals next to their values if that fits; else several, with intervals below.

    Args:
        head: The title of the labels.
        every: The columns.
        rows: Objects with a `label`, which the columns take.
        width: The width of the console.
    """
    longest = max(map(formatting.columns_of, (head, *(formatting.clean(row.label) for row in rows))))
    label = min(longest, LABEL_AT_MOST)
    wide = Page(label, 2, head, _stacked(rows, every, beside=True))
    if wide.width <= width:
        return [replace(wide, label=min(longest, label + width - wide.width))]
    stacks = _stacked(rows, every, beside=False)
    core = tuple(stack for stack in stacks if stack.columns[0].is_core)
    whole = _fitted(Page(label, 2, head, core), longest, width, NARROWEST)
    first, rest = ([whole], stacks[len(core) :]) if whole.width <= width else ([], stacks)
    return _filled(first, rest, Page(label, 2, head, ()), longest, width)


def _filled(full: list[Page], stacks: Sequence[Stack], empty: Page, longest: int, width: int) -> list[Page]:
    """Return the pages with further stacks, each on the last page if it has room there, else on a new one."""
    least = NARROWEST if width < NARROW else LABEL_AT_LEAST
    for stack in stacks:
        if full:
            longer = _fitted(replace(empty, stacks=(*full[-1].stacks, stack)), longest, width, least)
            if longer.width <= width:
                full[-1] = longer
                continue
        full.append(_fitted(replace(empty, stacks=(stack,)), longest, width, NARROWEST))
    return full


def _fitted(page: Page, longest: int, width: int, least: int) -> Page:
    """Return a page with a narrower gap and then narrower labels if it is too wide."""
    if page.width > width:
        page = replace(page, gap=1)
    room = width - page.width + page.label
    return replace(page, label=max(min(longest, page.label, room), min(longest, least)))


def _stacked(rows: Sequence[Any], every: Sequence[Column], *, beside: bool) -> tuple[Stack, ...]:
    """Return columns in stacks: `beside` leaves core columns next to each other, scaled ones are always below."""
    stacks: list[list[Column]] = []
    for column in every:
        parents = [stack for stack in stacks if column.below == stack[0].head]
        if parents and not (beside and column.is_core):
            parents[-1].append(column)
        else:
            stacks.append([column])
    return tuple(_measured(rows, stack) for stack in stacks)


def _measured(rows: Sequence[Any], every: Sequence[Column]) -> Stack:
    """Return a stack as wide as its widest line, with a place for marks after numbers."""
    tails = (text[text.find(" ± ") :] for column in every for row in rows if " ± " in (text := column.text(row)))
    marked = max((len(_spaced(column.mark(row))) for column in every for row in rows), default=0)
    stack = Stack(tuple(every), tail=max(map(len, tails), default=0), marked=marked)
    texts = (stack.text(column, row) for column in every for row in rows)
    return replace(stack, width=max(map(len, [*stack.heads, *texts])))
