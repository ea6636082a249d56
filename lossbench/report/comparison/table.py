"""The comparison as a table for a terminal: complete at any width, in one table where there is room, else in more."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

    from lossbench.analysis.result import Comparison, Group
    from lossbench.report.comparison.columns import Column

LOSS_AT_LEAST, LOSS_AT_MOST = 24, 44
"""A label is wrapped before the numbers suffer, but not to less than the first and only if longer than the second."""

STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "identical": "cyan"}


class ComparisonTable:
    """A comparison that rich prints at the width of its console: title, tables for each condition, footnotes."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts, as rich asks for them."""
        from rich.text import Text

        comparison, width = self.comparison, options.max_width
        pages = _pages(comparison, width)
        yield Text(formatting.filled(wording.title(comparison), width, " · "), style="bold")
        for block in comparison.blocks:
            yield Text("")
            if condition := wording.condition(comparison, block):
                yield Text(formatting.filled(condition, width, " · "), style="cyan")
            for number, page in enumerate(pages):
                yield from [Text("")] * bool(number)
                yield from page.lines(comparison, block.groups, width, with_remarks=number == 0)
            if left_out := wording.left_out(block):
                yield Text(left_out, style="dim")
        notes = [*wording.legend(comparison), *wording.notes(comparison)]
        if notes:
            lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in notes)
            yield Text("\n".join(["", *lines]), style="dim")


@dataclass(frozen=True)
class _Stack:
    """Columns that stand one below the other, the width that they share, and how much of it a deviation takes."""

    columns: tuple[Column, ...]
    width: int = 0
    tail: int = 0
    marked: bool = False

    @property
    def heads(self) -> list[str]:
        """The titles, one below the other; a column below that is the scaled one of its parent says so alone."""
        top, *below = self.columns
        return [*top.heads, *(column.head.removeprefix(f"{top.head} ") for column in below)]

    def text(self, column: Column, group: Group) -> str:
        """What a column says; blanks stand for the deviation of a mean that has none, so that points are in line."""
        text = column.text(group)
        return text + " " * self.tail if column.is_estimate and " ± " not in text else text

    def cell(self, group: Group) -> list[tuple[str, str]]:
        """The lines for a group, each as wide as the stack, and how it is styled."""
        lines = []
        for column in self.columns:
            text, mark = self.text(column, group), column.mark(group)
            padded = text.rjust(self.width) if column.is_number else (text + mark).ljust(self.width + self.marked)
            style = "bold" if mark == columns.BEST else STYLES.get(text, "")
            lines.append((padded + mark.ljust(self.marked) * column.is_number, style))
        return lines


@dataclass(frozen=True)
class _Page:
    """One table: the width of its labels, the gap between columns, and the stacks."""

    label: int
    gap: int
    head: str
    stacks: tuple[_Stack, ...]

    @property
    def width(self) -> int:
        """Of a line."""
        return self.label + sum(self.gap + stack.width + stack.marked for stack in self.stacks)

    def lines(
        self, comparison: Comparison, groups: Sequence[Group], width: int, *, with_remarks: bool
    ) -> Iterator[Text]:
        """Header, rule, and the lines of each group, below them what is to be remarked."""
        from rich.text import Text

        heads = [[(self._placed(line, stack), "bold") for line in stack.heads] for stack in self.stacks]
        height = max(map(len, heads))
        padded = [[(" " * len(each[0][0]), "")] * (height - len(each)) + each for each in heads]
        yield from self._row([""] * (height - 1) + [self.head], padded, "bold")
        yield Text("─" * self.width)
        for group in groups:
            cells = [stack.cell(group) for stack in self.stacks]
            yield from self._row(wrapped(formatting.clean(group.label), self.label), cells, "")
            for remark in wording.remarks(comparison, group) if with_remarks else ():
                yield Text(textwrap.fill(remark, width, initial_indent="  ", subsequent_indent="  "), style="dim")

    def _placed(self, head: str, stack: _Stack) -> str:
        return head.rjust(stack.width) + " " * stack.marked if stack.columns[0].is_number else head.ljust(stack.width)

    def _row(self, label: Sequence[str], cells: Sequence[Sequence[tuple[str, str]]], style: str) -> Iterator[Text]:
        from rich.text import Text

        for number in range(max(len(label), *map(len, cells))):
            parts = [((label[number] if number < len(label) else "").ljust(self.label), style)]
            for cell in cells:
                parts.append((" " * self.gap, ""))
                parts.append(cell[number] if number < len(cell) else (" " * len(cell[0][0]), ""))
            yield Text.assemble(*parts)


def _pages(comparison: Comparison, width: int) -> list[_Page]:
    """One table with all intervals beside their values if that fits; else below, in as many tables as it takes."""
    groups = [group for block in comparison.blocks for group in block.groups]
    head = " · ".join(formatting.clean(key) for key in comparison.question.by)
    longest = max(len(head), *(len(formatting.clean(group.label)) for group in groups))
    label = min(longest, LOSS_AT_MOST)
    everything = columns.columns(comparison)
    wide = _Page(label, 2, head, _stacked(groups, everything, beside=True))
    if wide.width <= width:
        return [replace(wide, label=min(longest, label + width - wide.width))]
    stacks = _stacked(groups, everything, beside=False)
    core = tuple(stack for stack in stacks if stack.columns[0].is_core)
    pages = [_fitted(_Page(label, 2, head, core), longest, width)]
    for stack in stacks[len(core) :]:
        longer = _fitted(_Page(label, 2, head, (*pages[-1].stacks, stack)), longest, width)
        if longer.width <= width:
            pages[-1] = longer
        else:
            pages.append(_fitted(_Page(label, 2, head, (stack,)), longest, width))
    return pages


def _fitted(page: _Page, longest: int, width: int) -> _Page:
    """A narrower gap, then a narrower label, where a table is too wide."""
    if page.width > width:
        page = replace(page, gap=1)
    room = width - page.width + page.label
    return replace(page, label=max(min(longest, page.label, room), min(longest, LOSS_AT_LEAST)))


def _stacked(groups: Sequence[Group], every: Sequence[Column], *, beside: bool) -> tuple[_Stack, ...]:
    """Columns in stacks: one that may stand below another does so if there is no room beside; a scaled one always."""
    stacks: list[list[Column]] = []
    for column in every:
        parents = [stack for stack in stacks if column.below == stack[0].head]
        if parents and not (beside and column.is_core):
            parents[-1].append(column)
        else:
            stacks.append([column])
    return tuple(_measured(groups, stack) for stack in stacks)


def _measured(groups: Sequence[Group], columns: Sequence[Column]) -> _Stack:
    """A stack as wide as its widest line, the marks having a place of their own behind numbers."""
    tails = (
        text[text.find(" ± ") :] for column in columns for group in groups if " ± " in (text := column.text(group))
    )
    marked = any(column.mark(group) for column in columns for group in groups)
    stack = _Stack(tuple(columns), tail=max(map(len, tails), default=0), marked=marked)
    texts = (stack.text(column, group) for column in columns for group in groups)
    return replace(stack, width=max(map(len, [*stack.heads, *texts])))


def wrapped(label: str, width: int) -> list[str]:
    """Lines of a label, broken behind a blank or an underscore; within a word only where it is longer than a line."""
    lines = [""]
    for piece in re.findall(rf"[^ _]{{1,{width - 3}}}[ _]?|[ _]", label):
        if len(lines[-1] + piece.rstrip()) > width:
            lines.append("  ")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
